// Package onemachine starts everything that boxoffice consists of on one machine, for somebody who has just cloned it:
// PostgreSQL, Temporal with its UI, the database schema, a demo catalogue, the sandbox gateway and boxoffice itself.
//
// It knows the programs by their subcommands, environment variables and health addresses, and nothing of what they do.
// Keys and passwords are made once and stay in the data folder beside the data that depends on them.
package onemachine
