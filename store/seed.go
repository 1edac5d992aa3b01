package store

import (
	"cmp"
	"context"
	"encoding/json"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
)

// SeedCatalogue brings events with everything below them into the catalogue.
// Repeated, it updates what differs: a state stays as it was
// set meanwhile, refund terms under which somebody has bought too, and a session for which somebody has placed an order stays exactly
// as it was sold, with its prices, its stock and its seats. All events come in or none. Seat maps have to be there.
func (s *Store) SeedCatalogue(ctx context.Context, events ...ticketing.Event) error {
	plans := map[ticketing.SeatMapRef]*seating.Plan{{}: nil}
	for _, event := range events {
		for _, session := range event.Sessions {
			if _, known := plans[session.SeatMap]; known {
				continue
			}
			plan, err := s.SeatMap(ctx, session.SeatMap)
			if err != nil {
				return err
			}
			plans[session.SeatMap] = plan
		}
	}
	return s.retry(ctx, "seed the catalogue", func(ctx context.Context) error {
		return s.gorm.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			for _, event := range events {
				if err := seedEvent(tx, event, plans); err != nil {
					return err
				}
			}
			return seedBundles(tx, events) // whose components may be of any event
		})
	})
}

func seedEvent(tx *gorm.DB, event ticketing.Event, plans map[ticketing.SeatMapRef]*seating.Plan) error {
	if err := cmp.Or(event.Refunds.Validate(), event.Tax.Validate()); err != nil {
		return err
	}
	if err := upsert(tx, &organiserRow{ID: event.OrganiserID, Name: event.Organiser}, "name"); err != nil {
		return err
	}
	row := rowOfEvent(event)
	if err := upsert(tx, &row, "organiser_id", "kind", "title", "summary", "hold_seconds", "order_fee", "max_per_order",
		"ticket_fee", "tax_basis_points", "tax_included", "max_per_buyer", "real_names", "attendee_change_seconds"); err != nil {
		return err
	}
	policy, err := json.Marshal(stepsOf(event.Refunds))
	if err != nil {
		return err
	}
	// The terms of what was sold stay.
	if err := tx.Exec(`UPDATE events SET refund_policy = ?::jsonb WHERE id = ? AND (refund_policy IS NULL
		OR refund_policy <> ?::jsonb AND NOT EXISTS (SELECT FROM orders WHERE event_id = events.id))`,
		string(policy), event.ID, string(policy)).Error; err != nil {
		return err
	}
	for _, session := range event.Sessions {
		session.EventID = event.ID
		venue := rowOfVenue(session.Venue)
		if err := upsert(tx, &venue, "name", "city", "address", "time_zone"); err != nil {
			return err
		}
		if err := seedSession(tx, session, plans[session.SeatMap]); err != nil {
			return err
		}
	}
	return nil
}

// seedSession locks the session, so that no order slips in between looking and writing.
func seedSession(tx *gorm.DB, session ticketing.Session, plan *seating.Plan) error {
	var (
		sold   bool
		before sessionRow
	)
	err := tx.Raw(`WITH locked AS (SELECT id FROM sessions WHERE id = ? FOR UPDATE)
		SELECT EXISTS (SELECT FROM orders o JOIN locked ON locked.id = o.session_id)`, session.ID).Scan(&sold).Error
	if err != nil || sold {
		return err
	}
	if err := tx.Where("id = ?", session.ID).Limit(1).Find(&before).Error; err != nil {
		return err
	}
	row := sessionRow{
		ID: session.ID, EventID: session.EventID, VenueID: session.Venue.ID, StartsAt: session.StartsAt, EndsAt: session.EndsAt,
	}
	row.SeatMapID, row.SeatMapVersion = seatMapColumns(session.SeatMap)
	if err := upsert(tx, &row, "event_id", "venue_id", "starts_at", "ends_at", "seat_map_id", "seat_map_version"); err != nil {
		return err
	}
	if err := seedWords(tx, session, before.seatMapOf(), plan); err != nil {
		return err
	}
	for i, t := range session.TicketTypes {
		t.SessionID = session.ID
		t, err := seedSeating(t, plan)
		if err != nil {
			return err
		}
		if err := seedTicketType(tx, t, i+1); err != nil {
			return err
		}
	}
	return seedBlocked(tx, session.ID)
}

func seedTicketType(tx *gorm.DB, t ticketing.TicketType, position int) error {
	row := rowOfTicketType(t, position)
	if err := upsert(tx, &row, "session_id", "position", "name", "currency", "base_price", "surcharge",
		"max_per_order", "max_per_buyer", "sale_from", "sale_until", "seat_category", "seated", "seat_assignment"); err != nil {
		return err
	}
	if err := seedPhases(tx, t); err != nil {
		return err
	}
	// What is blocked stays so.
	return tx.Exec(`INSERT INTO stock AS s (ticket_type_id, capacity, free) VALUES (?, ?, ?)
		ON CONFLICT (ticket_type_id) DO UPDATE SET capacity = excluded.capacity, free = excluded.capacity - s.held - s.sold - s.blocked
		WHERE s.capacity <> excluded.capacity`, t.ID, t.Capacity, t.Capacity).Error
}

// seedPhases writes the price phases of a ticket type of which nothing is sold. Only what differs is a change of the event.
func seedPhases(tx *gorm.DB, t ticketing.TicketType) error {
	if err := tx.Where("ticket_type_id = ? AND position > ?", t.ID, len(t.Phases)).Delete(&phaseRow{}).Error; err != nil {
		return err
	}
	if err := tx.Exec("DELETE FROM phase_stock WHERE ticket_type_id = ?", t.ID).Error; err != nil {
		return err
	}
	for i, phase := range t.Phases {
		row := phaseRow{TicketTypeID: t.ID, Position: i + 1, StartsAt: phase.From, EndsAt: phase.Until, Name: phase.Name, BasePrice: phase.BasePrice}
		if phase.Limit > 0 {
			row.ID, row.Most = &phase.ID, &phase.Limit
			if err := tx.Exec("INSERT INTO phase_stock (ticket_type_id, phase, most) VALUES (?, ?, ?)", t.ID, phase.ID, phase.Limit).Error; err != nil {
				return err
			}
		}
		if err := upsert(tx, &row, "starts_at", "ends_at", "name", "base_price", "id", "most"); err != nil {
			return err
		}
	}
	return nil
}

// upsert inserts a row, or sets the named columns of the one with its primary key.
func upsert(tx *gorm.DB, row any, columns ...string) error {
	return tx.Omit(clause.Associations).Clauses(clause.OnConflict{
		Columns:   primaryKey(tx, row),
		DoUpdates: clause.AssignmentColumns(columns),
	}).Create(row).Error
}

func primaryKey(tx *gorm.DB, row any) []clause.Column {
	statement := &gorm.Statement{DB: tx}
	if err := statement.Parse(row); err != nil {
		return nil // creating the row reports the same
	}
	var key []clause.Column
	for _, name := range statement.Schema.PrimaryFieldDBNames {
		key = append(key, clause.Column{Name: name})
	}
	return key
}
