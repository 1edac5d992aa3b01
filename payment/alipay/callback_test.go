package alipay_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/alipay"
	"github.com/boxoffice/boxoffice/payment/alipay/alipaytest"
)

// said makes a callback that the gateway signs with one parameter changed; an empty value leaves it out.
func said(name, value string) alipaytest.Forgery {
	return alipaytest.Forgery{Before: func(m map[string]string) {
		m[name] = value
		if value == "" {
			delete(m, name)
		}
	}}
}

func TestHazard07SignedForAnotherMerchant(t *testing.T) {
	w := newWorld(t)
	number := w.opened(t).Number
	for name, f := range map[string]alipaytest.Forgery{
		"another application": said("app_id", "2021000122671081"), "no application": said("app_id", ""),
		"another seller": said("seller_id", "2088000000000001"), "no seller": said("seller_id", ""),
		"on behalf of another": said("auth_app_id", "2021000122671081"),
	} {
		t.Run(name, func(t *testing.T) {
			c := w.forge(t, number, f)
			notice, err := w.provider.ParseCallback(c.Header, c.Body, w.now())
			require.ErrorIs(t, err, payment.ErrWrongMerchant)
			require.Zero(t, notice)
		})
	}
}

func TestCallbacksAreReadStrictly(t *testing.T) {
	w := newWorld(t)
	number := w.opened(t).Number
	refund := func(name, value string) alipaytest.Forgery {
		return alipaytest.Forgery{Before: func(m map[string]string) {
			m["out_biz_no"], m["refund_fee"], m["gmt_refund"] = "R0000001", "1.00", "2026-01-02 03:04:05.678"
			m[name] = value
		}}
	}
	for name, test := range map[string]struct {
		forgery alipaytest.Forgery
		want    error
	}{
		"as it is":              {alipaytest.Forgery{}, nil},
		"fields we do not know": {said("voucher_detail_list", "[]"), nil},
		"other products":        {said("notify_type", "servicemarket_order_notify"), nil},
		"a refund":              {refund("version", "1.0"), nil},
		"in capitals":           {said("charset", "UTF-8"), nil},
		"in GBK":                {said("charset", "GBK"), payment.ErrMalformed},
		"no kind":               {said("notify_type", ""), payment.ErrMalformed},
		"no id":                 {said("notify_id", ""), payment.ErrMalformed},
		"a long id":             {said("notify_id", strings.Repeat("1", 129)), payment.ErrMalformed},
		"a strange number":      {said("out_trade_no", "../../x"), payment.ErrMalformed},
		"no number":             {said("out_trade_no", ""), payment.ErrMalformed},
		"no gateway's id":       {said("trade_no", ""), payment.ErrMalformed},
		"a long gateway's id":   {said("trade_no", strings.Repeat("1", 65)), payment.ErrMalformed},
		"an unknown state":      {said("trade_status", "TRADE_PENDING"), payment.ErrMalformed},
		"no state":              {said("trade_status", ""), payment.ErrMalformed},
		"no money":              {said("total_amount", "0.00"), payment.ErrMalformed},
		"less than no money":    {said("total_amount", "-1.00"), payment.ErrMalformed},
		"a third of a fen":      {said("total_amount", "380.001"), payment.ErrMalformed},
		"a binary fraction":     {said("total_amount", "3.8e2"), payment.ErrMalformed},
		"more than fits":        {said("total_amount", "9999999999999.00"), payment.ErrMalformed},
		"no amount":             {said("total_amount", ""), payment.ErrMalformed},
		"a day that is none":    {said("gmt_payment", "2026-02-30 12:00:00"), payment.ErrMalformed},
		"another clock":         {said("gmt_payment", "2026-01-02T03:04:05Z"), payment.ErrMalformed},
		"a moment that is none": {said("notify_time", "now"), payment.ErrMalformed},
		"a refund of nothing":   {refund("refund_fee", "0.00"), payment.ErrMalformed},
		"a refund of no number": {refund("out_biz_no", "R 1"), payment.ErrMalformed},
		"a refund of no day":    {refund("gmt_refund", "yesterday"), payment.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			c := w.forge(t, number, test.forgery)
			notice, err := w.provider.ParseCallback(c.Header, c.Body, w.now())
			if test.want == nil {
				require.NoError(t, err)
				require.NotEmpty(t, notice.EventID)
				return
			}
			require.ErrorIs(t, err, test.want)
			require.Zero(t, notice)
		})
	}
}

