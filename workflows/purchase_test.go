package workflows_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/boxoffice/boxoffice/activities"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/worker"
	"github.com/boxoffice/boxoffice/workflows"
)

const (
	orderID = "0RDER00000000000000000TEST"
	first   = "ATTEMPT0000000000000000001"
	second  = "ATTEMPT0000000000000000002"
)

var (
	steps    *activities.Purchase
	payments *activities.Payments
	began    = time.Date(2026, 3, 1, 15, 59, 59, 0, time.UTC)
)

// stage is a purchase on a test server that skips time, with scripted steps.
type stage struct {
	*testsuite.TestWorkflowEnvironment
	t *testing.T
	// mu guards what scripted steps write down: every try runs on a goroutine of its own.
	mu sync.Mutex
}

func newStage(t *testing.T) *stage {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	s := &stage{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), t: t}
	s.SetStartTime(began)
	s.SetTestTimeout(20 * time.Second)
	worker.Register(s)
	s.RegisterActivity(steps)
	s.RegisterActivity(payments)
	t.Cleanup(func() { s.AssertExpectations(t) })
	return s
}

func input() workflows.PurchaseInput {
	return workflows.PurchaseInput{
		Hold:   ticketing.HoldRequest{OrderID: orderID, SessionID: "session", Lines: []ticketing.Ask{{TicketTypeID: "stalls", Quantity: 2}}},
		Policy: workflows.PurchasePolicy{HoldFor: 10 * time.Minute},
	}
}

// priced is a quote that has to be paid.
var priced = ticketing.Quote{Total: ticketing.Money{Amount: 10000, Currency: "CNY"}}

// holds lets the hold succeed, and checks that the deadline is the workflow's clock plus the hold time.
func (s *stage) holds() {
	s.OnActivity(steps.Hold, mock.Anything, mock.Anything).Return(
		func(_ context.Context, r ticketing.HoldRequest) (ticketing.HoldResult, error) {
			require.Equal(s.t, r.At.Add(10*time.Minute), r.PayBy)
			return ticketing.HoldResult{State: ticketing.OrderPending, PayBy: r.PayBy, Quote: priced}, nil
		}).Once()
}

func (s *stage) settles(attempt string, settled ticketing.Settlement) *testsuite.MockCallWrapper {
	settled.OrderID, settled.AttemptID, settled.Provider, settled.GatewayID = orderID, attempt, "sandbox", "gw-"+attempt
	return s.OnActivity(steps.Settle, mock.Anything, attempt).Return(settled, nil)
}

func accepted(open int) ticketing.Settlement {
	return ticketing.Settlement{Verdict: ticketing.VerdictAccept, Order: ticketing.OrderPaid, OpenAttempts: open}
}

func rejected(order ticketing.OrderState, reason ticketing.RejectReason) ticketing.Settlement {
	return ticketing.Settlement{Verdict: ticketing.VerdictReject, Reason: reason, Order: order}
}

func (s *stage) closes(report activities.AttemptReport) *testsuite.MockCallWrapper {
	return s.OnActivity(steps.CloseAttempts, mock.Anything, orderID).Return(report, nil)
}

func (s *stage) releases(as ticketing.OrderState) *testsuite.MockCallWrapper {
	return s.OnActivity(steps.Release, mock.Anything, orderID, as).Return(as, nil)
}

// startsLatePayment expects exactly one saga for an attempt's money.
func (s *stage) startsLatePayment(attempt string) {
	s.OnWorkflow(workflows.LatePayment, mock.Anything, workflows.LatePaymentInput{Provider: "sandbox", AttemptID: attempt}).
		Return(workflows.LatePaymentResult{}, nil).Once()
}

// run runs the purchase to its end and returns how and when it ended.
func (s *stage) run() (workflows.PurchaseResult, time.Duration) {
	s.t.Helper()
	s.ExecuteWorkflow(workflows.Purchase, input())
	require.True(s.t, s.IsWorkflowCompleted())
	require.NoError(s.t, s.GetWorkflowError())
	var result workflows.PurchaseResult
	require.NoError(s.t, s.GetWorkflowResult(&result))
	return result, s.Now().Sub(began)
}

