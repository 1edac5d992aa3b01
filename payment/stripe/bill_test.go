package stripe_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/stripe"
	"github.com/boxoffice/boxoffice/payment/stripe/stripetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// noon sets the clock to 12:00 UTC of tomorrow, so that no midnight comes in between.
func (w *world) noon() time.Time {
	w.wait(w.now().UTC().Truncate(24 * time.Hour).Add(36 * time.Hour).Sub(w.now()))
	return w.now()
}

func (w *world) bill(t testing.TB, day time.Time) []payment.BillLine {
	t.Helper()
	lines, err := w.another(t).Bill(t.Context(), day)
	require.NoError(t, err)
	for i := range lines {
		require.WithinDuration(t, w.now(), lines[i].At, 48*time.Hour)
		lines[i].At = time.Time{}
	}
	return lines
}

func TestTheBillTellsOfEverythingThatMoved(t *testing.T) {
	w := newWorld(t)
	noon := w.noon()
	paid := w.paid(t)
	refund := w.refund(paid, 100)
	given, err := w.provider.Refund(t.Context(), refund)
	require.NoError(t, err)
	byHand, err := w.gateway.RefundByHand(paid.Number, 200)
	require.NoError(t, err)
	require.NoError(t, w.gateway.FailRefund(refund.ID, "declined"))
	disputed := w.paid(t)
	dispute, err := w.gateway.Dispute(disputed.Number, 38_000)
	require.NoError(t, err)
	require.NoError(t, w.gateway.Decide(dispute, true))
	w.gateway.Payout(1_000, "usd")
	unknown := w.gateway.Adjust(-77, "usd", "Correction of an earlier fee")
	w.opened(t)

	fee := dollars(38_000*290/10_000 + 30)
	require.ElementsMatch(t, []payment.BillLine{
		{Kind: payment.NoticePayment, Number: paid.Number, GatewayID: paid.GatewayID, Amount: dollars(38_000), Fee: fee},
		{Kind: payment.NoticeRefund, Number: paid.Number, RefundID: refund.ID, GatewayID: given.GatewayID, Amount: dollars(-100), Fee: dollars(0)},
		{Kind: payment.NoticeRefund, GatewayID: byHand, Amount: dollars(-200), Fee: dollars(0)},
		{Kind: payment.NoticeRefund, Number: paid.Number, RefundID: refund.ID, GatewayID: given.GatewayID, Amount: dollars(100), Fee: dollars(0)},
		{Kind: payment.NoticePayment, Number: disputed.Number, GatewayID: disputed.GatewayID, Amount: dollars(38_000), Fee: fee},
		{Kind: payment.NoticeDispute, RefundID: dispute, GatewayID: disputed.GatewayID, Amount: dollars(-38_000), Fee: dollars(1_500)},
		{Kind: payment.NoticeDispute, RefundID: dispute, GatewayID: disputed.GatewayID, Amount: dollars(38_000), Fee: dollars(0)},
		{Kind: payment.NoticeOther, GatewayID: unknown, Amount: dollars(-77), Fee: dollars(0)},
	}, w.bill(t, noon))
}

// A buyer in Tokyo pays an account in Germany: our books are in yen, the fee is in euros.
func TestABalanceInAnotherCurrency(t *testing.T) {
	w := newWorld(t, func(c *stripetest.Config) { c.Settles = "eur" })
	noon := w.noon()
	order := w.order()
	order.Amount = ticketing.Money{Amount: 5_000, Currency: "JPY"}
	_, err := w.provider.Create(t.Context(), order, stripe.MethodCheckout)
	require.NoError(t, err)
	require.NoError(t, w.gateway.Pay(order.Number))
	paid := w.query(t, order.Number, payment.StatePaid)
	_, err = w.provider.Refund(t.Context(), w.refund(paid, 1_000))
	require.NoError(t, err)
	dispute, err := w.gateway.Dispute(order.Number, 4_000)
	require.NoError(t, err)
	lines := map[payment.NoticeKind]payment.BillLine{}
	for _, line := range w.bill(t, noon) {
		lines[line.Kind] = line
	}
	require.Equal(t, ticketing.Money{Amount: 5_000, Currency: "JPY"}, lines[payment.NoticePayment].Amount)
	require.Equal(t, "EUR", lines[payment.NoticePayment].Fee.Currency)
	require.Equal(t, ticketing.Money{Amount: -1_000, Currency: "JPY"}, lines[payment.NoticeRefund].Amount)
	require.Equal(t, ticketing.Money{Amount: -4_000, Currency: "JPY"}, lines[payment.NoticeDispute].Amount)
	require.Equal(t, ticketing.Money{Amount: 1_500, Currency: "EUR"}, lines[payment.NoticeDispute].Fee)
	require.Equal(t, dispute, lines[payment.NoticeDispute].RefundID)
}

