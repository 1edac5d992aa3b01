package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

const (
	// sweepPace is how often the sweep looks; sweepAge how long captured money may wait for its workflow before.
	sweepPace = time.Second
	sweepAge  = 5 * time.Second
	// sweepBatch bounds one look, sweepParallel the gateway calls under way at once.
	sweepBatch    = 100
	sweepParallel = 8
)

// Payments holds the steps that follow money outside a purchase; where money is judged there, the
// steps of Purchase serve both.
type Payments struct {
	Store     Store
	Gateways  *payment.Registry
	Deliverer Deliverer
	Metrics   *Metrics
	Log       *slog.Logger
}

// Retake takes the same stock again for money that came too late; false when it is not free any more.
func (p *Payments) Retake(ctx context.Context, attemptID string) (bool, error) {
	retaken, err := p.Store.Retake(ctx, attemptID)
	if err == nil {
		p.Metrics.late(retaken)
	}
	return retaken, err
}

// StartRefund stores the refund of a rejected payment before it is sent.
func (p *Payments) StartRefund(ctx context.Context, attemptID string) (ticketing.Refund, error) {
	return p.Store.StartRefund(ctx, attemptID)
}

// RequestRefund takes tickets back and stores the refund, or says why not.
func (p *Payments) RequestRefund(ctx context.Context, request ticketing.RefundRequest) (ticketing.RefundAnswer, error) {
	answer, err := p.Store.RequestRefund(ctx, request)
	if err == nil {
		p.Metrics.requested(answer)
	}
	return answer, err
}

// SendRefund sends a stored refund, or asks what became of it, and records the
// answer. It returns the refund with its state; RefundPending means ask again later.
func (p *Payments) SendRefund(ctx context.Context, refund ticketing.Refund) (ticketing.Refund, error) {
	if stored, err := p.Store.Refund(ctx, refund.ID); err != nil || stored.State == ticketing.RefundSucceeded {
		return stored, err // a callback was faster
	}
	gateway, ok := p.Gateways.Provider(refund.Provider)
	if !ok {
		return refund, fmt.Errorf("no gateway %q is configured", refund.Provider)
	}
	ask := payment.Refund{
		ID: refund.ID, Number: refund.AttemptID, GatewayID: refund.GatewayID,
		Amount: refund.Amount, Total: refund.Captured, Reason: string(refund.Reason),
	}
	// Ask first: a refund that was sent before the answer was lost is not sent again.
	status, err := gateway.QueryRefund(ctx, ask)
	if errors.Is(err, payment.ErrNotFound) {
		status, err = gateway.Refund(ctx, ask)
	}
	switch {
	case errors.Is(err, payment.ErrRejected):
		status = payment.RefundStatus{ID: refund.ID, State: payment.RefundFailed, Reason: err.Error()}
	case err != nil:
		return refund, err
	}
	fact := ticketing.RefundFact{ID: refund.ID, GatewayID: status.GatewayID, State: ticketing.RefundPending, Reason: status.Reason}
	switch status.State {
	case payment.RefundSucceeded:
		fact.State = ticketing.RefundSucceeded
	case payment.RefundFailed:
		fact.State = ticketing.RefundFailed
	case payment.RefundPending: // also where it had failed before: it is under way again
	}
	refund.State = fact.State
	err = p.Store.FinishRefund(ctx, fact)
	if err == nil && fact.State != ticketing.RefundPending {
		p.Metrics.refunded(refund)
	}
	return refund, err
}

// Sweep looks every second, for at most round, for captured money that no
// workflow has judged and for open attempts that are due to be asked about.
func (p *Payments) Sweep(ctx context.Context, round time.Duration) error {
	end := time.NewTimer(round)
	defer end.Stop()
	pace := time.NewTicker(sweepPace)
	defer pace.Stop()
	for {
		activity.RecordHeartbeat(ctx)
		if err := errors.Join(p.deliverKept(ctx), p.askOpen(ctx)); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end.C:
			return nil
		case <-activity.GetWorkerStopChannel(ctx):
			return nil // another worker begins the next round
		case <-pace.C:
		}
	}
}

// deliverKept brings captured money that no workflow has acknowledged to its workflow.
func (p *Payments) deliverKept(ctx context.Context) error {
	kept, err := p.Store.UndeliveredPayments(ctx, sweepAge, sweepBatch)
	if err != nil {
		return err
	}
	p.each(kept, func(attempt ticketing.PaymentAttempt) error {
		p.Log.Warn("captured money was not taken care of in time: delivering it again",
			"order_id", attempt.OrderID, "attempt_id", attempt.ID, "provider", attempt.Provider)
		p.Metrics.swept("kept")
		return p.deliver(ctx, attempt)
	})
	return nil
}

// askOpen asks the gateways about open attempts whose callback may have been lost.
func (p *Payments) askOpen(ctx context.Context) error {
	due, err := p.Store.AttemptsToAsk(ctx, sweepBatch)
	if err != nil {
		return err
	}
	p.each(due, func(attempt ticketing.PaymentAttempt) error {
		a := askGateway(ctx, p.Gateways, p.Store, attempt, payment.Provider.Query)
		if a.storeErr != nil || a.state != payment.StatePaid {
			return a.storeErr
		}
		p.Log.Warn("found a payment nobody told us of", "order_id", attempt.OrderID, "attempt_id", attempt.ID, "provider", attempt.Provider)
		p.Metrics.swept("lost")
		attempt.GatewayID = cmp.Or(a.fact.GatewayID, attempt.GatewayID, attempt.ID) // as the store has it
		return p.deliver(ctx, attempt)
	})
	return nil
}

// deliver brings captured money to its workflow, and notes that it is there.
func (p *Payments) deliver(ctx context.Context, attempt ticketing.PaymentAttempt) error {
	if err := p.Deliverer.DeliverPayment(ctx, attempt); err != nil {
		return err
	}
	return p.Store.MarkDelivered(ctx, attempt.ID)
}

// each runs step for every attempt, sweepParallel at a time. One that fails is logged and comes
// again with the next look; it does not hold up the others.
func (p *Payments) each(attempts []ticketing.PaymentAttempt, step func(ticketing.PaymentAttempt) error) {
	var all sync.WaitGroup
	places := make(chan struct{}, sweepParallel)
	for _, attempt := range attempts {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			if err := step(attempt); err != nil {
				p.Log.Error("sweep", "order_id", attempt.OrderID, "attempt_id", attempt.ID, "error", err)
			}
		})
	}
	all.Wait()
}
