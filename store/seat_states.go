package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
)

// SeatStates returns the words of sessions that may have changed since a cursor of an earlier answer, by session; all of
// them for the cursor 0. What it leaves out has not changed. Sessions without a seat map have no words.
//
// A cursor is the oldest transaction that was under way: whatever a reader could not see then was changed by
// that one or a later one.
func (s *Store) SeatStates(ctx context.Context, since map[string]int64) (ticketing.SeatStates, error) {
	var (
		states   ticketing.SeatStates
		sessions = make([]string, 0, len(since))
		cursors  = make([]int64, 0, len(since))
	)
	for session, cursor := range since {
		sessions, cursors = append(sessions, session), append(cursors, cursor)
	}
	err := s.retry(ctx, "read the seats", func(ctx context.Context) error {
		states.Words = map[string][]ticketing.SeatWord{}
		batch := &pgx.Batch{}
		// The cursor first: what is read after it may be newer, never older.
		batch.Queue("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint").
			QueryRow(func(row pgx.Row) error { return row.Scan(&states.Cursor) })
		batch.Queue(`SELECT w.session_id, w.word, w.taken, w.sold | w.blocked, w.changed
			FROM unnest($1::text[], $2::bigint[]) AS q(session_id, cursor)
			JOIN seat_words w ON w.session_id = q.session_id AND w.changed >= q.cursor
			ORDER BY w.session_id, w.word`, sessions, cursors).
			Query(func(rows pgx.Rows) error {
				var (
					session string
					word    ticketing.SeatWord
				)
				_, err := pgx.ForEachRow(rows, []any{&session, &word.Word, &word.Taken, &word.Sold, &word.Changed}, func() error {
					states.Words[session] = append(states.Words[session], word)
					return nil
				})
				return err
			})
		return s.pool.SendBatch(ctx, batch).Close()
	})
	return states, err
}
