package store

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"github.com/boxoffice/boxoffice/ticketing"
)

// eventsAtOnce bounds how many events are read together: each of their ticket types is a parameter of a statement.
const eventsAtOnce = 16

// Events returns the published ones of these events, that is all but drafts and unknown ones, with their sessions, ticket types
// and prices, in the order of their ids. Sessions are ordered by when they start. Availability is asked for apart.
func (s *Store) Events(ctx context.Context, eventIDs ...string) ([]ticketing.Event, error) {
	events := make([]ticketing.Event, 0, len(eventIDs))
	for some := range slices.Chunk(sorted(eventIDs), eventsAtOnce) {
		rows, err := s.eventRows(ctx, "read events", "id IN ? AND state <> ?", some, ticketing.EventDraft)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			events = append(events, r.event())
		}
	}
	return events, nil
}

// EventRevisions returns a number for each of these events that grows with every change of the event, its sessions, ticket
// types, prices, venues or capacities; drafts and unknown events have none. It is cheap: a cache asks for it several times a second.
func (s *Store) EventRevisions(ctx context.Context, eventIDs ...string) (map[string]int64, error) {
	return table[int64](ctx, s, "read revisions", "SELECT id, revision FROM events WHERE id = ANY($1) AND state <> 'DRAFT'", eventIDs)
}

// EventsOfSessions returns the id of the event each of these sessions belongs to, by session; unknown sessions have none.
func (s *Store) EventsOfSessions(ctx context.Context, sessionIDs ...string) (map[string]string, error) {
	return table[string](ctx, s, "read the events of sessions", "SELECT id, event_id FROM sessions WHERE id = ANY($1)", sessionIDs)
}

// phaseKeySQL is ticketing.PhaseKey of p, a row of phase_stock.
const phaseKeySQL = "p.ticket_type_id || '/' || p.phase"

// Availability returns how many tickets of each type are free, of a bundle how many there is enough of everything for, by ticket
// type id, and how many are left at the price of each phase by quantity, by ticketing.PhaseKey: for the given sessions or, without any,
// for all of them. Unknown sessions have no ticket types.
func (s *Store) Availability(ctx context.Context, sessionIDs ...string) (map[string]int, error) {
	sql, args := `SELECT s.ticket_type_id, `+freeSQL+` FROM stock s
		UNION ALL SELECT `+phaseKeySQL+`, p.most - p.taken FROM phase_stock p`, []any{}
	if len(sessionIDs) > 0 {
		sql = `SELECT s.ticket_type_id, ` + freeSQL + ` FROM ticket_types t JOIN stock s ON s.ticket_type_id = t.id WHERE t.session_id = ANY($1)
			UNION ALL SELECT ` + phaseKeySQL + `, p.most - p.taken FROM ticket_types t
			JOIN phase_stock p ON p.ticket_type_id = t.id WHERE t.session_id = ANY($1)`
		args = append(args, sessionIDs)
	}
	return table[int](ctx, s, "read the availability", sql, args...)
}

// eventRows reads whole events, all from one state of the database.
func (s *Store) eventRows(ctx context.Context, name, condition string, args ...any) ([]eventRow, error) {
	var rows []eventRow
	err := s.retry(ctx, name, func(ctx context.Context) error {
		return s.gorm.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			rows = nil
			return tx.
				Preload("Organiser.Programme").
				Preload("Sessions", func(tx *gorm.DB) *gorm.DB { return tx.Order("starts_at, id") }).
				Preload("Sessions.Venue").
				Preload("Sessions.TicketTypes", func(tx *gorm.DB) *gorm.DB { return tx.Order("position, id") }).
				Preload("Sessions.TicketTypes.Phases", func(tx *gorm.DB) *gorm.DB { return tx.Order("position") }).
				Preload("Sessions.TicketTypes.Presales", func(tx *gorm.DB) *gorm.DB { return tx.Order("starts_at, ends_at") }).
				Preload("Sessions.TicketTypes.Contents", func(tx *gorm.DB) *gorm.DB { return tx.Order("component_id") }).
				Preload("Sessions.TicketTypes.Stock").
				Where(condition, args...).Order("id").Find(&rows).Error
		}, snapshotReads)
	})
	return rows, err
}
