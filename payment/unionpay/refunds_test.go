package unionpay_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/unionpay/unionpaytest"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestHazard19ALowBalanceIsWaitedForUnderTheSameID(t *testing.T) {
	w := newWorld(t)
	refund := w.refund(w.paid(t), 100)
	restore := w.faults(unionpaytest.Faults{LowBalance: true})
	for range 2 {
		_, err := w.provider.Refund(t.Context(), refund)
		require.ErrorIs(t, err, payment.ErrLowBalance)
	}
	_, err := w.provider.QueryRefund(t.Context(), refund)
	require.ErrorIs(t, err, payment.ErrNotFound)
	restore()
	w.wait(t, 26*time.Hour) // the account is filled the next day; the id, and the time in it, stay
	status, err := w.provider.Refund(t.Context(), refund)
	require.NoError(t, err)
	require.Equal(t, payment.RefundPending, status.State)
	status, err = w.provider.QueryRefund(t.Context(), refund)
	require.NoError(t, err)
	require.Equal(t, payment.RefundSucceeded, status.State)
	require.Len(t, w.gateway.Refunds(refund.ID), 1)
}

func TestHazard19ARefundIsMadeOnceHoweverOftenItIsSent(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	refund := w.refund(paid, 100)
	restore := w.faults(unionpaytest.Faults{Cut: true})
	_, err := w.provider.Refund(t.Context(), refund)
	require.ErrorIs(t, err, payment.ErrUnavailable)
	restore()
	for range 3 {
		w.wait(t, time.Hour)
		again, err := w.provider.Refund(t.Context(), refund)
		require.NoError(t, err)
		require.Equal(t, payment.RefundSucceeded, again.State)
	}
	require.Len(t, w.gateway.Refunds(refund.ID), 1, "another time would have made another refund")

	other := refund
	other.Amount = yuan(101)
	_, err = w.provider.Refund(t.Context(), other)
	require.ErrorIs(t, err, payment.ErrRejected, "the id stands for other terms")
	other = refund
	other.GatewayID = w.paid(t).GatewayID
	_, err = w.provider.Refund(t.Context(), other)
	require.ErrorIs(t, err, payment.ErrRejected)
	other.ID = paid.Number // a payment's number
	_, err = w.provider.QueryRefund(t.Context(), other)
	require.ErrorIs(t, err, payment.ErrRejected)
}

func TestHazard17ARefundWhoseOutcomeIsUnclearIsPendingUntilItIsClear(t *testing.T) {
	w := newWorld(t)
	for fails, want := range map[string]payment.RefundState{"": payment.RefundSucceeded, "60": payment.RefundFailed} {
		refund := w.refund(w.paid(t), 100)
		restore := w.faults(unionpaytest.Faults{RefundUnclear: true})
		status, err := w.provider.Refund(t.Context(), refund)
		require.NoError(t, err)
		require.Equal(t, payment.RefundPending, status.State)
		restore()
		again, err := w.provider.Refund(t.Context(), refund)
		require.NoError(t, err)
		require.Equal(t, payment.RefundPending, again.State)
		w.gateway.Settle(refund.ID, fails)
		status, err = w.provider.QueryRefund(t.Context(), refund)
		require.NoError(t, err)
		require.Equal(t, want, status.State)
	}
}

func TestHazard20ARefundThatFailsFinallySaysWhy(t *testing.T) {
	w := newWorld(t)
	refund := w.refund(w.paid(t), 100)
	defer w.faults(unionpaytest.Faults{RefundFails: "60"})()
	status, err := w.provider.Refund(t.Context(), refund)
	require.NoError(t, err)
	require.Equal(t, payment.RefundPending, status.State, "accepted")
	status, err = w.provider.QueryRefund(t.Context(), refund)
	require.NoError(t, err)
	require.Equal(t, payment.RefundFailed, status.State)
	require.Contains(t, status.Reason, "60 ")
	c := w.mailbox.about(t, "orderId="+refund.ID, 1)[0]
	notice, err := w.provider.ParseCallback(c.Header, c.Body, w.now())
	require.NoError(t, err)
	require.Equal(t, payment.NoticeRefund, notice.Kind)
	require.Equal(t, payment.RefundFailed, notice.Refund.State)
	require.Contains(t, notice.Refund.Reason, "60 ")
}

func TestHazard22ARefundAfterElevenMonthsIsRefused(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	w.wait(t, 331*24*time.Hour)
	_, err := w.provider.Refund(t.Context(), w.refund(paid, 100))
	// The gateway's certificates in the test last a year; its answer is still believed.
	require.ErrorIs(t, err, payment.ErrRejected)
	require.ErrorContains(t, err, "39 ")
}

func TestRefundsTheGatewayWouldRefuseAreRefused(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	for name, change := range map[string]func(r *payment.Refund){
		"an id that tells no time": func(r *payment.Refund) { r.ID = "R0000000000000000000000001" },
		"no id":                    func(r *payment.Refund) { r.ID = "" },
		"no payment":               func(r *payment.Refund) { r.Number = "" },
		"an unknown payment":       func(r *payment.Refund) { r.Number, r.GatewayID = ticketing.NewNumber(w.now()), "" },
		"another gateway's id":     func(r *payment.Refund) { r.GatewayID = "000000000000000000000" },
		"no gateway's id":          func(r *payment.Refund) { r.GatewayID = "x" },
		"nothing":                  func(r *payment.Refund) { r.Amount.Amount = 0 },
		"too much":                 func(r *payment.Refund) { r.Amount.Amount = 38_001 },
		"dollars":                  func(r *payment.Refund) { r.Amount.Currency = "USD" },
	} {
		t.Run(name, func(t *testing.T) {
			refund := w.refund(paid, 100)
			change(&refund)
			_, err := w.provider.Refund(t.Context(), refund)
			require.ErrorIs(t, err, payment.ErrRejected)
		})
	}
	refund := w.refund(paid, 100)
	refund.GatewayID = "" // is asked for
	_, err := w.provider.Refund(t.Context(), refund)
	require.NoError(t, err)
	for code, want := range map[string]error{
		"06": payment.ErrUnavailable, "11": payment.ErrUnavailable, "31": payment.ErrUnavailable, "92": payment.ErrUnavailable,
		"90": payment.ErrLowBalance, "34": payment.ErrRejected, "36": payment.ErrRejected, "60": payment.ErrRejected,
	} {
		restore := w.faults(unionpaytest.Faults{Code: code})
		_, err := w.provider.Refund(t.Context(), w.refund(paid, 100))
		require.ErrorIs(t, err, want, code)
		restore()
	}
}
