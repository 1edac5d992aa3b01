package store

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
)

// holdTries bounds how often a hold is tried while others take stock or the event changes in between.
const holdTries = 20

// Hold takes stock for an order and stores it, or stores why not. The same
// order id always gets the same answer; the caller compares the fingerprints.
//
// The price comes from the catalogue as of request.At, the sale windows go by
// the database's clock. Refusals: CodeNotFound, CodeNotOnSale, CodeInvalid,
// CodeLimitExceeded, CodePriceChanged, CodeWindowClosed, CodeSoldOut, CodeVoucherInvalid, CodeVoucherMinimum,
// CodeAttendeesRequired, CodeAttendeesUnwanted, CodeAttendeeTaken.
func (s *Store) Hold(ctx context.Context, request ticketing.HoldRequest) (ticketing.HoldResult, error) {
	request.PayBy = request.PayBy.UTC().Truncate(time.Microsecond) // as precise as it will be read back
	request.Attendees = ticketing.NormaliseAttendees(request.Attendees)
	buyer, err := s.sealBuyer(request.Buyer)
	if err != nil {
		return ticketing.HoldResult{}, err
	}
	for range holdTries {
		result, done, err := s.tryHold(ctx, request, buyer)
		if err != nil || done {
			return result, err
		}
		s.snapshots.forget(request.EventID)
	}
	return ticketing.HoldResult{}, fmt.Errorf("store: hold: the event or its stock changed %d times meanwhile", holdTries)
}

// tryHold is done unless what it read had changed by the time it wrote.
func (s *Store) tryHold(ctx context.Context, r ticketing.HoldRequest, buyer sealedBuyer) (result ticketing.HoldResult, done bool, err error) {
	known, err := s.snapshot(ctx, r.EventID)
	if err != nil {
		return result, false, err
	}
	quote, basket, err := s.price(ctx, known, r)
	refusal, refused := ticketing.RefusalOf(err)
	if err != nil && !refused {
		return result, false, err
	}
	if !refused {
		claims, err := s.claimsOf(r, known, quote, basket)
		if err != nil {
			return result, false, err
		}
		taken, err := s.takeAll(ctx, ordered{r, buyer, quote, claims}, known)
		switch {
		case err != nil:
			return result, false, err
		case taken.exists:
			return s.storedHold(ctx, r.OrderID)
		case taken.held:
			return ticketing.HoldResult{
				State: ticketing.OrderPending, Fingerprint: r.Fingerprint, Quote: quote,
				PayBy: r.PayBy, CreatedAt: taken.createdAt, Revision: 1, Seats: taken.given,
			}, true, nil
		}
		if refusal = taken.refusal(r, known.revision); refusal == nil {
			return result, false, nil
		}
	}
	createdAt, stored, err := s.refuse(ctx, r, buyer, *refusal, known)
	if err != nil {
		return result, false, err
	}
	if !stored {
		return s.storedHold(ctx, r.OrderID)
	}
	return ticketing.HoldResult{
		State: ticketing.OrderRefused, Fingerprint: r.Fingerprint, PayBy: r.PayBy, CreatedAt: createdAt, Revision: 1, Refusal: refusal,
	}, true, nil
}

// ordered is an order about to be held.
type ordered struct {
	ticketing.HoldRequest
	buyer  sealedBuyer
	quote  ticketing.Quote
	claims claims
}

// taking is what came of trying to take stock.
type taking struct {
	held      bool
	exists    bool // an order with this id was there before
	createdAt time.Time
	revision  int64  // of the event; 0 if there is none
	free      []int  // by line, just before
	open      []bool // by line: inside the sale window

	refused *ticketing.Refusal // why it gets no seats, or no more for its buyer
	// Of an order with bundles: whether everything in them was taken, and what was free of it where it sells.
	whole     bool
	freeParts map[string]int
	// Of an order with numbered seats:
	seats int // how many were taken
	given []ticketing.Seat
}

// scan reads the answer of takeSQL.
func (t *taking) scan(row pgx.Row) error {
	var createdAt *time.Time
	err := row.Scan(&createdAt, &t.exists, &t.revision, &t.free, &t.open)
	if createdAt != nil {
		t.held, t.createdAt = true, createdAt.UTC()
	}
	return err
}

// refusal says why no stock was taken, or nil when only another try can tell.
func (t taking) refusal(r ticketing.HoldRequest, revision int64) *ticketing.Refusal {
	if t.refused != nil {
		return t.refused
	}
	if t.revision != revision || len(t.free) != len(r.Lines) {
		return nil
	}
	for i := range r.Lines {
		if !t.open[i] {
			e := ticketing.FieldErrorf(ticketing.CodeWindowClosed, fmt.Sprintf("/lines/%d/ticket_type_id", i), "this ticket type is not on sale now")
			return &ticketing.Refusal{Code: e.Code, Message: e.Message, Field: e.Field}
		}
	}
	for i, line := range r.Lines {
		if t.free[i] < line.Quantity {
			message := "sold out"
			if t.free[i] > 0 {
				message = fmt.Sprintf("only %d left", t.free[i])
			}
			return &ticketing.Refusal{Code: ticketing.CodeSoldOut, Message: message, Field: fmt.Sprintf("/lines/%d/quantity", i)}
		}
	}
	return nil
}