func (s *stage) after(d time.Duration, what func()) { s.RegisterDelayedCallback(what, d) }

func (s *stage) signalPaid(after time.Duration, attempt string) {
	s.after(after, func() { s.SignalWorkflow(workflows.SignalPayment, workflows.PaymentNotice{AttemptID: attempt}) })
}

// updatePaid sends the update after a time and returns where its answer will be.
func (s *stage) updatePaid(after time.Duration, attempt string) *outcome[any] {
	o := &outcome[any]{}
	s.after(after, func() {
		s.UpdateWorkflow(workflows.UpdatePayment, attempt, o, workflows.PaymentNotice{AttemptID: attempt})
	})
	return o
}

func (s *stage) cancels(after time.Duration) *outcome[workflows.CancelResult] {
	o := &outcome[workflows.CancelResult]{}
	s.after(after, func() { s.UpdateWorkflow(workflows.UpdateCancel, "cancel", o) })
	return o
}

// outcome collects the answer to an update.
type outcome[R any] struct {
	refused error
	result  R
	err     error
	done    bool
}

func (o *outcome[R]) Accept()          {}
func (o *outcome[R]) Reject(err error) { o.refused = err }
func (o *outcome[R]) Complete(result any, err error) {
	o.done, o.err = true, err
	if r, ok := result.(R); ok {
		o.result = r
	}
}

func TestPaidByUpdateWithinTheHold(t *testing.T) {
	s := newStage(t)
	s.holds()
	s.settles(first, accepted(0)).Once()
	answer := s.updatePaid(3*time.Minute, first)
	result, took := s.run()
	require.Equal(t, ticketing.OrderPaid, result.State)
	require.Equal(t, 3*time.Minute, took, "a paid purchase ends at once")
	require.True(t, answer.done)
	require.NoError(t, answer.err)
}

func TestAnOrderThatCostsNothingWaitsForNoPayment(t *testing.T) {
	s := newStage(t)
	s.OnActivity(steps.Hold, mock.Anything, mock.Anything).Return(
		ticketing.HoldResult{State: ticketing.OrderPending, PayBy: began.Add(10 * time.Minute), Quote: ticketing.Quote{Total: ticketing.Money{Currency: "CNY"}}}, nil).Once()
	s.OnActivity(steps.ConfirmFree, mock.Anything, orderID).Return(ticketing.OrderPaid, nil).Once()
	result, took := s.run()
	require.Equal(t, ticketing.OrderPaid, result.State)
	require.Zero(t, took)
}

func TestPaidBySignalWhenNoWorkerAnsweredTheUpdate(t *testing.T) {
	s := newStage(t)
	s.holds()
	s.settles(first, accepted(0)).Once()
	s.signalPaid(time.Minute, first)
	result, took := s.run()
	require.Equal(t, ticketing.OrderPaid, result.State)
	require.Equal(t, time.Minute, took)
}

func TestRefusedEndsAtOnceAndReleasesNothing(t *testing.T) {
	s := newStage(t)
	refusal := &ticketing.Refusal{Code: ticketing.CodeSoldOut, Message: "0 left"}
	s.OnActivity(steps.Hold, mock.Anything, mock.Anything).
		Return(ticketing.HoldResult{State: ticketing.OrderRefused, Refusal: refusal}, nil).Once()
	result, took := s.run()
	require.Equal(t, ticketing.OrderRefused, result.State)
	require.Equal(t, refusal, result.Refusal)
	require.Zero(t, took)
}

