// Package localpostgres runs a PostgreSQL server of our own as a child process: for development on one machine and for
// tests that want a real database.
//
// It finds the installed binaries, creates a cluster in a folder it is given, starts the server on 127.0.0.1 with a
// random password, and stops it. The server never outlives the process that started it, and a folder left behind by a
// killed process is taken over by the next start.
//
// It knows nothing of what is stored in the databases. Production uses a PostgreSQL that somebody looks after, never
// this package. It works on Unix only.
package localpostgres
