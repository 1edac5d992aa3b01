package workflows_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/mocks"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/workflows"
)

var (
	given = ticketing.Refund{
		ID: "1NG0DJ0REFUND000000000TEST", AttemptID: first, OrderID: orderID, Provider: "sandbox", GatewayID: "gw",
		Amount: ticketing.Money{Amount: 36100, Currency: "CNY"}, Fee: 1900, TicketIDs: []string{"t1"},
		State: ticketing.RefundPending, Reason: ticketing.RefundRequested,
	}
	asked = ticketing.RefundRequest{ID: given.ID, OrderID: orderID, Request: "intent", TicketIDs: []string{"t1"}, Expected: given.Amount}
)

// accepts lets the tickets be taken back.
func (s *stage) accepts() {
	s.OnActivity(payments.RequestRefund, mock.Anything, asked).Return(ticketing.RefundAnswer{Refund: given}, nil).Once()
}

// gateway scripts what the gateway says to the refund, answer by answer; it always hears the same id.
func (s *stage) gateway(answers ...any) {
	for _, a := range answers {
		said := given
		var err error
		switch a := a.(type) {
		case ticketing.RefundState:
			said.State = a
		case error:
			err = a
		}
		s.OnActivity(payments.SendRefund, mock.Anything, mock.MatchedBy(func(r ticketing.Refund) bool { return r.ID == given.ID })).Return(said, err).Once()
	}
}

// flags notes what the timeline hears of the step.
func (s *stage) flags() *[]bool {
	notes := &[]bool{}
	s.OnActivity(steps.FlagAttention, mock.Anything, orderID, "refund at the gateway", mock.Anything).Return(
		func(_ context.Context, _, _ string, needed bool) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			*notes = append(*notes, needed)
			return nil
		})
	return notes
}

// asksForAnswer sends the update that comes with the start.
func (s *stage) asksForAnswer() *outcome[ticketing.RefundAnswer] {
	o := &outcome[ticketing.RefundAnswer]{}
	s.after(0, func() { s.UpdateWorkflow(workflows.UpdateAccepted, "accepted", o) })
	return o
}

func (s *stage) runRefund() (workflows.RefundResult, time.Duration) {
	s.t.Helper()
	s.ExecuteWorkflow(workflows.Refund, workflows.RefundInput{Request: asked})
	require.True(s.t, s.IsWorkflowCompleted())
	require.NoError(s.t, s.GetWorkflowError())
	var result workflows.RefundResult
	require.NoError(s.t, s.GetWorkflowResult(&result))
	return result, s.Now().Sub(began)
}

func TestARefundIsAcceptedThenSent(t *testing.T) {
	s := newStage(t)
	s.accepts()
	s.gateway(ticketing.RefundSucceeded)
	answer := s.asksForAnswer()
	result, took := s.runRefund()
	require.Equal(t, workflows.RefundResult{RefundID: given.ID, State: ticketing.RefundSucceeded}, result)
	require.Zero(t, took)
	require.NoError(t, answer.err)
	require.Equal(t, ticketing.RefundAnswer{Refund: given}, answer.result, "what the buyer hears does not wait for the gateway")
}

func TestARefundThatIsRefusedReachesNoGateway(t *testing.T) {
	s := newStage(t)
	why := &ticketing.Refusal{Code: ticketing.CodePriceChanged, Message: "36000 CNY goes back now"}
	s.OnActivity(payments.RequestRefund, mock.Anything, asked).Return(ticketing.RefundAnswer{Refusal: why}, nil).Once()
	answer := s.asksForAnswer()
	result, _ := s.runRefund()
	require.Equal(t, workflows.RefundResult{Refusal: why}, result)
	require.Equal(t, why, answer.result.Refusal)
}

func TestTheSameRefundOfAnotherWorkflowIsLeftToIt(t *testing.T) {
	s := newStage(t)
	other := given
	other.ID = "1NG0DJ1REFUND000000000TEST"
	s.OnActivity(payments.RequestRefund, mock.Anything, asked).Return(ticketing.RefundAnswer{Refund: other}, nil).Once()
	answer := s.asksForAnswer()
	result, _ := s.runRefund()
	require.Equal(t, other.ID, result.RefundID)
	require.Equal(t, other, answer.result.Refund)
}

func TestARefundThatIsDoneIsNotSentAgain(t *testing.T) {
	s := newStage(t)
	done := given
	done.State = ticketing.RefundSucceeded
	s.OnActivity(payments.RequestRefund, mock.Anything, asked).Return(ticketing.RefundAnswer{Refund: done}, nil).Once()
	result, _ := s.runRefund()
	require.Equal(t, ticketing.RefundSucceeded, result.State)
}

func TestAPendingRefundIsAskedAboutAtGrowingIntervals(t *testing.T) {
	s := newStage(t)
	s.accepts()
	s.gateway(ticketing.RefundPending, ticketing.RefundPending, ticketing.RefundPending, ticketing.RefundSucceeded)
	_, took := s.runRefund()
	require.Equal(t, (1+2+4)*time.Second, took)
}