// takeSQL takes the stock of every line or of none, and stores the order with
// all that belongs to it. Its guards: no such order yet, the event as it was
// priced, every sale window open, enough free. The stock row itself has the
// last word when others take from it at the same moment.
const takeSQL = `
WITH want AS MATERIALIZED (
    SELECT * FROM unnest($5::text[], $6::int[], $7::bigint[], $8::bigint[], $9::bigint[], $21::text[], $22::bigint[], $23::bigint[], $24::bigint[])
        WITH ORDINALITY AS w(ticket_type_id, quantity, base_price, surcharge, amount, phase, discount, fee, tax, position)
), line AS MATERIALIZED (
    SELECT w.position, w.quantity, s.free, now() >= t.sale_from - make_interval(hours => $30::int) AND now() < t.sale_until
        OR EXISTS (SELECT FROM presales p WHERE p.ticket_type_id = t.id AND p.code_index = $25 AND now() >= p.starts_at AND now() < p.ends_at) AS open
    FROM want w
    JOIN ticket_types t ON t.id = w.ticket_type_id
    JOIN stock s ON s.ticket_type_id = w.ticket_type_id
), gate AS MATERIALIZED (
    SELECT FROM events e
    WHERE e.id = $2 AND e.revision = $4 AND e.state = 'ON_SALE'
        AND NOT EXISTS (SELECT FROM orders WHERE id = $1)
        AND (SELECT count(*) FROM line WHERE open AND free >= quantity) = cardinality($5::text[])
), taken AS (
    UPDATE stock s SET free = s.free - w.quantity, held = s.held + w.quantity
    FROM want w, gate
    WHERE s.ticket_type_id = w.ticket_type_id AND s.free >= w.quantity
    RETURNING s.ticket_type_id
), placed AS (
    INSERT INTO orders (id, event_id, session_id, state, currency, order_fee, total, fingerprint, pay_by,
        buyer_name, buyer_email, buyer_phone, email_index, phone_index, language,
        access_index, order_fee_tax, tax_basis_points, tax_included, counted, order_fee_charge)
    SELECT $1, $2, $3, 'PENDING', $10, $11::bigint, $12, $13, $14, $15, $16, $17, $18, $19, $20, $25, $26::bigint, $27, $28, $29, $11::bigint + CASE WHEN $28::boolean THEN 0 ELSE $26::bigint END
    WHERE (SELECT count(*) FROM taken) = cardinality($5::text[])
    RETURNING id, created_at
), lines AS (
    INSERT INTO order_lines (order_id, ticket_type_id, session_id, position, quantity, base_price, surcharge, amount, phase, discount, fee, tax, tax_included, charge)
    SELECT placed.id, w.ticket_type_id, $3, w.position, w.quantity, w.base_price, w.surcharge, w.amount, nullif(w.phase, ''), w.discount, w.fee, w.tax, $28,
        w.amount - w.discount + w.fee + CASE WHEN $28::boolean THEN 0 ELSE w.tax END
    FROM placed, want w
), held AS (
    INSERT INTO holds (order_id, ticket_type_id, quantity, state, expires_at)
    SELECT placed.id, w.ticket_type_id, w.quantity, 'HELD', $14 FROM placed, want w
), told AS (
    INSERT INTO order_events (order_id, sequence, kind, state) SELECT id, 1, 'held', 'PENDING' FROM placed
)
SELECT (SELECT created_at FROM placed),
    EXISTS (SELECT FROM orders WHERE id = $1),
    coalesce((SELECT revision FROM events WHERE id = $2), 0),
    array_agg(free ORDER BY position), array_agg(open ORDER BY position)
FROM line`

// lockStockSQL locks stock rows in the order everybody locks them in.
const lockStockSQL = `SELECT FROM stock WHERE ticket_type_id = ANY($1) ORDER BY ticket_type_id FOR UPDATE`

// take runs takeSQL, along with others who want the same stock, and on its own where that fails.
func (s *Store) take(ctx context.Context, o ordered, revision int64) (taking, error) {
	ctx, cancel := context.WithTimeout(ctx, s.callTimeout)
	defer cancel()
	if s.groups.size > 1 {
		if t, err := s.takeTogether(ctx, o, revision); err == nil {
			return t, nil
		}
	}
	return s.takeAlone(ctx, o, revision)
}

