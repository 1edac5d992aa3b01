package store

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
)

// BlockSeats keeps seats of a session back for its organiser, all of them or none; note says what for. Errors:
// CodeNotFound for a session without such seats, CodeSeatTaken, which names the seats that are not free.
func (s *Store) BlockSeats(ctx context.Context, sessionID string, seatIDs []string, note string) error {
	return s.changeBlocks(ctx, sessionID, seatIDs, func(ctx context.Context, w *work, b seatBlock) error {
		var lost []int
		for _, seat := range b.seats {
			if !b.plan.Free(b.taken, seat) {
				lost = append(lost, seat)
			}
		}
		if lost != nil {
			e := ticketing.Errorf(ticketing.CodeSeatTaken, "seats are held, sold or blocked")
			e.Seats = &ticketing.LostSeats{Taken: b.plan.IDs(lost)}
			return e
		}
		w.change(len(b.seats), `INSERT INTO seat_blocks (session_id, word, bit, category, note)
			SELECT $1, word, bit, category, $5 FROM unnest($2::int[], $3::int[], $4::text[]) AS b(word, bit, category)`,
			sessionID, b.words, b.bits, b.categories, note)
		w.change(len(b.types), `UPDATE stock k SET free = k.free - b.n, blocked = k.blocked + b.n
			FROM unnest($1::text[], $2::int[]) AS b(ticket_type_id, n) WHERE k.ticket_type_id = b.ticket_type_id`, b.types, b.counts)
		w.queue(`WITH mask AS (SELECT word, bit_or(1::bigint << bit) AS bits FROM unnest($2::int[], $3::int[]) AS b(word, bit) GROUP BY word)
			UPDATE seat_words w SET taken = w.taken | m.bits, blocked = w.blocked | m.bits
			FROM mask m WHERE w.session_id = $1 AND w.word = m.word`, sessionID, b.words, b.bits)
		return w.send(ctx)
	})
}

// UnblockSeats puts blocked seats of a session on sale again, all of them or none. Errors: CodeNotFound for a
// session without such seats, CodeConflict when one is not blocked.
func (s *Store) UnblockSeats(ctx context.Context, sessionID string, seatIDs []string) error {
	return s.changeBlocks(ctx, sessionID, seatIDs, func(ctx context.Context, w *work, b seatBlock) error {
		for _, seat := range b.seats {
			if b.plan.Free(b.blocked, seat) {
				return ticketing.Errorf(ticketing.CodeConflict, "seat %s is not blocked", b.plan.ID(seat))
			}
		}
		w.change(len(b.seats), `DELETE FROM seat_blocks k USING unnest($2::int[], $3::int[]) AS b(word, bit)
			WHERE k.session_id = $1 AND k.word = b.word AND k.bit = b.bit`, sessionID, b.words, b.bits)
		w.change(len(b.types), `UPDATE stock k SET free = k.free + b.n, blocked = k.blocked - b.n
			FROM unnest($1::text[], $2::int[]) AS b(ticket_type_id, n) WHERE k.ticket_type_id = b.ticket_type_id`, b.types, b.counts)
		w.queue(`WITH mask AS (SELECT word, bit_or(1::bigint << bit) AS bits FROM unnest($2::int[], $3::int[]) AS b(word, bit) GROUP BY word)
			UPDATE seat_words w SET taken = w.taken & ~m.bits, blocked = w.blocked & ~m.bits
			FROM mask m WHERE w.session_id = $1 AND w.word = m.word`, sessionID, b.words, b.bits)
		return w.send(ctx)
	})
}

// seatBlock is what is to be blocked or unblocked, and how its words stand.
type seatBlock struct {
	plan           *seating.Plan
	seats          []int
	words, bits    []int
	categories     []string
	types          []string // the ticket types that sell them
	counts         []int    // by ticket type
	taken, blocked seating.Bits
}

// changeBlocks finds seats, locks what they are counted by and then the seats, and hands them to change.
func (s *Store) changeBlocks(ctx context.Context, sessionID string, seatIDs []string, change func(context.Context, *work, seatBlock) error) error {
	plan, ref, err := s.planOf(ctx, sessionID)
	if err != nil {
		return err
	}
	return s.transact(ctx, "change blocks", func(ctx context.Context, w *work) error {
		var (
			found  bool
			sellBy []categoryType
		)
		// The lock keeps the session's map as it is.
		one(w.queue("SELECT FROM sessions WHERE id = $1 AND seat_map_id = $2 AND seat_map_version = $3 FOR SHARE", sessionID, ref.ID, ref.Version), &found)
		many(w.queue("SELECT seat_category, id FROM ticket_types WHERE session_id = $1 AND seated ORDER BY id", sessionID), &sellBy, pgx.RowToStructByPos[categoryType])
		if err := w.send(ctx); err != nil {
			return err
		}
		if !found {
			return ticketing.Errorf(ticketing.CodeConflict, "the session has got another seat map")
		}
		b, err := blockOf(plan, seatIDs, sellBy)
		if err != nil {
			return err
		}
		w.queue(lockStockSQL, b.types)
		w.queue(lockWordsSQL, sessionID, b.words)
		w.queue("SELECT word, taken, blocked FROM seat_words WHERE session_id = $1 AND word = ANY($2)", sessionID, b.words).
			Query(func(rows pgx.Rows) error {
				var (
					word           int
					taken, blocked int64
				)
				_, err := pgx.ForEachRow(rows, []any{&word, &taken, &blocked}, func() error {
					b.taken[word], b.blocked[word] = taken, blocked
					return nil
				})
				return err
			})
		if err := w.send(ctx); err != nil {
			return err
		}
		return change(ctx, w, b)
	})
}

// planOf returns the seat map of a session. Error: CodeNotFound.
func (s *Store) planOf(ctx context.Context, sessionID string) (*seating.Plan, ticketing.SeatMapRef, error) {
	var ref ticketing.SeatMapRef
	err := s.retry(ctx, "find a session's seat map", func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, "SELECT seat_map_id, seat_map_version FROM sessions WHERE id = $1 AND seat_map_id IS NOT NULL", sessionID).
			Scan(&ref.ID, &ref.Version)
	})
	if err != nil {
		return nil, ref, err
	}
	plan, err := s.SeatMap(ctx, ref)
	return plan, ref, err
}

// categoryType says which ticket type sells a category.
type categoryType struct{ Category, TicketTypeID string }

func blockOf(plan *seating.Plan, seatIDs []string, sellBy []categoryType) (seatBlock, error) {
	b := seatBlock{plan: plan, taken: plan.AllTaken(), blocked: plan.AllFree()}
	for _, id := range seatIDs {
		seat, ok := plan.Find(id)
		if !ok {
			return b, ticketing.Errorf(ticketing.CodeNotFound, "no such seat: %s", id)
		}
		b.seats = append(b.seats, seat)
	}
	slices.Sort(b.seats)
	b.seats = slices.Compact(b.seats)
	count := map[string]int{}
	for _, seat := range b.seats {
		at := plan.Position(seat)
		category := plan.Seat(seat).Category
		b.words, b.bits, b.categories = append(b.words, at.Word), append(b.bits, at.Bit), append(b.categories, category)
		count[category]++
	}
	for _, sold := range sellBy {
		if n := count[sold.Category]; n > 0 {
			b.types, b.counts = append(b.types, sold.TicketTypeID), append(b.counts, n)
		}
	}
	return b, nil
}
