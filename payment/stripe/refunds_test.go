package stripe_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/stripe"
	"github.com/boxoffice/boxoffice/payment/stripe/stripetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestHazard18AnotherProcessSendsTheSameRefund(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	refund := w.refund(paid, 100)
	restore := w.faults(stripetest.Faults{Cut: true})
	_, err := w.provider.Refund(t.Context(), refund)
	require.ErrorIs(t, err, payment.ErrUnavailable)
	restore()
	again, err := w.another(t).Refund(t.Context(), refund)
	require.NoError(t, err)
	require.Equal(t, refund.ID, again.ID)
	require.EqualValues(t, 100, w.gateway.Refunded(paid.Number))
}

// Stripe forgets a key after a day; the refund is found nevertheless.
func TestARefundIsNotMadeAgainWhenItsKeyIsForgotten(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	refund := w.refund(paid, 100)
	first, err := w.provider.Refund(t.Context(), refund)
	require.NoError(t, err)
	for _, later := range []time.Duration{22 * time.Hour, 90 * time.Minute, 90 * time.Minute, 1000 * time.Hour} {
		w.wait(later)
		again, err := w.another(t).Refund(t.Context(), refund)
		require.NoError(t, err)
		require.Equal(t, first.GatewayID, again.GatewayID)
	}
	require.EqualValues(t, 100, w.gateway.Refunded(paid.Number))
}

func TestAStoredFailureOfARefundIsGotOver(t *testing.T) {
	for name, after := range map[string]bool{"nothing was made": false, "the refund was made": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			paid := w.paid(t)
			refund := w.refund(paid, 100)
			w.gateway.SetFaults(stripetest.Faults{Failures: 2, FailAfter: after})
			_, err := w.provider.Refund(t.Context(), refund)
			require.ErrorIs(t, err, payment.ErrUnavailable)
			require.Equal(t, 1, w.gateway.Asked(refundCall), "it does not repeat by itself")
			if !after { // fails with the second key, too
				_, err = w.another(t).Refund(t.Context(), refund)
				require.ErrorIs(t, err, payment.ErrUnavailable)
			}
			for range 2 {
				given, err := w.another(t).Refund(t.Context(), refund)
				require.NoError(t, err)
				require.Equal(t, payment.RefundSucceeded, given.State)
			}
			require.EqualValues(t, 100, w.gateway.Refunded(paid.Number))
		})
	}
}

// That the balance is too low is repeated to the key as well, long after it is high again.
func TestHazard19ALowBalanceIsWaitedFor(t *testing.T) {
	w := newWorld(t, quick)
	paid := w.paid(t)
	refund := w.refund(paid, 100)
	restore := w.faults(stripetest.Faults{LowBalance: true})
	for range 20 {
		_, err := w.provider.Refund(t.Context(), refund)
		require.ErrorIs(t, err, payment.ErrLowBalance)
	}
	require.Equal(t, 1+19*2, w.gateway.Asked(refundCall), "spent keys are not tried again")
	restore()
	given, err := w.another(t).Refund(t.Context(), refund) // which has to go through all of them
	require.NoError(t, err)
	require.Equal(t, payment.RefundSucceeded, given.State)
	require.EqualValues(t, 100, w.gateway.Refunded(paid.Number))
}

