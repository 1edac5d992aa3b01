package systemtest

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/systemtest/stack"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/workflows"
)

// shortHold sells n tickets to buyers who have three seconds to pay.
func shortHold(n int) stack.Options {
	return stack.Options{Events: []ticketing.Event{stack.Show("show", 3*time.Second, n)}}
}

func faults(t *testing.T, s *stack.Stack, f gateway.Faults) {
	t.Helper()
	require.NoError(t, s.Gateway.SetFaults(t.Context(), f))
}

func TestHazard09LateMoneyTakesTheSameStockAgain(t *testing.T) {
	t.Parallel()
	s := stack.New(t, servers(t), shortHold(2))
	order := s.Buy(stack.Want{})
	number := s.Attempt(order)
	require.NoError(t, s.Gateway.PayLate(t.Context(), number, 4*time.Second))
	s.Await(order, ticketing.OrderExpired, soon)
	paid := s.Await(order, ticketing.OrderPaid, soon)
	require.Len(t, paid.Tickets, 1)
	require.Empty(t, paid.Refunds, "exactly one of ticket and refund")
	require.Contains(t, s.Timeline(order), ticketing.EventRetaken)
	s.EndedID(s.Late(number), soon)
	s.Record("late-payment-retaken", s.Late(number))
	s.Ended(order.ID, soon)
}

func TestHazard09LateMoneyGoesBackWhenTheStockIsGone(t *testing.T) {
	s := stack.New(t, servers(t), shortHold(1))
	order := s.Buy(stack.Want{})
	number := s.Attempt(order)
	require.NoError(t, s.Gateway.PayLate(t.Context(), number, 5*time.Second))
	s.Await(order, ticketing.OrderExpired, soon)
	rival := s.BuyOnceFree(stack.Want{Email: "rival@example.com"}, time.Second)
	s.Pay(s.Attempt(rival))
	s.Await(rival, ticketing.OrderPaid, soon)
	stack.Eventually(t, soon, "the late money went back", func() bool {
		now := s.Order(order)
		return len(now.Refunds) == 1 && now.Refunds[0].State == ticketing.RefundSucceeded
	})
	now := s.Order(order)
	require.Equal(t, ticketing.OrderExpired, now.State)
	require.Empty(t, now.Tickets)
	require.Equal(t, order.Total, now.Refunds[0].Amount)
	s.EndedID(s.Late(number), soon)
	s.Record("late-payment-refunded", s.Late(number))
	s.Ended(order.ID, soon)
	s.Record("purchase-expired-late-payment", workflows.PurchaseID(order.ID))
}

func TestHazard26MoneyForAPurchaseThatHasEndedIsNeverForgotten(t *testing.T) {
	t.Parallel()
	s := stack.New(t, servers(t), shortHold(1))
	order := s.Buy(stack.Want{})
	number := s.Attempt(order)
	s.Await(order, ticketing.OrderExpired, soon)
	s.Ended(order.ID, soon) // hold and grace are over
	require.NoError(t, s.Gateway.PayLate(t.Context(), number, 0))
	paid := s.Await(order, ticketing.OrderPaid, soon)
	require.Len(t, paid.Tickets, 1)
	s.EndedID(s.Late(number), soon)
}

func TestHazard03ALostCallbackIsFoundByAsking(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	faults(t, s, gateway.Faults{Lose: true})
	order := s.Buy(stack.Want{})
	number := s.Attempt(order)
	s.Pay(number)
	began := time.Now()
	s.Await(order, ticketing.OrderPaid, 20*time.Second)
	took := time.Since(began)
	t.Logf("a lost callback was found after %s", took.Round(time.Millisecond))
	require.Greater(t, took, time.Second, "nobody told us: it was asked for")
	require.Less(t, took, 10*time.Second)
	require.Zero(t, s.Int("SELECT count(*) FROM callbacks"))
	s.Ended(order.ID, soon)
}

func TestHazard08ADifferingAmountNeverConfirmsAndGoesBack(t *testing.T) {
	for _, f := range []gateway.Faults{{CaptureAmount: 9999}, {CaptureCurrency: "EUR"}} {
		t.Run(fmt.Sprint(f.CaptureAmount, f.CaptureCurrency), func(t *testing.T) {
			s := stack.New(t, servers(t), stack.Options{})
			faults(t, s, f)
			order := s.Buy(stack.Want{})
			number := s.Attempt(order)
			s.Pay(number)
			stack.Eventually(t, soon, "the money went back", func() bool {
				now := s.Order(order)
				return len(now.Refunds) == 1 && now.Refunds[0].State == ticketing.RefundSucceeded
			})
			require.Equal(t, ticketing.OrderPending, s.Order(order).State)
			faults(t, s, gateway.Faults{})
			s.Pay(s.Attempt(order)) // the hold goes on, and the right amount pays it
			s.Await(order, ticketing.OrderPaid, soon)
			s.EndedID(s.Late(number), soon)
			s.Ended(order.ID, soon)
		})
	}
}

