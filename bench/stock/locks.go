package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/boxoffice/boxoffice/bench/figures"
)

// lockConnections is as many as the product's pool has.
const lockConnections = 16

var lockBuyers = []int{1, 8, 64}

// locking is a way to take one of a row that everybody wants, and never more than there is.
type locking struct {
	name string
	take func(context.Context, *pgxpool.Pool, *atomic.Int64) error
}

// lockings are the product's way first: the others are compared with it.
var lockings = []locking{
	{"guarded statement", takeGuarded}, {"pessimistic: SELECT … FOR UPDATE", takeLocked}, {"optimistic: version column, retried", takeVersioned},
}

const guardedSQL = "UPDATE hot SET free = free - 1, version = version + 1 WHERE id = 1 AND free >= 1"

func takeGuarded(ctx context.Context, db *pgxpool.Pool, _ *atomic.Int64) error {
	return took(db.Exec(ctx, guardedSQL))
}

func takeLocked(ctx context.Context, db *pgxpool.Pool, _ *atomic.Int64) error {
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		var free int64
		if err := tx.QueryRow(ctx, "SELECT free FROM hot WHERE id = 1 FOR UPDATE").Scan(&free); err != nil {
			return err
		}
		if free < 1 {
			return fmt.Errorf("%d are free", free)
		}
		return took(tx.Exec(ctx, "UPDATE hot SET free = free - 1, version = version + 1 WHERE id = 1"))
	})
}

func takeVersioned(ctx context.Context, db *pgxpool.Pool, retries *atomic.Int64) error {
	for {
		var free, version int64
		if err := db.QueryRow(ctx, "SELECT free, version FROM hot WHERE id = 1").Scan(&free, &version); err != nil {
			return err
		}
		if free < 1 {
			return fmt.Errorf("%d are free", free)
		}
		tag, err := db.Exec(ctx, "UPDATE hot SET free = free - 1, version = version + 1 WHERE id = 1 AND version = $1", version)
		if err != nil || tag.RowsAffected() == 1 {
			return err
		}
		retries.Add(1)
	}
}

func took(tag interface{ RowsAffected() int64 }, err error) error {
	if err == nil && tag.RowsAffected() != 1 {
		err = fmt.Errorf("%d rows taken", tag.RowsAffected())
	}
	return err
}

// lockRound is a turn of one way, and how often it had to try again.
type lockRound struct {
	round
	retries int64
}

func (r lockRound) retriesEach() float64 { return float64(r.retries) / float64(r.answers) }

type lockResult struct {
	options
	rounds map[string]map[int][]lockRound // by way and buyers
}

// measureLocks compares ways to take one of a row that everybody wants: bare, without anything else a hold does.
func measureLocks(ctx context.Context, s *scene, o options) (result, error) {
	config, err := pgxpool.ParseConfig(s.server.URL(databaseName))
	if err != nil {
		return nil, err
	}
	config.MaxConns = lockConnections
	db, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if _, err := db.Exec(ctx, "CREATE TABLE hot (id int PRIMARY KEY, free bigint NOT NULL CHECK (free >= 0), version bigint NOT NULL) WITH (fillfactor = 50)"); err != nil {
		return nil, err
	}
	defer func() { _, _ = db.Exec(context.WithoutCancel(ctx), "DROP TABLE hot") }()
	if _, err := db.Exec(ctx, "INSERT INTO hot VALUES (1, $1, 0)", plenty); err != nil {
		return nil, err
	}
	r := lockResult{options: o, rounds: map[string]map[int][]lockRound{}}
	for turn := range o.turns {
		for _, way := range turns(lockings, turn) {
			for _, buyers := range lockBuyers {
				one, err := lockTurn(ctx, db, way, buyers, o)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", way.name, err)
				}
				if r.rounds[way.name] == nil {
					r.rounds[way.name] = map[int][]lockRound{}
				}
				r.rounds[way.name][buyers] = append(r.rounds[way.name][buyers], one)
				fmt.Fprintf(os.Stderr, "locks, turn %d, %-36s %3d buyers %7.0f/s\n", turn+1, way.name, buyers, one.perSecond())
			}
		}
	}
	return r, nil
}

// lockTurn lets buyers take in one way, and checks that exactly as many were taken as were answered.
func lockTurn(ctx context.Context, db *pgxpool.Pool, way locking, buyers int, o options) (lockRound, error) {
	var before, after, retries, done atomic.Int64
	state := func(to *atomic.Int64) error {
		var free, version int64
		err := db.QueryRow(ctx, "SELECT free, version FROM hot WHERE id = 1").Scan(&free, &version)
		to.Store(free)
		if err == nil && free+version != plenty {
			err = fmt.Errorf("%d of %d are free after %d were taken", free, plenty, version)
		}
		return err
	}
	if err := state(&before); err != nil {
		return lockRound{}, err
	}
	one, err := crowd{buyers: buyers, settle: o.settle, window: o.window}.each(ctx, func(ctx context.Context) (bool, error) {
		err := way.take(ctx, db, &retries)
		if err == nil {
			done.Add(1)
		}
		return false, err
	})
	if err != nil {
		return lockRound{}, err
	}
	if err := state(&after); err != nil {
		return lockRound{}, err
	}
	if taken := before.Load() - after.Load(); taken != done.Load() {
		return lockRound{}, fmt.Errorf("%d were taken, %d were answered", taken, done.Load())
	}
	return lockRound{one, retries.Load()}, nil
}

// String is the results as Markdown.
func (r lockResult) String() string {
	w := &strings.Builder{}
	fmt.Fprintf(w, "%d turns of %s each on %d connections; median (least–most).\n\n", r.turns, r.window, lockConnections)
	fmt.Fprintln(w, "| buyers | one of a row that everybody wants by | taken/s | p99 ms | tries in vain for each | × guarded statement |")
	fmt.Fprintln(w, "|---:|---|---:|---:|---:|---:|")
	for _, buyers := range lockBuyers {
		first := r.rounds[lockings[0].name][buyers]
		for _, way := range lockings {
			all := r.rounds[way.name][buyers]
			ratios := make([]float64, len(all))
			for turn := range all {
				ratios[turn] = all[turn].perSecond() / first[turn].perSecond()
			}
			fmt.Fprintf(w, "| %d | %s | %s | %s | %s | %s |\n", buyers, way.name, figures.Spread(all, "%.0f", lockRound.perSecond),
				figures.Spread(all, "%.1f", lockRound.p99), figures.Spread(all, "%.1f", lockRound.retriesEach), figures.Ratio(ratios))
		}
	}
	return w.String()
}

// missed is nothing: it explains a choice and has no bar.
func (lockResult) missed() []string { return nil }