// Two who do not know of each other use the same keys.
func TestTheSameRefundSentAtOnceIsOne(t *testing.T) {
	w := newWorld(t, quick)
	paid := w.paid(t)
	refund := w.refund(paid, 100)
	restore := w.faults(stripetest.Faults{LowBalance: true})
	for range 3 {
		_, err := w.provider.Refund(t.Context(), refund)
		require.ErrorIs(t, err, payment.ErrLowBalance)
	}
	restore()
	var all sync.WaitGroup
	for i := range 8 {
		p := w.provider
		if i%2 == 0 {
			p = w.another(t)
		}
		all.Go(func() {
			_, err := p.Refund(t.Context(), refund)
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 100, w.gateway.Refunded(paid.Number))
}

func TestARefundThatWaitsForOurBalance(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	refund := w.refund(paid, 100)
	restore := w.faults(stripetest.Faults{WaitForBalance: true})
	made, err := w.provider.Refund(t.Context(), refund)
	require.NoError(t, err)
	require.Equal(t, payment.RefundPending, made.State)
	require.Equal(t, "insufficient_funds", made.Reason)
	restore()
	w.gateway.Settle()
	settled, err := w.another(t).QueryRefund(t.Context(), refund)
	require.NoError(t, err)
	require.Equal(t, payment.RefundSucceeded, settled.State)
	again, err := w.another(t).Refund(t.Context(), refund)
	require.NoError(t, err)
	require.Equal(t, settled, again, "as it is now, not as it was answered then")
}

func TestHazard20ARefundThatComesBack(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	refund := w.refund(paid, 100)
	_, err := w.provider.Refund(t.Context(), refund)
	require.NoError(t, err)
	require.NoError(t, w.gateway.FailRefund(refund.ID, "expired_or_canceled_card"))
	for _, ask := range []func() (payment.RefundStatus, error){
		func() (payment.RefundStatus, error) { return w.provider.QueryRefund(t.Context(), refund) },
		func() (payment.RefundStatus, error) { return w.provider.Refund(t.Context(), refund) },
	} {
		failed, err := ask()
		require.NoError(t, err)
		require.Equal(t, payment.RefundFailed, failed.State)
		require.Equal(t, "failed expired_or_canceled_card", failed.Reason)
	}
	callback := w.mailbox.about(t, "refund.failed", refund.ID, 1)[0]
	notice, err := w.provider.ParseCallback(callback.Header, callback.Body, w.now())
	require.NoError(t, err)
	require.Equal(t, payment.NoticeRefund, notice.Kind)
	require.Equal(t, payment.RefundFailed, notice.Refund.State)
	require.Equal(t, refund.ID, notice.Refund.ID)
}

func TestRefundsThatStripeCannotMake(t *testing.T) {
	w := newWorld(t)
	paid, disputed := w.paid(t), w.paid(t)
	_, err := w.gateway.Dispute(disputed.Number, 38_000)
	require.NoError(t, err)
	made := w.refund(paid, 100)
	_, err = w.provider.Refund(t.Context(), made)
	require.NoError(t, err)
	for name, test := range map[string]struct {
		of     payment.Status
		change func(*payment.Refund)
	}{
		"nothing":                 {paid, func(r *payment.Refund) { r.Amount.Amount = 0 }},
		"less than nothing":       {paid, func(r *payment.Refund) { r.Amount.Amount = -1 }},
		"in another currency":     {paid, func(r *payment.Refund) { r.Amount.Currency = "EUR" }},
		"more than is left":       {paid, func(r *payment.Refund) { r.Amount.Amount = 37_901 }},
		"under another's id":      {paid, func(r *payment.Refund) { r.ID = made.ID; r.Amount.Amount = 101 }},
		"an id of others":         {paid, func(r *payment.Refund) { r.ID = "refund-1" }},
		"a number of others":      {paid, func(r *payment.Refund) { r.Number = "ORDER 1" }},
		"of an unknown payment":   {paid, func(r *payment.Refund) { r.GatewayID = "pi_unknown" }},
		"of an unknown number":    {paid, func(r *payment.Refund) { r.GatewayID, r.Number = "", ticketing.NewNumber(w.now()) }},
		"of what is charged back": {disputed, func(*payment.Refund) {}},
	} {
		t.Run(name, func(t *testing.T) {
			refund := w.refund(test.of, 100)
			test.change(&refund)
			_, err := w.provider.Refund(t.Context(), refund)
			require.ErrorIs(t, err, payment.ErrRejected)
		})
	}
	require.EqualValues(t, 100, w.gateway.Refunded(paid.Number))
	require.Zero(t, w.gateway.Refunded(disputed.Number))
}

// Who knows our number only.
func TestARefundByNumber(t *testing.T) {
	w := newWorld(t)
	refund := w.refund(w.paid(t), 100)
	refund.GatewayID = ""
	given, err := w.another(t).Refund(t.Context(), refund)
	require.NoError(t, err)
	asked, err := w.another(t).QueryRefund(t.Context(), refund)
	require.NoError(t, err)
	require.Equal(t, given, asked)
	open := payment.Refund{ID: ticketing.NewNumber(w.now()), Number: w.opened(t).Number}
	_, err = w.provider.QueryRefund(t.Context(), open)
	require.ErrorIs(t, err, payment.ErrNotFound)
}

// A refund that somebody made in the dashboard counts, and is not taken for one of ours.
func TestManyRefundsOfOnePayment(t *testing.T) {
	w := newWorld(t, quick)
	paid := w.paid(t)
	const many = 120
	ids := make([]payment.Refund, many)
	for i := range ids {
		ids[i] = w.refund(paid, 1)
		_, err := w.provider.Refund(t.Context(), ids[i])
		require.NoError(t, err)
	}
	first, err := w.another(t).QueryRefund(t.Context(), ids[0])
	require.NoError(t, err)
	require.Equal(t, payment.RefundSucceeded, first.State)
	_, err = w.provider.QueryRefund(t.Context(), w.refund(paid, 1))
	require.ErrorIs(t, err, payment.ErrNotFound)
}

func TestCurrencies(t *testing.T) {
	w := newWorld(t)
	for _, test := range []struct {
		price    ticketing.Money
		stripe   int64
		rejected bool
	}{
		{ticketing.Money{Amount: 38_000, Currency: "CNY"}, 38_000, false},
		{ticketing.Money{Amount: 500, Currency: "JPY"}, 500, false},
		{ticketing.Money{Amount: 90_000, Currency: "KRW"}, 90_000, false},
		{ticketing.Money{Amount: 5_120, Currency: "KWD"}, 5_120, false},
		{ticketing.Money{Amount: 5_124, Currency: "KWD"}, 0, true},
		{ticketing.Money{Amount: 5_125, Currency: "BHD"}, 0, true},
		{ticketing.Money{Amount: 4_900, Currency: "ISK"}, 490_000, false},
		{ticketing.Money{Amount: 120_000, Currency: "UGX"}, 12_000_000, false},
		{ticketing.Money{Amount: 4_000_000, Currency: "MGA"}, 40_000, false},
		{ticketing.Money{Amount: 4_000_020, Currency: "MGA"}, 0, true},
	} {
		t.Run(test.price.String(), func(t *testing.T) {
			require.True(t, w.provider.Accepts(test.price.Currency))
			order := w.order()
			order.Amount = test.price
			_, err := w.provider.Create(t.Context(), order, stripe.MethodCheckout)
			if test.rejected {
				require.ErrorIs(t, err, payment.ErrRejected)
				require.Zero(t, w.gateway.Sessions(order.Number))
				return
			}
			require.NoError(t, err)
			require.NoError(t, w.gateway.Pay(order.Number))
			paid := w.query(t, order.Number, payment.StatePaid)
			require.Equal(t, test.price, paid.Captured)
			require.Equal(t, test.stripe, w.gateway.Captured(order.Number))
			callback := w.mailbox.about(t, "checkout.session.completed", order.Number, 1)[0]
			notice, err := w.provider.ParseCallback(callback.Header, callback.Body, w.now())
			require.NoError(t, err)
			require.Equal(t, test.price, notice.Payment.Captured)
			_, err = w.provider.Refund(t.Context(), w.refund(paid, test.price.Amount))
			require.NoError(t, err)
			require.Equal(t, test.stripe, w.gateway.Refunded(order.Number))
		})
	}
	require.False(t, w.provider.Accepts("IQD"))
	require.False(t, w.provider.Accepts("usd"))
	few := w.adapter(t, func(c *stripe.Config) { c.Currencies = []string{"CNY", "EUR"} })
	require.True(t, few.Accepts("EUR"))
	require.False(t, few.Accepts("USD"))
}
