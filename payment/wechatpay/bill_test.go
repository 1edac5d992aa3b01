package wechatpay_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/paymenttest"
	"github.com/boxoffice/boxoffice/payment/wechatpay"
	"github.com/boxoffice/boxoffice/payment/wechatpay/wechatpaytest"
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
		Kind: payment.NoticePayment, Number: paid.Number, GatewayID: paid.GatewayID, Amount: yuan(38_000), Fee: yuan(228), At: paid.At,
	}, whole[0])
	require.Equal(t, refund.ID, whole[1].RefundID)
	require.Equal(t, yuan(-1_000), whole[1].Amount)
	require.Equal(t, yuan(-6), whole[1].Fee, "the gateway gives its fee back")

	for name, test := range map[string]struct {
		faults wechatpaytest.Faults
		want   error
		says   string
	}{
		"the packed file is cut": {wechatpaytest.Faults{TruncateBill: true}, payment.ErrTruncatedBill, "unexpected EOF"},
		"the text is cut":        {wechatpaytest.Faults{TruncateBill: true, PlainBill: true}, payment.ErrTruncatedBill, "its SHA1 is "},
		"another hash":           {wechatpaytest.Faults{WrongHash: true}, payment.ErrTruncatedBill, "its SHA1 is "},
		"a line is lost":         {wechatpaytest.Faults{LoseLine: true}, payment.ErrTruncatedBill, "订单总金额"},
		"at another host":        {wechatpaytest.Faults{ForeignBill: true}, payment.ErrUnavailable, "is not at the gateway"},
		"not made yet":           {wechatpaytest.Faults{NoBill: true}, payment.ErrNotFound, ""},
		"being made":             {wechatpaytest.Faults{Code: "STATEMENT_CREATING", CodeStatus: http.StatusBadRequest}, payment.ErrNotFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			defer w.faults(test.faults)()
			lines, err := w.provider.Bill(t.Context(), w.now())
			paymenttest.Only(t, test.want, err, name)
			require.ErrorContains(t, err, test.says)
			require.Empty(t, lines)
		})
	}
	t.Run("unpacked on the way", func(t *testing.T) {
		defer w.faults(wechatpaytest.Faults{PlainBill: true})()
		lines, err := w.provider.Bill(t.Context(), w.now())
		require.NoError(t, err)
		require.Equal(t, whole, lines)
	})
	again, err := w.provider.Bill(t.Context(), w.now())
	require.NoError(t, err)
	require.Equal(t, whole, again)
}

// downloads answers the fetching of files, which are not signed, and leaves everything else to the gateway.
type downloads struct {
	http.RoundTripper

	answer http.HandlerFunc
}

func (d downloads) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(r.URL.Path, "/v3/billdownload/") {
		return d.RoundTripper.RoundTrip(r)
	}
	recorder := httptest.NewRecorder()
	d.answer(recorder, r)
	return recorder.Result(), nil
}

// zipped is a file that unpacks to a text.
func zipped(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// A file that could not be fetched may be there later; one that is no bill is a bill cut short.
func TestHazard27FilesThatAreNone(t *testing.T) {
	w := newWorld(t)
	w.paid(t)
	gives := func(file []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(file) }
	}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   error
	}{
		"gone":            {http.NotFound, payment.ErrUnavailable},
		"elsewhere":       {http.RedirectHandler(w.gateway.URL()+"/cashier/1", http.StatusFound).ServeHTTP, payment.ErrUnavailable},
		"broken":          {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, payment.ErrUnavailable},
		"a page":          {gives([]byte("<html></html>")), payment.ErrTruncatedBill},
		"nothing":         {gives(nil), payment.ErrTruncatedBill},
		"nothing, packed": {gives(zipped(t, nil)), payment.ErrTruncatedBill},
		"two bytes":       {gives([]byte{0x1f, 0x8b}), payment.ErrTruncatedBill},
		"a page, packed":  {gives(zipped(t, []byte("<html></html>"))), payment.ErrTruncatedBill},
		"more behind it":  {gives(append(zipped(t, nil), "more"...)), payment.ErrTruncatedBill},
		"packed twice":    {gives(zipped(t, zipped(t, []byte("a")))), payment.ErrTruncatedBill},
	} {
		t.Run(name, func(t *testing.T) {
			p := w.adapter(t, func(c *wechatpay.Config) {
				c.HTTPClient = &http.Client{Transport: downloads{c.HTTPClient.Transport, test.answer}}
			})
			lines, err := p.Bill(t.Context(), w.now())
			paymenttest.Only(t, test.want, err, name)
			require.Empty(t, lines)
		})
	}
}

func TestABillThatUnpacksToTooMuch(t *testing.T) {
	w := newWorld(t)
	w.paid(t)
	w.provider.LimitBill(4_000)
	_, err := w.provider.Bill(t.Context(), w.now())
	require.NoError(t, err)
	w.provider.LimitBill(400)
	lines, err := w.provider.Bill(t.Context(), w.now())
	paymenttest.Only(t, payment.ErrTruncatedBill, err, "more than a bill may have")
	require.ErrorContains(t, err, "has more than 400 unpacked")
	require.Empty(t, lines)
}

// The gateway says the same (NO_STATEMENT_EXIST) of a day on which nothing moved and of one whose bill is not made yet.
func TestHazard27AnEmptyDayIsKnownOnlyOnceItsBillIsDue(t *testing.T) {
	w := newWorld(t)
	day := w.now().In(beijing)
	due := time.Date(day.Year(), day.Month(), day.Day()+1, 10, 0, 0, 0, beijing)
	w.ahead.Store(int64(time.Until(due.Add(-time.Minute))))
	_, err := w.provider.Bill(t.Context(), day)
	paymenttest.Only(t, payment.ErrNotFound, err, "a minute before it is due")
	w.ahead.Add(int64(time.Minute + time.Second))
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
		w.ahead.Store(int64(time.Until(moment)))
		return w.paid(t)
	}
	before, after := at(midnight.Add(-30*time.Second)), at(midnight.Add(time.Second))
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
