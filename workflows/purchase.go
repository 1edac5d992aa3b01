package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/boxoffice/boxoffice/activities"
	"github.com/boxoffice/boxoffice/ticketing"
)

// Purchase is the story of one order: stock is held, the buyer pays within
// the hold or does not, and in the end the tickets are theirs or the stock is
// free again. Captured money that does not pay the order starts LatePayment.
func Purchase(ctx workflow.Context, in PurchaseInput) (PurchaseResult, error) {
	p, err := newPurchase(ctx, in)
	if err != nil {
		return PurchaseResult{}, err
	}
	p.hold(ctx)
	p.confirmFree(ctx)
	p.awaitPayment(ctx)
	p.closeAttempts(ctx)
	p.compensate(ctx)
	p.lastLook(ctx)
	return p.finish(ctx)
}

// changeFreeOrders is the version since which an order that costs nothing does not wait for a payment.
const changeFreeOrders = "free orders"

// purchase is the state of one running Purchase.
type purchase struct {
	*saga
	in     PurchaseInput
	policy PurchasePolicy
	steps  *activities.Purchase

	notices workflow.ReceiveChannel // SignalPayment
	judging workflow.Mutex          // one settlement at a time

	// held is the answer to the hold; known says that it has arrived.
	held  ticketing.HoldResult
	known bool
	// state is where the order is, empty until the hold is known.
	state ticketing.OrderState
	// compensation gives back what the purchase took; registered before it is taken.
	compensation func(workflow.Context) ticketing.OrderState
	// cancelled says that the buyer (or an operator) wants no more of it.
	cancelled bool
	// openAttempts counts attempts that may still be paid after another one was.
	openAttempts int
	// watched counts attempts that were given up and that a gateway may still capture.
	watched int
}

// newPurchase registers every handler before the first await, so that no message is missed.
func newPurchase(ctx workflow.Context, in PurchaseInput) (*purchase, error) {
	p := &purchase{
		saga:    newSaga(ctx, in.Hold.OrderID),
		in:      in,
		policy:  in.Policy.WithDefaults(),
		notices: workflow.GetSignalChannel(ctx, SignalPayment),
		judging: workflow.NewMutex(ctx),
	}
	if err := workflow.SetUpdateHandlerWithOptions(ctx, UpdateHold, p.onHold, workflow.UpdateHandlerOptions{
		Description: "wait for the outcome of the hold",
	}); err != nil {
		return nil, err
	}
	if err := workflow.SetUpdateHandlerWithOptions(ctx, UpdatePayment, p.onPayment, workflow.UpdateHandlerOptions{
		Description: "an attempt has captured money: judge it",
	}); err != nil {
		return nil, err
	}
	return p, workflow.SetUpdateHandlerWithOptions(ctx, UpdateCancel, p.onCancel, workflow.UpdateHandlerOptions{
		Description: "end the unpaid order",
		Validator:   p.mayCancel,
	})
}

// hold takes the stock. What would give it back is registered first: should
// the answer be lost, there is still something that releases it.
func (p *purchase) hold(ctx workflow.Context) {
	p.describe(ctx, "Taking stock.")
	p.compensation = func(ctx workflow.Context) ticketing.OrderState {
		state := ticketing.OrderExpired
		if p.cancelled {
			state = ticketing.OrderCancelled
		}
		return take[ticketing.OrderState](ctx, p.saga, "release the stock", p.steps.Release, p.orderID, state)
	}
	request := p.in.Hold
	request.At = workflow.Now(ctx).UTC()
	request.PayBy = request.At.Add(p.policy.HoldFor)
	p.held = take[ticketing.HoldResult](ctx, p.saga, "hold the stock", p.steps.Hold, request)
	p.known = true
	p.moved(ctx, p.held.State, "")
}

// confirmFree pays an order that costs nothing.
func (p *purchase) confirmFree(ctx workflow.Context) {
	if !p.unpaid() || p.held.Quote.Total.Amount != 0 || workflow.GetVersion(ctx, changeFreeOrders, workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return
	}
	p.moved(ctx, take[ticketing.OrderState](ctx, p.saga, "confirm the free order", p.steps.ConfirmFree, p.orderID), "")
}

// awaitPayment waits until the order is paid, cancelled, or its time is up.
func (p *purchase) awaitPayment(ctx workflow.Context) {
	for p.unpaid() && !p.cancelled {
		left := p.held.PayBy.Sub(workflow.Now(ctx))
		if left <= 0 {
			return
		}
		inTime, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
			Timeout:      left,
			TimerOptions: workflow.TimerOptions{Summary: "pay by " + p.held.PayBy.UTC().Format(time.RFC3339)},
		}, func() bool { return !p.unpaid() || p.cancelled || p.notices.Len() > 0 })
		if err != nil {
			p.cancelled = true // the workflow itself was cancelled: give the stock back
		}
		if inTime {
			p.drain(ctx)
		}
	}
}

// closeAttempts forbids the gateways to take any more money. Their answer
// decides: an attempt that was paid meanwhile pays the order, and stock is not
// given away while a gateway says that it does not know yet. A gateway that
// cannot be reached keeps the stock only for a bounded time.
func (p *purchase) closeAttempts(ctx workflow.Context) {
	if !p.unpaid() && p.openAttempts == 0 {
		return
	}
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	begun := workflow.Now(ctx)
	for backoff := time.Second; ; backoff = min(2*backoff, 30*time.Second) {
		report := take[activities.AttemptReport](ctx, p.saga, "close the attempts at their gateways", p.steps.CloseAttempts, p.orderID)
		p.watched = report.Watched
		p.settleAll(ctx, report.Captured)
		left := p.patience(report) - workflow.Now(ctx).Sub(begun)
		if left <= 0 {
			return
		}
		p.describe(ctx, "Waiting for the gateway to say what became of the payment; the stock stays held meanwhile.")
		pause(ctx, min(backoff, left), "ask the gateway again", func() bool { return p.notices.Len() > 0 })
		p.drain(ctx)
	}
}