func TestHazard11TwoAttemptsPaidOneIsAcceptedTheOtherRefunded(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	faults(t, s, gateway.Faults{Down: []string{"close"}}) // so that the first attempt stays open
	order := s.Buy(stack.Want{})
	first := s.Attempt(order)
	second := s.Attempt(order)
	faults(t, s, gateway.Faults{Reorder: 2})
	s.Pay(first)
	s.Pay(second) // both callbacks leave together, the second first
	paid := s.Await(order, ticketing.OrderPaid, soon)
	require.Len(t, paid.Tickets, 1)
	stack.Eventually(t, soon, "one of the two went back", func() bool {
		now := s.Order(order)
		return len(now.Refunds) == 1 && now.Refunds[0].State == ticketing.RefundSucceeded
	})
	require.Equal(t, 1, s.Int("SELECT count(*) FROM payment_attempts WHERE state = 'ACCEPTED'"))
	require.Equal(t, 1, s.Int("SELECT count(*) FROM payment_attempts WHERE state = 'REFUNDED' AND reject_reason = 'double'"))
	s.Ended(order.ID, soon)
	s.Record("purchase-paid-twice", workflows.PurchaseID(order.ID))
}

func TestHazard02CallbacksOutOfOrderEndInTheSameState(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	faults(t, s, gateway.Faults{Reorder: 3})
	order := s.Buy(stack.Want{})
	first := s.Attempt(order)
	require.NoError(t, s.Gateway.Decline(t.Context(), first))
	second := s.Attempt(order)
	s.Pay(second)
	faults(t, s, gateway.Faults{}) // lets go what was held back: paid first, declined last
	paid := s.Await(order, ticketing.OrderPaid, soon)
	require.Len(t, paid.Tickets, 1)
	stack.Eventually(t, soon, "every callback was acknowledged", func() bool {
		books, err := s.Gateway.Books(t.Context())
		return err == nil && books.Undelivered == 0
	})
	require.Equal(t, ticketing.OrderPaid, s.Order(order).State, "never back from paid")
	s.Ended(order.ID, soon)
}

func TestHazard12ACreateThatTimedOutChargesOnce(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	faults(t, s, gateway.Faults{FailAfter: []string{"create"}})
	order := s.Buy(stack.Want{})
	number, answer := s.TryPay(order, sandbox.MethodWallet)
	faults(t, s, gateway.Faults{})
	if answer.Status == http.StatusCreated { // found by asking
		require.NotEmpty(t, number)
	} else {
		require.Equal(t, ticketing.CodeMethodUnavailable, answer.Problem.Code)
		number = s.Attempt(order)
	}
	s.Pay(number)
	paid := s.Await(order, ticketing.OrderPaid, soon)
	require.Len(t, paid.Tickets, 1)
	books, err := s.Gateway.Books(t.Context())
	require.NoError(t, err)
	captured := 0
	for _, p := range books.Payments {
		if p.Captured != nil {
			captured++
		}
	}
	require.Equal(t, 1, captured)
	s.Ended(order.ID, soon)
}

func TestHazard13AGatewayThatIsDownOffersAnotherTry(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	faults(t, s, gateway.Faults{Down: []string{"create"}})
	order := s.Buy(stack.Want{})
	_, answer := s.TryPay(order, sandbox.MethodWallet)
	require.Equal(t, http.StatusServiceUnavailable, answer.Status)
	require.Equal(t, ticketing.CodeMethodUnavailable, answer.Problem.Code)
	now := s.Order(order)
	require.Equal(t, ticketing.OrderPending, now.State)
	require.WithinDuration(t, order.PayBy, now.PayBy, 0, "the hold clock runs on")
	faults(t, s, gateway.Faults{})
	s.Pay(s.Attempt(order))
	s.Await(order, ticketing.OrderPaid, soon)
	s.Ended(order.ID, soon)
}

