package store

import (
	"encoding/json"

	"gorm.io/gorm"

	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
)

// seatMapOf is the map of a session; zero if it has none.
func (s sessionRow) seatMapOf() ticketing.SeatMapRef {
	return ticketing.SeatMapRef{ID: deref(s.SeatMapID), Version: deref(s.SeatMapVersion)}
}

// seatMapColumns are the columns of a reference, which are NULL without a map.
func seatMapColumns(ref ticketing.SeatMapRef) (id *string, version *int) {
	if ref.IsZero() {
		return nil, nil
	}
	return &ref.ID, &ref.Version
}

// seedWords lays out the seats of a session that nobody has bought for yet. What was blocked of another map is not
// any more: its seats are not those of this one.
func seedWords(tx *gorm.DB, session ticketing.Session, before ticketing.SeatMapRef, plan *seating.Plan) error {
	if before == session.SeatMap {
		return nil
	}
	for _, statement := range []string{"DELETE FROM seat_blocks WHERE session_id = ?", "DELETE FROM seat_words WHERE session_id = ?"} {
		if err := tx.Exec(statement, session.ID).Error; err != nil {
			return err
		}
	}
	if plan == nil {
		return nil
	}
	masks := make([]int64, len(plan.Words()))
	for i, word := range plan.Words() {
		masks[i] = word.Mask()
	}
	list, err := json.Marshal(masks)
	if err != nil {
		return err
	}
	return tx.Exec(`INSERT INTO seat_words (session_id, word, seats)
		SELECT ?, n - 1, mask::bigint FROM jsonb_array_elements_text(?::jsonb) WITH ORDINALITY AS m(mask, n)`, session.ID, string(list)).Error
}

// seedSeating fills in what a ticket type has from the session's map. Errors: CodeInvalid.
func seedSeating(t ticketing.TicketType, plan *seating.Plan) (ticketing.TicketType, error) {
	t.Seated = false
	if t.SeatCategory == "" {
		return t, nil
	}
	if plan == nil {
		return t, ticketing.Errorf(ticketing.CodeInvalid, "ticket type %s has the seat category %s, but its session no seat map", t.ID, t.SeatCategory)
	}
	if seats := plan.Count(t.SeatCategory); seats > 0 {
		t.Seated, t.Capacity = true, seats
		return t, nil
	}
	room := 0
	for _, area := range plan.Map.Areas {
		if area.Category == t.SeatCategory {
			room += area.Capacity
		}
	}
	if t.Capacity > room {
		return t, ticketing.Errorf(ticketing.CodeInvalid, "ticket type %s has a capacity of %d, but its areas only %d", t.ID, t.Capacity, room)
	}
	return t, nil
}

// seedBlocked counts what is blocked of a session that nobody has bought for yet.
func seedBlocked(tx *gorm.DB, sessionID string) error {
	return tx.Exec(`UPDATE stock s SET blocked = n.blocked, free = s.capacity - s.held - s.sold - n.blocked
		FROM (SELECT t.id, (SELECT count(*) FROM seat_blocks b WHERE b.session_id = t.session_id AND b.category = t.seat_category) AS blocked
			FROM ticket_types t WHERE t.session_id = ? AND t.seated) n
		WHERE s.ticket_type_id = n.id AND s.blocked <> n.blocked`, sessionID).Error
}
