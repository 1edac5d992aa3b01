package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/boxoffice/boxoffice/ticketing"
)

// onHold answers UpdateHold: it waits for the hold's outcome.
func (p *purchase) onHold(ctx workflow.Context) (ticketing.HoldResult, error) {
	err := workflow.Await(ctx, func() bool { return p.known })
	return p.held, err
}

// onPayment answers UpdatePayment: it judges the attempt, whatever state the order is in.
func (p *purchase) onPayment(ctx workflow.Context, notice PaymentNotice) error {
	if err := workflow.Await(ctx, func() bool { return p.known }); err != nil {
		return err
	}
	p.settle(ctx, notice.AttemptID)
	return nil
}

// mayCancel refuses UpdateCancel, before it enters the history, for an order that is over.
func (p *purchase) mayCancel(workflow.Context) error {
	switch {
	case p.state == "" || p.unpaid():
		return nil
	case p.state == ticketing.OrderPaid:
		return refusal(ticketing.Errorf(ticketing.CodeAlreadyPaid, "the order is paid"))
	default:
		return refusal(ticketing.Errorf(ticketing.CodeOrderClosed, "the order is over"))
	}
}

// onCancel answers UpdateCancel: it ends the wait and says what came of it.
func (p *purchase) onCancel(ctx workflow.Context) (CancelResult, error) {
	p.cancelled = true
	err := workflow.Await(ctx, func() bool { return p.known && !p.unpaid() })
	return CancelResult{State: p.state}, err
}

// refusal carries a domain error over Temporal: its type is the code.
func refusal(e *ticketing.Error) error {
	return temporal.NewNonRetryableApplicationError(e.Message, string(e.Code), nil)
}