func TestUpdateHoldAnswersWhatTheHoldSaid(t *testing.T) {
	s := newStage(t)
	s.holds()
	s.settles(first, accepted(0)).Once()
	o := &outcome[ticketing.HoldResult]{}
	s.after(0, func() { s.UpdateWorkflow(workflows.UpdateHold, "hold", o) })
	s.signalPaid(time.Minute, first)
	s.run()
	require.True(t, o.done)
	require.Equal(t, ticketing.OrderPending, o.result.State)
	require.WithinDuration(t, began.Add(10*time.Minute), o.result.PayBy, 0)
}

func TestUnpaidHoldIsReleasedAtItsDeadline(t *testing.T) {
	s := newStage(t)
	s.holds()
	s.closes(activities.AttemptReport{}).Once()
	s.releases(ticketing.OrderExpired).Once()
	result, took := s.run()
	require.Equal(t, ticketing.OrderExpired, result.State)
	require.Equal(t, 10*time.Minute, took, "with no attempt to watch there is nothing to linger for")
}

func TestCancelledByItsBuyer(t *testing.T) {
	s := newStage(t)
	s.holds()
	s.closes(activities.AttemptReport{}).Once()
	s.releases(ticketing.OrderCancelled).Once()
	answer := s.cancels(2 * time.Minute)
	result, took := s.run()
	require.Equal(t, ticketing.OrderCancelled, result.State)
	require.Equal(t, 2*time.Minute, took)
	require.Equal(t, ticketing.OrderCancelled, answer.result.State)
}

func TestHazard10CancelRacesPaymentAndTheGatewayDecides(t *testing.T) {
	s := newStage(t)
	s.holds()
	s.closes(activities.AttemptReport{Captured: []string{first}}).Once()
	s.settles(first, accepted(0)).Once()
	answer := s.cancels(time.Minute)
	result, _ := s.run()
	require.Equal(t, ticketing.OrderPaid, result.State)
	require.Equal(t, ticketing.OrderPaid, answer.result.State, "the buyer learns that the payment was faster")
}

func TestHazard10PaidInTheLastSecondAsCloseSays(t *testing.T) {
	s := newStage(t)
	s.holds()
	s.closes(activities.AttemptReport{Captured: []string{first}}).Once()
	s.settles(first, accepted(0)).Once()
	result, took := s.run()
	require.Equal(t, ticketing.OrderPaid, result.State)
	require.Equal(t, 10*time.Minute, took)
}

func TestCancelIsRefusedOnceTheOrderIsOver(t *testing.T) {
	s := newStage(t)
	s.holds()
	s.settles(first, accepted(1)).Once()
	s.closes(activities.AttemptReport{Watched: 1}).Once()
	s.OnActivity(steps.LookAgain, mock.Anything, orderID).Return(activities.AttemptReport{}, nil).Once()
	s.signalPaid(time.Minute, first)
	answer := s.cancels(time.Minute + time.Second)
	s.run()
	require.Error(t, answer.refused)
	var application *temporal.ApplicationError
	require.ErrorAs(t, answer.refused, &application)
	require.Equal(t, string(ticketing.CodeAlreadyPaid), application.Type())
}

func TestHazard17StockStaysHeldWhileTheOutcomeIsUnknown(t *testing.T) {
	s := newStage(t)
	s.holds()
	s.closes(activities.AttemptReport{Unknown: 1}).Times(3)
	s.closes(activities.AttemptReport{Captured: []string{first}}).Once()
	s.settles(first, accepted(0)).Once()
	result, took := s.run()
	require.Equal(t, ticketing.OrderPaid, result.State)
	require.Equal(t, 10*time.Minute+7*time.Second, took, "asked again after 1, 2 and 4 seconds")
}

