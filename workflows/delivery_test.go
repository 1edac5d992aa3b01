package workflows_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"
	"go.temporal.io/sdk/workflow"

	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/workflows"
)

var (
	captured = ticketing.PaymentAttempt{
		ID: first, OrderID: orderID, Provider: "sandbox", GatewayID: "SB1", State: ticketing.AttemptPending,
	}
	errGone    = serviceerror.NewNotFound("workflow execution already completed")
	errTimeout = client.NewWorkflowUpdateServiceTimeoutOrCanceledError(context.DeadlineExceeded)
)

// counter is a Delivery whose client answers as scripted, and fails the test for any other call.
type counter struct {
	*mocks.Client
	t *testing.T
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	return &counter{mocks.NewClient(t), t}
}

func (c *counter) deliver(ctx context.Context, attempt ticketing.PaymentAttempt) error {
	return workflows.NewDelivery(c).DeliverPayment(ctx, attempt)
}

// alive checks a context in which a call can still succeed, and ends.
var alive = mock.MatchedBy(func(ctx context.Context) bool {
	_, bounded := ctx.Deadline()
	return bounded && ctx.Err() == nil
})

// updates scripts the answer of the purchase; sent says that the request itself failed.
func (c *counter) updates(sent, answered error) {
	handle := mocks.NewWorkflowUpdateHandle(c.t)
	if sent == nil {
		handle.On("Get", mock.Anything, nil).Return(answered).Once()
	}
	c.On("UpdateWorkflow", mock.Anything, client.UpdateWorkflowOptions{
		WorkflowID: "purchase/" + orderID, UpdateName: workflows.UpdatePayment, UpdateID: first,
		Args:         []any{workflows.PaymentNotice{AttemptID: first}},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	}).Return(handle, sent).Once()
}

func (c *counter) signals(answer error) {
	c.On("SignalWorkflow", alive, "purchase/"+orderID, "", workflows.SignalPayment, workflows.PaymentNotice{AttemptID: first}).
		Return(answer).Once()
}

func (c *counter) startsSaga(answer error) {
	c.On("ExecuteWorkflow", alive, mock.MatchedBy(func(o client.StartWorkflowOptions) bool {
		return o.ID == "late-payment/sandbox/SB1" && o.TaskQueue == workflows.PaymentQueue &&
			o.WorkflowIDReusePolicy == enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY &&
			o.WorkflowIDConflictPolicy == enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
	}), mock.MatchedBy(func(func(workflow.Context, workflows.LatePaymentInput) (workflows.LatePaymentResult, error)) bool {
		return true
	}),
		workflows.LatePaymentInput{Provider: "sandbox", AttemptID: first}).
		Return(mocks.NewWorkflowRun(c.t), answer).Once()
}

func TestMoneyIsDeliveredToTheWaitingPurchase(t *testing.T) {
	c := newCounter(t)
	c.updates(nil, nil)
	require.NoError(t, c.deliver(t.Context(), captured))
}

func TestMoneyForAFinishedPurchaseStartsALatePayment(t *testing.T) {
	for name, script := range map[string]func(c *counter){
		"gone before the update": func(c *counter) { c.updates(errGone, nil) },
		"gone during the update": func(c *counter) { c.updates(nil, errGone) },
		"gone before the signal": func(c *counter) { c.updates(errTimeout, nil); c.signals(errGone) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCounter(t)
			script(c)
			c.startsSaga(nil)
			require.NoError(t, c.deliver(t.Context(), captured))
		})
	}
}

func TestWithoutAWorkerTheNoticeIsLeftAsASignal(t *testing.T) {
	for name, script := range map[string]func(c *counter){
		"nobody took the update":    func(c *counter) { c.updates(errTimeout, nil) },
		"nobody finished it":        func(c *counter) { c.updates(nil, errTimeout) },
		"the handler failed":        func(c *counter) { c.updates(nil, errors.New("a bug")) },
		"the server was busy first": func(c *counter) { c.updates(serviceerror.NewUnavailable("busy"), nil) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCounter(t)
			script(c)
			c.signals(nil)
			require.NoError(t, c.deliver(t.Context(), captured))
		})
	}
}

