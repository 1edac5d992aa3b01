package unionpay_test

import (
	"bytes"
	"compress/gzip"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/unionpay"
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
	genuine, ok := w.gateway.Forge(order.Number, nil, nil, nil)
	require.True(f, ok)
	declined, _ := w.gateway.Forge(order.Number, nil, func(m map[string]string) { m["respCode"] = "64" }, nil)
	for _, c := range []unionpaytest.Callback{genuine, declined} {
		f.Add("application/x-www-form-urlencoded;charset=UTF-8", c.Body, "respCode", "00")
		f.Add("application/x-www-form-urlencoded", append(bytes.Clone(c.Body), "&x=1"...), "txnAmt", "1")
		f.Add("", c.Body[:len(c.Body)/2], "traceTime", "0229000000")
	}
	f.Add("application/x-www-form-urlencoded", []byte("a=%&a=1"), "reqReserved", "20261120200000")
	f.Add("application/x-www-form-urlencoded", []byte("signPubKeyCert=-----BEGIN+CERTIFICATE-----"), "txnType", "04")
	p := w.adapter(f, func(*unionpay.Config) {})
	now := w.now()
	genuineFields, err := url.ParseQuery(string(genuine.Body))
	require.NoError(f, err)
	declinedFields, err := url.ParseQuery(string(declined.Body))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, kind string, body []byte, name, value string) {
		notice, err := p.ParseCallback(http.Header{"Content-Type": {kind}}, body, now)
		if err == nil {
			said, _ := url.ParseQuery(string(body))
			if said.Encode() != genuineFields.Encode() && said.Encode() != declinedFields.Encode() {
				t.Fatalf("believed %q", body)
			}
		} else {
			require.Zero(t, notice)
			require.ErrorIs(t, err, payment.ErrSignature)
		}
		signed, _ := w.gateway.Forge(order.Number, nil, func(m map[string]string) { m[name] = value }, nil)
		notice, err = p.ParseCallback(signed.Header, signed.Body, now)
		if err != nil {
			require.Zero(t, notice)
			require.Condition(t, func() bool { return oneOf(err) }, err)
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

func oneOf(err error) bool {
	n := 0
	for _, known := range []error{payment.ErrSignature, payment.ErrWrongMerchant, payment.ErrMalformed} {
		if bytes.Contains([]byte(err.Error()), []byte(known.Error())) {
			n++
		}
	}
	return n == 1
}