// patience is how long after the deadline stock stays held for what the gateways said.
func (p *purchase) patience(report activities.AttemptReport) time.Duration {
	switch {
	case report.Unknown > 0:
		return p.policy.UnknownBound
	case report.Unreachable > 0:
		return p.policy.CloseBound
	default:
		return 0
	}
}

// compensate gives the stock of an unpaid order back.
func (p *purchase) compensate(ctx workflow.Context) {
	if p.unpaid() {
		p.moved(ctx, p.compensation(ctx), "")
	}
}

// lastLook lingers for a grace period after stock was given back, or attempts
// were closed, and asks the gateways once more: captured money is never forgotten.
func (p *purchase) lastLook(ctx workflow.Context) {
	if p.watched == 0 {
		return
	}
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	until := workflow.Now(ctx).Add(p.policy.Grace)
	for left := p.policy.Grace; left > 0; left = until.Sub(workflow.Now(ctx)) {
		pause(ctx, left, "last look at the gateways", func() bool { return p.notices.Len() > 0 })
		p.drain(ctx)
	}
	const patience = 5 // looks at a gateway that does not answer before a person is asked
	for look, backoff := 1, 5*time.Second; ; look, backoff = look+1, min(2*backoff, 5*time.Minute) {
		report := take[activities.AttemptReport](ctx, p.saga, "last look at the gateways", p.steps.LookAgain, p.orderID)
		p.settleAll(ctx, report.Captured)
		if report.Unreachable == 0 && report.Unknown == 0 {
			p.clear(ctx, "last look at the gateways")
			return
		}
		if look == patience {
			p.flag(ctx, "last look at the gateways")
		}
		pause(ctx, backoff, "look again", func() bool { return p.notices.Len() > 0 })
		p.drain(ctx)
	}
}

// finish handles every message that has arrived before it lets the workflow
// end; what arrives later finds no workflow and starts LatePayment.
func (p *purchase) finish(ctx workflow.Context) (PurchaseResult, error) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	for {
		p.drain(ctx)
		_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
		if p.notices.Len() == 0 {
			return PurchaseResult{State: p.state, Refusal: p.held.Refusal}, nil
		}
	}
}

// drain judges every payment that was signalled.
func (p *purchase) drain(ctx workflow.Context) {
	var notice PaymentNotice
	for p.notices.ReceiveAsync(&notice) {
		p.settle(ctx, notice.AttemptID)
	}
}

func (p *purchase) settleAll(ctx workflow.Context, attemptIDs []string) {
	for _, id := range attemptIDs {
		p.settle(ctx, id)
	}
}

// settle judges one attempt by the stored facts and moves the order accordingly.
func (p *purchase) settle(ctx workflow.Context, attemptID string) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	_ = p.judging.Lock(ctx)
	defer p.judging.Unlock()
	settled := take[ticketing.Settlement](ctx, p.saga, "settle the payment", p.steps.Settle, attemptID)
	switch settled.Verdict {
	case ticketing.VerdictReject:
		p.startLatePayment(ctx, settled)
	case ticketing.VerdictAccept:
		p.openAttempts = settled.OpenAttempts
	case ticketing.VerdictNone: // nothing was captured yet
	}
	if settled.OrderID == p.orderID {
		p.moved(ctx, settled.Order, settled.Provider)
	}
}

// startLatePayment hands money that does not pay this order to its own saga, which outlives this one.
func (p *purchase) startLatePayment(ctx workflow.Context, settled ticketing.Settlement) {
	cctx := workflow.WithChildOptions(ctx, latePaymentChild(settled.Provider, settled.GatewayID))
	child := workflow.ExecuteChildWorkflow(cctx, LatePayment, LatePaymentInput{
		Provider: settled.Provider, AttemptID: settled.AttemptID,
	})
	err := child.GetChildWorkflowExecution().Get(ctx, nil)
	if err != nil && !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		// The sweep finds rejected money that no saga took up.
		workflow.GetLogger(ctx).Error("cannot start the late-payment saga", "attempt", settled.AttemptID, "error", err)
	}
}

// moved notes where the order is now, for the operators and for the story itself.
func (p *purchase) moved(ctx workflow.Context, state ticketing.OrderState, provider string) {
	if state == p.state {
		return
	}
	p.state = state
	switch state {
	case ticketing.OrderPending:
		p.describe(ctx, "Stock is held. Waiting for the payment until %s.", p.held.PayBy.UTC().Format(time.RFC3339))
		return // the search attribute says so from the start
	case ticketing.OrderPaid:
		if provider == "" {
			p.describe(ctx, "Free of charge; tickets issued.")
			break
		}
		p.describe(ctx, "Paid by %s; tickets issued.", provider)
	case ticketing.OrderRefused:
		p.describe(ctx, "Refused: %s.", p.held.Refusal.Code)
	default:
		p.describe(ctx, "%s: the stock is free again.", state)
	}
	attributes := []temporal.SearchAttributeUpdate{OrderState.ValueSet(string(state))}
	if provider != "" {
		attributes = append(attributes, Provider.ValueSet(provider))
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, attributes...); err != nil {
		workflow.GetLogger(ctx).Error("cannot set the search attributes", "error", err)
	}
}

// unpaid says that the order holds stock for which nobody has paid.
func (p *purchase) unpaid() bool { return p.state.HoldsStock() }
