package unionpay_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/unionpay"
	"github.com/boxoffice/boxoffice/payment/unionpay/unionpaytest"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestTheFormSaysWhatTheGatewayWants(t *testing.T) {
	w := newWorld(t)
	now := time.Date(2026, 12, 31, 15, 59, 59, 0, time.UTC)
	p := w.adapter(t, func(c *unionpay.Config) { c.Now = func() time.Time { return now } })
	order := w.order()
	order.Number = ticketing.NewNumber(now)
	order.ExpiresAt = now.Add(time.Second)
	order.Description, order.PayerIP = " 张三 & \"Hamlet\"\n{x}=[1] ", "::ffff:192.0.2.7"
	checkout, err := p.Create(t.Context(), order, unionpay.MethodPage)
	require.NoError(t, err)
	require.Equal(t, w.gateway.URL()+"/gateway/api/frontTransReq.do", checkout.PayURL)
	require.Empty(t, checkout.QR+checkout.GatewayID)
	again, err := p.Create(t.Context(), order, unionpay.MethodPage)
	require.NoError(t, err)
	require.Equal(t, checkout, again, "the same order, to the letter")
	require.Len(t, checkout.Form["signature"], 344)
	require.Regexp(t, `^[0-9]+$`, checkout.Form["certId"])
	delete(checkout.Form, "signature")
	delete(checkout.Form, "certId")
	require.Equal(t, map[string]string{
		"version": "5.1.0", "encoding": "UTF-8", "signMethod": "01", "txnType": "01", "txnSubType": "01", "bizType": "000201",
		"channelType": "07", "accessType": "0", "merId": w.config.Merchant, "orderId": order.Number, "txnAmt": "38000", "currencyCode": "156",
		"txnTime": "20261231235959", "payTimeout": "20270101000000", "reqReserved": "20270101000000",
		"backUrl": order.NotifyURL, "frontUrl": order.ReturnURL, "frontFailUrl": order.ReturnURL, "customerIp": "192.0.2.7",
		"riskRateInfo": "{commodityName=张三 Hamlet x 1}",
	}, checkout.Form)
}

func TestHazard29TimesAreBeijingsToTheSecond(t *testing.T) {
	w := newWorld(t)
	midnight := time.Date(2026, 11, 20, 16, 0, 0, 0, time.UTC)
	for at, want := range map[time.Time]string{
		midnight.Add(-time.Second): "20261120235959", midnight: "20261121000000", midnight.Add(time.Second): "20261121000001",
	} {
		for _, zone := range []*time.Location{time.UTC, time.FixedZone("UTC-5", -5*60*60)} {
			p := w.adapter(t, func(c *unionpay.Config) { c.Now = func() time.Time { return at.In(zone) } })
			order := w.order()
			order.Number, order.ExpiresAt = ticketing.NewNumber(at.In(zone)), at.In(zone).Add(time.Hour)
			checkout, err := p.Create(t.Context(), order, unionpay.MethodPage)
			require.NoError(t, err)
			require.Equal(t, want, checkout.Form["txnTime"])
			end, err := time.ParseInLocation("20060102150405", checkout.Form["payTimeout"], time.FixedZone("UTC+8", 8*60*60))
			require.NoError(t, err)
			require.True(t, end.Equal(at.Add(time.Hour)), end)
		}
	}
}

func TestOrdersTheGatewayWouldRefuseAreRefused(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(o *payment.Order){
		"a number that tells no time": func(o *payment.Order) { o.Number = "T0000000000000000000000001" },
		"an old number":               func(o *payment.Order) { o.Number = ticketing.NewNumber(w.now().Add(-time.Hour - 2*time.Second)) },
		"a number of the future":      func(o *payment.Order) { o.Number = ticketing.NewNumber(w.now().Add(6 * time.Minute)) },
		"no number":                   func(o *payment.Order) { o.Number = "" },
		"nothing":                     func(o *payment.Order) { o.Amount.Amount = 0 },
		"less than nothing":           func(o *payment.Order) { o.Amount.Amount = -1 },
		"thirteen digits":             func(o *payment.Order) { o.Amount.Amount = 1_000_000_000_000 },
		"dollars":                     func(o *payment.Order) { o.Amount.Currency = "USD" },
		"expired":                     func(o *payment.Order) { o.ExpiresAt = w.now() },
		"a relative return address":   func(o *payment.Order) { o.ReturnURL = "/orders/1" },
		"no callbacks":                func(o *payment.Order) { o.NotifyURL = "" },
		"a long address":              func(o *payment.Order) { o.NotifyURL += strings.Repeat("x", 256) },
		"another scheme":              func(o *payment.Order) { o.ReturnURL = "javascript://x/%0aalert(1)" },
	} {
		t.Run(name, func(t *testing.T) {
			order := w.order()
			change(&order)
			_, err := w.provider.Create(t.Context(), order, unionpay.MethodPage)
			require.ErrorIs(t, err, payment.ErrRejected)
		})
	}
	_, err := w.provider.Create(t.Context(), w.order(), "unionpay_qr")
	require.ErrorIs(t, err, payment.ErrRejected)
	order := w.order()
	order.Number = ticketing.NewNumber(w.now().Add(time.Minute)) // the clock of whoever numbers may be ahead
	_, err = w.provider.Create(t.Context(), order, unionpay.MethodPage)
	require.NoError(t, err)
}