func TestADeliveryDoesNotWaitForAWorkerForEver(t *testing.T) {
	c := newCounter(t)
	var waited time.Duration
	c.On("UpdateWorkflow", mock.Anything, mock.Anything).Return(
		func(ctx context.Context, _ client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
			deadline, bounded := ctx.Deadline()
			require.True(t, bounded)
			waited = time.Until(deadline)
			return nil, errTimeout
		}).Once()
	c.signals(nil)
	require.NoError(t, c.deliver(t.Context(), captured))
	require.Greater(t, waited, workflows.TaskTimeout, "a task that was lost is tried again first")
	require.Less(t, waited, 2*workflows.TaskTimeout)
}

func TestACallerWhoLeavesDoesNotStopTheDelivery(t *testing.T) {
	c := newCounter(t)
	ctx, cancel := context.WithCancel(t.Context())
	c.On("UpdateWorkflow", mock.Anything, mock.Anything).Return(
		func(ctx context.Context, _ client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
			cancel() // the gateway hung up
			<-ctx.Done()
			return nil, client.NewWorkflowUpdateServiceTimeoutOrCanceledError(ctx.Err())
		}).Once()
	c.signals(errGone)
	c.startsSaga(nil)
	require.NoError(t, c.deliver(ctx, captured))
}

func TestMoneyThatPaysNoOrderGoesStraightToALatePayment(t *testing.T) {
	rejected := captured
	rejected.State = ticketing.AttemptRejected
	orphan := captured
	orphan.OrderID = ""
	for name, attempt := range map[string]ticketing.PaymentAttempt{"rejected": rejected, "orphan": orphan} {
		t.Run(name, func(t *testing.T) {
			c := newCounter(t)
			c.startsSaga(nil)
			require.NoError(t, c.deliver(t.Context(), attempt))
		})
	}
}

func TestAcceptedMoneyOfAFinishedPurchaseIsDelivered(t *testing.T) {
	accepted := captured
	accepted.State = ticketing.AttemptAccepted
	c := newCounter(t)
	c.updates(errGone, nil)
	require.NoError(t, c.deliver(t.Context(), accepted))
}

func TestALatePaymentThatWasStartedBeforeIsDelivered(t *testing.T) {
	c := newCounter(t)
	c.updates(errGone, nil)
	c.startsSaga(serviceerror.NewWorkflowExecutionAlreadyStarted("it has ended", "", "run"))
	require.NoError(t, c.deliver(t.Context(), captured))
}

func TestWithoutTemporalTheCallbackStaysForTheSweep(t *testing.T) {
	down := serviceerror.NewUnavailable("connection refused")
	t.Run("signal", func(t *testing.T) {
		c := newCounter(t)
		c.updates(down, nil)
		c.signals(down)
		require.ErrorIs(t, c.deliver(t.Context(), captured), down)
	})
	t.Run("late payment", func(t *testing.T) {
		c := newCounter(t)
		c.updates(errGone, nil)
		c.startsSaga(down)
		require.ErrorIs(t, c.deliver(t.Context(), captured), down)
	})
}

func TestTheSweepIsStartedOnce(t *testing.T) {
	for _, answer := range []error{nil, serviceerror.NewUnavailable("connection refused")} {
		c := newCounter(t)
		c.On("ExecuteWorkflow", mock.Anything, mock.MatchedBy(func(o client.StartWorkflowOptions) bool {
			return o.ID == workflows.SweepID && o.TaskQueue == workflows.PaymentQueue &&
				o.WorkflowIDConflictPolicy == enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
		}), mock.Anything).Return(mocks.NewWorkflowRun(t), answer).Once()
		require.Equal(t, answer, workflows.StartPaymentSweep(t.Context(), c))
	}
}