// What is not signed itself must not decide anything: sign_type, the header, what stands there twice.
func TestHazard05WhatIsNotSigned(t *testing.T) {
	w := newWorld(t)
	number := w.opened(t).Number
	after := func(change func(url.Values)) alipaytest.Forgery { return alipaytest.Forgery{After: change} }
	set := func(name, value string) alipaytest.Forgery {
		return after(func(form url.Values) { form.Set(name, value) })
	}
	for name, f := range map[string]alipaytest.Forgery{
		"SHA-1":             set("sign_type", "RSA"),
		"no algorithm":      after(func(form url.Values) { form.Del("sign_type") }),
		"no signature":      after(func(form url.Values) { form.Del("sign") }),
		"an empty one":      set("sign", ""),
		"no base64":         set("sign", "***"),
		"a parameter more":  set("total", "0.01"),
		"a parameter less":  after(func(form url.Values) { form.Del("seller_id") }),
		"an amount twice":   after(func(form url.Values) { form.Add("total_amount", "0.01") }),
		"a signature twice": after(func(form url.Values) { form.Add("sign", form.Get("sign")) }),
		"not UTF-8":         set("body", "\xff\xfe"),
		"far too long":      set("body", strings.Repeat("x", 64<<10)),
	} {
		t.Run(name, func(t *testing.T) {
			c := w.forge(t, number, f)
			notice, err := w.provider.ParseCallback(c.Header, c.Body, w.now())
			require.ErrorIs(t, err, payment.ErrSignature)
			require.Zero(t, notice)
		})
	}
	genuine := w.forge(t, number, alipaytest.Forgery{})
	for name, header := range map[string]http.Header{
		"JSON":            {"Content-Type": {"application/json"}},
		"compressed":      {"Content-Type": genuine.Header["Content-Type"], "Content-Encoding": {"gzip"}},
		"no content type": {},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.provider.ParseCallback(header, genuine.Body, w.now())
			require.ErrorIs(t, err, payment.ErrSignature)
		})
	}
}

// A callback that was not acknowledged comes again, with a new moment and therefore a new signature: it is the same event.
func TestHazard24DeliveredAgainOtherwiseSigned(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	w.mailbox.about(t, "out_trade_no="+paid.Number, 2)
	w.wait(15 * time.Hour)
	require.True(t, w.gateway.Repeat(paid.Number))
	deliveries := w.mailbox.about(t, "out_trade_no="+paid.Number, 3)
	first, err := w.provider.ParseCallback(deliveries[0].Header, deliveries[0].Body, w.now())
	require.NoError(t, err)
	last, err := w.provider.ParseCallback(deliveries[2].Header, deliveries[2].Body, w.now())
	require.NoError(t, err)
	require.NotEqual(t, deliveries[0].Body, deliveries[2].Body)
	require.Equal(t, first, last)
}

func TestHazard28TwoKeysDuringARotation(t *testing.T) {
	for name, certificates := range map[string]bool{"plain keys": false, "certificates": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(c *alipaytest.Config) { c.Certificates = certificates })
			paid := w.paid(t)
			next, err := w.gateway.Signer(w.now().Add(-time.Hour), w.now().Add(24*time.Hour))
			require.NoError(t, err)
			both := w.newProvider(t, func(c *alipay.Config) {
				if certificates {
					c.Certificates = append(c.Certificates, next.PEM()...)
				} else {
					c.PublicKeys = append(c.PublicKeys, next.PEM())
				}
			})
			old := w.forge(t, paid.Number, alipaytest.Forgery{})
			_, err = both.Query(t.Context(), paid.Number)
			require.NoError(t, err)
			w.gateway.Rotate(next)
			_, err = w.provider.Query(t.Context(), paid.Number)
			require.ErrorIs(t, err, payment.ErrUnavailable, "a key that nobody told us of")
			_, err = both.Query(t.Context(), paid.Number)
			require.NoError(t, err)
			_, err = both.ParseCallback(old.Header, old.Body, w.now())
			require.NoError(t, err, "what was signed before is still on its way")
			renewed := w.forge(t, paid.Number, alipaytest.Forgery{})
			_, err = both.ParseCallback(renewed.Header, renewed.Body, w.now())
			require.NoError(t, err)
			_, err = w.provider.ParseCallback(renewed.Header, renewed.Body, w.now())
			require.ErrorIs(t, err, payment.ErrSignature)
			if !certificates {
				return // plain keys have no end
			}
			w.wait(25 * time.Hour)
			_, err = both.Query(t.Context(), paid.Number)
			require.ErrorIs(t, err, payment.ErrUnavailable, "the certificate has expired")
		})
	}
}

func TestHazard29CallbacksToTheSecond(t *testing.T) {
	w := newWorld(t)
	number := w.opened(t).Number
	sent := w.now().Truncate(time.Second)
	c := w.forge(t, number, alipaytest.Forgery{At: sent})
	for _, test := range []struct {
		after time.Duration
		want  error
	}{
		{-5*time.Minute - time.Second, payment.ErrSignature},
		{-5 * time.Minute, nil},
		{-5*time.Minute + time.Second, nil},
		{26*time.Hour - time.Second, nil},
		{26 * time.Hour, nil},
		{26*time.Hour + time.Second, payment.ErrSignature},
	} {
		_, err := w.provider.ParseCallback(c.Header, c.Body, sent.Add(test.after))
		require.ErrorIs(t, err, test.want, test.after)
	}
}

// The gateway's times have no zone and mean Beijing: around its midnight that is another day than in UTC, and than here.
func TestHazard29BeijingMidnight(t *testing.T) {
	w := newWorld(t)
	number := w.opened(t).Number
	for text, want := range map[string]time.Time{
		"2026-01-01 23:59:59": time.Date(2026, 1, 1, 15, 59, 59, 0, time.UTC),
		"2026-01-02 00:00:00": time.Date(2026, 1, 1, 16, 0, 0, 0, time.UTC),
		"2026-01-02 00:00:01": time.Date(2026, 1, 1, 16, 0, 1, 0, time.UTC),
		"2026-01-02 07:59:59": time.Date(2026, 1, 1, 23, 59, 59, 0, time.UTC),
	} {
		c := w.forge(t, number, said("gmt_payment", text))
		notice, err := w.provider.ParseCallback(c.Header, c.Body, w.now())
		require.NoError(t, err)
		require.Equal(t, want, notice.Payment.At)
	}
}