func TestHazard15AnOrderNobodyPostedIsNotKnownUntilItIs(t *testing.T) {
	w := newWorld(t)
	order := w.order()
	checkout, err := w.provider.Create(t.Context(), order, unionpay.MethodPage)
	require.NoError(t, err)
	for range 2 {
		_, err = w.provider.Query(t.Context(), order.Number)
		require.ErrorIs(t, err, payment.ErrNotFound)
		_, err = w.provider.Close(t.Context(), order.Number)
		require.ErrorIs(t, err, payment.ErrNotFound)
	}
	w.wait(t, 9*time.Minute) // the page is opened late, but in time
	page, err := post(t.Context(), checkout)
	require.NoError(t, err)
	require.Contains(t, page, `id="pay"`)
	require.NoError(t, w.gateway.Pay(order.Number))
	status, err := w.provider.Query(t.Context(), order.Number)
	require.NoError(t, err)
	require.Equal(t, payment.StatePaid, status.State)

	late := w.order()
	checkout, err = w.provider.Create(t.Context(), late, unionpay.MethodPage)
	require.NoError(t, err)
	w.wait(t, 11*time.Minute)
	page, err = post(t.Context(), checkout)
	require.NoError(t, err)
	require.Contains(t, page, `data-code="69"`, "the gateway itself refuses after the hold's end")
	_, err = w.provider.Query(t.Context(), late.Number)
	require.ErrorIs(t, err, payment.ErrNotFound)
}

func TestHazard17WhatAPaymentIsUntilItsEndAndAfter(t *testing.T) {
	type when map[time.Duration]payment.State // since the payment's end
	const before, settling, after = -time.Second, 29 * time.Second, 31 * time.Second
	w := newWorld(t)
	for code, want := range map[string]when{
		"05": {before: payment.StatePending, 0: payment.StateUnknown, settling: payment.StateUnknown, after: payment.StateClosed},
		"03": {before: payment.StateUnknown, 0: payment.StateUnknown, settling: payment.StateUnknown, after: payment.StateClosed},
		"04": {before: payment.StateUnknown, 0: payment.StateUnknown, settling: payment.StateUnknown, after: payment.StateClosed},
		"69": {before: payment.StatePending, 0: payment.StateClosed, after: payment.StateClosed},
		"64": {before: payment.StatePending, 0: payment.StateDeclined, after: payment.StateDeclined},
		"01": {before: payment.StatePending, 0: payment.StateDeclined},
		"42": {before: payment.StatePending, 0: payment.StateDeclined}, // taken too late: UnionPay gives it back by itself
		"ZZ": {before: payment.StatePending, 0: payment.StateDeclined},
	} {
		t.Run(code, func(t *testing.T) {
			order := w.opened(t)
			require.NoError(t, w.gateway.Hesitate(order.Number, code))
			for since, state := range want {
				p := w.adapter(t, func(c *unionpay.Config) { c.Now = func() time.Time { return order.ExpiresAt.Add(since) } })
				queried, err := p.Query(t.Context(), order.Number)
				require.NoError(t, err)
				require.Equal(t, state, queried.State, since)
				require.Zero(t, queried.Captured)
				closed, err := p.Close(t.Context(), order.Number)
				require.NoError(t, err)
				if state == payment.StatePending {
					state = payment.StateUnknown
				}
				require.Equal(t, state, closed.State, since)
			}
		})
	}
}

func TestADeclinedCardIsNotTheEnd(t *testing.T) {
	w := newWorld(t)
	order := w.opened(t)
	require.NoError(t, w.gateway.Decline(order.Number, "64"))
	require.NoError(t, w.gateway.Pay(order.Number)) // another card, on the same page
	status, err := w.provider.Query(t.Context(), order.Number)
	require.NoError(t, err)
	require.Equal(t, payment.StatePaid, status.State)
	require.Equal(t, order.Amount, status.Captured)
}

func TestHazard9MoneyTakenAfterTheEndIsReported(t *testing.T) {
	w := newWorld(t)
	order := w.opened(t)
	w.wait(t, 11*time.Minute)
	closed, err := w.provider.Close(t.Context(), order.Number)
	require.NoError(t, err)
	require.Equal(t, payment.StateClosed, closed.State)
	require.NoError(t, w.gateway.PayLate(order.Number)) // on a bank's page that was opened before
	c := w.mailbox.about(t, "orderId="+order.Number, 1)[0]
	notice, err := w.provider.ParseCallback(c.Header, c.Body, w.now())
	require.NoError(t, err)
	require.Equal(t, payment.StatePaid, notice.Payment.State)
	closed, err = w.provider.Close(t.Context(), order.Number)
	require.NoError(t, err)
	require.Equal(t, payment.StatePaid, closed.State)
}

