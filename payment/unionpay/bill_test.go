package unionpay_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/unionpay"
	"github.com/boxoffice/boxoffice/payment/unionpay/unionpaytest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// at sets the world's clock until the test ends.
func (w *world) at(t *testing.T, moment time.Time) {
	t.Helper()
	w.wait(t, moment.Sub(w.now()))
}

func noonOf(day time.Time, zone *time.Location) time.Time {
	y, m, d := day.In(zone).Date()
	return time.Date(y, m, d, 12, 0, 0, 0, zone)
}

func TestABillTellsPaymentsRefundsAndFees(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	refund := w.refund(paid, 100)
	_, err := w.provider.Refund(t.Context(), refund)
	require.NoError(t, err)
	status, err := w.provider.QueryRefund(t.Context(), refund)
	require.NoError(t, err)
	lines, err := w.provider.Bill(t.Context(), w.now())
	require.NoError(t, err)
	require.Equal(t, []payment.BillLine{
		{Kind: payment.NoticePayment, Number: paid.Number, GatewayID: paid.GatewayID, Amount: yuan(38_000), Fee: yuan(228), At: paid.At},
		{
			Kind: payment.NoticeRefund, Number: paid.Number, RefundID: refund.ID, GatewayID: status.GatewayID, Amount: yuan(-100),
			Fee: yuan(0), At: status.At,
		},
	}, lines)
}

func TestHazard29ADayEndsAtElevenInTheEveningInBeijing(t *testing.T) {
	cut := time.Date(time.Now().Year(), 12, 31, 15, 0, 0, 0, time.UTC) // 23:00 in Beijing
	eve, newYear := cut.Format(time.DateOnly), cut.AddDate(0, 0, 1).Format(time.DateOnly)
	for off, day := range map[time.Duration]string{-time.Second: eve, 0: newYear, time.Second: newYear, time.Hour: newYear} {
		w := newWorld(t)
		w.at(t, cut.Add(off))
		paid := w.paid(t)
		require.WithinDuration(t, cut.Add(off), paid.At, time.Minute, "the year is found although the message has none")
		calendar := payment.CalendarOf(w.provider)
		for _, asked := range []string{cut.AddDate(0, 0, -1).Format(time.DateOnly), eve, newYear, cut.AddDate(0, 0, 2).Format(time.DateOnly)} {
			noon, err := time.ParseInLocation(time.DateOnly+" 15", asked+" 12", calendar)
			require.NoError(t, err)
			for _, moment := range []time.Time{noon, noon.Add(-12 * time.Hour), noon.Add(12*time.Hour - time.Second).UTC()} {
				lines, err := w.provider.Bill(t.Context(), moment)
				switch {
				case asked == day:
					require.NoError(t, err)
					require.Len(t, lines, 1)
					require.WithinDuration(t, paid.At, lines[0].At, 0)
				case err != nil:
					require.ErrorIs(t, err, payment.ErrNotFound)
				default:
					require.Empty(t, lines)
				}
			}
		}
	}
}

func TestHazard27ADayWithoutAFileIsLateBeforeNoonAndEmptyAfter(t *testing.T) {
	w := newWorld(t)
	calendar := payment.CalendarOf(w.provider)
	day := noonOf(w.now().AddDate(0, 0, 20), calendar)
	noon := day.AddDate(0, 0, 1)
	w.at(t, noon.Add(-time.Minute))
	_, err := w.provider.Bill(t.Context(), day)
	require.ErrorIs(t, err, payment.ErrNotFound)
	w.at(t, noon.Add(time.Minute))
	lines, err := w.provider.Bill(t.Context(), day)
	require.NoError(t, err)
	require.Empty(t, lines)
	_, err = w.provider.Bill(t.Context(), noon.Add(-301*24*time.Hour))
	require.ErrorIs(t, err, payment.ErrRejected, "a year later the same day would be asked for")
}

func TestTheFileIsThereTheNextMorning(t *testing.T) {
	a, err := authority()
	require.NoError(t, err)
	w := newWorld(t)
	g, err := unionpaytest.Open(unionpaytest.Config{Authority: a, Now: w.now})
	require.NoError(t, err)
	defer func() { require.NoError(t, g.Close()) }()
	c := g.Credentials()
	p := w.adapter(t, func(config *unionpay.Config) { config.PFX, config.URL, config.FileURL = c.PFX, g.URL(), g.URL() })
	beijing := time.FixedZone("UTC+8", 8*60*60)
	day := noonOf(w.now().AddDate(0, 0, 20), beijing)
	w.at(t, day)
	order := w.order()
	_, err = browser{p}.Create(t.Context(), order, unionpay.MethodPage)
	require.NoError(t, err)
	require.NoError(t, g.Pay(order.Number))
	nine := day.Add(21 * time.Hour)
	w.at(t, nine.Add(-time.Minute))
	_, err = p.Bill(t.Context(), day)
	require.ErrorIs(t, err, payment.ErrNotFound)
	w.at(t, nine.Add(time.Minute))
	lines, err := p.Bill(t.Context(), day)
	require.NoError(t, err)
	require.Len(t, lines, 1)
}

func TestHazard27BillsThatAreWrongAreRefused(t *testing.T) {
	w := newWorld(t)
	w.paid(t)
	w.paid(t)
	for name, test := range map[string]struct {
		faults unionpaytest.Faults
		want   error
	}{
		"ends early":            {unionpaytest.Faults{TruncateBill: true}, payment.ErrTruncatedBill},
		"of another merchant":   {unionpaytest.Faults{ForeignBill: true}, payment.ErrUnavailable},
		"none":                  {unionpaytest.Faults{NoBill: true}, payment.ErrNotFound},
		"the gateway is closed": {unionpaytest.Faults{Code: "02"}, payment.ErrUnavailable},
		"a page":                {unionpaytest.Faults{Status: 502}, payment.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			defer w.faults(test.faults)()
			lines, err := w.provider.Bill(t.Context(), w.now())
			require.ErrorIs(t, err, test.want)
			require.Empty(t, lines)
		})
	}
}

func TestABillOfManyLines(t *testing.T) {
	w := newWorld(t)
	numbers := map[string]bool{}
	for range 100 {
		numbers[w.paid(t).Number] = true
	}
	lines, err := w.provider.Bill(t.Context(), w.now())
	require.NoError(t, err)
	for _, line := range lines {
		delete(numbers, line.Number)
		require.Equal(t, ticketing.Money{Amount: 38_000, Currency: "CNY"}, line.Amount)
	}
	require.Empty(t, numbers)
}
