// Command bench measures what a purchase costs, beside what it could cost at least and what it usually costs.
//
// It starts a PostgreSQL, a Temporal server, the sandbox gateway and the product, all as processes of their own on free
// ports of 127.0.0.1, and lets N buyers at a time buy through three contenders that take turns on the same servers:
//
//   - boxoffice: the product. An order over HTTP, a payment over HTTP, the gateway's signed callback, tickets.
//   - bare engine: a workflow with one update and one timer, and no database but Temporal's.
//   - naive saga: the purchase as tutorials write it. An activity per step, each one transaction, a query polled for the
//     hold, a signal for the payment.
//
// It knows the product only as its users do: by HTTP, by the gateway's control API and by its audit. What it reads in
// SQL is which orders are paid, so that waiting buyers cost the product nothing.
package main
