package api_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/boxoffice/boxoffice/api"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/workflows"
)

// temporalDouble answers starts and updates as it is told; any other call panics.
type temporalDouble struct {
	client.Client
	start   func(client.StartWorkflowOptions, workflows.PurchaseInput) error
	refund  func(client.StartWorkflowOptions, workflows.RefundInput)
	update  func(context.Context, client.UpdateWorkflowOptions) (any, error)
	updates atomic.Int64
}

func (d *temporalDouble) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, _ any, args ...any) (client.WorkflowRun, error) {
	return nil, d.start(o, args[0].(workflows.PurchaseInput))
}

func (d *temporalDouble) UpdateWorkflow(ctx context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	d.updates.Add(1)
	result, err := d.update(ctx, o)
	if err != nil {
		return nil, err
	}
	return updated{result: result}, nil
}

func (d *temporalDouble) NewWithStartWorkflowOperation(o client.StartWorkflowOptions, _ any, args ...any) client.WithStartWorkflowOperation {
	d.refund(o, args[0].(workflows.RefundInput))
	return nil
}

func (d *temporalDouble) UpdateWithStartWorkflow(ctx context.Context, o client.UpdateWithStartWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	return d.UpdateWorkflow(ctx, o.UpdateOptions)
}

type updated struct {
	client.WorkflowUpdateHandle
	result any
}

func (u updated) Get(_ context.Context, into any) error {
	switch r := u.result.(type) {
	case error:
		return r
	case ticketing.HoldResult:
		*into.(*ticketing.HoldResult) = r
	case ticketing.RefundAnswer:
		*into.(*ticketing.RefundAnswer) = r
	case workflows.CancelResult:
		*into.(*workflows.CancelResult) = r
	}
	return nil
}

func purchase() api.NewPurchase {
	return api.NewPurchase{
		Input:  workflows.PurchaseInput{Hold: ticketing.HoldRequest{OrderID: "O1", EventID: "hamlet"}, Organiser: "City Stage"},
		Amount: 61300, Summary: "2 × stalls, Hamlet",
	}
}

func TestEagerStartIsAnsweredByThisProcess(t *testing.T) {
	hub := api.NewHoldHub()
	d := &temporalDouble{}
	d.start = func(o client.StartWorkflowOptions, in workflows.PurchaseInput) error {
		require.Equal(t, "purchase/O1", o.ID)
		require.Equal(t, workflows.PurchaseQueue, o.TaskQueue)
		require.True(t, o.EnableEagerStart)
		require.True(t, o.WorkflowExecutionErrorWhenAlreadyStarted)
		require.Equal(t, enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL, o.WorkflowIDConflictPolicy)
		require.Equal(t, enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, o.WorkflowIDReusePolicy)
		require.Equal(t, "2 × stalls, Hamlet", o.StaticSummary)
		state, _ := o.TypedSearchAttributes.GetKeyword(workflows.OrderState)
		amount, _ := o.TypedSearchAttributes.GetInt64(workflows.Amount)
		_, attention := o.TypedSearchAttributes.GetBool(workflows.NeedsAttention)
		require.Equal(t, "PENDING", state)
		require.EqualValues(t, 61300, amount)
		require.False(t, attention, "only what has needed a person says whether it still does")
		hub.Held("O2", ticketing.HoldResult{Fingerprint: "another's"})
		hub.Held(in.Hold.OrderID, ticketing.HoldResult{State: ticketing.OrderPending, Fingerprint: "f"}) // before the start returns
		return nil
	}
	result, err := api.NewSagas(d, hub, true).Start(t.Context(), purchase())
	require.NoError(t, err)
	require.Equal(t, "f", result.Fingerprint)
	require.Zero(t, d.updates.Load(), "no update was needed")
}

