// Package payment says what a payment gateway is to Boxoffice: the Provider
// interface every gateway's adapter implements, the facts an adapter reports,
// and the Registry that finds an adapter by name.
//
// It knows money and nothing of orders, stock or workflows. What a fact means
// for an order is decided elsewhere; an adapter only tells the truth about
// its gateway.
package payment
