// Package stories tells random stories of one order: attempts to pay that are opened, paid, paid late, paid
// twice, declined or of another amount, callbacks that are lost, doubled or answered by a database that is
// down, a buyer who cancels, gateways that cannot be reached, steps whose answer is lost, in any order. The
// rules, the database, the API, the gateway and the workflows are the real ones; only Temporal's clock is a
// test's, so that a quarter of an hour takes a moment.
//
// After each story a model says what must have come of it, the audit that every invariant holds, and the
// gateway's own books that no cent is unexplained. Each mutant of mutants_test.go, a fault of the kind that
// loses money, must be caught by these stories: run them with `go test -tags mutants`.
package stories