func TestHoldIsAskedForWhereNoWorkerIsHere(t *testing.T) {
	for _, eager := range []bool{true, false} {
		d := &temporalDouble{start: func(client.StartWorkflowOptions, workflows.PurchaseInput) error { return nil }}
		d.update = func(_ context.Context, o client.UpdateWorkflowOptions) (any, error) {
			require.Equal(t, workflows.UpdateHold, o.UpdateName)
			require.Equal(t, "hold", o.UpdateID)
			require.Equal(t, client.WorkflowUpdateStageCompleted, o.WaitForStage)
			return ticketing.HoldResult{State: ticketing.OrderPending, Fingerprint: "f"}, nil
		}
		begun := time.Now()
		result, err := api.NewSagas(d, nil, eager).Start(t.Context(), purchase())
		require.NoError(t, err)
		require.Equal(t, "f", result.Fingerprint)
		require.Equal(t, eager, time.Since(begun) >= 300*time.Millisecond, "only an eager start waits for its own worker first")
	}
}

// TestHoldMadeHereWhileAsking: the update finds no worker, but ours gets to it in the end.
func TestHoldMadeHereWhileAsking(t *testing.T) {
	hub := api.NewHoldHub()
	d := &temporalDouble{start: func(client.StartWorkflowOptions, workflows.PurchaseInput) error { return nil }}
	d.update = func(ctx context.Context, _ client.UpdateWorkflowOptions) (any, error) {
		hub.Held("O1", ticketing.HoldResult{Fingerprint: "f"})
		<-ctx.Done()
		return nil, client.NewWorkflowUpdateServiceTimeoutOrCanceledError(ctx.Err())
	}
	result, err := api.NewSagas(d, hub, false).Start(t.Context(), purchase())
	require.NoError(t, err)
	require.Equal(t, "f", result.Fingerprint)
}

func TestWhatTemporalSaysIsTranslated(t *testing.T) {
	fail := func(err error) *temporalDouble {
		return &temporalDouble{
			start:  func(client.StartWorkflowOptions, workflows.PurchaseInput) error { return err },
			update: func(context.Context, client.UpdateWorkflowOptions) (any, error) { return nil, err },
		}
	}
	start := func(err error) error {
		_, err = api.NewSagas(fail(err), nil, true).Start(t.Context(), purchase())
		return err
	}
	held := func(err error) error {
		_, err = api.NewSagas(fail(err), nil, true).Hold(t.Context(), "O1")
		return err
	}
	require.ErrorIs(t, start(serviceerror.NewWorkflowExecutionAlreadyStarted("started", "", "")), api.ErrStarted)
	down := serviceerror.NewUnavailable("no frontend")
	require.ErrorIs(t, start(down), down)
	require.ErrorIs(t, held(down), down)
	require.ErrorIs(t, held(serviceerror.NewNotFound("gone")), api.ErrNotRunning)
	require.ErrorIs(t, held(client.NewWorkflowUpdateServiceTimeoutOrCanceledError(context.DeadlineExceeded)), api.ErrNoAnswer)
	require.ErrorIs(t, held(serviceerror.NewDeadlineExceeded("late")), api.ErrNoAnswer)

	d := &temporalDouble{update: func(_ context.Context, o client.UpdateWorkflowOptions) (any, error) {
		require.Equal(t, "cancel", o.UpdateID)
		return temporal.NewApplicationError("the order is paid", string(ticketing.CodeAlreadyPaid)), nil
	}}
	_, err := api.NewSagas(d, nil, true).Cancel(t.Context(), "O1")
	require.Equal(t, ticketing.CodeAlreadyPaid, ticketing.CodeOf(err))
	d.update = func(context.Context, client.UpdateWorkflowOptions) (any, error) {
		return workflows.CancelResult{State: ticketing.OrderCancelled}, nil
	}
	state, err := api.NewSagas(d, nil, true).Cancel(t.Context(), "O1")
	require.NoError(t, err)
	require.Equal(t, ticketing.OrderCancelled, state)
	d.update = func(context.Context, client.UpdateWorkflowOptions) (any, error) {
		return temporal.NewApplicationError("a bug", "PanicError"), nil
	}
	_, err = api.NewSagas(d, nil, true).Cancel(t.Context(), "O1")
	require.Empty(t, ticketing.CodeOf(err))
	require.NotErrorIs(t, err, api.ErrNoAnswer)
}