// takeAlone runs takeSQL: one statement for one line; for several the rows are locked in order first, in the same
// round trip and transaction, so that all lines are taken or none and two orders never wait for each other.
func (s *Store) takeAlone(ctx context.Context, o ordered, revision int64) (taking, error) {
	types := o.types()
	var t taking
	err := s.retry(ctx, "hold", func(ctx context.Context) error {
		batch := &pgx.Batch{} // one transaction without saying so
		if len(types) > 1 {
			batch.Queue(lockStockSQL, sorted(types))
		}
		batch.Queue(takeSQL, o.takeArguments(revision)...).QueryRow(t.scan)
		err := s.pool.SendBatch(ctx, batch).Close()
		if isDuplicate(err, "orders_pkey") {
			t.exists, err = true, nil // the same order was being held at the same moment
		}
		return err
	})
	return t, err
}

// types are the ticket types of the lines.
func (o ordered) types() []string {
	types := make([]string, len(o.Lines))
	for i, line := range o.Lines {
		types[i] = line.TicketTypeID
	}
	return types
}

// takeArguments are those of takeSQL.
func (o ordered) takeArguments(revision int64) []any {
	q, b := o.quote, o.buyer
	n := len(q.Lines)
	var (
		types, phases               = make([]string, n), make([]string, n)
		quantities                  = make([]int, n)
		prices, surcharges, amounts = make([]int64, n), make([]int64, n), make([]int64, n)
		discounts, fees, taxes      = make([]int64, n), make([]int64, n), make([]int64, n)
	)
	for i, l := range q.Lines {
		types[i], quantities[i], prices[i], surcharges[i], amounts[i] = l.TicketTypeID, l.Quantity, l.BasePrice, l.Surcharge, l.Amount
		phases[i], discounts[i], fees[i], taxes[i] = l.Phase, l.Discount, l.Fee, l.Tax
	}
	return []any{
		o.OrderID, o.EventID, o.SessionID, revision, types, quantities, prices, surcharges, amounts,
		q.Total.Currency, q.OrderFee, q.Total.Amount, o.Fingerprint, o.PayBy,
		b.Name, b.Email, b.Phone, b.EmailIndex, b.PhoneIndex, b.Language,
		phases, discounts, fees, taxes, o.claims.access, q.OrderFeeTax, q.Tax.BasisPoints, q.Tax.Included, o.claims.any(), o.claims.leadHours(),
	}
}

// refuse stores an order that got no stock, with the reason. It stores nothing if the order exists
// or the event has changed since the reason was found.
func (s *Store) refuse(ctx context.Context, r ticketing.HoldRequest, b sealedBuyer, why ticketing.Refusal, known snapshot) (time.Time, bool, error) {
	var session, event *string
	if _, ok := known.session(r.SessionID); ok {
		session, event = &r.SessionID, &r.EventID
	}
	var createdAt time.Time
	err := s.retry(ctx, "refuse", func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, `
WITH refused AS (
    INSERT INTO orders (id, event_id, session_id, state, order_fee, total, fingerprint, pay_by,
        buyer_name, buyer_email, buyer_phone, email_index, phone_index, language, refusal_code, refusal_message, refusal_field, refusal_seats, refusal_left)
    SELECT $1, $2, $3, 'REFUSED', 0, 0, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $17, $18
    WHERE coalesce((SELECT revision FROM events WHERE id = $15), 0) = $16
    ON CONFLICT DO NOTHING -- by whichever unique index the same order at the same moment shows
    RETURNING id, created_at
), told AS (
    INSERT INTO order_events (order_id, sequence, kind, state, detail)
    SELECT id, 1, 'refused', 'REFUSED', jsonb_build_object('code', $12::text) FROM refused
)
SELECT created_at FROM refused`,
			r.OrderID, event, session, r.Fingerprint, r.PayBy,
			b.Name, b.Email, b.Phone, b.EmailIndex, b.PhoneIndex, b.Language, why.Code, why.Message, why.Field,
			r.EventID, known.revision, why.Seats, why.Left).Scan(&createdAt)
	})
	if ticketing.CodeOf(err) == ticketing.CodeNotFound { // no row came back
		return createdAt, false, nil
	}
	return createdAt.UTC(), err == nil, err
}

// storedHold is the answer an order id got before; it is not done if there is no such order.
func (s *Store) storedHold(ctx context.Context, orderID string) (ticketing.HoldResult, bool, error) {
	order, fingerprint, err := s.readOrder(ctx, orderID)
	var refusal *ticketing.Error
	if errors.As(err, &refusal) && refusal.Code == ticketing.CodeNotFound {
		return ticketing.HoldResult{}, false, nil
	}
	if err != nil {
		return ticketing.HoldResult{}, false, err
	}
	return ticketing.HoldResult{
		State: order.State, Fingerprint: fingerprint, Quote: order.Quote, PayBy: order.PayBy,
		CreatedAt: order.CreatedAt, Revision: order.Revision, Refusal: order.Refusal, Seats: order.Seats,
	}, true, nil
}

// sorted returns the ids in ascending order, in which rows are locked.
func sorted(ids []string) []string {
	ordered := append([]string(nil), ids...)
	sort.Strings(ordered)
	return ordered
}