// Stripe counts cents of currencies that have none, and a fee is a part of an amount: it hides neither its line nor the others.
func TestHazard27AFeeWithCentsThatDoNotExist(t *testing.T) {
	for _, test := range []struct {
		code             string
		basisPoints, fee int64 // of 5000, and 30 cents that do not exist
	}{
		{"ISK", 290, 145},   // 145.30
		{"ISK", 1_001, 501}, // 500.80
		{"UGX", 299, 150},   // 149.80
		{"UGX", 1, 1},       // 0.80
	} {
		t.Run(fmt.Sprint(test.code, test.basisPoints), func(t *testing.T) {
			w := newWorld(t, func(c *stripetest.Config) { c.FeeBasisPoints, c.FeeFixed = test.basisPoints, 30 })
			noon := w.noon()
			odd, even := w.order(), w.order()
			odd.Amount, even.Amount = ticketing.Money{Amount: 5_000, Currency: test.code}, dollars(5_000)
			for _, order := range []payment.Order{odd, even} {
				_, err := w.provider.Create(t.Context(), order, stripe.MethodCheckout)
				require.NoError(t, err)
				require.NoError(t, w.gateway.Pay(order.Number))
			}
			paid := w.query(t, odd.Number, payment.StatePaid)
			correction := w.gateway.Adjust(-150, strings.ToLower(test.code), "Correction of an earlier fee")
			_, err := w.provider.Refund(t.Context(), w.refund(paid, 1_000))
			require.NoError(t, err)
			id, err := w.gateway.Dispute(odd.Number, 400_000)
			require.NoError(t, err)

			said := map[payment.NoticeKind]payment.BillLine{}
			lines := w.bill(t, noon)
			require.Len(t, lines, 5)
			for _, line := range lines {
				if line.Number != even.Number {
					require.Equal(t, odd.Amount.Currency, line.Amount.Currency)
					require.Equal(t, odd.Amount.Currency, line.Fee.Currency)
					said[line.Kind] = line
				}
			}
			require.Equal(t, odd.Amount, said[payment.NoticePayment].Amount)
			require.Equal(t, test.fee, said[payment.NoticePayment].Fee.Amount)
			require.EqualValues(t, -1_000, said[payment.NoticeRefund].Amount.Amount)
			require.Equal(t, id, said[payment.NoticeDispute].RefundID)
			require.EqualValues(t, -4_000, said[payment.NoticeDispute].Amount.Amount)
			require.Equal(t, correction, said[payment.NoticeOther].GatewayID)
			require.EqualValues(t, -2, said[payment.NoticeOther].Amount.Amount)
		})
	}
}

// An amount that we never ask for goes to a person, and the day's other lines to the books.
func TestHazard27AnAmountWithCentsThatDoNotExist(t *testing.T) {
	w := newWorld(t)
	noon := w.noon()
	order := w.order()
	order.Amount = ticketing.Money{Amount: 5_000, Currency: "ISK"}
	_, err := w.provider.Create(t.Context(), order, stripe.MethodCheckout)
	require.NoError(t, err)
	require.NoError(t, w.gateway.PayOther(order.Number, 499_960, "isk"))
	other := w.paid(t)
	for _, line := range w.bill(t, noon) {
		if line.Number == other.Number {
			continue
		}
		require.Equal(t, payment.NoticeOther, line.Kind)
		require.Empty(t, line.Number)
		require.Regexp(t, "^txn_", line.GatewayID)
		require.Equal(t, order.Amount, line.Amount)
	}
	require.Len(t, w.bill(t, noon), 2)
}

// A balance in what ISO 4217 does not know has fees that our books cannot have.
func TestAFeeInNoCurrency(t *testing.T) {
	w := newWorld(t, func(c *stripetest.Config) { c.Settles = "usdc"; quick(c) })
	noon := w.noon()
	paid := w.paid(t)
	lines := w.bill(t, noon)
	require.Equal(t, []payment.BillLine{
		{Kind: payment.NoticePayment, Number: paid.Number, GatewayID: paid.GatewayID, Amount: dollars(38_000)},
	}, lines)
}

// A day begins at midnight UTC, whatever zone a day is asked for in.
func TestHazard29Midnights(t *testing.T) {
	w := newWorld(t)
	noon := w.noon()
	midnight := noon.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	pay := func(at time.Time) string {
		order := w.opened(t)
		w.wait(at.Add(100 * time.Millisecond).Sub(w.now()))
		require.NoError(t, w.gateway.Pay(order.Number))
		return order.Number
	}
	w.wait(midnight.Add(-10 * time.Minute).Sub(w.now()))
	before, at, after := pay(midnight.Add(-time.Second)), pay(midnight), pay(midnight.Add(time.Second))
	numbers := func(day time.Time) []string {
		var all []string
		for _, line := range w.bill(t, day) {
			all = append(all, line.Number)
		}
		return all
	}
	beijing := time.FixedZone("UTC+8", 8*60*60)
	require.Equal(t, []string{before}, numbers(midnight.Add(-time.Second)))
	require.Equal(t, []string{before}, numbers(noon.In(beijing)))
	require.Equal(t, []string{after, at}, numbers(midnight))
	require.Equal(t, []string{after, at}, numbers(midnight.Add(time.Minute).In(beijing)), "in Beijing it is morning already")
}

func TestHazard27Bills(t *testing.T) {
	w := newWorld(t, quick)
	noon := w.noon()
	require.Empty(t, w.bill(t, noon), "nothing moved")
	_, err := w.provider.Bill(t.Context(), noon.Add(24*time.Hour))
	require.ErrorIs(t, err, payment.ErrNotFound, "tomorrow has not begun")
	const many = 210
	numbers := map[string]bool{}
	for range many {
		numbers[w.paid(t).Number] = true
	}
	lines := w.bill(t, noon)
	require.Len(t, lines, many)
	for _, line := range lines {
		delete(numbers, line.Number)
	}
	require.Empty(t, numbers, "each is on it")
	require.Equal(t, lines, w.bill(t, noon), "asked again it is the same")
}
