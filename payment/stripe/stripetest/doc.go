// Package stripetest is a stand-in for Stripe on one port of 127.0.0.1: the part of its API that taking payments by Checkout
// needs, the page a payer pays on, and the sender of its events.
//
// It is a company of its own: it shares no code with the adapter, so that what both would get wrong alike shows. It
// wants the key, parameters it knows in the form it knows, and does what an idempotency key stands for once, repeating for a
// day also that it failed. It keeps the account's sessions, payments, refunds, disputes and balance, never refunds
// more than was paid, and signs its events as Stripe does.
//
// What Stripe does and this does not: taxes, discounts, customers, several things in one session, payouts by itself, presenting
// prices in the payer's currency, limits of requests, other versions of the API.
package stripetest
