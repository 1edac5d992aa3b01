package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/boxoffice/boxoffice/migrations"
)

// migrationLock is the advisory lock under which migrations run; any number that nobody else uses.
const migrationLock = 0x626f786f66666963 // "boxoffic"

// Migrate brings the schema up to date. Processes that start together wait for the first of them.
// db needs two connections at least.
func Migrate(ctx context.Context, db *sql.DB) (err error) {
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	// goose's own session lock polls for seconds; this one is given on at once.
	lock, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if _, err := lock.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer func() {
		_, unlockErr := lock.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(migrationLock))
		err = errors.Join(err, unlockErr)
	}()
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// Migrate brings the schema up to date, on connections of its own without the
// time-outs of the others: a migration takes as long as it takes.
func (s *Store) Migrate(ctx context.Context) (err error) {
	config := s.pool.Config().ConnConfig
	for _, bound := range []string{"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"} {
		delete(config.RuntimeParams, bound)
	}
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	return Migrate(ctx, db)
}