// TestPurchaseIsDescribedWithoutPersonalData looks at what operators will read.
func TestPurchaseIsDescribedWithoutPersonalData(t *testing.T) {
	hub := api.NewHoldHub()
	var seen client.StartWorkflowOptions
	var input workflows.PurchaseInput
	d := &temporalDouble{}
	w := newWorld(t, func(c *api.Config) {
		store := c.Store.(*brittle).testStore
		d.start = func(o client.StartWorkflowOptions, in workflows.PurchaseInput) error {
			seen, input = o, in
			in.Hold.At = time.Now().UTC()
			in.Hold.PayBy = in.Hold.At.Add(in.Policy.HoldFor)
			result, err := store.Hold(context.Background(), in.Hold)
			hub.Held(in.Hold.OrderID, result)
			return err
		}
		c.Purchases = api.NewSagas(d, hub, true)
	})
	o := w.order(keyed(1))
	require.Equal(t, "purchase/"+o.ID, seen.ID)
	require.Equal(t, "2 × stalls, Hamlet", seen.StaticSummary)
	require.Equal(t, 15*time.Minute, input.Policy.HoldFor)
	require.Equal(t, "City Stage", input.Organiser)
	require.Equal(t, "Ada Lovelace", input.Hold.Buyer.Name)
	require.NotContains(t, seen.StaticSummary+seen.ID, "Ada")
	d.start = func(client.StartWorkflowOptions, workflows.PurchaseInput) error {
		return serviceerror.NewWorkflowExecutionAlreadyStarted("started", "", "")
	}
	require.Equal(t, o.ID, w.order(keyed(1)).ID)
}

func TestRefundIsStartedAndAskedInOneCall(t *testing.T) {
	asked := api.NewRefund{
		Request:  ticketing.RefundRequest{ID: "R1", OrderID: "O1", Expected: ticketing.Money{Amount: 57950, Currency: "CNY"}},
		Provider: "sandbox", Summary: "2 tickets of order O1 go back",
	}
	d := &temporalDouble{}
	d.refund = func(o client.StartWorkflowOptions, in workflows.RefundInput) {
		require.Equal(t, "refund/R1", o.ID)
		require.Equal(t, workflows.PaymentQueue, o.TaskQueue)
		require.Equal(t, enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING, o.WorkflowIDConflictPolicy)
		require.Equal(t, asked.Summary, o.StaticSummary)
		provider, _ := o.TypedSearchAttributes.GetKeyword(workflows.Provider)
		amount, _ := o.TypedSearchAttributes.GetInt64(workflows.Amount)
		require.Equal(t, "sandbox", provider)
		require.EqualValues(t, 57950, amount)
		require.Equal(t, asked.Request, in.Request)
	}
	request := func(result any, err error) (ticketing.RefundAnswer, error) {
		d.update = func(_ context.Context, o client.UpdateWorkflowOptions) (any, error) {
			require.Equal(t, workflows.UpdateAccepted, o.UpdateName)
			require.Equal(t, "accepted", o.UpdateID)
			require.Equal(t, client.WorkflowUpdateStageCompleted, o.WaitForStage)
			return result, err
		}
		return api.NewSagas(d, nil, true).Request(t.Context(), asked)
	}
	want := ticketing.RefundAnswer{Refusal: &ticketing.Refusal{Code: ticketing.CodePriceChanged}}
	answer, err := request(want, nil)
	require.NoError(t, err)
	require.Equal(t, want, answer)
	_, err = request(nil, client.NewWorkflowUpdateServiceTimeoutOrCanceledError(context.DeadlineExceeded))
	require.ErrorIs(t, err, api.ErrNoAnswer)
	_, err = request(serviceerror.NewDeadlineExceeded("nobody works"), nil)
	require.ErrorIs(t, err, api.ErrNoAnswer)
	_, err = request(nil, serviceerror.NewUnavailable("away"))
	require.Error(t, err)
	require.NotErrorIs(t, err, api.ErrNoAnswer)
}
