package api

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/workflows"
)

const (
	// startCall bounds the call that starts a purchase.
	startCall = 5 * time.Second
	// eagerWait is how long a worker in this very process may take to make the hold before the
	// purchase is asked through the server. It usually takes a few milliseconds, and when everything is slow,
	// asking would only add to the load.
	eagerWait = time.Second
	// holdWait is how long the purchase is asked before the buyer gets the order's address instead.
	holdWait = 5 * time.Second
	// refundWait is how long a buyer waits for the answer to a request to give tickets back.
	refundWait = 5 * time.Second
	// These are fixed, so that asking again adds nothing to the history.
	holdID     = "hold"
	cancelID   = "cancel"
	acceptedID = "accepted"
)

// Sagas is the API's only way to Temporal. It implements Purchases and Refunds.
type Sagas struct {
	client client.Client
	holds  *HoldHub
	eager  bool
}

// NewSagas makes Sagas. With eager, purchases are offered to a worker of this process first; that
// worker's Hold step must report to holds. Without, each start is followed by an update: one more
// round trip, and the cheaper of the two ways, for an update sent together with the start cannot
// tell a purchase of this buyer's same intent that has ended from one that never was.
func NewSagas(c client.Client, holds *HoldHub, eager bool) *Sagas {
	if holds == nil {
		holds = NewHoldHub()
	}
	return &Sagas{client: c, holds: holds, eager: eager}
}

// Start implements Purchases.
func (s *Sagas) Start(ctx context.Context, p NewPurchase) (ticketing.HoldResult, error) {
	orderID := p.Input.Hold.OrderID
	// Listening comes first: the hold may be made before the call returns.
	held, stop := s.holds.listen(orderID)
	defer stop()
	call, cancel := context.WithTimeout(ctx, startCall)
	defer cancel()
	_, err := s.client.ExecuteWorkflow(call, client.StartWorkflowOptions{
		ID:        workflows.PurchaseID(orderID),
		TaskQueue: workflows.PurchaseQueue,
		// The order id is made of the buyer's intent: a second start is the same intent again,
		// whether the first one still runs or has ended.
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		EnableEagerStart:                         s.eager,
		WorkflowTaskTimeout:                      workflows.TaskTimeout,
		StaticSummary:                            p.Summary,
		TypedSearchAttributes: temporal.NewSearchAttributes(
			workflows.OrderState.ValueSet(string(ticketing.OrderPending)),
			workflows.EventID.ValueSet(p.Input.Hold.EventID),
			workflows.Organiser.ValueSet(p.Input.Organiser),
			workflows.Amount.ValueSet(p.Amount),
		),
	}, workflows.Purchase, p.Input)
	if _, ok := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err); ok {
		return ticketing.HoldResult{}, ErrStarted
	}
	if err != nil {
		return ticketing.HoldResult{}, fmt.Errorf("start purchase: %w", err)
	}
	if s.eager {
		patience := time.NewTimer(eagerWait)
		defer patience.Stop()
		select {
		case result := <-held:
			return result, nil
		case <-patience.C:
		case <-ctx.Done():
			return ticketing.HoldResult{}, ErrNoAnswer
		}
	}
	return s.hold(ctx, orderID, held)
}

// Hold implements Purchases.
func (s *Sagas) Hold(ctx context.Context, orderID string) (ticketing.HoldResult, error) {
	held, stop := s.holds.listen(orderID)
	defer stop()
	return s.hold(ctx, orderID, held)
}

// hold asks the purchase for its hold, and takes the answer from wherever it comes first: another
// process's worker through the server, or this process's own.
func (s *Sagas) hold(ctx context.Context, orderID string, held <-chan ticketing.HoldResult) (ticketing.HoldResult, error) {
	ctx, cancel := context.WithTimeout(ctx, holdWait)
	defer cancel()
	type answer struct {
		result ticketing.HoldResult
		err    error
	}
	asked := make(chan answer, 1)
	go func() {
		var a answer
		a.err = s.update(ctx, orderID, workflows.UpdateHold, holdID, &a.result)
		asked <- a
	}()
	select {
	case result := <-held:
		return result, nil
	case a := <-asked:
		return a.result, a.err
	}
}

