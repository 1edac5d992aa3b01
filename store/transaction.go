package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// tries is how often a method is tried when the database had to choose a victim.
const tries = 5

// retry runs a method until it succeeds or fails for a reason that another try would not change.
func (s *Store) retry(ctx context.Context, name string, method func(context.Context) error) error {
	return s.retryFor(ctx, s.callTimeout, name, method)
}

// retryFor is retry with a time-out of its own.
func (s *Store) retryFor(ctx context.Context, timeout time.Duration, name string, method func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for try := 1; ; try++ {
		err := method(ctx)
		if err == nil {
			return nil
		}
		if try == tries || !worthAnotherTry(err) {
			return translate(name, err)
		}
		select {
		case <-ctx.Done():
			return translate(name, err)
		case <-time.After(time.Duration(try) * (2 + rand.N[time.Duration](8)) * time.Millisecond):
		}
	}
}

// work is a transaction whose statements wait in a queue and travel together:
// it begins with the first ones in the same round trip.
type work struct {
	conn  *pgxpool.Conn
	batch *pgx.Batch
	begun bool
	// last queues what changes rows that everybody wants, so that they are locked only for the
	// end of the transaction.
	last []func()
	// unseated is an order that is known to have no numbered seats, or empty: an order gets its seats with its hold or never.
	unseated string
	// unclaimed is an order that is known to have claimed nothing besides stock and seats, or empty.
	unclaimed string
}

// transact runs steps in one transaction and commits it, or rolls it back if they fail. They may
// run several times.
func (s *Store) transact(ctx context.Context, name string, steps func(context.Context, *work) error) error {
	return s.transactFor(ctx, s.callTimeout, name, steps)
}

// transactFor is transact with a time-out of its own.
func (s *Store) transactFor(ctx context.Context, timeout time.Duration, name string, steps func(context.Context, *work) error) error {
	return s.retryFor(ctx, timeout, name, func(ctx context.Context) error {
		conn, err := s.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		w := &work{conn: conn, batch: &pgx.Batch{}}
		err = steps(ctx, w)
		if err == nil {
			for _, queue := range w.last {
				queue()
			}
			err = w.send(ctx)
		}
		if !w.begun {
			return err
		}
		if err == nil {
			// On its own, after every answer has been seen.
			_, err = conn.Exec(ctx, "commit")
			return err
		}
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_, _ = conn.Exec(undo, "rollback") // a connection that cannot do even that is thrown away by the pool
		return err
	})
}

// queue adds a statement; what handles its answer is set on what it returns.
func (w *work) queue(sql string, args ...any) *pgx.QueuedQuery {
	if !w.begun {
		w.begun = true
		w.batch.Queue("begin")
	}
	return w.batch.Queue(sql, args...)
}

// change adds a statement that must affect exactly so many rows.
func (w *work) change(rows int, sql string, args ...any) {
	w.queue(sql, args...).Exec(func(tag pgconn.CommandTag) error {
		if tag.RowsAffected() != int64(rows) {
			return fmt.Errorf("%d rows instead of %d by: %.60s", tag.RowsAffected(), rows, sql)
		}
		return nil
	})
}

// send sends what is queued and reads every answer.
func (w *work) send(ctx context.Context) error {
	if w.batch.Len() == 0 {
		return nil
	}
	batch := w.batch
	w.batch = &pgx.Batch{}
	return w.conn.SendBatch(ctx, batch).Close()
}

// one handles the answer of a statement that returns at most one row; found says whether it did.
func one(query *pgx.QueuedQuery, found *bool, into ...any) {
	query.Query(func(rows pgx.Rows) error {
		*found = false
		if rows.Next() {
			*found = true
			if err := rows.Scan(into...); err != nil {
				return err
			}
		}
		rows.Close()
		return rows.Err()
	})
}

// many handles the answer of a statement that returns any number of rows.
func many[T any](query *pgx.QueuedQuery, into *[]T, scan func(pgx.CollectableRow) (T, error)) {
	query.Query(func(rows pgx.Rows) error {
		var err error
		*into, err = pgx.CollectRows(rows, scan)
		return err
	})
}

// tally handles the answer of a statement that returns names, each with what belongs to it.
func tally[K ~string, V int | int64 | string](query *pgx.QueuedQuery, into map[K]V) {
	query.Query(func(rows pgx.Rows) error { return pairs(rows, into) })
}

func pairs[K ~string, V int | int64 | string](rows pgx.Rows, into map[K]V) error {
	var (
		name  K
		value V
	)
	_, err := pgx.ForEachRow(rows, []any{&name, &value}, func() error {
		into[name] = value
		return nil
	})
	return err
}

// table runs one reading statement that returns names, each with what belongs to it.
func table[V int | int64 | string](ctx context.Context, s *Store, name string, sql string, args ...any) (map[string]V, error) {
	all := map[string]V{}
	err := s.retry(ctx, name, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		clear(all)
		return pairs(rows, all)
	})
	return all, err
}

// list runs one reading statement.
func list[T any](ctx context.Context, s *Store, name string, scan func(pgx.CollectableRow) (T, error), sql string, args ...any) ([]T, error) {
	var all []T
	err := s.retry(ctx, name, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, scan)
		return err
	})
	return all, err
}
