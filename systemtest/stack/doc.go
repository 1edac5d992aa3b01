// Package stack runs the whole product for tests and benchmarks: the real
// binaries, a PostgreSQL and a Temporal server of their own, the sandbox
// gateway, everything on free ports of 127.0.0.1. Every process is ended by
// its own id, and every test ends with an audit of its database.
package stack