func TestAFlawedSuccessIsASuccess(t *testing.T) {
	w := newWorld(t)
	order := w.opened(t)
	require.NoError(t, w.gateway.PayFlawed(order.Number))
	status, err := w.provider.Query(t.Context(), order.Number)
	require.NoError(t, err)
	require.Equal(t, payment.StatePaid, status.State)
	require.Equal(t, order.Amount, status.Captured)
}

func TestHazard12AnotherProcessKnowsWhatToAsk(t *testing.T) {
	w := newWorld(t)
	order := w.opened(t)
	other := w.adapter(t, func(*unionpay.Config) {}) // which has never seen the order
	status, err := other.Query(t.Context(), order.Number)
	require.NoError(t, err)
	require.Equal(t, payment.StatePending, status.State)
	require.Equal(t, 1, w.gateway.Asked("00"))
	_, err = other.Query(t.Context(), "T0000000000000000000000001")
	require.ErrorIs(t, err, payment.ErrNotFound)
	require.Equal(t, 1, w.gateway.Asked("00"), "no number of ours was ever sent")
}

// answering is a transport that answers in the gateway's place.
type answering func(*http.Request) (*http.Response, error)

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }

func answered(status int, header http.Header, body io.Reader) answering {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(body)}, nil
	}
}

// overheard is what the gateway answers to a call, as it is on the wire.
func (w *world) overheard(t *testing.T, call func(*unionpay.Provider)) string {
	t.Helper()
	var heard []byte
	call(w.adapter(t, func(c *unionpay.Config) {
		wire := c.HTTPClient.Transport
		c.HTTPClient = &http.Client{Transport: answering(func(r *http.Request) (*http.Response, error) {
			response, err := wire.RoundTrip(r)
			if err != nil {
				return nil, err
			}
			defer response.Body.Close()
			heard, err = io.ReadAll(response.Body)
			response.Body = io.NopCloser(bytes.NewReader(heard))
			return response, err
		})}
	}))
	return string(heard)
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestHazard36AnswersThatAreNotTheGatewaysAreNoAnswers(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	genuine := w.overheard(t, func(p *unionpay.Provider) {
		_, err := p.Query(t.Context(), w.paid(t).Number)
		require.NoError(t, err)
	})
	for name, transport := range map[string]http.RoundTripper{
		"a page":             answered(200, nil, strings.NewReader("<html><body>maintenance</body></html>")),
		"an error":           answered(502, nil, strings.NewReader(genuine)),
		"nothing":            answered(200, nil, strings.NewReader("")),
		"no signature":       answered(200, nil, strings.NewReader("respCode=00&merId="+w.config.Merchant)),
		"one field twice":    answered(200, nil, strings.NewReader(genuine+"&respCode=00")),
		"half of it":         answered(200, nil, strings.NewReader(genuine[:len(genuine)/2])),
		"without an end":     answered(200, nil, endless{}),
		"another question's": answered(200, nil, strings.NewReader(genuine)),
		"a redirection":      answered(302, http.Header{"Location": {w.gateway.URL() + "/"}}, strings.NewReader(genuine)),
		"many fields":        answered(200, nil, strings.NewReader(strings.Repeat("&a=1", 10_000)[1:])),
	} {
		t.Run(name, func(t *testing.T) {
			p := w.adapter(t, func(c *unionpay.Config) { c.HTTPClient = &http.Client{Transport: transport} })
			_, err := p.Query(t.Context(), paid.Number)
			require.ErrorIs(t, err, payment.ErrUnavailable)
			_, err = p.Refund(t.Context(), w.refund(paid, 1))
			require.ErrorIs(t, err, payment.ErrUnavailable)
			_, err = p.Bill(t.Context(), w.now())
			require.ErrorIs(t, err, payment.ErrUnavailable)
		})
	}
	defer w.faults(unionpaytest.Faults{AnswersBy: stranger(t)})()
	_, err := w.provider.Query(t.Context(), paid.Number)
	require.ErrorIs(t, err, payment.ErrUnavailable)
	require.ErrorContains(t, err, "signature")
}

func TestWhatTheGatewaySaysOfAQuery(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	for code, want := range map[string]error{
		"34": payment.ErrNotFound, "03": payment.ErrUnavailable, "06": payment.ErrUnavailable, "11": payment.ErrUnavailable,
		"37": payment.ErrUnavailable, "99": payment.ErrUnavailable, "90": payment.ErrUnavailable, "10": payment.ErrRejected, "??": payment.ErrUnavailable,
	} {
		restore := w.faults(unionpaytest.Faults{Code: code})
		_, err := w.provider.Query(t.Context(), paid.Number)
		require.ErrorIs(t, err, want, code)
		restore()
	}
	for _, status := range []int{http.StatusInternalServerError, http.StatusBadGateway, http.StatusNotFound} {
		restore := w.faults(unionpaytest.Faults{Status: status})
		_, err := w.provider.Query(t.Context(), paid.Number)
		require.ErrorIs(t, err, payment.ErrUnavailable, "a proxy's word is not the gateway's")
		restore()
	}
}
