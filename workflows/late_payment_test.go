package workflows_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/workflows"
)

var owed = ticketing.Refund{
	ID: "REFUND00000000000000000001", AttemptID: first, OrderID: orderID, Provider: "sandbox",
	Amount: ticketing.Money{Amount: 38000, Currency: "CNY"}, State: ticketing.RefundPending,
}

func (s *stage) runLate() (workflows.LatePaymentResult, time.Duration, error) {
	s.t.Helper()
	s.ExecuteWorkflow(workflows.LatePayment, workflows.LatePaymentInput{Provider: "sandbox", AttemptID: first})
	require.True(s.t, s.IsWorkflowCompleted())
	var result workflows.LatePaymentResult
	err := s.GetWorkflowError()
	if err == nil {
		require.NoError(s.t, s.GetWorkflowResult(&result))
	}
	return result, s.Now().Sub(began), err
}

// refunds scripts what the gateway says to the stored refund, answer by answer.
func (s *stage) refunds(states ...ticketing.RefundState) {
	s.OnActivity(payments.StartRefund, mock.Anything, first).Return(owed, nil).Once()
	for _, state := range states {
		answer := owed
		answer.State = state
		s.OnActivity(payments.SendRefund, mock.Anything, mock.MatchedBy(func(r ticketing.Refund) bool { return r.ID == owed.ID })).
			Return(answer, nil).Once()
	}
}

func TestLateMoneyTakesTheSameStockAgain(t *testing.T) {
	s := newStage(t)
	s.settles(first, rejected(ticketing.OrderExpired, ticketing.RejectLate)).Once()
	s.OnActivity(payments.Retake, mock.Anything, first).Return(true, nil).Once()
	result, _, err := s.runLate()
	require.NoError(t, err)
	require.True(t, result.Accepted)
	require.Empty(t, result.RefundID, "exactly one of ticket and refund")
}

func TestLateMoneyGoesBackWhenTheStockIsGone(t *testing.T) {
	s := newStage(t)
	s.settles(first, rejected(ticketing.OrderExpired, ticketing.RejectLate)).Once()
	s.OnActivity(payments.Retake, mock.Anything, first).Return(false, nil).Once()
	s.refunds(ticketing.RefundPending, ticketing.RefundPending, ticketing.RefundSucceeded)
	result, took, err := s.runLate()
	require.NoError(t, err)
	require.Equal(t, workflows.LatePaymentResult{RefundID: owed.ID, Refund: ticketing.RefundSucceeded}, result)
	require.Equal(t, 3*time.Second, took, "asked again after one and after two seconds")
}

func TestMoneyRejectedForAnotherReasonNeverTakesStock(t *testing.T) {
	for _, reason := range []ticketing.RejectReason{
		ticketing.RejectDouble, ticketing.RejectAmount, ticketing.RejectStockLost, ticketing.RejectUnknownOrder,
	} {
		t.Run(string(reason), func(t *testing.T) {
			s := newStage(t)
			s.OnActivity(payments.Retake, mock.Anything, mock.Anything).Return(false, errors.New("must not be called")).Never()
			s.settles(first, rejected(ticketing.OrderPaid, reason)).Once()
			s.refunds(ticketing.RefundSucceeded)
			result, _, err := s.runLate()
			require.NoError(t, err)
			require.Equal(t, ticketing.RefundSucceeded, result.Refund)
		})
	}
}

func TestMoneyThatPaysItsOrderAfterAllIsKept(t *testing.T) {
	s := newStage(t)
	s.settles(first, accepted(0)).Once()
	result, _, err := s.runLate()
	require.NoError(t, err)
	require.True(t, result.Accepted)
}

func TestNothingCapturedIsNothingToGiveBack(t *testing.T) {
	s := newStage(t)
	s.settles(first, ticketing.Settlement{Verdict: ticketing.VerdictNone, Order: ticketing.OrderPending}).Once()
	_, _, err := s.runLate()
	var application *temporal.ApplicationError
	require.ErrorAs(t, err, &application)
	require.Equal(t, string(ticketing.CodeNotFound), application.Type())
}

func TestHazard20AFailedRefundWaitsForAPerson(t *testing.T) {
	s := newStage(t)
	s.settles(first, rejected(ticketing.OrderPaid, ticketing.RejectDouble)).Once()
	s.refunds(ticketing.RefundFailed, ticketing.RefundSucceeded)
	var notes []bool
	s.OnActivity(steps.FlagAttention, mock.Anything, orderID, "refund at the gateway", mock.Anything).Return(
		func(_ context.Context, _, _ string, needed bool) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			notes = append(notes, needed)
			return nil
		})
	s.after(48*time.Hour, func() { s.SignalWorkflow(workflows.SignalRetry, nil) })
	result, took, err := s.runLate()
	require.NoError(t, err)
	require.Equal(t, ticketing.RefundSucceeded, result.Refund)
	require.Equal(t, 48*time.Hour, took)
	require.Equal(t, []bool{true, false}, notes)
}

func TestHazard19TheRefundIDNeverChanges(t *testing.T) {
	s := newStage(t)
	s.settles(first, rejected(ticketing.OrderPaid, ticketing.RejectDouble)).Once()
	s.OnActivity(payments.StartRefund, mock.Anything, first).Return(owed, nil).Once()
	var ids []string
	s.OnActivity(payments.SendRefund, mock.Anything, mock.Anything).Return(
		func(_ context.Context, r ticketing.Refund) (ticketing.Refund, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			ids = append(ids, r.ID)
			if len(ids) < 6 {
				return r, errors.New("500 Internal Server Error")
			}
			r.State = ticketing.RefundSucceeded
			return r, nil
		})
	result, _, err := s.runLate()
	require.NoError(t, err)
	require.Equal(t, ticketing.RefundSucceeded, result.Refund)
	require.Len(t, ids, 6)
	for _, id := range ids {
		require.Equal(t, owed.ID, id)
	}
}

func TestTheSweepGoesOnForEver(t *testing.T) {
	s := newStage(t)
	s.OnActivity(payments.Sweep, mock.Anything, mock.Anything).Return(nil)
	s.ExecuteWorkflow(workflows.PaymentSweep)
	require.True(t, s.IsWorkflowCompleted())
	require.True(t, workflow.IsContinueAsNewError(s.GetWorkflowError()), "%v", s.GetWorkflowError())
}
