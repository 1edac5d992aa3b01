package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
)

// takeAll takes stock and whatever else an order needs: what it claims besides and its numbered seats are taken in the
// transaction that takes the stock, all or nothing.
//
// Whoever takes seats of a category or gives them back has locked the stock of its ticket type, so that what is
// read here after that lock stays true. It costs orders nothing that they do not pay anyway: they all change that row.
func (s *Store) takeAll(ctx context.Context, o ordered, known snapshot) (taking, error) {
	session, _ := known.session(o.SessionID)
	lines := seatedLines(session, o.Lines)
	if len(lines) == 0 && !o.claims.any() && !o.bundled() {
		return s.take(ctx, o, known.revision)
	}
	t := taking{revision: known.revision}
	var plan *seating.Plan
	if len(lines) > 0 {
		var err error
		if plan, err = s.SeatMap(ctx, session.SeatMap); err != nil {
			return t, err
		}
		if t.refused = findChosen(plan, lines); t.refused != nil {
			return t, nil
		}
	}
	err := s.transact(ctx, "hold", func(ctx context.Context, w *work) error {
		t = taking{revision: known.revision}
		w.claim(o.claims)
		var seats []givenSeat
		if plan == nil {
			w.queue(lockStockSQL, o.stock())
		} else {
			var err error
			if seats, err = w.findSeats(ctx, plan, o, lines, &t); err != nil || t.refused != nil {
				return cmp.Or(err, errNotHeld)
			}
		}
		w.countComponents(o, &t)
		w.queue(takeSQL, o.takeArguments(known.revision)...).QueryRow(t.scan)
		w.takeComponents(o, &t)
		w.noteClaims(o)
		if plan != nil {
			w.takeSeats(o.HoldRequest, plan, seats, &t)
		}
		w.takeAttendees(o, &t)
		if err := w.send(ctx); err != nil {
			return err
		}
		if !t.held || t.refuseShort(o) || t.refused != nil {
			t.held = false
			return errNotHeld
		}
		if t.seats != len(seats) {
			return fmt.Errorf("%d seats instead of %d", t.seats, len(seats))
		}
		for _, seat := range seats {
			t.given = append(t.given, seatOf(plan, seat.number, seat.ticketTypeID))
		}
		return nil
	})
	switch {
	case errors.Is(err, errNotHeld):
		return t, nil
	case isDuplicate(err, "orders_pkey"):
		return taking{exists: true}, nil // the same order was being held at the same moment
	case errors.Is(err, errStale), violates(err, "vouchers_uses"):
		return taking{}, nil
	case violates(err, "buyer_counts_limit"):
		return s.refusedBuyer(ctx, o, known.revision)
	}
	return t, err
}

// errNotHeld takes back what a transaction has done for an order that gets no stock. Why is told apart.
var errNotHeld error = ticketing.Errorf(ticketing.CodeConflict, "not held")

// refusedBuyer says which bound a buyer has reached, unless the very order that is being held has reached it before.
func (s *Store) refusedBuyer(ctx context.Context, o ordered, revision int64) (taking, error) {
	_, err := s.OrderFingerprint(ctx, o.OrderID)
	if ticketing.CodeOf(err) != ticketing.CodeNotFound {
		return taking{exists: err == nil}, err
	}
	refused, err := s.overLimit(ctx, o.claims)
	return taking{refused: refused, revision: revision}, err
}

// findSeats finds the seats of an order under the lock on its stock, or notes why there are none for it.
func (w *work) findSeats(ctx context.Context, plan *seating.Plan, o ordered, lines []seatedLine, t *taking) ([]givenSeat, error) {
	taken, err := w.seatsTaken(ctx, plan, o, lines)
	if err != nil {
		return nil, err
	}
	seats, without, refused := giveSeats(plan, taken, lines, o.OrderID)
	if t.refused = refused; refused != nil && refused.Seats != nil {
		return nil, w.instead(ctx, plan, o.SessionID, without, refused.Seats)
	}
	return seats, nil
}

