package unionpay_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/unionpay/unionpaytest"
)

func TestCallbacksAreReadStrictly(t *testing.T) {
	w := newWorld(t)
	number := w.opened(t).Number
	set := func(pairs ...string) func(map[string]string) {
		return func(m map[string]string) {
			for i := 0; i < len(pairs); i += 2 {
				m[pairs[i]] = pairs[i+1]
			}
		}
	}
	without := func(name string) func(map[string]string) {
		return func(m map[string]string) { delete(m, name) }
	}
	for name, test := range map[string]struct {
		change func(map[string]string)
		want   error
	}{
		"as it is":               {set(), nil},
		"fields we do not know":  {set("payCardIssueName", "测试银行", "empty", ""), nil},
		"other kinds":            {set("txnType", "31"), nil},
		"euros":                  {set("currencyCode", "978"), nil},
		"another merchant":       {set("merId", "777290058110097"), payment.ErrWrongMerchant},
		"no merchant":            {without("merId"), payment.ErrWrongMerchant},
		"no kind":                {without("txnType"), payment.ErrMalformed},
		"no number":              {without("orderId"), payment.ErrMalformed},
		"a strange number":       {set("orderId", "../../x"), payment.ErrMalformed},
		"a long number":          {set("orderId", strings.Repeat("1", 41)), payment.ErrMalformed},
		"no gateway's id":        {without("queryId"), payment.ErrMalformed},
		"a long gateway's id":    {set("queryId", strings.Repeat("1", 128)), payment.ErrMalformed},
		"no code":                {without("respCode"), payment.ErrMalformed},
		"no amount":              {without("txnAmt"), payment.ErrMalformed},
		"no money":               {set("txnAmt", "0"), payment.ErrMalformed},
		"less than no money":     {set("txnAmt", "-1"), payment.ErrMalformed},
		"yuan and fen":           {set("txnAmt", "380.00"), payment.ErrMalformed},
		"a zero before it":       {set("txnAmt", "038000"), payment.ErrMalformed},
		"a plus before it":       {set("txnAmt", "+38000"), payment.ErrMalformed},
		"a space in it":          {set("txnAmt", "38 000"), payment.ErrMalformed},
		"thirteen digits":        {set("txnAmt", "1000000000000"), payment.ErrMalformed},
		"more than fits":         {set("txnAmt", "99999999999999999999"), payment.ErrMalformed},
		"other digits":           {set("txnAmt", "３８０００"), payment.ErrMalformed},
		"no currency":            {without("currencyCode"), payment.ErrMalformed},
		"a currency's letters":   {set("currencyCode", "CNY"), payment.ErrMalformed},
		"an unknown currency":    {set("currencyCode", "999"), payment.ErrMalformed},
		"no time":                {without("txnTime"), payment.ErrMalformed},
		"a day that is none":     {set("txnTime", "20260230120000"), payment.ErrMalformed},
		"no moment":              {without("traceTime"), payment.ErrMalformed},
		"a moment that is none":  {set("traceTime", "1332250000"), payment.ErrMalformed},
		"an answer to a query":   {set("origRespCode", "05"), payment.ErrMalformed},
		"failed, without an end": {func(m map[string]string) { m["respCode"] = "64"; delete(m, "reqReserved") }, payment.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			c, ok := w.gateway.Forge(number, nil, test.change, nil)
			require.True(t, ok)
			notice, err := w.provider.ParseCallback(c.Header, c.Body, w.now())
			if test.want == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, test.want)
			require.Zero(t, notice)
		})
	}
}

func TestCallbacksAboutOtherThingsAreKept(t *testing.T) {
	w := newWorld(t)
	c, ok := w.gateway.Forge(w.opened(t).Number, nil, func(m map[string]string) { m["txnType"] = "31" }, nil)
	require.True(t, ok)
	notice, err := w.provider.ParseCallback(c.Header, c.Body, w.now())
	require.NoError(t, err)
	require.Equal(t, payment.NoticeOther, notice.Kind)
	require.NotEmpty(t, notice.EventID)
}

func TestHazard31CallbacksOfOddShapesAreRefused(t *testing.T) {
	w := newWorld(t)
	number := w.opened(t).Number
	c, ok := w.gateway.Forge(number, nil, nil, nil)
	require.True(t, ok)
	body := string(c.Body)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err := z.Write(bytes.Repeat([]byte("0"), 10<<20))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	typed := func(kind, encoding string) http.Header {
		return http.Header{"Content-Type": {kind}, "Content-Encoding": {encoding}}
	}
	const form = "application/x-www-form-urlencoded"
	for name, odd := range map[string]struct {
		header http.Header
		body   string
	}{
		"JSON":                  {typed("application/json", ""), body},
		"no type":               {http.Header{}, body},
		"parts":                 {typed("multipart/form-data; boundary=x", ""), body},
		"a gzip bomb":           {typed(form, "gzip"), zipped.String()},
		"a gzip bomb, untold":   {typed(form, ""), zipped.String()},
		"compressed, it says":   {typed(form, "gzip"), body},
		"huge":                  {typed(form, ""), body + "&x=" + strings.Repeat("x", 64<<10)},
		"many fields":           {typed(form, ""), body + strings.Repeat("&a=1", 1000)},
		"an amount twice":       {typed(form, ""), body + "&txnAmt=1"},
		"the same amount twice": {typed(form, ""), body + "&txnAmt=38000"},
		"a number twice before": {typed(form, ""), "orderId=" + number + "&" + body},
		"escaped twice":         {typed(form, ""), strings.ReplaceAll(body, "txnAmt=", "txnAmt=1&%74xnAmt=")},
		"a field without name":  {typed(form, ""), body + "&=1"},
		"a name without value":  {typed(form, ""), body + "&x"},
		"an empty pair":         {typed(form, ""), body + "&"},
		"an empty field more":   {typed(form, ""), body + "&x="},
		"half an escape":        {typed(form, ""), body + "%2"},
		"not UTF-8":             {typed(form, ""), strings.Replace(body, "respMsg=", "respMsg=%ff", 1)},
		"semicolons":            {typed(form, ""), strings.ReplaceAll(body, "&", ";")},
		"a zero byte":           {typed(form, ""), body + "\x00"},
	} {
		t.Run(name, func(t *testing.T) {
			notice, err := w.provider.ParseCallback(odd.header, []byte(odd.body), w.now())
			require.ErrorIs(t, err, payment.ErrSignature)
			require.Zero(t, notice)
		})
	}
	// The same message, written otherwise.
	_, err = w.provider.ParseCallback(typed(form+"; charset=GBK", ""), []byte(strings.ReplaceAll(body, "+", "%20")), w.now())
	require.NoError(t, err)
}

