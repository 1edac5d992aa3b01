package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/boxoffice/boxoffice/encryption"
)

// Config says which database to use and how. Zero fields mean the defaults.
type Config struct {
	// URL is a postgres:// URL.
	URL string
	// Keyring seals and opens personal data. Only migrating does without.
	Keyring *encryption.Keyring
	// MaxConnections bounds the pool. Default 16: more make a hot row slower, not faster.
	MaxConnections int
	// StatementTimeout bounds one statement on the server. Default 5 s.
	StatementTimeout time.Duration
	// LockTimeout bounds the wait for one lock. Default 3 s.
	LockTimeout time.Duration
	// ConnectTimeout bounds making a connection. Default 5 s.
	ConnectTimeout time.Duration
	// CallTimeout bounds one method with all its statements and retries, so that a connection
	// that went silent stops nobody. Default 15 s.
	CallTimeout time.Duration
	// HoldGroup is how many holds of the same stock share a transaction at most. Default 32; 1 lets each have its own.
	HoldGroup int
	// Tracer sees every statement, with the values it is given. Default none.
	Tracer pgx.QueryTracer
}

// Store is the database. It is safe for concurrent use.
type Store struct {
	pool        *pgxpool.Pool
	sql         *sql.DB
	gorm        *gorm.DB
	ring        *encryption.Keyring
	callTimeout time.Duration
	snapshots   snapshots
	groups      holdGroups
	plans       plans
}

// Open connects to the database and checks that it answers. It does not migrate.
func Open(ctx context.Context, config Config) (*Store, error) {
	settings, err := pgxpool.ParseConfig(config.URL)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	settings.MaxConns = int32(cmp.Or(config.MaxConnections, 16))
	settings.MinIdleConns = 1
	settings.ConnConfig.Tracer = config.Tracer
	settings.ConnConfig.ConnectTimeout = cmp.Or(config.ConnectTimeout, 5*time.Second)
	milliseconds := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	maps.Copy(settings.ConnConfig.RuntimeParams, map[string]string{
		"application_name":                    "boxoffice",
		"timezone":                            "UTC",
		"statement_timeout":                   milliseconds(cmp.Or(config.StatementTimeout, 5*time.Second)),
		"lock_timeout":                        milliseconds(cmp.Or(config.LockTimeout, 3*time.Second)),
		"idle_in_transaction_session_timeout": milliseconds(cmp.Or(config.CallTimeout, 15*time.Second)),
		// A connection keeps its plans. One made while a table is small, or before its first
		// statistics, would go on reading all of it; every statement here has an index, so none needs to.
		"plan_cache_mode": "force_generic_plan",
		"enable_seqscan":  "off",
		// Short statements only: compiling them costs more than it saves.
		"jit": "off",
	})
	pool, err := pgxpool.NewWithConfig(ctx, settings)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s := &Store{pool: pool, ring: config.Keyring, callTimeout: cmp.Or(config.CallTimeout, 15*time.Second), groups: holdGroups{size: cmp.Or(config.HoldGroup, groupSize)}}
	s.sql = stdlib.OpenDBFromPool(pool)
	s.gorm, err = gorm.Open(postgres.New(postgres.Config{Conn: s.sql}), &gorm.Config{
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		Logger:                 logger.Discard, // errors are returned; values have no place in a log
	})
	if err == nil {
		err = s.Ping(ctx)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	return s, nil
}

// Close ends every connection once it is no longer used.
func (s *Store) Close() {
	_ = s.sql.Close() // only lends from the pool
	s.pool.Close()
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.callTimeout)
	defer cancel()
	return s.pool.Ping(ctx)
}

// Statistics tells how the pool is used, for metrics.
func (s *Store) Statistics() *pgxpool.Stat { return s.pool.Stat() }
