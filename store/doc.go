// Package store keeps Boxoffice's stock, orders, money and ledger in
// PostgreSQL, which alone decides who gets a ticket.
//
// Every exported method is one transaction and idempotent: repeated with the
// same arguments it returns what it did the first time. Refusals are
// *ticketing.Error; every other error is a fault of the database and worth
// another try.
//
// Locks are taken in one order everywhere: the order's row, then its
// attempts, then stock rows by ticket type id. What is read under those locks
// is judged by package ticketing; the database's constraints and triggers are the last word.
//
// Statements on the path of a purchase are SQL, sent in as few round trips as
// possible; the catalogue and other quiet rows go through GORM. Rows stay in here:
// callers see package ticketing's types only.
//
// The package knows nothing of HTTP, workflows or gateways.
package store
