package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
)

const refundSQL = `SELECT r.id, r.attempt_id, coalesce(r.order_id, ''), a.provider, coalesce(a.gateway_id, ''), r.amount, r.currency,
	r.fee, array(SELECT t.id FROM tickets t WHERE t.order_id = r.order_id AND t.refund_id = r.id ORDER BY t.id),
	coalesce(a.captured_amount, 0), coalesce(a.captured_currency, ''), r.state, r.reason, r.created_at, r.settled_at
	FROM refunds r JOIN payment_attempts a ON a.id = r.attempt_id`

func scanRefund(row pgx.CollectableRow) (ticketing.Refund, error) {
	var r ticketing.Refund
	err := row.Scan(&r.ID, &r.AttemptID, &r.OrderID, &r.Provider, &r.GatewayID, &r.Amount.Amount, &r.Amount.Currency,
		&r.Fee, &r.TicketIDs, &r.Captured.Amount, &r.Captured.Currency, &r.State, &r.Reason, &r.CreatedAt, &r.SettledAt)
	r.CreatedAt, r.SettledAt = r.CreatedAt.UTC(), utc(r.SettledAt)
	return r, err
}

// Refund returns a refund as it is now. Error: CodeNotFound.
func (s *Store) Refund(ctx context.Context, refundID string) (ticketing.Refund, error) {
	found, err := list(ctx, s, "read the refund", scanRefund, refundSQL+" WHERE r.id = $1", refundID)
	if err == nil && len(found) != 1 {
		return ticketing.Refund{}, ticketing.Errorf(ticketing.CodeNotFound, "no such refund")
	}
	if err != nil {
		return ticketing.Refund{}, err
	}
	return found[0], nil
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
	id := ticketing.NewNumber(time.Now())
	w.change(1, `INSERT INTO refunds (id, attempt_id, order_id, amount, currency, state, reason)
		VALUES ($1, $2, nullif($3, ''), $4, $5, 'PENDING', $6)`,
		id, f.attemptID, f.orderID, f.Captured.Amount, f.Captured.Currency, f.RejectedFor)
	if err := w.move(f.orderID, f.Order, entry{
		kind:   ticketing.EventRefundStarted,
		detail: aboutPayment(f.attemptID, f.provider, f.Captured, "refund_id", id, "reason", f.RejectedFor),
	}); err != nil {
		return nil, err
	}
	many(w.queue(refundSQL+" WHERE r.id = $1", id), &stored, scanRefund)
	return stored, w.send(ctx)
}

const lockOrderOfRefundSQL = `SELECT FROM orders WHERE id = (SELECT order_id FROM refunds WHERE id = $1) FOR UPDATE`

// FinishRefund records what a gateway said of a refund. Success is final; a failed refund
// may still succeed when a person has seen to it, and is owed until then. RefundPending notes that the gateway
// has it. When the last refund of an order's tickets succeeds, the order is refunded, in part or in full. Error: CodeNotFound.
func (s *Store) FinishRefund(ctx context.Context, fact ticketing.RefundFact) error {
	return s.transact(ctx, "finish a refund", func(ctx context.Context, w *work) error {
		w.queue(lockOrderOfRefundSQL, fact.ID)
		_, err := w.finishRefund(ctx, fact)
		return err
	})
}

// unfinished is a refund with what its end depends on, read under the lock on its order.
type unfinished struct {
	ticketing.Refund
	order ticketing.OrderState
	// sent says that the gateway has said before that it has it.
	sent bool
	// others says that other tickets of the order are not paid back yet, left that some are valid.
	others, left bool
}

const unfinishedSQL = `
SELECT coalesce(o.state, ''), r.sent_at IS NOT NULL,
    EXISTS (SELECT FROM refunds x WHERE x.attempt_id = r.attempt_id AND x.id <> r.id AND x.state <> 'SUCCEEDED'),
    EXISTS (SELECT FROM tickets t WHERE t.order_id = r.order_id AND t.state IN ('VALID', 'FROZEN'))
FROM refunds r LEFT JOIN orders o ON o.id = r.order_id WHERE r.id = $1`

