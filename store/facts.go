package store

import (
	"context"
	"time"

	"github.com/boxoffice/boxoffice/ticketing"
)

// How we learnt that money was captured.
const (
	byCallback = "callback" // a verified message, kept in the inbox
	byQuery    = "query"    // the gateway's answer to a question of ours
)

// RecordPayment stores what a gateway answered about an attempt. A later fact
// never takes a captured payment back, and only the first capture of an attempt counts. A captured
// payment no attempt of ours asked for is kept as a rejected attempt of its
// own, without an order. Other news of unknown attempts mean nothing and are dropped.
//
// Error: CodeInvalid for a capture without an amount, CodeConflict when the number belongs to another provider.
func (s *Store) RecordPayment(ctx context.Context, fact ticketing.PaymentFact) error {
	if err := checkFact(fact); err != nil {
		return err
	}
	return s.transact(ctx, "record a payment", func(ctx context.Context, w *work) error {
		known := w.record(fact, byQuery)
		if err := w.send(ctx); err != nil {
			return err
		}
		return w.recordOrphan(fact, byQuery, *known)
	})
}

func checkFact(fact ticketing.PaymentFact) error {
	if fact.State == ticketing.PaymentPaid && (fact.Captured.Amount <= 0 || !ticketing.ValidCurrency(fact.Captured.Currency)) {
		return ticketing.Errorf(ticketing.CodeInvalid, "a captured payment without an amount")
	}
	return nil
}

// recorded is what is known of an attempt after a fact about it was stored.
type recorded struct {
	known bool
	// open says that it has captured money that no workflow has taken care of.
	open bool
	// order is the state of its order, "" without one.
	order   ticketing.OrderState
	attempt ticketing.PaymentAttempt
}

// record queues what stores a fact about an attempt we know. The answer is there after the next send.
func (w *work) record(fact ticketing.PaymentFact, by string) *recorded {
	r := &recorded{}
	w.queue(lockOrderSQL, fact.AttemptID)
	w.queue(recordSQL, fact.AttemptID, fact.Provider, fact.State, fact.GatewayID,
		fact.Captured.Amount, fact.Captured.Currency, by, latest(fact.At))
	one(w.queue(recordedSQL, fact.AttemptID), &r.known, r.columns()...)
	return r
}

// columns are those of recordedSQL.
func (r *recorded) columns() []any {
	a := &r.attempt
	return []any{
		&r.open, &r.order, &a.ID, &a.OrderID, &a.Provider, &a.GatewayID, &a.Method, &a.State,
		&a.Amount.Amount, &a.Amount.Currency, &a.PayURL, &a.QR, &a.PayForm, &a.ExpiresAt, &a.CreatedAt,
	}
}

// recordSQL merges a fact into an attempt and tells the timeline of what is new. Captured money
// is final; else the first final answer of the gateway stays, for a gateway that says "closed"
// cannot mean "pending" any more.
const recordSQL = `
WITH before AS (
    SELECT id, state FROM payment_attempts WHERE id = $1 AND provider = $2 AND captured_amount IS NULL
), changed AS (
    UPDATE payment_attempts a SET
        reported = CASE WHEN $3 <> 'paid' AND a.reported IN ('declined', 'closed') THEN a.reported ELSE $3 END,
        state = CASE
            WHEN a.state NOT IN ('CREATED', 'PENDING') OR $3 = 'paid' THEN a.state
            WHEN $3 = 'declined' THEN 'DECLINED'
            WHEN $3 = 'closed' THEN 'CLOSED'
            ELSE 'PENDING' END,
        gateway_id = CASE WHEN $3 = 'paid' THEN coalesce(nullif($4, ''), a.gateway_id, a.id)
            ELSE coalesce(a.gateway_id, nullif($4, '')) END,
        captured_amount = CASE WHEN $3 = 'paid' THEN $5::bigint END,
        captured_currency = CASE WHEN $3 = 'paid' THEN $6 END,
        captured_by = CASE WHEN $3 = 'paid' THEN $7 END,
        captured_at = CASE WHEN $3 = 'paid' THEN clock_timestamp() END,
        updated_at = clock_timestamp()
    FROM before WHERE a.id = before.id AND a.captured_amount IS NULL
    RETURNING a.*, before.state AS was
), news AS (
    SELECT id, order_id, provider, captured_amount, captured_currency, CASE
        WHEN captured_amount IS NOT NULL THEN 'payment_received'
        WHEN state = 'DECLINED' AND was <> state THEN 'attempt_declined'
        WHEN state = 'CLOSED' AND was <> state THEN 'attempt_closed' END AS kind
    FROM changed
), moved AS (
    UPDATE orders o SET revision = o.revision + 1, updated_at = clock_timestamp()
    FROM news WHERE o.id = news.order_id AND news.kind IS NOT NULL
    RETURNING o.id, o.revision, o.state
)
INSERT INTO order_events (order_id, sequence, kind, state, detail)
SELECT moved.id, moved.revision, news.kind, moved.state, jsonb_strip_nulls(jsonb_build_object(
    'attempt_id', news.id, 'provider', news.provider, 'amount', captured_amount, 'currency', captured_currency, 'at', $8::timestamptz))
FROM moved, news`

const recordedSQL = `
SELECT a.captured_amount IS NOT NULL AND a.state NOT IN ('ACCEPTED', 'REFUNDED') AND NOT EXISTS (SELECT FROM refunds r WHERE r.attempt_id = a.id),
    coalesce(o.state, ''),
    a.id, coalesce(a.order_id, ''), a.provider, coalesce(a.gateway_id, ''), a.method, a.state,
    a.amount, a.currency, a.pay_url, a.qr, a.pay_form, a.expires_at, a.created_at
FROM payment_attempts a LEFT JOIN orders o ON o.id = a.order_id WHERE a.id = $1`

// recordOrphan keeps captured money no attempt of ours asked for.
func (w *work) recordOrphan(fact ticketing.PaymentFact, by string, r recorded) error {
	if r.known && r.attempt.Provider != fact.Provider {
		return ticketing.Errorf(ticketing.CodeConflict, "this attempt number belongs to another provider")
	}
	if r.known || fact.State != ticketing.PaymentPaid {
		return nil
	}
	w.queue(`
INSERT INTO payment_attempts (id, provider, gateway_id, method, state, reject_reason, amount, currency, reported,
    captured_amount, captured_currency, captured_by, captured_at, expires_at)
VALUES ($1::text, $2, coalesce(nullif($3, ''), $1), '', 'REJECTED', 'unknown_order', $4::bigint, $5::text, 'paid', $4, $5, $6, clock_timestamp(), clock_timestamp())
ON CONFLICT (id) DO NOTHING`, fact.AttemptID, fact.Provider, fact.GatewayID, fact.Captured.Amount, fact.Captured.Currency, by)
	w.bookRejected(fact.Provider, fact.AttemptID, fact.Captured)
	return nil
}

// latest is a gateway's time, or nothing where it gave none.
func latest(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}
