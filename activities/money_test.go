package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/ticketing"
)

// observer keeps the holds it hears of.
type observer map[string]ticketing.HoldResult

func (o observer) Held(orderID string, result ticketing.HoldResult) { o[orderID] = result }

func TestAHoldIsCountedAndObserved(t *testing.T) {
	s := newScene(t)
	heard := observer{}
	s.purchase.Observer = heard
	r := request()
	held := done[ticketing.HoldResult](s, s.purchase.Hold, r)
	require.Equal(t, ticketing.OrderPending, held.State)
	require.Equal(t, held.Quote, heard[r.OrderID].Quote)
	require.Equal(t, ticketing.OrderPending, heard[r.OrderID].State)
	require.Equal(t, 1, s.count("holds_total", "", "PENDING"))

	greedy := request()
	greedy.Lines[0].Quantity = 11
	refused := done[ticketing.HoldResult](s, s.purchase.Hold, greedy)
	require.Equal(t, ticketing.OrderRefused, refused.State, "a refusal is a result, not an error")
	require.Equal(t, ticketing.OrderRefused, heard[greedy.OrderID].State)
	require.Equal(t, 1, s.count("holds_total", string(refused.Refusal.Code), "REFUSED"))

	s.store.Close()
	lost := request()
	_, err := step[ticketing.HoldResult](s, s.purchase.Hold, lost)
	require.Error(t, err)
	require.NotContains(t, heard, lost.OrderID, "nobody hears of what did not happen")
}

func TestAStepNeedsNeitherMetricsNorAnObserver(t *testing.T) {
	s := newScene(t)
	s.purchase.Metrics, s.payments.Metrics = nil, nil
	r := request()
	done[ticketing.HoldResult](s, s.purchase.Hold, r)
	attempt := s.opened(r.OrderID)
	s.faults(gateway.Faults{CaptureAmount: 1})
	s.pay(attempt)
	s.closes(r.OrderID)
	settled := done[ticketing.Settlement](s, s.purchase.Settle, attempt.ID)
	require.Equal(t, ticketing.RejectAmount, settled.Reason)
	refund := done[ticketing.Refund](s, s.payments.StartRefund, attempt.ID)
	require.Equal(t, ticketing.RefundSucceeded, done[ticketing.Refund](s, s.payments.SendRefund, refund).State)
	done[struct{}](s, s.purchase.FlagAttention, r.OrderID, "a step", true)
}

func TestAttentionIsNotedOnTheTimelineAndCountedOnce(t *testing.T) {
	s := newScene(t)
	order := s.held()
	done[struct{}](s, s.purchase.FlagAttention, order, "release the stock", true)
	events, err := s.store.OrderEvents(t.Context(), order, 0)
	require.NoError(t, err)
	require.Equal(t, ticketing.EventNeedsAttention, events[len(events)-1].Kind)
	done[struct{}](s, s.purchase.FlagAttention, order, "release the stock", false)
	done[struct{}](s, s.purchase.FlagAttention, "", "the sweep", true)
	require.Equal(t, 2, s.count("attention_total", "needed"))
	require.Equal(t, 1, s.count("attention_total", "cleared"))

	s.store.Close()
	_, err = step[struct{}](s, s.purchase.FlagAttention, order, "release the stock", true)
	require.Error(t, err)
	require.Equal(t, 2, s.count("attention_total", "needed"), "a note that is tried again counts once")
}

// owed is the stored refund of a payment that captured the wrong amount.
func (s *scene) owed() ticketing.Refund {
	s.Helper()
	attempt := s.opened(s.held())
	s.faults(gateway.Faults{CaptureAmount: 1})
	s.pay(attempt)
	s.faults(gateway.Faults{})
	s.closes(attempt.OrderID)
	settled := done[ticketing.Settlement](s, s.purchase.Settle, attempt.ID)
	require.Equal(s, ticketing.VerdictReject, settled.Verdict)
	return s.storedRefund(attempt)
}

func (s *scene) storedRefund(attempt ticketing.PaymentAttempt) ticketing.Refund {
	s.Helper()
	refund := done[ticketing.Refund](s, s.payments.StartRefund, attempt.ID)
	require.Equal(s, ticketing.RefundPending, refund.State)
	require.Equal(s, refund.ID, done[ticketing.Refund](s, s.payments.StartRefund, attempt.ID).ID, "stored once")
	return refund
}

func (s *scene) sends(refund ticketing.Refund) ticketing.Refund {
	s.Helper()
	return done[ticketing.Refund](s, s.payments.SendRefund, refund)
}

// wantRefund checks what the database and the gateway's own books say of a refund.
func (s *scene) wantRefund(refund ticketing.Refund, state ticketing.RefundState, given int) {
	s.Helper()
	order, err := s.store.Order(s.Context(), refund.OrderID)
	require.NoError(s, err)
	require.Len(s, order.Refunds, 1)
	require.Equal(s, state, order.Refunds[0].State)
	books, err := s.control.Books(s.Context())
	require.NoError(s, err)
	n := 0
	for _, e := range books.Entries {
		if e.RefundID == refund.ID {
			require.Equal(s, -refund.Amount.Amount, e.Amount.Amount)
			n++
		}
	}
	require.Equal(s, given, n, "movements of money")
}

func TestHazard19ARefundIsAskedAboutBeforeItIsSent(t *testing.T) {
	s := newScene(t)
	refund := s.owed()
	require.Equal(t, ticketing.RefundSucceeded, s.sends(refund).State)
	require.Equal(t, 1, s.calls("query_refund", refund.ID))
	require.Equal(t, 1, s.calls("refund", refund.ID))
	s.wantRefund(refund, ticketing.RefundSucceeded, 1)
	require.Equal(t, ticketing.RefundSucceeded, s.sends(refund).State)
	require.Equal(t, 1, s.calls("query_refund", refund.ID), "what is stored needs no question")
	require.Equal(t, 1, s.calls("refund", refund.ID), "never sent again")
	s.wantRefund(refund, ticketing.RefundSucceeded, 1)
}

