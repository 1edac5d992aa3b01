package store

import (
	"context"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"github.com/boxoffice/boxoffice/ticketing"
)

// Catalogue returns every published event, that is every one but drafts, with its sessions, ticket
// types and prices, ordered by id. Sessions are ordered by when they start. Availability is asked for apart.
func (s *Store) Catalogue(ctx context.Context) ([]ticketing.Event, error) {
	rows, err := s.eventRows(ctx, "read the catalogue", "state <> ?", ticketing.EventDraft)
	events := make([]ticketing.Event, len(rows))
	for i, r := range rows {
		events[i] = r.event()
	}
	return events, err
}

// CatalogueRevision returns a number that grows with every change of any event, session, ticket
// type, price, venue or capacity. It is cheap: a cache asks for it every second.
func (s *Store) CatalogueRevision(ctx context.Context) (int64, error) {
	var revision int64
	err := s.retry(ctx, "read the catalogue's revision", func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, "SELECT coalesce(sum(revision), 0)::bigint FROM events").Scan(&revision)
	})
	return revision, err
}

// Availability returns how many tickets of each type are free, by ticket type id, and how many are left at the price of each phase
// by quantity, by ticketing.PhaseKey, for the given sessions or, without any, for all of them. Unknown sessions have no ticket types.
func (s *Store) Availability(ctx context.Context, sessionIDs ...string) (map[string]int, error) {
	free := map[string]int{}
	err := s.retry(ctx, "read the availability", func(ctx context.Context) error {
		sql, args := `SELECT ticket_type_id, free FROM stock
			UNION ALL SELECT ticket_type_id || '/' || phase, most - taken FROM phase_stock`, []any{}
		if len(sessionIDs) > 0 {
			sql = `SELECT s.ticket_type_id, s.free FROM ticket_types t JOIN stock s ON s.ticket_type_id = t.id WHERE t.session_id = ANY($1)
				UNION ALL SELECT p.ticket_type_id || '/' || p.phase, p.most - p.taken FROM ticket_types t
				JOIN phase_stock p ON p.ticket_type_id = t.id WHERE t.session_id = ANY($1)`
			args = append(args, sessionIDs)
		}
		rows, err := s.pool.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		var (
			id string
			n  int
		)
		_, err = pgx.ForEachRow(rows, []any{&id, &n}, func() error {
			free[id] = n
			return nil
		})
		return err
	})
	return free, err
}

// SetEventState moves an event to another publishing state. Setting the state it has already
// changes nothing. Errors: CodeNotFound, CodeIllegalTransition.
func (s *Store) SetEventState(ctx context.Context, eventID string, state ticketing.EventState) error {
	return s.retry(ctx, "set the event's state", func(ctx context.Context) error {
		changed := s.gorm.WithContext(ctx).Model(&eventRow{}).Where("id = ?", eventID).Update("state", state)
		if changed.Error == nil && changed.RowsAffected == 0 {
			return ticketing.Errorf(ticketing.CodeNotFound, "no such event")
		}
		return changed.Error
	})
}

// eventRows reads whole events, all from one state of the database.
func (s *Store) eventRows(ctx context.Context, name, condition string, args ...any) ([]eventRow, error) {
	var rows []eventRow
	err := s.retry(ctx, name, func(ctx context.Context) error {
		return s.gorm.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			rows = nil
			return tx.
				Preload("Organiser").
				Preload("Sessions", func(tx *gorm.DB) *gorm.DB { return tx.Order("starts_at, id") }).
				Preload("Sessions.Venue").
				Preload("Sessions.TicketTypes", func(tx *gorm.DB) *gorm.DB { return tx.Order("position, id") }).
				Preload("Sessions.TicketTypes.Phases", func(tx *gorm.DB) *gorm.DB { return tx.Order("position") }).
				Preload("Sessions.TicketTypes.Presales", func(tx *gorm.DB) *gorm.DB { return tx.Order("starts_at, ends_at") }).
				Preload("Sessions.TicketTypes.Stock").
				Where(condition, args...).Order("id").Find(&rows).Error
		}, snapshotReads)
	})
	return rows, err
}