// seatedLine is a line of an order for a ticket type with numbered seats.
type seatedLine struct {
	ticketing.Ask
	index      int // of the order's lines
	category   string
	assignment ticketing.SeatAssignment
	chosen     []int
}

func seatedLines(session ticketing.Session, asks []ticketing.Ask) []seatedLine {
	var lines []seatedLine
	for i, ask := range asks {
		for _, t := range session.TicketTypes {
			if t.ID == ask.TicketTypeID && t.Seated {
				lines = append(lines, seatedLine{Ask: ask, index: i, category: t.SeatCategory, assignment: t.Assignment})
			}
		}
	}
	return lines
}

// findChosen finds the chosen seats on the map, or says which of them are not there to choose.
func findChosen(plan *seating.Plan, lines []seatedLine) *ticketing.Refusal {
	for i := range lines {
		for j, id := range lines[i].SeatIDs {
			seat, ok := plan.Find(id)
			if !ok || plan.Seat(seat).Category != lines[i].category {
				return &ticketing.Refusal{
					Code: ticketing.CodeInvalid, Message: "no such seat of this ticket type",
					Field: fmt.Sprintf("/lines/%d/seat_ids/%d", lines[i].index, j),
				}
			}
			lines[i].chosen = append(lines[i].chosen, seat)
		}
	}
	return nil
}

// seatsTaken locks the stock of an order and reads which seats of its categories are taken.
func (w *work) seatsTaken(ctx context.Context, plan *seating.Plan, o ordered, lines []seatedLine) (seating.Bits, error) {
	var words []int
	for _, line := range lines {
		if line.chosen == nil {
			words = append(words, plan.WordsOf(line.category)...)
		}
		for _, seat := range line.chosen {
			words = append(words, plan.Position(seat).Word)
		}
	}
	slices.Sort(words)
	taken := plan.AllTaken()
	w.queue(lockStockSQL, o.stock())
	w.queue("SELECT word, taken FROM seat_words WHERE session_id = $1 AND word = ANY($2)", o.SessionID, slices.Compact(words)).
		Query(func(rows pgx.Rows) error { return readWords(rows, taken) })
	return taken, w.send(ctx)
}

func readWords(rows pgx.Rows, into seating.Bits) error {
	var (
		word int
		bits int64
	)
	_, err := pgx.ForEachRow(rows, []any{&word, &bits}, func() error {
		if word >= len(into) {
			return fmt.Errorf("word %d of a map with %d", word, len(into))
		}
		into[word] = bits
		return nil
	})
	return err
}

// givenSeat is a seat for a line.
type givenSeat struct {
	number       int
	ticketTypeID string
}

// giveSeats finds the seats of every line, in the order of the map, or says which line gets none and why.
func giveSeats(plan *seating.Plan, taken seating.Bits, lines []seatedLine, orderID string) (given []givenSeat, without seatedLine, why *ticketing.Refusal) {
	for _, line := range lines {
		seats, refused := line.give(plan, taken, orderID)
		if refused != nil {
			return nil, line, refused
		}
		for _, seat := range seats {
			given = append(given, givenSeat{seat, line.TicketTypeID})
		}
	}
	slices.SortFunc(given, func(a, b givenSeat) int { return a.number - b.number })
	return given, without, nil
}