func TestHazard17AnOutcomeUnknownForTooLongIsWatchedAfterTheRelease(t *testing.T) {
	s := newStage(t)
	s.holds()
	s.closes(activities.AttemptReport{Unknown: 1, Watched: 1})
	s.releases(ticketing.OrderExpired).Once()
	s.OnActivity(steps.LookAgain, mock.Anything, orderID).Return(activities.AttemptReport{Unknown: 1}, nil).Once()
	s.OnActivity(steps.LookAgain, mock.Anything, orderID).Return(activities.AttemptReport{Captured: []string{first}}, nil).Once()
	s.settles(first, rejected(ticketing.OrderExpired, ticketing.RejectLate)).Once()
	s.startsLatePayment(first)
	result, took := s.run()
	require.Equal(t, ticketing.OrderExpired, result.State)
	require.GreaterOrEqual(t, took, 40*time.Minute)
	require.Less(t, took, 45*time.Minute)
}

func TestHazard14AGatewayThatIsDownKeepsStockForABoundedTime(t *testing.T) {
	s := newStage(t)
	s.holds()
	released := time.Time{}
	s.closes(activities.AttemptReport{Unreachable: 1, Watched: 1})
	s.OnActivity(steps.Release, mock.Anything, orderID, ticketing.OrderExpired).Return(
		func(context.Context, string, ticketing.OrderState) (ticketing.OrderState, error) {
			released = s.Now()
			return ticketing.OrderExpired, nil
		}).Once()
	// The gateway is back when the grace period is over, and has captured the money meanwhile.
	s.OnActivity(steps.LookAgain, mock.Anything, orderID).Return(activities.AttemptReport{Unreachable: 1}, nil).Twice()
	s.OnActivity(steps.LookAgain, mock.Anything, orderID).Return(activities.AttemptReport{Captured: []string{first}}, nil).Once()
	s.settles(first, rejected(ticketing.OrderExpired, ticketing.RejectLate)).Once()
	s.startsLatePayment(first)
	result, _ := s.run()
	require.Equal(t, ticketing.OrderExpired, result.State)
	late := released.Sub(began.Add(10 * time.Minute))
	require.Positive(t, late)
	require.LessOrEqual(t, late, 90*time.Second)
}

func TestHazard09MoneyInTheGracePeriodStartsItsOwnSaga(t *testing.T) {
	s := newStage(t)
	s.holds()
	s.closes(activities.AttemptReport{Watched: 1}).Once()
	s.releases(ticketing.OrderExpired).Once()
	s.settles(first, rejected(ticketing.OrderExpired, ticketing.RejectLate)).Once()
	s.startsLatePayment(first)
	s.OnActivity(steps.LookAgain, mock.Anything, orderID).Return(activities.AttemptReport{}, nil).Once()
	answer := s.updatePaid(11*time.Minute, first)
	result, took := s.run()
	require.Equal(t, ticketing.OrderExpired, result.State)
	require.Equal(t, 12*time.Minute, took, "hold plus grace")
	require.True(t, answer.done)
	require.NoError(t, answer.err)
}

func TestHazard11TheSecondPaymentOfAnOrderGoesBack(t *testing.T) {
	s := newStage(t)
	s.holds()
	s.settles(first, accepted(1)).Once()
	s.closes(activities.AttemptReport{Captured: []string{second}, Watched: 0}).Once()
	s.settles(second, rejected(ticketing.OrderPaid, ticketing.RejectDouble)).Once()
	s.startsLatePayment(second)
	s.signalPaid(time.Minute, first)
	result, _ := s.run()
	require.Equal(t, ticketing.OrderPaid, result.State)
}

func TestHazard01EqualNoticesHaveOneEffect(t *testing.T) {
	s := newStage(t)
	s.holds()
	s.settles(first, accepted(0)) // the store answers every repeat alike
	for range 50 {
		s.signalPaid(time.Minute, first)
	}
	result, took := s.run()
	require.Equal(t, ticketing.OrderPaid, result.State)
	require.Equal(t, time.Minute, took)
}

