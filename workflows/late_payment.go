package workflows

import (
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/boxoffice/boxoffice/activities"
	"github.com/boxoffice/boxoffice/ticketing"
)

// LatePayment is the story of captured money that did not pay its order when
// it arrived: too late, a second time, or not the amount asked for. In the end
// exactly one is true: it pays the order after all, or it has gone back.
func LatePayment(ctx workflow.Context, in LatePaymentInput) (LatePaymentResult, error) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	var (
		purchase *activities.Purchase
		payments *activities.Payments
	)
	s := newSaga(ctx, "")
	s.describe(ctx, "Judging payment %s at %s.", in.AttemptID, in.Provider)

	settled := take[ticketing.Settlement](ctx, s, "settle the payment", purchase.Settle, in.AttemptID)
	s.orderID = settled.OrderID
	switch settled.Verdict {
	case ticketing.VerdictAccept:
		s.describe(ctx, "It pays order %s.", settled.OrderID)
		return LatePaymentResult{Accepted: true}, nil
	case ticketing.VerdictNone:
		return LatePaymentResult{}, refusal(ticketing.Errorf(ticketing.CodeNotFound, "attempt %s has captured nothing", in.AttemptID))
	case ticketing.VerdictReject: // below
	}
	if settled.Reason == ticketing.RejectLate &&
		take[bool](ctx, s, "take the stock again", payments.Retake, in.AttemptID) {
		s.describe(ctx, "The same stock was free: order %s is paid.", settled.OrderID)
		return LatePaymentResult{Accepted: true}, nil
	}
	refund := take[ticketing.Refund](ctx, s, "store the refund", payments.StartRefund, in.AttemptID)
	state := s.giveBack(ctx, refund, func(refund ticketing.Refund) ticketing.Refund {
		return take[ticketing.Refund](ctx, s, sendRefund, payments.SendRefund, refund)
	})
	return LatePaymentResult{RefundID: refund.ID, Refund: state}, nil
}

// latePaymentChild is how a purchase starts the saga: it outlives its parent,
// and the same money never starts a second one.
func latePaymentChild(provider, gatewayID string) workflow.ChildWorkflowOptions {
	return workflow.ChildWorkflowOptions{
		WorkflowID:            LatePaymentID(provider, gatewayID),
		TaskQueue:             PaymentQueue,
		ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_ABANDON,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
		StaticSummary:         "payment " + gatewayID + " at " + provider + " that did not pay its order",
		TypedSearchAttributes: latePaymentAttributes(provider),
	}
}

func latePaymentAttributes(provider string) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(Provider.ValueSet(provider))
}
