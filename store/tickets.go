package store

import (
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/ticketing"
)

const ticketsSQL = `SELECT id, order_id, ticket_type_id, state, coalesce(refund_id, ''), code, issued_at, coalesce(component_id, ''), coalesce(bundle, 0)
	FROM tickets WHERE order_id = $1 ORDER BY id`

func scanTicket(row pgx.CollectableRow) (ticketing.Ticket, error) {
	var t ticketing.Ticket
	err := row.Scan(&t.ID, &t.OrderID, &t.TicketTypeID, &t.State, &t.RefundID, &t.Code, &t.IssuedAt, &t.ComponentID, &t.Bundle)
	t.IssuedAt = t.IssuedAt.UTC()
	return t, err
}

// issue writes the tickets of a paid order, one per admission, each paid with its share of its line
// (ticketing.Share) or of its bundle (ticketing.ShareBundle). Their codes are random: whoever has the code has the ticket.
func (w *work) issue(orderID string, lines []orderLine) {
	var (
		ids, types, codes []string
		components        []*string
		bundles           []*int
		paid              []int64
	)
	add := func(line orderLine, component *string, bundle *int, share int64) {
		ids = append(ids, fmt.Sprintf("%s-%03d", orderID, len(ids)+1))
		types, codes = append(types, line.TicketTypeID), append(codes, encryption.NewNumber())
		components, bundles, paid = append(components, component), append(bundles, bundle), append(paid, share)
	}
	for _, line := range lines {
		for place := range line.Quantity {
			share := ticketing.Share(line.charge, place, line.Quantity)
			if len(line.Contents) == 0 {
				add(line, nil, nil, share)
				continue
			}
			number, shares := place+1, ticketing.ShareBundle(share, line.Contents)
			for _, c := range line.Contents {
				for range c.Quantity {
					add(line, &c.TicketTypeID, &number, shares[0])
					shares = shares[1:]
				}
			}
		}
	}
	w.change(len(ids), `
INSERT INTO tickets (id, order_id, ticket_type_id, state, code, paid, component_id, bundle)
SELECT t.id, $1, t.ticket_type_id, 'VALID', t.code, t.paid, t.component_id, t.bundle
FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::int[]) AS t(id, ticket_type_id, code, paid, component_id, bundle)`,
		orderID, ids, types, codes, paid, components, bundles)
	w.ticketSeats(orderID)
	w.ticketAttendees(orderID)
}