func TestHazard14AGatewayThatIsDownAtTheDeadlineKeepsStockForABoundedTime(t *testing.T) {
	s := stack.New(t, servers(t), shortHold(1))
	order := s.Buy(stack.Want{})
	number := s.Attempt(order)
	faults(t, s, gateway.Faults{Down: []string{"*"}, Lose: true})
	require.NoError(t, s.Gateway.PayLate(t.Context(), number, 3500*time.Millisecond)) // just after the deadline, and nobody tells us
	s.Await(order, ticketing.OrderExpired, soon)
	late := s.Int(`SELECT (extract(epoch FROM e.at - o.pay_by) * 1000)::int FROM order_events e JOIN orders o ON o.id = e.order_id
		WHERE o.id = $1 AND e.kind = 'expired'`, order.ID)
	require.Less(t, late, 6000, "milliseconds after the deadline; the bound is 2 s and the pauses between tries")
	require.Equal(t, 1, s.Stock("show-1-1").Free)
	faults(t, s, gateway.Faults{}) // the gateway is back: the last look finds the money
	s.Await(order, ticketing.OrderPaid, long)
	s.EndedID(s.Late(number), soon)
	s.Ended(order.ID, soon)
	s.Record("purchase-gateway-down", workflows.PurchaseID(order.ID))
}

func TestHazard17AnUnknownOutcomeKeepsTheStockUntilItIsKnown(t *testing.T) {
	s := stack.New(t, servers(t), shortHold(1))
	order := s.Buy(stack.Want{})
	number := s.Attempt(order)
	require.NoError(t, s.Gateway.Process(t.Context(), number, 6*time.Second))
	time.Sleep(time.Until(order.PayBy.Add(time.Second))) // past the deadline, by which nothing may have happened
	require.Equal(t, ticketing.OrderPending, s.Order(order).State)
	require.Equal(t, 1, s.Stock("show-1-1").Held)
	paid := s.Await(order, ticketing.OrderPaid, soon)
	require.Len(t, paid.Tickets, 1)
	require.NotContains(t, s.Timeline(order), ticketing.EventExpired)
	s.Ended(order.ID, soon)
	s.Record("purchase-outcome-unknown", workflows.PurchaseID(order.ID))
}

func TestHazard19ARefundWhoseAnswerIsLostIsSentOnce(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	faults(t, s, gateway.Faults{CaptureAmount: 1, FailAfter: []string{"refund"}})
	order := s.Buy(stack.Want{})
	number := s.Attempt(order)
	s.Pay(number)
	s.EndedID(lateOnceKnown(t, s, number), long)
	books, err := s.Gateway.Books(t.Context())
	require.NoError(t, err)
	require.Len(t, books.Refunds, 1)
	calls, err := s.Gateway.Calls(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, calls["refund/"+books.Refunds[0].ID], "after an unknown answer it was asked about, not sent again")
	s.Cancel(order)
	s.Ended(order.ID, soon)
}

func TestHazard20ARefundThatFailsForGoodWaitsForAPersonInPlainSight(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	faults(t, s, gateway.Faults{CaptureAmount: 1, RefundFails: true})
	order := s.Buy(stack.Want{})
	number := s.Attempt(order)
	s.Pay(number)
	late := lateOnceKnown(t, s, number)
	stack.Eventually(t, soon, "the saga asks for a person", func() bool { return s.Attention(late) })
	require.Contains(t, s.Details(late), "Needs attention")
	require.Contains(t, s.Timeline(order), ticketing.EventNeedsAttention)
	// The person settles it at the gateway, and tells the saga to look again.
	faults(t, s, gateway.Faults{})
	require.NoError(t, s.Gateway.SettleRefund(t.Context(), s.Order(order).Refunds[0].ID))
	require.NoError(t, s.Engine.SignalWorkflow(t.Context(), late, "", workflows.SignalRetry, nil))
	s.EndedID(late, soon)
	s.Record("late-payment-refund-failed", late)
	require.False(t, s.Attention(late), "and takes it back")
	require.Equal(t, ticketing.RefundSucceeded, s.Order(order).Refunds[0].State)
	s.Cancel(order)
	s.Ended(order.ID, soon)
}

// lateOnceKnown waits until the captured money is known, and names its saga.
func lateOnceKnown(t *testing.T, s *stack.Stack, number string) string {
	t.Helper()
	stack.Eventually(t, soon, "the captured money is known", func() bool {
		return s.Int("SELECT count(*) FROM payment_attempts WHERE id = $1 AND captured_amount IS NOT NULL", number) == 1
	})
	return s.Late(number)
}
