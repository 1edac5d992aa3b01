package alipay_test

import (
	"archive/zip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/alipay"
	"github.com/boxoffice/boxoffice/payment/alipay/alipaytest"
	"github.com/boxoffice/boxoffice/payment/paymenttest"
)

var beijing = time.FixedZone("UTC+8", 8*60*60)

func TestHazard27BillsThatAreNoneOrHalf(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	refund := w.refund(paid, 1_000)
	_, err := w.provider.Refund(t.Context(), refund)
	require.NoError(t, err)
	whole, err := w.provider.Bill(t.Context(), w.now())
	require.NoError(t, err)
	require.Len(t, whole, 2)
	require.Equal(t, payment.BillLine{
		Kind: payment.NoticePayment, Number: paid.Number, GatewayID: paid.GatewayID, Amount: cny(38_000), Fee: cny(228), At: paid.At,
	}, whole[0])
	require.Equal(t, refund.ID, whole[1].RefundID)
	require.Equal(t, cny(-1_000), whole[1].Amount)
	require.Equal(t, cny(-6), whole[1].Fee, "the gateway gives its fee back")
	for name, test := range map[string]struct {
		faults alipaytest.Faults
		want   error
	}{
		"the archive is cut":       {alipaytest.Faults{TruncateBill: true}, payment.ErrTruncatedBill},
		"a line is lost":           {alipaytest.Faults{LoseLine: true}, payment.ErrTruncatedBill},
		"it ends before its total": {alipaytest.Faults{ShortBill: true}, payment.ErrTruncatedBill},
		"another account's":        {alipaytest.Faults{ForeignBill: true}, payment.ErrTruncatedBill},
		"at another host":          {alipaytest.Faults{ForeignHost: true}, payment.ErrUnavailable},
		"not made yet":             {alipaytest.Faults{NoBill: true}, payment.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			defer w.faults(test.faults)()
			lines, err := w.provider.Bill(t.Context(), w.now())
			paymenttest.Only(t, test.want, err, name)
			require.Empty(t, lines)
		})
	}
	again, err := w.provider.Bill(t.Context(), w.now())
	require.NoError(t, err)
	require.Equal(t, whole, again)
}

// downloads answers the fetching of files, which are not signed, and leaves signed requests to the gateway.
type downloads struct {
	http.RoundTripper

	answer http.HandlerFunc
}

func (d downloads) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet {
		return d.RoundTripper.RoundTrip(r)
	}
	recorder := httptest.NewRecorder()
	d.answer(recorder, r)
	return recorder.Result(), nil
}

// A file that could not be fetched may be there later; one that is no bill is a bill cut short.
func TestHazard27FilesThatAreNone(t *testing.T) {
	w := newWorld(t)
	w.paid(t)
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   error
	}{
		"gone":      {http.NotFound, payment.ErrUnavailable},
		"elsewhere": {http.RedirectHandler(w.gateway.Origin()+"/cashier/1", http.StatusFound).ServeHTTP, payment.ErrUnavailable},
		"broken":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, payment.ErrUnavailable},
		"a page":    {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html></html>") }, payment.ErrTruncatedBill},
		"nothing":   {func(http.ResponseWriter, *http.Request) {}, payment.ErrTruncatedBill},
		"no details": {func(w http.ResponseWriter, _ *http.Request) {
			_ = zip.NewWriter(w).Close()
		}, payment.ErrTruncatedBill},
	} {
		t.Run(name, func(t *testing.T) {
			p := w.newProvider(t, func(c *alipay.Config) { c.HTTPClient.Transport = downloads{c.HTTPClient.Transport, test.answer} })
			lines, err := p.Bill(t.Context(), w.now())
			paymenttest.Only(t, test.want, err, name)
			require.Empty(t, lines)
		})
	}
}

// The gateway says the same of a day on which nothing moved and of one whose bill is not made yet.
func TestHazard27AnEmptyDayIsKnownOnlyOnceItsBillIsDue(t *testing.T) {
	w := newWorld(t)
	day := w.now().In(beijing)
	due := time.Date(day.Year(), day.Month(), day.Day()+1, 10, 0, 0, 0, beijing)
	w.wait(due.Add(-time.Minute).Sub(w.now()))
	_, err := w.provider.Bill(t.Context(), day)
	paymenttest.Only(t, payment.ErrNotFound, err, "a minute before it is due")
	w.wait(time.Minute + time.Second)
	lines, err := w.provider.Bill(t.Context(), day)
	require.NoError(t, err)
	require.Empty(t, lines)
}

// A bill's day begins at midnight in Beijing: a payment shortly before it is on the bill of the day before.
func TestHazard29BillsAroundBeijingMidnight(t *testing.T) {
	w := newWorld(t)
	today := w.now().In(beijing)
	midnight := time.Date(today.Year(), today.Month(), today.Day()+1, 0, 0, 0, 0, beijing)
	at := func(moment time.Time) payment.Status {
		w.wait(moment.Sub(w.now()))
		return w.paid(t)
	}
	before, after := at(midnight.Add(-30*time.Second)), at(midnight)
	for _, day := range []struct {
		moment time.Time
		want   string
	}{
		{midnight.Add(-time.Second), before.Number},
		{midnight.Add(-24 * time.Hour).UTC(), before.Number},
		{midnight, after.Number},
		{midnight.Add(time.Second).UTC(), after.Number},
		{midnight.Add(24*time.Hour - time.Second), after.Number},
	} {
		lines, err := w.provider.Bill(t.Context(), day.moment)
		require.NoError(t, err)
		require.Len(t, lines, 1)
		require.Equal(t, day.want, lines[0].Number)
	}
}
