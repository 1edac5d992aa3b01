// Package temporalserver runs a whole Temporal server, and its web UI, inside our own process, with its data in a
// PostgreSQL server: for development on one machine and for system tests.
//
// It creates its two databases, brings their schema up to date, registers the namespace and the search attributes that
// the product's workflows set, starts the four services on 127.0.0.1, and says when they can be used. A start after a
// kill goes on where the data ends.
//
// It knows nothing of tickets or payments. Production uses a Temporal cluster or Temporal Cloud, never this package.
package temporalserver