func (l seatedLine) give(plan *seating.Plan, taken seating.Bits, orderID string) ([]int, *ticketing.Refusal) {
	if l.chosen != nil {
		return l.chosen, l.lost(plan, taken)
	}
	var seats []int
	if l.assignment == ticketing.AssignRandom {
		seats = plan.Random(taken, l.category, l.Quantity, chanceOf(orderID))
	} else {
		seats = plan.Best(taken, l.category, l.Quantity)
	}
	if seats == nil && l.Apart {
		seats = plan.Apart(taken, l.category, l.Quantity)
	}
	if seats != nil {
		return seats, nil
	}
	refused := &ticketing.Refusal{Code: ticketing.CodeNotTogether, Field: fmt.Sprintf("/lines/%d/quantity", l.index)}
	left := plan.CountFree(taken, l.category)
	switch {
	case left >= l.Quantity:
		refused.Message = fmt.Sprintf("no %d seats side by side are left; accept seats apart", l.Quantity)
	case left > 0:
		refused.Code, refused.Message = ticketing.CodeSoldOut, fmt.Sprintf("only %d left", left)
	default:
		refused.Code, refused.Message = ticketing.CodeSoldOut, "sold out"
	}
	return nil, refused
}

// lost says which chosen seats are gone, or nil.
func (l seatedLine) lost(plan *seating.Plan, taken seating.Bits) *ticketing.Refusal {
	var gone []int
	for _, seat := range l.chosen {
		if !plan.Free(taken, seat) {
			gone = append(gone, seat)
		}
	}
	if gone == nil {
		return nil
	}
	return &ticketing.Refusal{
		Code: ticketing.CodeSeatTaken, Message: "somebody else has taken a seat you chose", Field: fmt.Sprintf("/lines/%d/seat_ids", l.index),
		Seats: &ticketing.LostSeats{Taken: plan.IDs(gone)},
	}
}

// chanceOf makes the chance by which an order gets random seats: the same however often it is tried. Nobody can aim
// at a seat by it, for order ids are keyed hashes.
func chanceOf(orderID string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(orderID))
	return rand.New(rand.NewPCG(h.Sum64(), 0))
}

// lockWordsSQL locks words in the order everybody locks them in, after stock.
const lockWordsSQL = `SELECT FROM seat_words WHERE session_id = $1 AND word = ANY($2) ORDER BY word FOR UPDATE`

// takeSeatsSQL takes seats for an order that holds stock and has no seats yet: all of a word or none.
const takeSeatsSQL = `
WITH seat AS MATERIALIZED (
    SELECT s.ticket_type_id, s.word, s.bit FROM unnest($3::text[], $4::int[], $5::int[]) AS s(ticket_type_id, word, bit)
    WHERE EXISTS (SELECT FROM holds WHERE order_id = $1 AND state = 'HELD') AND NOT EXISTS (SELECT FROM order_seats WHERE order_id = $1)
), mask AS (
    SELECT word, bit_or(1::bigint << bit) AS bits FROM seat GROUP BY word
), taken AS (
    UPDATE seat_words w SET taken = w.taken | m.bits FROM mask m
    WHERE w.session_id = $2 AND w.word = m.word AND w.taken & m.bits = 0
    RETURNING w.word
)
INSERT INTO order_seats (order_id, ticket_type_id, session_id, word, bit, state)
SELECT $1, s.ticket_type_id, $2, s.word, s.bit, 'HELD' FROM seat s JOIN taken USING (word)`

// takeSeats queues the taking of seats; how many were taken is noted.
func (w *work) takeSeats(r ticketing.HoldRequest, plan *seating.Plan, seats []givenSeat, t *taking) {
	n := len(seats)
	types, words, bits := make([]string, n), make([]int, n), make([]int, n)
	for i, seat := range seats {
		at := plan.Position(seat.number)
		types[i], words[i], bits[i] = seat.ticketTypeID, at.Word, at.Bit
	}
	w.queue(lockWordsSQL, r.SessionID, words)
	w.queue(takeSeatsSQL, r.OrderID, r.SessionID, types, words, bits).Exec(func(tag pgconn.CommandTag) error {
		t.seats = int(tag.RowsAffected())
		return nil
	})
}

// seatOf is a seat as its buyer reads it.
func seatOf(plan *seating.Plan, number int, ticketTypeID string) ticketing.Seat {
	section, row, label := plan.Labels(number)
	return ticketing.Seat{ID: plan.ID(number), TicketTypeID: ticketTypeID, Section: section, Row: row, Number: label}
}
