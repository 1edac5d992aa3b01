// Command boxoffice-standalone brings what boxoffice needs around it on one machine: a PostgreSQL server, a Temporal
// server with its UI, and, with `up`, boxoffice itself with its sandbox gateway.
//
//	up        everything, for `make run`
//	temporal  the Temporal server and its UI on a given PostgreSQL server
//	postgres  a PostgreSQL server
//
// It is a module of its own so that the many dependencies of the Temporal server stay out of the product. It knows the
// product only as a binary with subcommands, environment variables and health addresses.
package main
