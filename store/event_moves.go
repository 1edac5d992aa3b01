package store

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
)

// MoveEvent moves an event to another publishing state, for a person and a reason that its history keeps. Those who hold tickets of
// an event that is called off are told, and give them back without a fee, however it was moved. Moving to the state it has already
// changes nothing. Errors: CodeNotFound, CodeIllegalTransition, CodeInvalid without a person or a reason.
func (s *Store) MoveEvent(ctx context.Context, eventID string, to ticketing.EventState, by, reason string) error {
	if strings.TrimSpace(by) == "" || strings.TrimSpace(reason) == "" {
		return ticketing.Errorf(ticketing.CodeInvalid, "say who moves the event, and why")
	}
	return s.transact(ctx, "move an event", func(ctx context.Context, w *work) error {
		var (
			known bool
			from  ticketing.EventState
		)
		one(w.queue("SELECT state FROM events WHERE id = $1 FOR NO KEY UPDATE", eventID), &known, &from)
		if err := w.send(ctx); err != nil {
			return err
		}
		switch {
		case !known:
			return ticketing.Errorf(ticketing.CodeNotFound, "there is no event %q", eventID)
		case from == to:
			return nil
		case !from.CanMoveTo(to):
			return ticketing.Errorf(ticketing.CodeIllegalTransition, "an event that is %s cannot become %s; it can become %s", from, to, from.Next())
		}
		w.queue("SELECT set_config('boxoffice.moved_by', $1, true), set_config('boxoffice.reason', $2, true)", by, reason)
		w.change(1, "UPDATE events SET state = $2 WHERE id = $1", eventID, to)
		return nil
	})
}

// EventHistory returns the moves of an event, oldest first.
func (s *Store) EventHistory(ctx context.Context, eventID string) ([]ticketing.EventMove, error) {
	return list(ctx, s, "read an event's history", func(row pgx.CollectableRow) (m ticketing.EventMove, err error) {
		err = row.Scan(&m.From, &m.To, &m.By, &m.Reason, &m.At)
		m.At = m.At.UTC()
		return m, err
	}, "SELECT from_state, to_state, moved_by, reason, at FROM event_history WHERE event_id = $1 ORDER BY sequence", eventID)
}

// EventRecords returns events in every state, by when they begin; those without a date are last.
func (s *Store) EventRecords(ctx context.Context, f ticketing.EventRecordFilter) ([]ticketing.EventRecord, error) {
	return list(ctx, s, "read events", func(row pgx.CollectableRow) (e ticketing.EventRecord, err error) {
		return e, row.Scan(&e.ID, &e.Kind, &e.Title, &e.Organiser, &e.State, &e.FirstAt, &e.LastAt, &e.Sessions, &e.Free, &e.Held, &e.Sold)
	}, `
SELECT e.id, e.kind, e.title, o.name, e.state, d.first, d.last, d.sessions, t.free, t.held, t.sold
FROM events e JOIN organisers o ON o.id = e.organiser_id
CROSS JOIN LATERAL (SELECT min(starts_at) AS first, max(starts_at) AS last, count(*) AS sessions FROM sessions WHERE event_id = e.id) d
CROSS JOIN LATERAL (SELECT coalesce(sum(k.free), 0)::bigint AS free, coalesce(sum(k.held), 0)::bigint AS held, coalesce(sum(k.sold), 0)::bigint AS sold
    FROM sessions s JOIN ticket_types y ON y.session_id = s.id JOIN stock k ON k.ticket_type_id = y.id WHERE s.event_id = e.id
        AND NOT EXISTS (SELECT FROM bundle_components b WHERE b.bundle_id = y.id)) t
WHERE ($1 = '' OR e.id = $1) AND ($2 = '' OR e.state = $2)
    AND search_fold(concat_ws(E'\n', e.id, (SELECT string_agg(value, E'\n') FROM jsonb_each_text(e.title)))) LIKE ALL (search_patterns($3))
ORDER BY d.first, e.id LIMIT $4`, f.ID, f.State, f.Text, f.Limit)
}
