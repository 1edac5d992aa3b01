package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
)

// Order returns an order with its lines, attempts, tickets and refunds, all
// from one state of the database. Error: CodeNotFound.
func (s *Store) Order(ctx context.Context, orderID string) (ticketing.Order, error) {
	order, _, err := s.readOrder(ctx, orderID)
	return order, err
}

// OrderFingerprint returns the fingerprint of the request an order was made from. Error: CodeNotFound.
func (s *Store) OrderFingerprint(ctx context.Context, orderID string) (string, error) {
	var fingerprint string
	err := s.retry(ctx, "read the order's fingerprint", func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, "SELECT fingerprint FROM orders WHERE id = $1", orderID).Scan(&fingerprint)
	})
	return fingerprint, err
}

// readOrder reads an order and its fingerprint in one round trip.
func (s *Store) readOrder(ctx context.Context, orderID string) (ticketing.Order, string, error) {
	var o *orderRows
	err := s.retry(ctx, "read the order", func(ctx context.Context) error {
		batch := &pgx.Batch{}
		batch.Queue(beginReading)
		o = queueOrder(batch, orderID)
		batch.Queue("commit")
		return s.pool.SendBatch(ctx, batch).Close()
	})
	if err != nil {
		return ticketing.Order{}, "", err
	}
	order, err := s.orderOf(ctx, o)
	return order, o.head.fingerprint, err
}

// beginReading begins a transaction whose statements all see the same state of the database.
const beginReading = "begin isolation level repeatable read read only"

// orderRows is an order as stored.
type orderRows struct {
	found     bool
	head      orderHead
	lines     []ticketing.PricedLine
	vouchers  []ticketing.UsedVoucher
	member    orderMember
	attempts  []ticketing.PaymentAttempt
	tickets   []ticketing.Ticket
	refunds   []ticketing.Refund
	seats     []orderSeat
	attendees []ticketAttendee
}

// queueOrder queues what reads an order; it is there after the batch was sent.
func queueOrder(batch *pgx.Batch, orderID string) *orderRows {
	o := queueBought(batch, orderID)
	many(batch.Queue(`SELECT o.voucher_id, v.name, o.discount FROM order_vouchers o JOIN vouchers v ON v.id = o.voucher_id
		WHERE o.order_id = $1 ORDER BY o.position`, orderID), &o.vouchers, pgx.RowToStructByPos[ticketing.UsedVoucher])
	many(batch.Queue(attemptSQL+" WHERE a.order_id = $1 ORDER BY a.created_at, a.id", orderID), &o.attempts, scanAttempt)
	return o
}

// queueBought is queueOrder without vouchers and attempts, of which a buyer is told nothing.
func queueBought(batch *pgx.Batch, orderID string) *orderRows {
	o := &orderRows{}
	one(batch.Queue(orderHeadSQL, orderID), &o.found, o.head.columns()...)
	many(batch.Queue(`SELECT ticket_type_id, quantity, base_price, surcharge, amount, coalesce(phase, ''), discount, fee, tax, `+contentsSQL+` FROM order_lines l
		WHERE order_id = $1 ORDER BY position`, orderID), &o.lines, pgx.RowToStructByPos[ticketing.PricedLine])
	one(batch.Queue(orderMemberSQL, orderID), &o.member.found, o.member.columns()...)
	many(batch.Queue(ticketsSQL, orderID), &o.tickets, scanTicket)
	many(batch.Queue(refundSQL+" WHERE r.order_id = $1 ORDER BY r.created_at, r.id", orderID), &o.refunds, scanRefund)
	many(batch.Queue(orderSeatsSQL, orderID), &o.seats, pgx.RowToStructByPos[orderSeat])
	many(batch.Queue(orderAttendeesSQL, orderID), &o.attendees, scanAttendee)
	return o
}

// orderOf makes an order of what is stored. Error: CodeNotFound.
func (s *Store) orderOf(ctx context.Context, o *orderRows) (ticketing.Order, error) {
	if !o.found {
		return ticketing.Order{}, ticketing.Errorf(ticketing.CodeNotFound, "no such order")
	}
	order := ticketing.Order{Attempts: o.attempts, Tickets: o.tickets, Refunds: o.refunds}
	o.head.fill(&order)
	if len(o.lines) > 0 {
		order.Lines = o.lines
	}
	if len(o.vouchers) > 0 {
		order.Vouchers = o.vouchers
	}
	s.fillMember(&order, o.member)
	if err := s.fillSeats(ctx, &order, o.seats); err != nil {
		return ticketing.Order{}, err
	}
	if err := s.fillAttendees(&order, o.attendees); err != nil {
		return ticketing.Order{}, err
	}
	var err error
	order.Buyer, err = s.openBuyer(o.head.buyer)
	return order, err
}

