// Package migrations holds the database schema as goose migrations, applied by
// store.Migrate. A migration that has been released is never edited: a change is a new file.
package migrations

import "embed"

// FS holds the migrations.
//
//go:embed *.sql
var FS embed.FS
