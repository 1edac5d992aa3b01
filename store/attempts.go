package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
)

// attemptSQL reads attempts in the form of scanAttempt.
const attemptSQL = `SELECT a.id, coalesce(a.order_id, ''), a.provider, coalesce(a.gateway_id, ''), a.method, a.state,
	a.amount, a.currency, a.pay_url, a.qr, a.pay_form, a.expires_at, a.created_at FROM payment_attempts a`

func scanAttempt(row pgx.CollectableRow) (ticketing.PaymentAttempt, error) {
	var a ticketing.PaymentAttempt
	err := row.Scan(&a.ID, &a.OrderID, &a.Provider, &a.GatewayID, &a.Method, &a.State,
		&a.Amount.Amount, &a.Amount.Currency, &a.PayURL, &a.QR, &a.PayForm, &a.ExpiresAt, &a.CreatedAt)
	a.ExpiresAt, a.CreatedAt = a.ExpiresAt.UTC(), a.CreatedAt.UTC()
	return a, err
}

// StartAttempt stores a new try to pay an order before its gateway hears of it.
// ID, OrderID, Provider and Method are given; the amount is the order's total, the
// end of the attempt that of the hold. Repeated with the same id it returns what is stored.
//
// Errors: CodeNotFound, CodeAlreadyPaid, CodeOrderClosed when the order is over or its time
// is, CodeNotOnSale when the event is called off, CodeLimitExceeded after ticketing.MaxAttempts, CodeInvalid when there is nothing to pay.
func (s *Store) StartAttempt(ctx context.Context, attempt ticketing.PaymentAttempt) (ticketing.StartedAttempt, error) {
	var started ticketing.StartedAttempt
	err := s.retry(ctx, "start an attempt", func(ctx context.Context) error {
		var (
			attempts []ticketing.PaymentAttempt
			order    payableOrder
			session  *string
		)
		batch := &pgx.Batch{} // one transaction without saying so
		batch.Queue("SELECT FROM orders WHERE id = $1 FOR UPDATE", attempt.OrderID)
		one(batch.Queue(startAttemptSQL, attempt.ID, attempt.OrderID, attempt.Provider, attempt.Method, ticketing.MaxAttempts),
			&order.known, &order.state, &order.total, &session, &started.Language, &order.calledOff, &order.attempts)
		many(batch.Queue(attemptSQL+" WHERE a.id = $1 OR a.order_id = $2 AND "+openSQL+" ORDER BY a.created_at, a.id",
			attempt.ID, attempt.OrderID), &attempts, scanAttempt)
		if err := s.pool.SendBatch(ctx, batch).Close(); err != nil {
			return err
		}
		started.SessionID, started.Others = deref(session), nil
		stored := false
		for _, a := range attempts {
			switch {
			case a.ID != attempt.ID:
				started.Others = append(started.Others, a)
			case a.OrderID == attempt.OrderID && a.Provider == attempt.Provider:
				started.PaymentAttempt, stored = a, true
			default:
				return ticketing.Errorf(ticketing.CodeConflict, "this attempt number belongs to another payment")
			}
		}
		if !stored {
			return order.whyNoAttempt()
		}
		return nil
	})
	return started, err
}

// openSQL tells the attempts the gateway may still capture money for, and those it has captured
// money for that nobody has judged yet.
const openSQL = `(a.state IN ('CREATED', 'PENDING') OR a.state IN ('DECLINED', 'CLOSED') AND a.captured_amount IS NOT NULL)`

// calledOffSQL says whether an order's event, or that of something in one of its bundles, is called off: nobody is asked to pay for
// it any more. What arrives all the same pays the order, which then goes back without a fee.
const calledOffSQL = `(coalesce((SELECT e.state IN ('CANCELLED', 'POSTPONED') FROM events e WHERE e.id = orders.event_id), false)
    OR EXISTS (SELECT FROM order_components c JOIN ticket_types t ON t.id = c.component_id JOIN sessions s ON s.id = t.session_id
        JOIN events e ON e.id = s.event_id WHERE c.order_id = orders.id AND e.state IN ('CANCELLED', 'POSTPONED')))`

