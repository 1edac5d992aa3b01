package store

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/ticketing"
)

// openCase queues what opens a case, unless there is one of its provider, kind, day and reference. One that
// vanished is opened again; one that a person has settled, or the gateway decided, stays so.
func (w *work) openCase(c ticketing.Case) error {
	detail, err := json.Marshal(c.Detail)
	if err != nil {
		return err
	}
	if c.Detail == nil {
		detail = []byte("{}")
	}
	w.queue(openCaseSQL, encryption.NewNumber(), string(c.Kind), c.Provider, c.Day, c.Reference, c.AttemptID, c.OrderID, c.RefundID, string(detail))
	return nil
}

const openCaseSQL = `
INSERT INTO cases (id, kind, provider, day, reference, attempt_id, order_id, refund_id, detail)
VALUES ($1, $2, $3, nullif($4, '')::date, $5, nullif($6, ''),
    coalesce(nullif($7, ''), (SELECT order_id FROM payment_attempts WHERE id = $6)), nullif($8, ''), $9::jsonb)
ON CONFLICT ON CONSTRAINT cases_once DO UPDATE SET detail = excluded.detail, state = 'OPEN',
    opened_at = CASE WHEN cases.state = 'OPEN' THEN cases.opened_at ELSE excluded.opened_at END,
    resolved_at = NULL, resolution = NULL, note = CASE WHEN cases.state = 'OPEN' THEN cases.note ELSE '' END
WHERE cases.state = 'OPEN' AND cases.detail <> excluded.detail OR cases.resolution = 'vanished'`

// closeCase queues what resolves an open case, if there is one.
func (w *work) closeCase(kind ticketing.CaseKind, provider, reference string, resolution ticketing.Resolution, note string) {
	w.queue(`UPDATE cases SET state = 'RESOLVED', resolution = $4, note = $5, resolved_at = clock_timestamp()
		WHERE provider = $2 AND kind = $1 AND reference = $3 AND state = 'OPEN'`,
		string(kind), provider, reference, string(resolution), note)
}

const caseSQL = `SELECT id, kind, provider, coalesce(to_char(day, 'YYYY-MM-DD'), ''), reference, coalesce(attempt_id, ''), coalesce(order_id, ''),
	coalesce(refund_id, ''), detail, state, opened_at, resolved_at, coalesce(resolution, ''), note FROM cases`

func scanCase(row pgx.CollectableRow) (ticketing.Case, error) {
	var (
		c      ticketing.Case
		detail []byte
	)
	err := row.Scan(&c.ID, &c.Kind, &c.Provider, &c.Day, &c.Reference, &c.AttemptID, &c.OrderID,
		&c.RefundID, &detail, &c.State, &c.OpenedAt, &c.ResolvedAt, &c.Resolution, &c.Note)
	if err == nil {
		err = json.Unmarshal(detail, &c.Detail)
	}
	c.OpenedAt = c.OpenedAt.UTC()
	if c.ResolvedAt != nil {
		at := c.ResolvedAt.UTC()
		c.ResolvedAt = &at
	}
	return c, err
}

// Cases lists cases, newest first.
func (s *Store) Cases(ctx context.Context, f ticketing.CaseFilter) ([]ticketing.Case, error) {
	which := "WHERE state = 'OPEN'"
	if f.Resolved {
		which = "WHERE true"
	}
	return list(ctx, s, "list cases", scanCase, caseSQL+" "+which+`
		AND ($1 = '' OR kind = $1) AND ($2 = '' OR provider = $2) AND ($3 = '' OR day = nullif($3, '')::date) ORDER BY opened_at DESC, id LIMIT $4`,
		string(f.Kind), f.Provider, f.Day, cmp.Or(f.Limit, 100))
}

// maxNote bounds what a person may write about a case, in bytes.
const maxNote = 2000

// ResolveCase notes that a person has settled a case, and how. Repeated with the same note it changes nothing.
// Errors: CodeNotFound, CodeInvalid without a note, CodeConflict when it was resolved otherwise before.
func (s *Store) ResolveCase(ctx context.Context, id, note string) (ticketing.Case, error) {
	note = strings.TrimSpace(note)
	if note == "" || len(note) > maxNote {
		return ticketing.Case{}, ticketing.FieldErrorf(ticketing.CodeInvalid, "/note", "say in 1 to %d bytes how the case was settled", maxNote)
	}
	var resolved ticketing.Case
	err := s.transact(ctx, "resolve a case", func(ctx context.Context, w *work) error {
		var stored []ticketing.Case
		many(w.queue(caseSQL+" WHERE id = $1 FOR UPDATE", id), &stored, scanCase)
		if err := w.send(ctx); err != nil {
			return err
		}
		if len(stored) == 0 {
			return ticketing.Errorf(ticketing.CodeNotFound, "no such case")
		}
		resolved = stored[0]
		if resolved.State == ticketing.CaseResolved {
			if resolved.Note == note {
				return nil
			}
			return ticketing.Errorf(ticketing.CodeConflict, "the case was resolved on %s: %s", resolved.ResolvedAt.Format(time.RFC3339),
				cmp.Or(resolved.Note, string(resolved.Resolution)))
		}
		many(w.queue(`UPDATE cases SET state = 'RESOLVED', resolution = 'person', note = $2, resolved_at = clock_timestamp()
			WHERE id = $1 RETURNING id, kind, provider, coalesce(to_char(day, 'YYYY-MM-DD'), ''), reference, coalesce(attempt_id, ''),
			coalesce(order_id, ''), coalesce(refund_id, ''), detail, state, opened_at, resolved_at, coalesce(resolution, ''), note`, id, note),
			&stored, scanCase)
		if err := w.send(ctx); err != nil {
			return err
		}
		resolved = stored[0]
		return nil
	})
	return resolved, err
}
