package activities

import (
	"context"
	"errors"
	"sync"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

// HoldObserver hears of every hold this process makes, before the workflow
// does. A process that both takes orders and runs purchases answers its buyer through it.
type HoldObserver interface {
	Held(orderID string, result ticketing.HoldResult)
}

// Purchase holds the steps of a purchase.
type Purchase struct {
	Store    Store
	Gateways *payment.Registry
	Metrics  *Metrics
	// Observer may be nil.
	Observer HoldObserver
}

// AttemptReport is what the gateways said of an order's attempts.
type AttemptReport struct {
	// Captured lists the attempts that have captured money and await a verdict.
	Captured []string
	// Unknown counts payments the gateway is still processing.
	Unknown int
	// Unreachable counts attempts whose gateway gave no answer.
	Unreachable int
	// Watched counts the attempts without captured money that a gateway may still surprise us with.
	Watched int
}

// Hold takes the stock for an order, or records why not.
func (p *Purchase) Hold(ctx context.Context, request ticketing.HoldRequest) (ticketing.HoldResult, error) {
	result, err := p.Store.Hold(ctx, request)
	if err != nil {
		return result, err
	}
	p.Metrics.held(result)
	if p.Observer != nil {
		p.Observer.Held(request.OrderID, result)
	}
	return result, nil
}

// ConfirmFree gives the buyer an order that costs nothing; it returns where the order is then.
func (p *Purchase) ConfirmFree(ctx context.Context, orderID string) (ticketing.OrderState, error) {
	return p.Store.ConfirmFree(ctx, orderID)
}

// Release gives the stock of an unpaid order back; it returns where the order is then.
func (p *Purchase) Release(ctx context.Context, orderID string, state ticketing.OrderState) (ticketing.OrderState, error) {
	return p.Store.Release(ctx, orderID, state)
}

// Settle judges an attempt by the stored facts and carries the verdict out.
func (p *Purchase) Settle(ctx context.Context, attemptID string) (ticketing.Settlement, error) {
	settled, err := p.Store.Settle(ctx, attemptID)
	if err == nil {
		p.Metrics.settled(settled)
	}
	return settled, err
}

// FlagAttention notes on the order's timeline that a step keeps failing, or no longer does.
func (p *Purchase) FlagAttention(ctx context.Context, orderID, step string, needed bool) error {
	if orderID != "" {
		if err := p.Store.FlagAttention(ctx, orderID, step, needed); err != nil {
			return err
		}
	}
	p.Metrics.attention(needed)
	return nil
}

// CloseAttempts forbids every open attempt of an order at its gateway. What the gateways answer is recorded.
func (p *Purchase) CloseAttempts(ctx context.Context, orderID string) (AttemptReport, error) {
	open, err := p.Store.OpenAttempts(ctx, orderID)
	if err != nil {
		return AttemptReport{}, err
	}
	report, err := p.ask(ctx, open, payment.Provider.Close)
	if err != nil {
		return AttemptReport{}, err
	}
	return p.withWatched(ctx, orderID, report)
}

// LookAgain asks once more about every attempt of an order that was given up.
func (p *Purchase) LookAgain(ctx context.Context, orderID string) (AttemptReport, error) {
	watched, err := p.Store.WatchedAttempts(ctx, orderID)
	if err != nil {
		return AttemptReport{}, err
	}
	return p.ask(ctx, watched, payment.Provider.Query)
}

func (p *Purchase) withWatched(ctx context.Context, orderID string, report AttemptReport) (AttemptReport, error) {
	watched, err := p.Store.WatchedAttempts(ctx, orderID)
	report.Watched = len(watched)
	return report, err
}

// question is one of the ways to ask a gateway about a payment.
type question func(p payment.Provider, ctx context.Context, number string) (payment.Status, error)

// ask puts one question about each attempt, all at once, and records the answers.
func (p *Purchase) ask(ctx context.Context, attempts []ticketing.PaymentAttempt, q question) (AttemptReport, error) {
	answers := make([]answer, len(attempts))
	var all sync.WaitGroup
	for i, attempt := range attempts {
		all.Go(func() { answers[i] = askGateway(ctx, p.Gateways, p.Store, attempt, q) })
	}
	all.Wait()
	var report AttemptReport
	for i, a := range answers {
		switch {
		case a.storeErr != nil:
			return AttemptReport{}, a.storeErr
		case a.unreachable:
			report.Unreachable++
		case a.state == payment.StatePaid:
			report.Captured = append(report.Captured, attempts[i].ID)
		case a.state == payment.StateUnknown:
			report.Unknown++
		}
	}
	if len(report.Captured) == 0 {
		return report, nil
	}
	// The purchase that asks is the one to be told; it asks again until it has the answer.
	return report, p.Store.MarkDelivered(ctx, report.Captured...)
}

// answer is what came of asking about one attempt.
type answer struct {
	state       payment.State
	fact        ticketing.PaymentFact
	unreachable bool
	storeErr    error
}

// askGateway asks about one attempt and records what the gateway says.
func askGateway(ctx context.Context, gateways *payment.Registry, store Store, attempt ticketing.PaymentAttempt, q question) answer {
	gateway, ok := gateways.Provider(attempt.Provider)
	if !ok {
		return answer{unreachable: true}
	}
	status, err := q(gateway, ctx, attempt.ID)
	if errors.Is(err, payment.ErrNotFound) {
		// The gateway never heard of it. It forbids itself at the attempt's end, should our request still arrive.
		return answer{state: payment.StateClosed}
	}
	if err != nil {
		return answer{unreachable: true}
	}
	fact := ticketing.PaymentFact{
		Provider: attempt.Provider, AttemptID: attempt.ID, GatewayID: status.GatewayID,
		State: status.State, Captured: status.Captured, At: status.At,
	}
	return answer{state: status.State, fact: fact, storeErr: store.RecordPayment(ctx, fact)}
}
