package store

import (
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/ticketing"
)

func scanTicket(row pgx.CollectableRow) (ticketing.Ticket, error) {
	var t ticketing.Ticket
	err := row.Scan(&t.ID, &t.OrderID, &t.TicketTypeID, &t.State, &t.RefundID, &t.Code, &t.IssuedAt)
	t.IssuedAt = t.IssuedAt.UTC()
	return t, err
}

// issue writes the tickets of a paid order, one per admission, each paid with its share of its line
// (ticketing.Share). Their codes are random: whoever has the code has the ticket.
func (w *work) issue(orderID string, lines []ticketing.Ask) {
	var (
		ids, types, codes []string
		places            []int
	)
	for _, line := range lines {
		for place := range line.Quantity {
			places = append(places, place)
			ids = append(ids, fmt.Sprintf("%s-%03d", orderID, len(ids)+1))
			types = append(types, line.TicketTypeID)
			codes = append(codes, encryption.NewNumber())
		}
	}
	w.change(len(ids), `
INSERT INTO tickets (id, order_id, ticket_type_id, state, code, paid)
SELECT t.id, $1, t.ticket_type_id, 'VALID', t.code, l.charge / l.quantity + (t.place < l.charge % l.quantity)::int
FROM unnest($2::text[], $3::text[], $4::text[], $5::int[]) AS t(id, ticket_type_id, code, place)
JOIN order_lines l ON l.order_id = $1 AND l.ticket_type_id = t.ticket_type_id`, orderID, ids, types, codes, places)
	w.ticketSeats(orderID)
	w.ticketAttendees(orderID)
}