// orderHead is a row of orders.
type orderHead struct {
	id, fingerprint              string
	session, event               *string
	state                        ticketing.OrderState
	buyer                        sealedBuyer
	currency                     *string
	orderFee, orderFeeTax, total int64
	tax                          ticketing.TaxRule
	left                         *int
	payBy, createdAt, updatedAt  time.Time
	revision                     int
	code, message, field         *string
	lost                         *ticketing.LostSeats
	paidAt                       *time.Time
}

const orderHeadSQL = `SELECT id, fingerprint, session_id, event_id, state, buyer_name, buyer_email, buyer_phone, language,
	currency, order_fee, total, pay_by, created_at, updated_at, revision, refusal_code, refusal_message, refusal_field, refusal_seats,
	refusal_left, order_fee_tax, tax_basis_points, tax_included,
	(SELECT captured_at FROM payment_attempts WHERE order_id = orders.id AND state = 'ACCEPTED') FROM orders WHERE id = $1`

func (h *orderHead) columns() []any {
	return []any{
		&h.id, &h.fingerprint, &h.session, &h.event, &h.state, &h.buyer.Name, &h.buyer.Email, &h.buyer.Phone, &h.buyer.Language,
		&h.currency, &h.orderFee, &h.total, &h.payBy, &h.createdAt, &h.updatedAt, &h.revision, &h.code, &h.message, &h.field, &h.lost,
		&h.left, &h.orderFeeTax, &h.tax.BasisPoints, &h.tax.Included, &h.paidAt,
	}
}

func (h *orderHead) fill(o *ticketing.Order) {
	o.ID, o.State, o.SessionID, o.EventID = h.id, h.state, deref(h.session), deref(h.event)
	o.OrderFeeTax, o.Tax = h.orderFeeTax, h.tax
	o.OrderFee, o.Total = h.orderFee, ticketing.Money{Amount: h.total, Currency: deref(h.currency)}
	o.PayBy, o.CreatedAt, o.UpdatedAt, o.Revision = h.payBy.UTC(), h.createdAt.UTC(), h.updatedAt.UTC(), h.revision
	o.PaidAt = utc(h.paidAt)
	if h.code != nil {
		o.Refusal = &ticketing.Refusal{Code: ticketing.Code(*h.code), Message: deref(h.message), Field: deref(h.field), Seats: h.lost, Left: h.left}
	}
}

// utc is a time of the database, which may be NULL, in UTC.
func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	moment := at.UTC()
	return &moment
}

// deref returns what p points to, or the zero value for NULL.
func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// OrderEvents returns the entries of an order's timeline with a sequence above
// after, in order. Of an unknown order there are none.
func (s *Store) OrderEvents(ctx context.Context, orderID string, after int) ([]ticketing.OrderEvent, error) {
	return list(ctx, s, "read the timeline", scanOrderEvent,
		"SELECT sequence, kind, state, at, detail FROM order_events WHERE order_id = $1 AND sequence > $2 ORDER BY sequence", orderID, after)
}

func scanOrderEvent(row pgx.CollectableRow) (ticketing.OrderEvent, error) {
	var (
		e      ticketing.OrderEvent
		detail []byte
	)
	err := row.Scan(&e.Sequence, &e.Kind, &e.State, &e.At, &detail)
	if err == nil && detail != nil {
		err = json.Unmarshal(detail, &e.Detail)
	}
	e.At = e.At.UTC()
	return e, err
}

// OrderRevisions returns the length of each order's timeline, for streams that
// wait for the next entry. Unknown orders are missing.
func (s *Store) OrderRevisions(ctx context.Context, orderIDs []string) (map[string]int, error) {
	return table[int](ctx, s, "read the revisions", "SELECT id, revision FROM orders WHERE id = ANY($1)", orderIDs)
}

// OrdersOfBuyer returns the ids of the newest orders made with a mail address, newest first. It finds
// them by the blind index, without opening anything.
func (s *Store) OrdersOfBuyer(ctx context.Context, email string, limit int) ([]string, error) {
	return list(ctx, s, "find a buyer's orders", pgx.RowTo[string],
		"SELECT id FROM orders WHERE email_index = $1 ORDER BY created_at DESC, id LIMIT $2",
		s.ring.BlindIndex("orders.email_index", email), limit)
}