func TestHazard19ALostAnswerGivesTheMoneyBackOnce(t *testing.T) {
	for name, fault := range map[string]gateway.Faults{
		"connection cut": {Cut: []string{"refund"}},
		"500 afterwards": {FailAfter: []string{"refund"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			refund := s.owed()
			s.faults(fault)
			_, err := step[ticketing.Refund](s, s.payments.SendRefund, refund)
			require.Error(t, err, "what became of it is unknown")
			s.wantRefund(refund, ticketing.RefundPending, 1)
			s.faults(gateway.Faults{})
			require.Equal(t, ticketing.RefundSucceeded, s.sends(refund).State)
			require.Equal(t, 1, s.calls("refund", refund.ID))
			s.wantRefund(refund, ticketing.RefundSucceeded, 1)
			require.Equal(t, 1, s.count("refunds_total", "SUCCEEDED"))
		})
	}
}

func TestHazard20ARefusedRefundIsRecordedAsFailed(t *testing.T) {
	s := newScene(t)
	attempt := s.opened(s.held())
	// The gateway's answer was wrong, or our books are: it captured nothing there and will refuse for good.
	require.NoError(t, s.store.RecordPayment(t.Context(), ticketing.PaymentFact{
		Provider: attempt.Provider, AttemptID: attempt.ID, GatewayID: attempt.GatewayID, State: ticketing.PaymentPaid,
		Captured: ticketing.Money{Amount: 1, Currency: "CNY"}, At: time.Now(),
	}))
	done[ticketing.Settlement](s, s.purchase.Settle, attempt.ID)
	refund := s.storedRefund(attempt)
	require.Equal(t, ticketing.RefundFailed, s.sends(refund).State)
	s.wantRefund(refund, ticketing.RefundFailed, 0)
	require.Equal(t, 1, s.count("refunds_total", "FAILED"))
}

func TestHazard20AFailedRefundSucceedsWhenAPersonHasSettledIt(t *testing.T) {
	s := newScene(t)
	refund := s.owed()
	s.faults(gateway.Faults{RefundFails: true})
	failed := s.sends(refund)
	require.Equal(t, ticketing.RefundFailed, failed.State)
	s.wantRefund(refund, ticketing.RefundFailed, 0)
	require.NoError(t, s.control.SettleRefund(t.Context(), refund.ID))
	require.Equal(t, ticketing.RefundSucceeded, s.sends(failed).State)
	s.wantRefund(refund, ticketing.RefundSucceeded, 1)
}

func TestAPendingRefundIsAskedAboutAgain(t *testing.T) {
	s := newScene(t)
	refund := s.owed()
	s.faults(gateway.Faults{RefundPending: int(time.Hour / time.Millisecond)})
	require.Equal(t, ticketing.RefundPending, s.sends(refund).State)
	require.Equal(t, ticketing.RefundPending, s.sends(refund).State)
	s.wantRefund(refund, ticketing.RefundPending, 0)
	require.NoError(t, s.control.SettleRefund(t.Context(), refund.ID))
	require.Equal(t, ticketing.RefundSucceeded, s.sends(refund).State)
	require.Equal(t, 1, s.calls("refund", refund.ID))
	s.wantRefund(refund, ticketing.RefundSucceeded, 1)
}

// A refund that failed before and is under way now must not be reported as failed: its saga would
// wait for a person instead of asking again.
func TestAFailedRefundThatIsUnderWayAgainIsPending(t *testing.T) {
	s := newScene(t)
	refund := s.owed()
	s.faults(gateway.Faults{RefundPending: int(time.Hour / time.Millisecond)})
	refund.State = ticketing.RefundFailed
	require.Equal(t, ticketing.RefundPending, s.sends(refund).State)
}

func TestARefundTheGatewayCannotPayNowIsTriedAgain(t *testing.T) {
	s := newScene(t)
	refund := s.owed()
	s.faults(gateway.Faults{LowBalance: true})
	_, err := step[ticketing.Refund](s, s.payments.SendRefund, refund)
	require.Error(t, err)
	s.wantRefund(refund, ticketing.RefundPending, 0)
	s.faults(gateway.Faults{Down: []string{"query_refund"}})
	_, err = step[ticketing.Refund](s, s.payments.SendRefund, refund)
	require.Error(t, err)
	require.Equal(t, 1, s.calls("refund", refund.ID), "not sent before the gateway has said that it does not know it")
	s.faults(gateway.Faults{})
	require.Equal(t, ticketing.RefundSucceeded, s.sends(refund).State)
}

func TestARefundNeedsItsGateway(t *testing.T) {
	s := newScene(t)
	refund := s.owed()
	elsewhere := refund
	elsewhere.Provider = "elsewhere"
	_, err := step[ticketing.Refund](s, s.payments.SendRefund, elsewhere)
	require.ErrorContains(t, err, `no gateway "elsewhere" is configured`)
	s.wantRefund(refund, ticketing.RefundPending, 0)
}

func TestARefundCountsOnceItIsRecorded(t *testing.T) {
	s := newScene(t)
	refund := s.owed()
	s.store.Close()
	_, err := step[ticketing.Refund](s, s.payments.SendRefund, refund)
	require.Error(t, err)
	require.Zero(t, s.count("refunds_total", "SUCCEEDED"))
}
