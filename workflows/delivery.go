package workflows

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/boxoffice/boxoffice/ticketing"
)

const (
	// updateBound is how long a delivery waits for a live worker before it leaves the notice as a
	// signal: long enough for a task that was lost to be tried again, so that a busy system is not
	// given every notice twice.
	updateBound = TaskTimeout + time.Second
	// serverBound is how long a call that needs only the server may take.
	serverBound = 2 * time.Second
)

// Delivery brings captured money to the purchase that waits for it, or to a
// saga of its own where no purchase does. It implements activities.Deliverer.
type Delivery struct {
	client client.Client
}

// NewDelivery makes a Delivery.
func NewDelivery(c client.Client) *Delivery { return &Delivery{client: c} }

// DeliverPayment delivers an attempt with captured money; delivering twice has the effect of once.
// When it returns nil, a workflow has judged the money and remembers it, or durably holds the notice. Any
// error means that Temporal could not be reached: the money stays undelivered, for the sweep.
func (d *Delivery) DeliverPayment(ctx context.Context, attempt ticketing.PaymentAttempt) error {
	if attempt.OrderID == "" || attempt.State == ticketing.AttemptRejected {
		return d.startLatePayment(ctx, attempt)
	}
	err := d.update(ctx, attempt)
	if err == nil {
		return nil
	}
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return d.afterwards(ctx, attempt)
	}
	// No worker answered in time, perhaps none is alive: a signal needs only the server.
	signal, cancel := context.WithTimeout(context.WithoutCancel(ctx), serverBound)
	defer cancel()
	err = d.client.SignalWorkflow(signal, PurchaseID(attempt.OrderID), "", SignalPayment, PaymentNotice{AttemptID: attempt.ID})
	if errors.As(err, &gone) {
		return d.afterwards(ctx, attempt)
	}
	if err != nil {
		return fmt.Errorf("signal purchase of order %s: %w", attempt.OrderID, err)
	}
	return nil
}

// afterwards delivers an attempt whose purchase has ended. Money that was accepted has done its work.
func (d *Delivery) afterwards(ctx context.Context, attempt ticketing.PaymentAttempt) error {
	if attempt.State == ticketing.AttemptAccepted {
		return nil
	}
	return d.startLatePayment(ctx, attempt)
}

func (d *Delivery) update(ctx context.Context, attempt ticketing.PaymentAttempt) error {
	ctx, cancel := context.WithTimeout(ctx, updateBound)
	defer cancel()
	handle, err := d.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID:   PurchaseID(attempt.OrderID),
		UpdateID:     attempt.ID,
		UpdateName:   UpdatePayment,
		Args:         []any{PaymentNotice{AttemptID: attempt.ID}},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return err
	}
	return handle.Get(ctx, nil)
}

// WakeRefund tells the workflow that gives money back to look at what its gateway has said. Only speed depends
// on it: the workflow asks by itself, and what a callback said is stored before. A workflow that has ended needs no waking.
func (d *Delivery) WakeRefund(ctx context.Context, refund ticketing.Refund) error {
	ctx, cancel := context.WithTimeout(ctx, serverBound)
	defer cancel()
	id := RefundID(refund.ID)
	if !refund.Reason.OfTickets() {
		id = LatePaymentID(refund.Provider, refund.GatewayID)
	}
	err := d.client.SignalWorkflow(ctx, id, "", SignalRefund, nil)
	var gone *serviceerror.NotFound
	if err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("signal refund %s: %w", refund.ID, err)
	}
	return nil
}

func (d *Delivery) startLatePayment(ctx context.Context, attempt ticketing.PaymentAttempt) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), serverBound)
	defer cancel()
	child := latePaymentChild(attempt.Provider, attempt.GatewayID)
	_, err := d.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       child.WorkflowID,
		TaskQueue:                child.TaskQueue,
		WorkflowIDReusePolicy:    child.WorkflowIDReusePolicy,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            child.StaticSummary,
		TypedSearchAttributes:    child.TypedSearchAttributes,
	}, LatePayment, LatePaymentInput{Provider: attempt.Provider, AttemptID: attempt.ID})
	var done *serviceerror.WorkflowExecutionAlreadyStarted
	if err != nil && !errors.As(err, &done) {
		return fmt.Errorf("start the late-payment saga of %s: %w", attempt.ID, err)
	}
	return nil
}

// StartPaymentSweep starts the sweep unless it runs already.
func StartPaymentSweep(ctx context.Context, c client.Client) error {
	_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       SweepID,
		TaskQueue:                PaymentQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "delivers kept callbacks, asks the gateways about open attempts",
	}, PaymentSweep)
	return err
}
