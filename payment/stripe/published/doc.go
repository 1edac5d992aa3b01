// Package published holds requests and answers against the description of Stripe's API that Stripe publishes (OpenAPI), as its own
// stand-in for testing (github.com/stripe/stripe-mock) carries it.
//
// It is for tests only: the description has 8 MB, and the product must not contain it.
package published