// startAttemptSQL stores an attempt if the order may be paid, and returns what the order was before.
const startAttemptSQL = `
WITH ordered AS MATERIALIZED (
    SELECT id, state, total, currency, pay_by, session_id, language, ` + calledOffSQL + ` AS called_off,
        (SELECT count(*) FROM payment_attempts WHERE order_id = $2) AS attempts
    FROM orders WHERE id = $2
), started AS (
    INSERT INTO payment_attempts (id, order_id, provider, method, state, amount, currency, expires_at)
    SELECT $1, id, $3, $4, 'CREATED', total, currency, pay_by FROM ordered
    WHERE state = 'PENDING' AND pay_by > clock_timestamp() AND total > 0 AND NOT called_off AND attempts < $5
    ON CONFLICT (id) DO NOTHING
    RETURNING id, order_id
), moved AS (
    UPDATE orders o SET revision = o.revision + 1, updated_at = clock_timestamp()
    FROM started WHERE o.id = started.order_id
    RETURNING o.id, o.revision, o.state, o.total, o.currency
), told AS (
    INSERT INTO order_events (order_id, sequence, kind, state, detail)
    SELECT id, revision, 'attempt_started', state,
        jsonb_build_object('attempt_id', $1::text, 'provider', $3::text, 'method', $4::text, 'amount', total, 'currency', currency)
    FROM moved
)
SELECT state, total, session_id, language, called_off, attempts FROM ordered`

// payableOrder is what decides whether an order may be tried to pay.
type payableOrder struct {
	known     bool
	state     ticketing.OrderState
	total     int64
	attempts  int // before this one
	calledOff bool
}

func (o payableOrder) whyNoAttempt() error {
	switch {
	case !o.known:
		return ticketing.Errorf(ticketing.CodeNotFound, "no such order")
	case o.state == ticketing.OrderPaid:
		return ticketing.Errorf(ticketing.CodeAlreadyPaid, "the order is paid")
	case o.state == ticketing.OrderPending && o.calledOff:
		return ticketing.Errorf(ticketing.CodeNotOnSale, "the event is called off, so there is nothing to pay for")
	case o.state == ticketing.OrderPending && o.attempts >= ticketing.MaxAttempts:
		return ticketing.Errorf(ticketing.CodeLimitExceeded, "this order has been tried to pay %d times", ticketing.MaxAttempts)
	case o.state == ticketing.OrderPending && o.total == 0:
		return ticketing.Errorf(ticketing.CodeInvalid, "there is nothing to pay")
	default:
		return ticketing.Errorf(ticketing.CodeOrderClosed, "the order no longer takes a payment")
	}
}

// AttemptOpened records what the gateway answered to the creation of an attempt. It
// never takes an attempt back that has gone further meanwhile. Error: CodeNotFound.
func (s *Store) AttemptOpened(ctx context.Context, attemptID string, opened ticketing.OpenedAttempt) error {
	return s.retry(ctx, "open an attempt", func(ctx context.Context) error {
		tag, err := s.pool.Exec(ctx, `UPDATE payment_attempts SET
			state = CASE WHEN state = 'CREATED' THEN 'PENDING' ELSE state END,
			gateway_id = coalesce(gateway_id, nullif($2, '')), pay_url = $3, qr = $4, pay_form = $5, updated_at = clock_timestamp()
			WHERE id = $1`, attemptID, opened.GatewayID, opened.PayURL, opened.QR, opened.PayForm)
		if err == nil && tag.RowsAffected() == 0 {
			return ticketing.Errorf(ticketing.CodeNotFound, "no such attempt")
		}
		return err
	})
}

