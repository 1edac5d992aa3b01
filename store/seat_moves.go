package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
)

// lockOrderWordsSQL locks the words an order has seats in, in the order everybody locks them in, after stock.
const lockOrderWordsSQL = `
SELECT FROM seat_words w
WHERE (w.session_id, w.word) IN (SELECT session_id, word FROM order_seats WHERE order_id = $1)
ORDER BY w.word FOR UPDATE`

// moveSeatsSQL moves the seats of an order from one state to another, all of its ticket types' or those of certain tickets.
const moveSeatsSQL = `
WITH moved AS (
    UPDATE order_seats SET state = $4
    WHERE order_id = $1 AND ticket_type_id = ANY($2) AND state = $3 AND ($5::text[] IS NULL OR ticket_id = ANY($5))
    RETURNING session_id, word, bit
), mask AS (
    SELECT session_id, word, bit_or(1::bigint << bit) AS bits FROM moved GROUP BY session_id, word
)
UPDATE seat_words w
SET taken = CASE WHEN $4 = 'RELEASED' THEN w.taken & ~m.bits ELSE w.taken | m.bits END,
    sold = CASE WHEN $4 = 'SOLD' THEN w.sold | m.bits ELSE w.sold & ~m.bits END
FROM mask m WHERE w.session_id = m.session_id AND w.word = m.word`

// moveSeats moves the seats of an order, where it has any, at the end of the transaction and after its stock;
// tickets, unless nil, says of which tickets.
func (w *work) moveSeats(orderID string, types []string, tickets []string, from, to holdState) {
	if orderID == w.unseated {
		return
	}
	w.last = append(w.last, func() {
		w.queue(lockOrderWordsSQL, orderID)
		w.queue(moveSeatsSQL, orderID, types, string(from), string(to), tickets)
	})
}

// ticketSeats gives the seats of a paid order to its tickets, at the end of the transaction and after they were moved.
func (w *work) ticketSeats(orderID string) {
	if orderID == w.unseated {
		return
	}
	w.last = append(w.last, func() {
		w.queue(`
WITH seat AS (
    SELECT word, bit, ticket_type_id, row_number() OVER (PARTITION BY ticket_type_id ORDER BY word, bit) AS n
    FROM order_seats WHERE order_id = $1
), ticket AS (
    SELECT id, ticket_type_id, row_number() OVER (PARTITION BY ticket_type_id ORDER BY id) AS n FROM tickets WHERE order_id = $1
)
UPDATE order_seats o SET ticket_id = t.id FROM seat s JOIN ticket t USING (ticket_type_id, n)
WHERE o.order_id = $1 AND o.word = s.word AND o.bit = s.bit`, orderID)
	})
}

// orderSeat is a seat of an order as stored.
type orderSeat struct {
	TicketTypeID string
	Word, Bit    int
	TicketID     string
	Map          string
	Version      int
}

const orderSeatsSQL = `SELECT o.ticket_type_id, o.word, o.bit, coalesce(o.ticket_id, ''), s.seat_map_id, s.seat_map_version
	FROM order_seats o JOIN sessions s ON s.id = o.session_id WHERE o.order_id = $1 ORDER BY o.word, o.bit`

// fillSeats tells an order and its tickets their seats.
func (s *Store) fillSeats(ctx context.Context, order *ticketing.Order, stored []orderSeat) error {
	if len(stored) == 0 {
		return nil
	}
	plan, err := s.SeatMap(ctx, ticketing.SeatMapRef{ID: stored[0].Map, Version: stored[0].Version})
	if err != nil {
		return err
	}
	byTicket := map[string]*ticketing.Seat{}
	for _, o := range stored {
		seat := seatOf(plan, plan.At(seating.Position{Word: o.Word, Bit: o.Bit}), o.TicketTypeID)
		order.Seats = append(order.Seats, seat)
		byTicket[o.TicketID] = &seat
	}
	for i, ticket := range order.Tickets {
		order.Tickets[i].Seat = byTicket[ticket.ID]
	}
	return nil
}

// instead completes what a buyer is told who has lost chosen seats: what to choose now.
func (w *work) instead(ctx context.Context, plan *seating.Plan, sessionID string, line seatedLine, lost *ticketing.LostSeats) error {
	taken := plan.AllTaken()
	w.queue("SELECT word, taken FROM seat_words WHERE session_id = $1 AND word = ANY($2)", sessionID, plan.WordsOf(line.category)).
		Query(func(rows pgx.Rows) error { return readWords(rows, taken) })
	if err := w.send(ctx); err != nil {
		return err
	}
	if seats := plan.Instead(taken, line.category, line.chosen); seats != nil {
		lost.Alternative = plan.IDs(seats)
	}
	return nil
}
