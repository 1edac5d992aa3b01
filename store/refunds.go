package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/ticketing"
)

const refundSQL = `SELECT r.id, r.attempt_id, coalesce(r.order_id, ''), a.provider, coalesce(a.gateway_id, ''), r.amount, r.currency,
	coalesce(a.captured_amount, 0), coalesce(a.captured_currency, ''), r.state, r.reason, r.created_at
	FROM refunds r JOIN payment_attempts a ON a.id = r.attempt_id`

func scanRefund(row pgx.CollectableRow) (ticketing.Refund, error) {
	var r ticketing.Refund
	err := row.Scan(&r.ID, &r.AttemptID, &r.OrderID, &r.Provider, &r.GatewayID, &r.Amount.Amount, &r.Amount.Currency,
		&r.Captured.Amount, &r.Captured.Currency, &r.State, &r.Reason, &r.CreatedAt)
	r.CreatedAt = r.CreatedAt.UTC()
	return r, err
}

// StartRefund stores the refund of everything a rejected attempt captured,
// before it is sent. Repeated it returns the same refund, with the same id.
// Errors: CodeNotFound, CodeIllegalTransition when the attempt's money is not owed back.
func (s *Store) StartRefund(ctx context.Context, attemptID string) (ticketing.Refund, error) {
	var refund ticketing.Refund
	err := s.transact(ctx, "start a refund", func(ctx context.Context, w *work) error {
		f, err := w.facts(ctx, attemptID)
		if err != nil {
			return err
		}
		var stored []ticketing.Refund
		many(w.queue(refundSQL+" WHERE r.attempt_id = $1 ORDER BY r.created_at, r.id LIMIT 1", attemptID), &stored, scanRefund)
		if err := w.send(ctx); err != nil {
			return err
		}
		if len(stored) == 0 {
			if f.Attempt != ticketing.AttemptRejected {
				return ticketing.Errorf(ticketing.CodeIllegalTransition, "the money of this attempt is not owed back")
			}
			if stored, err = w.storeRefund(ctx, f); err != nil {
				return err
			}
		}
		refund = stored[0]
		return nil
	})
	return refund, err
}

func (w *work) storeRefund(ctx context.Context, f settlementFacts) ([]ticketing.Refund, error) {
	var stored []ticketing.Refund
	id := encryption.NewNumber()
	w.change(1, `INSERT INTO refunds (id, attempt_id, order_id, amount, currency, state, reason)
		VALUES ($1, $2, nullif($3, ''), $4, $5, 'PENDING', $6)`,
		id, f.attemptID, f.orderID, f.Captured.Amount, f.Captured.Currency, f.RejectedFor)
	if err := w.move(f.orderID, f.Order, entry{
		ticketing.EventRefundStarted,
		aboutPayment(f.attemptID, f.provider, f.Captured, "refund_id", id, "reason", f.RejectedFor),
	}); err != nil {
		return nil, err
	}
	many(w.queue(refundSQL+" WHERE r.id = $1", id), &stored, scanRefund)
	return stored, w.send(ctx)
}

const lockOrderOfRefundSQL = `SELECT FROM orders WHERE id = (SELECT order_id FROM refunds WHERE id = $1) FOR UPDATE`

// FinishRefund records what became of a refund: RefundSucceeded or
// RefundFailed, for which reason says why. Success is final; a failed refund
// may still succeed when a person has seen to it. RefundPending changes nothing. Error: CodeNotFound.
func (s *Store) FinishRefund(ctx context.Context, refundID string, state ticketing.RefundState, reason string) error {
	return s.transact(ctx, "finish a refund", func(ctx context.Context, w *work) error {
		w.queue(lockOrderOfRefundSQL, refundID)
		return w.finishRefund(ctx, refundID, state, reason)
	})
}

// finishRefund is FinishRefund inside a transaction that has locked the order.
func (w *work) finishRefund(ctx context.Context, refundID string, state ticketing.RefundState, reason string) error {
	var (
		r     ticketing.Refund
		found bool
		order ticketing.OrderState
	)
	w.queue("SELECT FROM payment_attempts WHERE id = (SELECT attempt_id FROM refunds WHERE id = $1) FOR UPDATE", refundID)
	one(w.queue(`SELECT r.attempt_id, coalesce(r.order_id, ''), a.provider, r.amount, r.currency, r.state, coalesce(o.state, '')
		FROM refunds r JOIN payment_attempts a ON a.id = r.attempt_id LEFT JOIN orders o ON o.id = r.order_id WHERE r.id = $1`, refundID),
		&found, &r.AttemptID, &r.OrderID, &r.Provider, &r.Amount.Amount, &r.Amount.Currency, &r.State, &order)
	if err := w.send(ctx); err != nil {
		return err
	}
	switch {
	case !found:
		return ticketing.Errorf(ticketing.CodeNotFound, "no such refund")
	case state == ticketing.RefundPending || r.State == state || r.State == ticketing.RefundSucceeded:
		return nil
	case state == ticketing.RefundFailed:
		w.change(1, "UPDATE refunds SET state = 'FAILED', failure = $2 WHERE id = $1", refundID, reason)
		return w.openCase(ticketing.Case{
			Kind: ticketing.CaseRefundFailed, Provider: r.Provider, Reference: refundID, RefundID: refundID, AttemptID: r.AttemptID, OrderID: r.OrderID,
			Detail: map[string]any{"amount": r.Amount, "reason": reason},
		})
	}
	w.closeCase(ticketing.CaseRefundFailed, r.Provider, refundID, ticketing.ResolvedVanished, "")
	w.change(1, "UPDATE refunds SET state = 'SUCCEEDED', failure = NULL, settled_at = clock_timestamp() WHERE id = $1", refundID)
	w.change(1, `UPDATE payment_attempts a SET updated_at = clock_timestamp(),
		state = CASE WHEN a.captured_amount = (SELECT sum(amount) FROM refunds WHERE attempt_id = a.id AND state = 'SUCCEEDED')
			THEN 'REFUNDED' ELSE a.state END WHERE a.id = $1`, r.AttemptID)
	w.book(transferRefunded, refundID, r.Amount.Currency,
		postings{accountSuspense: r.Amount.Amount, accountGateway(r.Provider): -r.Amount.Amount})
	return w.move(r.OrderID, order, entry{
		ticketing.EventRefundSettled,
		aboutPayment(r.AttemptID, r.Provider, r.Amount, "refund_id", refundID),
	})
}