// OpenAttempts lists the attempts of an order the gateway may still capture
// money for, and those it has captured money for that nobody has judged yet.
func (s *Store) OpenAttempts(ctx context.Context, orderID string) ([]ticketing.PaymentAttempt, error) {
	return list(ctx, s, "list the open attempts", scanAttempt, attemptSQL+`
		WHERE a.order_id = $1 AND `+openSQL+`
		ORDER BY a.created_at, a.id`, orderID)
}

// WatchedAttempts lists the attempts of an order that were closed or left open without captured
// money: those a gateway may still surprise us with.
func (s *Store) WatchedAttempts(ctx context.Context, orderID string) ([]ticketing.PaymentAttempt, error) {
	return list(ctx, s, "list the watched attempts", scanAttempt, attemptSQL+`
		WHERE a.order_id = $1 AND a.state IN ('CREATED', 'PENDING', 'CLOSED') AND a.captured_amount IS NULL
		ORDER BY a.created_at, a.id`, orderID)
}

// UndeliveredPayments lists, oldest first, the attempts whose captured money no
// workflow has acknowledged for longer than age, whether a kept callback or an answer of the gateway told us of
// it. An accepted one is among them: its workflow may have lost what it did. So is money that came to nothing a
// minute after its delivery: not judged, or rejected without a refund stored or the stock taken again.
func (s *Store) UndeliveredPayments(ctx context.Context, age time.Duration, limit int) ([]ticketing.PaymentAttempt, error) {
	return list(ctx, s, "list undelivered payments", scanAttempt, attemptSQL+`
		WHERE a.captured_amount IS NOT NULL AND (a.delivered_at IS NULL OR a.state NOT IN ('ACCEPTED', 'REFUNDED'))
			AND a.captured_at < clock_timestamp() - $1::interval
			AND (a.delivered_at IS NULL OR a.delivered_at < clock_timestamp() - interval '1 minute'
				AND NOT EXISTS (SELECT FROM refunds r WHERE r.attempt_id = a.id))
		ORDER BY a.captured_at LIMIT $2`, age, limit)
}

// MarkDelivered notes that workflows have acknowledged the captured money of attempts. Attempts
// without captured money are left alone.
func (s *Store) MarkDelivered(ctx context.Context, attemptIDs ...string) error {
	return s.retry(ctx, "mark delivered", func(ctx context.Context) error {
		_, err := s.pool.Exec(ctx, `UPDATE payment_attempts SET delivered_at = clock_timestamp()
			WHERE id = ANY ($1) AND captured_amount IS NOT NULL`, attemptIDs)
		return err
	})
}

// AttemptsToAsk lists open attempts of live orders that are due to be asked
// about at their gateway, and notes that they were: the first time 5 s after they began, then after 10, 20, 40 and
// every 60 s. Several processes never get the same attempt at the same time.
func (s *Store) AttemptsToAsk(ctx context.Context, limit int) ([]ticketing.PaymentAttempt, error) {
	return list(ctx, s, "list attempts to ask about", scanAttempt, `
WITH due AS MATERIALIZED (
    SELECT a.id FROM payment_attempts a JOIN orders o ON o.id = a.order_id
    WHERE a.ask_at <= clock_timestamp() AND a.state IN ('CREATED', 'PENDING') AND a.captured_amount IS NULL
        AND o.state IN ('PENDING', 'AWAITING_REVIEW')
    ORDER BY a.ask_at LIMIT $1
    FOR UPDATE OF a SKIP LOCKED
), noted AS (
    UPDATE payment_attempts a SET asked = a.asked + 1,
        ask_at = clock_timestamp() + least(10 * power(2, least(a.asked, 10)), 60) * interval '1 second'
    FROM due WHERE a.id = due.id
    RETURNING a.id
)
`+attemptSQL+" JOIN noted ON noted.id = a.id ORDER BY a.ask_at", limit)
}
