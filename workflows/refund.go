package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/boxoffice/boxoffice/activities"
	"github.com/boxoffice/boxoffice/ticketing"
)

const (
	// refundPatience is how long a refund may stay pending at its gateway before a person is asked to look.
	refundPatience = 24 * time.Hour
	// askOften and askSeldom are the longest pauses between two questions what became of a refund, until then and after.
	askOften  = 10 * time.Minute
	askSeldom = time.Hour
	// sendRefund is the step that sends a refund or asks about it.
	sendRefund = "refund at the gateway"
)

// Refund is the story of tickets that go back: they are void and on sale again, and the money they were
// paid with is owed until the gateway has given it back. What the buyer asked for is refused or accepted at
// once (UpdateAccepted); how long the gateway takes is not the buyer's concern.
func Refund(ctx workflow.Context, in RefundInput) (RefundResult, error) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	var (
		payments *activities.Payments
		answer   ticketing.RefundAnswer
		known    bool
	)
	s := newSaga(ctx, in.Request.OrderID)
	if err := workflow.SetUpdateHandlerWithOptions(ctx, UpdateAccepted, func(ctx workflow.Context) (ticketing.RefundAnswer, error) {
		err := workflow.Await(ctx, func() bool { return known })
		return answer, err
	}, workflow.UpdateHandlerOptions{Description: "wait for the answer to the request"}); err != nil {
		return RefundResult{}, err
	}
	s.describe(ctx, "Taking tickets of order %s back.", in.Request.OrderID)
	answer = take[ticketing.RefundAnswer](ctx, s, "take the tickets back", payments.RequestRefund, in.Request)
	known = true
	result := RefundResult{Refusal: answer.Refusal, RefundID: answer.Refund.ID, State: answer.Refund.State}
	switch {
	case answer.Refusal != nil:
		s.describe(ctx, "Refused: %s.", answer.Refusal.Code)
	case answer.Refund.ID != in.Request.ID:
		// The same intent, submitted twice at once: the other workflow sees to it.
		s.describe(ctx, "Refund %s is the same.", answer.Refund.ID)
	case answer.Refund.State != ticketing.RefundSucceeded:
		// The buyer's answer does not wait for the gateway: only the later tries are made inside the workflow task.
		sent := false
		result.State = s.giveBack(ctx, answer.Refund, func(refund ticketing.Refund) ticketing.Refund {
			if sent {
				return take[ticketing.Refund](ctx, s, sendRefund, payments.SendRefund, refund)
			}
			sent = true
			return takeApart[ticketing.Refund](ctx, s, sendRefund, payments.SendRefund, refund)
		})
	}
	err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
	return result, err
}

// giveBack sends a stored refund and asks until the gateway is final. The id
// never changes, so that no retry gives the money back twice.
func (s *saga) giveBack(ctx workflow.Context, refund ticketing.Refund, send func(ticketing.Refund) ticketing.Refund) ticketing.RefundState {
	// An operator's signal or the gateway's callback ends a pause.
	awake := func() bool { return s.retry.ReceiveAsync(nil) || s.notices.ReceiveAsync(nil) }
	begun, longest := workflow.Now(ctx), askOften
	for backoff := time.Second; ; backoff = min(2*backoff, longest) {
		s.describe(ctx, "Refunding %s of payment %s (%s): refund %s.", refund.Amount, refund.AttemptID, refund.Reason, refund.ID)
		refund = send(refund)
		switch refund.State {
		case ticketing.RefundSucceeded:
			s.clear(ctx, sendRefund)
			s.describe(ctx, "Refunded %s of payment %s: refund %s.", refund.Amount, refund.AttemptID, refund.ID)
			return refund.State
		case ticketing.RefundFailed:
			// The money is still owed. A person settles it at the gateway and sends the retry signal.
			s.flag(ctx, sendRefund)
			_ = workflow.Await(ctx, awake)
			continue
		case ticketing.RefundPending: // ask again, later
		}
		if workflow.Now(ctx).Sub(begun) > refundPatience {
			longest = askSeldom
			s.flag(ctx, sendRefund)
		}
		pause(ctx, backoff, "ask what became of the refund", awake)
	}
}
