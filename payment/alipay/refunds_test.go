package alipay_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/alipay/alipaytest"
	"github.com/boxoffice/boxoffice/payment/paymenttest"
)

// The same id moves money once, however often and whenever it is sent; "fund_change": "N" is how the gateway says so.
func TestHazard19TheSameIDNeverRefundsTwice(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	refund := w.refund(paid, 1_000)
	first, err := w.provider.Refund(t.Context(), refund)
	require.NoError(t, err)
	for range 3 {
		w.wait(time.Hour)
		again, err := w.provider.Refund(t.Context(), refund)
		require.NoError(t, err)
		require.Equal(t, payment.RefundSucceeded, again.State)
		require.Equal(t, first.GatewayID, again.GatewayID)
		require.WithinDuration(t, first.At, again.At, time.Second, "when it was made, not when it was asked for again")
	}
	require.Equal(t, 4, w.gateway.Asked("alipay.trade.refund"), "the adapter itself repeats nothing")
	require.Len(t, w.gateway.Refunds(refund.ID), 1)
	trade, _ := w.gateway.Trade(paid.Number)
	require.Equal(t, int64(1_000), trade.Refunded)

	refund.Amount = cny(1_001)
	_, err = w.provider.Refund(t.Context(), refund)
	paymenttest.Only(t, payment.ErrRejected, err, "an id is not used for other terms")
	_, err = w.provider.QueryRefund(t.Context(), refund)
	paymenttest.Only(t, payment.ErrUnavailable, err, "what was made is not what is asked about")
}

// An id is the payment's own: the same one at another payment is another refund, and is told apart.
func TestARefundIsOfItsPayment(t *testing.T) {
	w := newWorld(t)
	one, other := w.paid(t), w.paid(t)
	refund := w.refund(one, 1_000)
	_, err := w.provider.Refund(t.Context(), refund)
	require.NoError(t, err)
	refund.Number = other.Number
	_, err = w.provider.QueryRefund(t.Context(), refund)
	paymenttest.Only(t, payment.ErrNotFound, err, "query refund")
}

// An answer that is accepted is not money that moved: until the gateway knows of it the refund is pending.
func TestAcceptedIsNotRefunded(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	restore := w.faults(alipaytest.Faults{RefundLater: true})
	refund := w.refund(paid, 1_000)
	for range 2 {
		status, err := w.provider.Refund(t.Context(), refund)
		require.NoError(t, err)
		require.Equal(t, payment.RefundStatus{ID: refund.ID, GatewayID: paid.GatewayID, State: payment.RefundPending}, status)
		_, err = w.provider.QueryRefund(t.Context(), refund)
		paymenttest.Only(t, payment.ErrNotFound, err, "query refund")
	}
	restore()
	w.gateway.Settle()
	for _, ask := range []func() (payment.RefundStatus, error){
		func() (payment.RefundStatus, error) { return w.provider.QueryRefund(t.Context(), refund) },
		func() (payment.RefundStatus, error) { return w.provider.Refund(t.Context(), refund) },
	} {
		status, err := ask()
		require.NoError(t, err)
		require.Equal(t, payment.RefundSucceeded, status.State)
		require.WithinDuration(t, w.now(), status.At, 5*time.Second)
	}
	trade, _ := w.gateway.Trade(paid.Number)
	require.Equal(t, int64(1_000), trade.Refunded)
}

func TestHazard20ARefundThatFailsForGood(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	for _, code := range []string{"ACQ.TRADE_NOT_ALLOW_REFUND", "ACQ.BUYER_ERROR", "ACQ.REFUND_CHARGE_ERROR"} {
		refund := w.refund(paid, 1_000)
		restore := w.faults(alipaytest.Faults{RefundCode: code})
		_, err := w.provider.Refund(t.Context(), refund)
		paymenttest.Only(t, payment.ErrRejected, err, code)
		require.ErrorContains(t, err, code)
		restore()
		_, err = w.provider.QueryRefund(t.Context(), refund)
		paymenttest.Only(t, payment.ErrNotFound, err, "it was never made")
	}
	trade, _ := w.gateway.Trade(paid.Number)
	require.Zero(t, trade.Refunded)
}

// A refund of a payment the gateway does not know can never succeed: it is refused, and not "not found", after which it would be repeated.
func TestRefusedRefunds(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	asked := w.gateway.Asked("alipay.trade.refund")
	for name, change := range map[string]func(*payment.Refund){
		"no id":               func(r *payment.Refund) { r.ID = "" },
		"a strange id":        func(r *payment.Refund) { r.ID = "R-0000001&x=1" },
		"a strange number":    func(r *payment.Refund) { r.Number = "a/b/c/d/e" },
		"nothing":             func(r *payment.Refund) { r.Amount.Amount = 0 },
		"less than nothing":   func(r *payment.Refund) { r.Amount.Amount = -1 },
		"more than was taken": func(r *payment.Refund) { r.Amount.Amount = r.Total.Amount + 1 },
		"euros":               func(r *payment.Refund) { r.Amount.Currency, r.Total.Currency = "EUR", "EUR" },
		"euros of yuan":       func(r *payment.Refund) { r.Amount.Currency = "EUR" },
		"yuan of euros":       func(r *payment.Refund) { r.Total.Currency = "EUR" },
	} {
		t.Run(name, func(t *testing.T) {
			refund := w.refund(paid, 1_000)
			change(&refund)
			_, err := w.provider.Refund(t.Context(), refund)
			paymenttest.Only(t, payment.ErrRejected, err, name)
		})
	}
	require.Equal(t, asked, w.gateway.Asked("alipay.trade.refund"), "nobody was asked")

	unknown := w.refund(paid, 1_000)
	unknown.Number = w.order().Number
	_, err := w.provider.Refund(t.Context(), unknown)
	paymenttest.Only(t, payment.ErrRejected, err, "a payment that is not known")
	unpaid := w.refund(paid, 1_000)
	unpaid.Number = w.opened(t).Number
	_, err = w.provider.Refund(t.Context(), unpaid)
	paymenttest.Only(t, payment.ErrRejected, err, "a payment that nobody paid")
}

func TestHazard19LowBalanceIsOnlyTooEarly(t *testing.T) {
	w := newWorld(t)
	refund := w.refund(w.paid(t), 1_000)
	restore := w.faults(alipaytest.Faults{LowBalance: true})
	_, err := w.provider.Refund(t.Context(), refund)
	paymenttest.Only(t, payment.ErrLowBalance, err, "refund")
	restore()
	status, err := w.provider.Refund(t.Context(), refund)
	require.NoError(t, err)
	require.Equal(t, payment.RefundSucceeded, status.State)
}