func TestSignalsThatArriveDuringTheReleaseAreDrained(t *testing.T) {
	s := newStage(t)
	s.holds()
	s.closes(activities.AttemptReport{}).Once()
	s.OnActivity(steps.Release, mock.Anything, orderID, ticketing.OrderExpired).Return(
		func(context.Context, string, ticketing.OrderState) (ticketing.OrderState, error) {
			s.SignalWorkflow(workflows.SignalPayment, workflows.PaymentNotice{AttemptID: first})
			return ticketing.OrderExpired, nil
		}).Once()
	s.settles(first, rejected(ticketing.OrderExpired, ticketing.RejectLate)).Once()
	s.startsLatePayment(first)
	result, _ := s.run()
	require.Equal(t, ticketing.OrderExpired, result.State)
}

func TestCancelledByAnOperatorStillGivesTheStockBack(t *testing.T) {
	s := newStage(t)
	s.holds()
	s.closes(activities.AttemptReport{}).Once()
	s.releases(ticketing.OrderCancelled).Once()
	s.after(time.Minute, s.CancelWorkflow)
	result, took := s.run()
	require.Equal(t, ticketing.OrderCancelled, result.State)
	require.Equal(t, time.Minute, took)
}

func TestHazard23StockLostAfterPaymentFailsTheOrderAndRefunds(t *testing.T) {
	s := newStage(t)
	s.holds()
	s.settles(first, rejected(ticketing.OrderFailed, ticketing.RejectStockLost)).Once()
	s.startsLatePayment(first)
	s.signalPaid(time.Minute, first)
	result, _ := s.run()
	require.Equal(t, ticketing.OrderFailed, result.State)
}

func TestHazard08AWrongAmountLeavesTheHoldAndGoesBack(t *testing.T) {
	s := newStage(t)
	s.holds()
	s.settles(first, rejected(ticketing.OrderPending, ticketing.RejectAmount)).Once()
	s.startsLatePayment(first)
	s.settles(second, accepted(0)).Once()
	s.signalPaid(time.Minute, first)
	s.signalPaid(2*time.Minute, second)
	result, took := s.run()
	require.Equal(t, ticketing.OrderPaid, result.State)
	require.Equal(t, 2*time.Minute, took)
}

func TestARestartedPurchaseKeepsItsFirstDeadline(t *testing.T) {
	s := newStage(t)
	s.OnActivity(steps.Hold, mock.Anything, mock.Anything).
		Return(ticketing.HoldResult{State: ticketing.OrderPending, PayBy: began.Add(-time.Hour), Quote: priced}, nil).Once()
	s.closes(activities.AttemptReport{}).Once()
	s.releases(ticketing.OrderExpired).Once()
	_, took := s.run()
	require.Zero(t, took)
}

func TestHazard38AStepThatKeepsFailingAsksForAPersonAndGoesOnWhenItCan(t *testing.T) {
	s := newStage(t)
	s.OnActivity(steps.Hold, mock.Anything, mock.Anything).Return(
		func(_ context.Context, r ticketing.HoldRequest) (ticketing.HoldResult, error) {
			if s.Now().Sub(began) < 150*time.Second { // the tenth try; the test server knows no more
				return ticketing.HoldResult{}, errors.New("connection refused")
			}
			return ticketing.HoldResult{State: ticketing.OrderPending, PayBy: s.Now().Add(time.Minute), Quote: priced}, nil
		})
	var notes []bool
	s.OnActivity(steps.FlagAttention, mock.Anything, orderID, "hold the stock", mock.Anything).Return(
		func(_ context.Context, _, _ string, needed bool) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			notes = append(notes, needed)
			return nil
		})
	var flags []bool
	s.OnUpsertTypedSearchAttributes(mock.Anything).Return(nil).Run(func(args mock.Arguments) {
		if value, ok := args.Get(0).(temporal.SearchAttributes).GetBool(workflows.NeedsAttention); ok {
			flags = append(flags, value)
		}
	})
	s.closes(activities.AttemptReport{}).Once()
	s.releases(ticketing.OrderExpired).Once()
	result, _ := s.run()
	require.Equal(t, ticketing.OrderExpired, result.State)
	require.Equal(t, []bool{true, false}, notes, "set while it fails, cleared when it works")
	require.Equal(t, []bool{true, false}, flags)
}