func TestACallbackEndsTheWait(t *testing.T) {
	s := newStage(t)
	s.accepts()
	s.gateway(ticketing.RefundPending, ticketing.RefundPending, ticketing.RefundPending, ticketing.RefundPending, ticketing.RefundSucceeded)
	s.after(8500*time.Millisecond, func() { s.SignalWorkflow(workflows.SignalRefund, nil) })
	_, took := s.runRefund()
	require.Equal(t, 8500*time.Millisecond, took, "the next question would have been after 15 seconds")
}

func TestHazard19TheRefundOfTicketsKeepsItsIDThroughEveryFault(t *testing.T) {
	s := newStage(t)
	s.accepts()
	notes := s.flags()
	var ids []string
	s.OnActivity(payments.SendRefund, mock.Anything, mock.Anything).Return(
		func(_ context.Context, r ticketing.Refund) (ticketing.Refund, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			ids = append(ids, r.ID)
			switch n := len(ids); {
			case n <= 4:
				return r, payment.ErrLowBalance
			case n <= 9:
				return r, payment.ErrUnavailable
			}
			r.State = ticketing.RefundSucceeded
			return r, nil
		})
	result, took := s.runRefund()
	require.Equal(t, ticketing.RefundSucceeded, result.State)
	require.Len(t, ids, 10)
	for _, id := range ids {
		require.Equal(t, given.ID, id)
	}
	require.Greater(t, took, 2*time.Minute)
	require.Equal(t, []bool{true, false}, *notes, "after a minute of failing somebody was asked to look, and it was taken back")
}

func TestHazard19ARefundPendingForADayIsEscalated(t *testing.T) {
	s := newStage(t)
	s.accepts()
	notes := s.flags()
	asks := 0
	s.OnActivity(payments.SendRefund, mock.Anything, mock.Anything).Return(
		func(_ context.Context, r ticketing.Refund) (ticketing.Refund, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			asks++
			if s.Now().Sub(began) > 72*time.Hour {
				r.State = ticketing.RefundSucceeded
			}
			return r, nil
		})
	_, took := s.runRefund()
	require.Equal(t, []bool{true, false}, *notes)
	require.InDelta(t, 72, took.Hours(), 1.1, "after a day it is asked about once an hour")
	require.Less(t, asks, 215)
}

func TestHazard20AFailedRefundOfTicketsWaitsForAPerson(t *testing.T) {
	for name, signal := range map[string]string{"a person": workflows.SignalRetry, "the gateway": workflows.SignalRefund} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.accepts()
			notes := s.flags()
			s.gateway(ticketing.RefundPending, ticketing.RefundFailed, ticketing.RefundSucceeded)
			s.after(100*time.Hour, func() { s.SignalWorkflow(signal, nil) })
			result, took := s.runRefund()
			require.Equal(t, ticketing.RefundSucceeded, result.State)
			require.Equal(t, 100*time.Hour, took)
			require.Equal(t, []bool{true, false}, *notes)
		})
	}
}

func TestTheDatabaseAwayDelaysTheAnswer(t *testing.T) {
	s := newStage(t)
	failures := 0
	s.OnActivity(payments.RequestRefund, mock.Anything, asked).Return(func(context.Context, ticketing.RefundRequest) (ticketing.RefundAnswer, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if failures++; failures <= 5 {
			return ticketing.RefundAnswer{}, errors.New("connection refused")
		}
		return ticketing.RefundAnswer{Refund: given}, nil
	})
	s.gateway(ticketing.RefundSucceeded)
	answer := s.asksForAnswer()
	result, _ := s.runRefund()
	require.Equal(t, ticketing.RefundSucceeded, result.State)
	require.Equal(t, given, answer.result.Refund)
}

func TestLateMoneyHearsOfItsRefundToo(t *testing.T) {
	s := newStage(t)
	s.settles(first, rejected(ticketing.OrderPaid, ticketing.RejectDouble)).Once()
	s.refunds(ticketing.RefundPending, ticketing.RefundPending, ticketing.RefundSucceeded)
	s.after(1500*time.Millisecond, func() { s.SignalWorkflow(workflows.SignalRefund, nil) })
	_, took, err := s.runLate()
	require.NoError(t, err)
	require.Equal(t, 1500*time.Millisecond, took)
}

func TestWakingFindsTheWorkflowThatGivesTheMoneyBack(t *testing.T) {
	late := given
	late.Reason = ticketing.RefundReason(ticketing.RejectLate)
	for id, refund := range map[string]ticketing.Refund{"refund/" + given.ID: given, "late-payment/sandbox/gw": late} {
		temporal := mocks.NewClient(t)
		temporal.On("SignalWorkflow", mock.Anything, id, "", workflows.SignalRefund, nil).Return(nil).Once()
		require.NoError(t, workflows.NewDelivery(temporal).WakeRefund(t.Context(), refund))
		temporal.On("SignalWorkflow", mock.Anything, id, "", workflows.SignalRefund, nil).Return(serviceerror.NewNotFound("it has ended")).Once()
		require.NoError(t, workflows.NewDelivery(temporal).WakeRefund(t.Context(), refund))
		temporal.On("SignalWorkflow", mock.Anything, id, "", workflows.SignalRefund, nil).Return(serviceerror.NewUnavailable("away")).Once()
		require.Error(t, workflows.NewDelivery(temporal).WakeRefund(t.Context(), refund))
	}
}