// Cancel implements Purchases.
func (s *Sagas) Cancel(ctx context.Context, orderID string) (ticketing.OrderState, error) {
	var result workflows.CancelResult
	err := s.update(ctx, orderID, workflows.UpdateCancel, cancelID, &result)
	return result.State, err
}

// update sends an update and waits for its result until ctx is done.
func (s *Sagas) update(ctx context.Context, orderID, name, id string, result any) error {
	handle, err := s.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: workflows.PurchaseID(orderID), UpdateName: name, UpdateID: id,
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, result)
	}
	var (
		gone    *serviceerror.NotFound
		refusal *temporal.ApplicationError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refusal) && known(refusal.Type()):
		return &ticketing.Error{Code: ticketing.Code(refusal.Type()), Message: refusal.Message()}
	case errors.As(err, &gone):
		return ErrNotRunning
	case lateAnswer(ctx, err):
		return ErrNoAnswer
	}
	return fmt.Errorf("update %s of purchase: %w", name, err)
}

func known(code string) bool {
	_, ok := problems[ticketing.Code(code)]
	return ok
}

// Request implements Refunds. The start and the question travel together: a refund is asked for once in a
// while, and its answer does not hang on who works.
func (s *Sagas) Request(ctx context.Context, r NewRefund) (ticketing.RefundAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, refundWait)
	defer cancel()
	start := s.client.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID:        workflows.RefundID(r.Request.ID),
		TaskQueue: workflows.PaymentQueue,
		// One that has ended was refused, or gives the same answer again.
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowTaskTimeout:      workflows.TaskTimeout,
		StaticSummary:            r.Summary,
		TypedSearchAttributes: temporal.NewSearchAttributes(
			workflows.Provider.ValueSet(r.Provider), workflows.Amount.ValueSet(r.Request.Expected.Amount)),
	}, workflows.Refund, workflows.RefundInput{Request: r.Request})
	handle, err := s.client.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions: client.UpdateWorkflowOptions{
			UpdateName: workflows.UpdateAccepted, UpdateID: acceptedID, WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
	var answer ticketing.RefundAnswer
	if err == nil {
		err = handle.Get(ctx, &answer)
	}
	if err != nil && lateAnswer(ctx, err) {
		return answer, ErrNoAnswer
	}
	if err != nil {
		return answer, fmt.Errorf("start refund: %w", err)
	}
	return answer, nil
}

// lateAnswer says whether a call failed only for want of an answer in time.
func lateAnswer(ctx context.Context, err error) bool {
	var (
		late     *client.WorkflowUpdateServiceTimeoutOrCanceledError
		deadline *serviceerror.DeadlineExceeded
	)
	return errors.As(err, &late) || errors.As(err, &deadline) || ctx.Err() != nil
}

// Ready implements Purchases.
func (s *Sagas) Ready(ctx context.Context) error {
	_, err := s.client.CheckHealth(ctx, &client.CheckHealthRequest{})
	return err
}

// HoldHub brings holds made by a worker of this process to the requests that wait for them. It
// implements the observer that package activities tells of every hold.
type HoldHub struct {
	mu        sync.Mutex
	listeners map[string]map[chan ticketing.HoldResult]struct{}
}

// NewHoldHub makes a hub nobody listens to yet.
func NewHoldHub() *HoldHub {
	return &HoldHub{listeners: map[string]map[chan ticketing.HoldResult]struct{}{}}
}

// Held tells everyone who waits for the order's hold. It never blocks.
func (h *HoldHub) Held(orderID string, result ticketing.HoldResult) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for listener := range h.listeners[orderID] {
		select {
		case listener <- result:
		default: // has one already
		}
	}
}

func (h *HoldHub) listen(orderID string) (held <-chan ticketing.HoldResult, stop func()) {
	listener := make(chan ticketing.HoldResult, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listeners[orderID] == nil {
		h.listeners[orderID] = map[chan ticketing.HoldResult]struct{}{}
	}
	h.listeners[orderID][listener] = struct{}{}
	return listener, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.listeners[orderID], listener)
		if len(h.listeners[orderID]) == 0 {
			delete(h.listeners, orderID)
		}
	}
}