func TestHazard2CallbacksInAnyOrderSayWhatHappened(t *testing.T) {
	w := newWorld(t)
	order := w.opened(t)
	declined, ok := w.gateway.Forge(order.Number, nil, func(m map[string]string) {
		maps.DeleteFunc(m, func(name, _ string) bool { return name == "queryId" || name == "traceTime" })
		m["respCode"] = "64"
	}, nil)
	require.True(t, ok)
	require.NoError(t, w.gateway.Pay(order.Number))
	paid := w.mailbox.about(t, "orderId="+order.Number, 1)[0]
	for _, late := range []bool{false, true} {
		if late {
			w.wait(t, 11*time.Minute)
		}
		notice, err := w.provider.ParseCallback(paid.Header, paid.Body, w.now())
		require.NoError(t, err)
		require.Equal(t, payment.StatePaid, notice.Payment.State)
		earlier, err := w.provider.ParseCallback(declined.Header, declined.Body, w.now())
		require.NoError(t, err)
		require.NotEqual(t, notice.EventID, earlier.EventID)
		if late {
			require.Equal(t, payment.StateDeclined, earlier.Payment.State)
		} else {
			require.Equal(t, payment.StatePending, earlier.Payment.State, "another card may follow")
		}
	}
}

// FuzzParseCallback: reading never panics, never believes what the gateway did not say, and refuses with one of three errors;
// what the gateway signs is never read as half a fact.
func FuzzParseCallback(f *testing.F) {
	w := newWorld(f)
	order := w.opened(f)
	forged := func(change func(map[string]string)) unionpaytest.Callback {
		c, _ := w.gateway.Forge(order.Number, nil, change, nil)
		return c
	}
	genuine := forged(nil)
	said, err := url.ParseQuery(string(genuine.Body))
	require.NoError(f, err)
	const form = "application/x-www-form-urlencoded;charset=UTF-8"
	f.Add(form, uint16(0), uint16(0), []byte(""), "respCode", "00")
	f.Add(form, uint16(0), uint16(0), []byte("x=1&"), "respCode", "64")
	f.Add(form, uint16(0), uint16(0xffff), []byte("a=%&a=1"), "reqReserved", "20261120200000")
	f.Add(form, uint16(500), uint16(1), []byte("%20"), "traceTime", "0229000000")
	f.Add(form, uint16(1500), uint16(0xffff), []byte{}, "txnAmt", "1")
	f.Add("text/plain", uint16(100), uint16(3), []byte("\xff"), "txnType", "04")
	now := w.now()
	f.Fuzz(func(t *testing.T, kind string, at, drop uint16, insert []byte, name, value string) {
		from := min(int(at), len(genuine.Body))
		body := slices.Concat(genuine.Body[:from], insert, genuine.Body[min(from+int(drop), len(genuine.Body)):])
		notice, err := w.provider.ParseCallback(http.Header{"Content-Type": {kind}}, body, now)
		if err == nil {
			if read, _ := url.ParseQuery(string(body)); read.Encode() != said.Encode() {
				t.Fatalf("believed %q", body)
			}
		} else {
			require.Zero(t, notice)
			require.ErrorIs(t, err, payment.ErrSignature)
		}
		signed := forged(func(m map[string]string) { m[name] = value })
		notice, err = w.provider.ParseCallback(signed.Header, signed.Body, now)
		if err != nil {
			require.Zero(t, notice)
			require.True(t, oneOf(err), err)
			return
		}
		require.NotEmpty(t, notice.EventID)
		switch notice.Kind {
		case payment.NoticePayment:
			require.Zero(t, notice.Refund)
			require.NotEmpty(t, notice.Payment.Number)
			require.Equal(t, notice.Payment.State == payment.StatePaid, notice.Payment.Captured.Amount > 0)
		case payment.NoticeRefund:
			require.Zero(t, notice.Payment)
			require.NotEmpty(t, notice.Refund.ID)
		default:
			require.Equal(t, payment.NoticeOther, notice.Kind)
			require.Zero(t, notice.Payment)
		}
	})
}

// oneOf says whether an error is exactly one of those a callback may be refused with.
func oneOf(err error) bool {
	known := 0
	for _, refusal := range []error{payment.ErrSignature, payment.ErrWrongMerchant, payment.ErrMalformed} {
		if errors.Is(err, refusal) {
			known++
		}
	}
	return known == 1
}
