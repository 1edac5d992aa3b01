package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
)

// holdState says what became of stock set aside.
type holdState string

const (
	holdHeld     holdState = "HELD"
	holdReleased holdState = "RELEASED"
	holdSold     holdState = "SOLD"
)

// counters names the column of stock that counts tickets in each state of their hold.
var counters = map[holdState]string{holdHeld: "held", holdReleased: "free", holdSold: "sold"}

// moveHolds moves the lines of an order, given in ascending order of ticket
// type, from one state to another, and at the end of the transaction the stock with them.
func (w *work) moveHolds(orderID string, lines []orderLine, from, to holdState) {
	types, _ := columnsOf(lines)
	w.change(len(lines), "UPDATE holds SET state = $3 WHERE order_id = $1 AND ticket_type_id = ANY($2) AND state = $4",
		orderID, types, to, from)
	w.moveStock(lines, from, to)
	w.moveClaims(orderID, lines, from, to, true)
	w.moveSeats(orderID, types, nil, from, to)
	w.moveAttendees(orderID, types, nil, from, to)
}

// returnTickets notes on the holds of an order how many of its tickets, given by ascending ticket type, are
// not sold any more, and at the end of the transaction puts them on sale again, with their seats. A voucher stays used.
func (w *work) returnTickets(orderID string, lines []orderLine, tickets []string) {
	types, quantities := columnsOf(lines)
	w.change(len(lines), `UPDATE holds h SET returned = h.returned + l.quantity
		FROM unnest($2::text[], $3::int[]) AS l(ticket_type_id, quantity)
		WHERE h.order_id = $1 AND h.ticket_type_id = l.ticket_type_id AND h.state = 'SOLD'`, orderID, types, quantities)
	w.moveStock(lines, holdSold, holdReleased)
	w.moveClaims(orderID, lines, holdSold, holdReleased, false)
	w.moveSeats(orderID, types, tickets, holdSold, holdReleased)
	w.moveAttendees(orderID, types, tickets, holdSold, holdReleased)
}

// moveStock moves the stock of lines from one counter to another at the end of the transaction.
func (w *work) moveStock(lines []orderLine, from, to holdState) {
	types, quantities := needed(lines)
	w.last = append(w.last, func() {
		if len(types) > 1 {
			w.queue(lockStockSQL, types)
		}
		a, b := counters[from], counters[to]
		w.change(len(types), `UPDATE stock s SET `+a+` = s.`+a+` - l.quantity, `+b+` = s.`+b+` + l.quantity
			FROM unnest($1::text[], $2::int[]) AS l(ticket_type_id, quantity) WHERE s.ticket_type_id = l.ticket_type_id`, types, quantities)
	})
}

// heldLinesSQL are the lines of an order for which stock is set aside.
const heldLinesSQL = `SELECT l.ticket_type_id, l.quantity, l.charge, ` + contentsSQL + `
	FROM holds h JOIN order_lines l USING (order_id, ticket_type_id) WHERE h.order_id = $1 AND h.state = 'HELD' ORDER BY l.ticket_type_id`

// columnsOf are the lines as arrays.
func columnsOf(lines []orderLine) (types []string, quantities []int) {
	types, quantities = make([]string, len(lines)), make([]int, len(lines))
	for i, line := range lines {
		types[i], quantities[i] = line.TicketTypeID, line.Quantity
	}
	return types, quantities
}

// Release gives the stock of an unpaid order back and closes it as state, which is
// OrderExpired or OrderCancelled. Captured money that nobody has judged yet is judged first, so that payment wins where it was
// faster. It returns where the order is then. Errors: CodeNotFound, CodeInvalid for another state.
func (s *Store) Release(ctx context.Context, orderID string, state ticketing.OrderState) (ticketing.OrderState, error) {
	kind, ok := map[ticketing.OrderState]ticketing.OrderEventKind{
		ticketing.OrderExpired: ticketing.EventExpired, ticketing.OrderCancelled: ticketing.EventOrderCancelled,
	}[state]
	if !ok {
		return "", ticketing.Errorf(ticketing.CodeInvalid, "an order is not released as %s", state)
	}
	var now ticketing.OrderState
	err := s.transact(ctx, "release", func(ctx context.Context, w *work) error {
		var (
			found    bool
			seats    bool
			counted  bool
			unjudged []string
			held     []orderLine
		)
		one(w.queue("SELECT state, EXISTS (SELECT FROM order_seats WHERE order_id = id), counted FROM orders WHERE id = $1 FOR UPDATE", orderID),
			&found, &now, &seats, &counted)
		many(w.queue(`SELECT id FROM payment_attempts WHERE order_id = $1 AND captured_amount IS NOT NULL
			AND state NOT IN ('ACCEPTED', 'REJECTED', 'REFUNDED') ORDER BY captured_at, id`, orderID), &unjudged, pgx.RowTo[string])
		many(w.queue(heldLinesSQL, orderID), &held, scanLine)
		if err := w.send(ctx); err != nil {
			return err
		}
		if !found {
			return ticketing.Errorf(ticketing.CodeNotFound, "no such order")
		}
		if !seats {
			w.unseated = orderID
		}
		if !counted {
			w.unclaimed = orderID
		}
		for _, attempt := range unjudged {
			settled, err := w.settle(ctx, attempt)
			if err != nil {
				return err
			}
			now = settled.Order
		}
		if !now.HoldsStock() {
			return nil
		}
		now = state
		if len(held) > 0 {
			w.moveHolds(orderID, held, holdHeld, holdReleased)
		}
		return w.move(orderID, state, entry{kind: kind})
	})
	return now, err
}
