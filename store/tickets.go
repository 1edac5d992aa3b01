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

// issue writes the tickets of a paid order, one per admission. Their codes are random: whoever has the code has the ticket.
func (w *work) issue(orderID string, lines []ticketing.Ask) {
	var ids, types, codes []string
	for _, line := range lines {
		for range line.Quantity {
			ids = append(ids, fmt.Sprintf("%s-%03d", orderID, len(ids)+1))
			types = append(types, line.TicketTypeID)
			codes = append(codes, encryption.NewNumber())
		}
	}
	w.change(len(ids), `
INSERT INTO tickets (id, order_id, ticket_type_id, state, code)
SELECT t.id, $1, t.ticket_type_id, 'VALID', t.code
FROM unnest($2::text[], $3::text[], $4::text[]) AS t(id, ticket_type_id, code)`, orderID, ids, types, codes)
	w.ticketSeats(orderID)
}