// finishRefund is FinishRefund inside a transaction that has locked the order. It returns the refund as it was.
func (w *work) finishRefund(ctx context.Context, fact ticketing.RefundFact) (ticketing.Refund, error) {
	var (
		stored []ticketing.Refund
		r      unfinished
	)
	w.queue("SELECT FROM payment_attempts WHERE id = (SELECT attempt_id FROM refunds WHERE id = $1) FOR UPDATE", fact.ID)
	many(w.queue(refundSQL+" WHERE r.id = $1", fact.ID), &stored, scanRefund)
	one(w.queue(unfinishedSQL, fact.ID), new(bool), &r.order, &r.sent, &r.others, &r.left)
	if err := w.send(ctx); err != nil {
		return ticketing.Refund{}, err
	}
	if len(stored) != 1 {
		return ticketing.Refund{}, ticketing.Errorf(ticketing.CodeNotFound, "no such refund")
	}
	r.Refund = stored[0]
	if r.State == ticketing.RefundSucceeded || r.State == fact.State && (r.sent || fact.State != ticketing.RefundPending) {
		return r.Refund, nil
	}
	switch fact.State {
	case ticketing.RefundSucceeded:
		return r.Refund, w.refundSettled(r, fact)
	case ticketing.RefundFailed:
		return r.Refund, w.refundFailed(r, fact)
	case ticketing.RefundPending:
		if r.State == ticketing.RefundPending {
			w.change(1, "UPDATE refunds SET sent_at = clock_timestamp(), gateway_id = coalesce(gateway_id, nullif($2, '')) WHERE id = $1", fact.ID, fact.GatewayID)
			return r.Refund, w.move(r.OrderID, r.order, entry{kind: ticketing.EventRefundSent, detail: r.about()})
		}
	}
	return r.Refund, nil
}

// refundSettled books money that has gone back.
func (w *work) refundSettled(r unfinished, fact ticketing.RefundFact) error {
	w.closeCase(ticketing.CaseRefundFailed, r.Provider, r.ID, ticketing.ResolvedVanished, "")
	w.change(1, `UPDATE refunds SET state = 'SUCCEEDED', failure = NULL, settled_at = clock_timestamp(),
		gateway_id = coalesce(nullif($2, ''), gateway_id) WHERE id = $1`, r.ID, fact.GatewayID)
	owed, state := accountSuspense, r.order
	if r.Reason.OfTickets() {
		owed = accountRefundsDue
		if r.order == ticketing.OrderRefunding && !r.others {
			state = ticketing.OrderRefunded
			if r.left {
				state = ticketing.OrderPartiallyRefunded
			}
		}
	} else {
		w.change(1, `UPDATE payment_attempts a SET updated_at = clock_timestamp(),
			state = CASE WHEN a.captured_amount = (SELECT sum(amount) FROM refunds WHERE attempt_id = a.id AND state = 'SUCCEEDED')
				THEN 'REFUNDED' ELSE a.state END WHERE a.id = $1`, r.AttemptID)
	}
	w.book(transferRefunded, r.ID, r.Amount.Currency, postings{owed: r.Amount.Amount, accountGateway(r.Provider): -r.Amount.Amount})
	return w.move(r.OrderID, state, entry{kind: ticketing.EventRefundSettled, detail: r.about()})
}

// refundFailed keeps money owed that the gateway will not give back, and asks a person to see to it.
func (w *work) refundFailed(r unfinished, fact ticketing.RefundFact) error {
	w.change(1, "UPDATE refunds SET state = 'FAILED', failure = $2, gateway_id = coalesce(gateway_id, nullif($3, '')) WHERE id = $1",
		r.ID, fact.Reason, fact.GatewayID)
	if err := w.openCase(ticketing.Case{
		Kind: ticketing.CaseRefundFailed, Provider: r.Provider, Reference: r.ID, RefundID: r.ID, AttemptID: r.AttemptID, OrderID: r.OrderID,
		Detail: map[string]any{"amount": r.Amount, "reason": fact.Reason},
	}); err != nil {
		return err
	}
	return w.move(r.OrderID, r.order, entry{kind: ticketing.EventRefundFailed, detail: r.about()})
}

// about is what a timeline entry says of the refund. Why it failed is for those who see to it.
func (r unfinished) about() map[string]any {
	return aboutPayment(r.AttemptID, r.Provider, r.Amount, "refund_id", r.ID)
}
