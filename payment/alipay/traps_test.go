package alipay_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/alipay"
	"github.com/boxoffice/boxoffice/payment/alipay/alipaytest"
	"github.com/boxoffice/boxoffice/payment/paymenttest"
)

func second[T any](_ T, err error) error { return err }

// calls are the errors of everything that asks the gateway.
func (w *world) calls(ctx context.Context, p *alipay.Provider, paid payment.Status) map[string]error {
	return map[string]error{
		"create": second(p.Create(ctx, w.order(), alipay.MethodQR)), "query": second(p.Query(ctx, paid.Number)),
		"close": second(p.Close(ctx, paid.Number)), "refund": second(p.Refund(ctx, w.refund(paid, 1))),
		"query refund": second(p.QueryRefund(ctx, w.refund(paid, 1))), "bill": second(p.Bill(ctx, w.now())),
	}
}

// The library returns no error where the gateway refused, with a signature that holds.
func TestRefusalsAreErrors(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	for _, test := range []struct {
		code, sub string
		want      error
	}{
		{"40004", "ACQ.SYSTEM_ERROR", payment.ErrUnavailable},
		{"40004", "aop.ACQ.SYSTEM_ERROR", payment.ErrUnavailable},
		{"40004", "ACQ.ACCESS_FORBIDDEN", payment.ErrUnavailable},
		{"40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH", payment.ErrLowBalance},
		{"40004", "ACQ.TRADE_HAS_FINISHED", payment.ErrRejected},
		{"40004", "ACQ.SOMETHING_NEW", payment.ErrRejected},
		{"40001", "isv.missing-parameter", payment.ErrUnavailable}, // the gateway does not sign it
		{"40002", "isv.invalid-parameter", payment.ErrRejected},
		{"40002", "isv.invalid-signature", payment.ErrUnavailable},
		{"40002", "isv.invalid-app-id", payment.ErrUnavailable},
		{"40003", "isv.something-new", payment.ErrRejected},
		{"40006", "isv.insufficient-isv-permissions", payment.ErrUnavailable},
		{"40006", "isv.something-new", payment.ErrUnavailable},
		{"40005", "app-call-limited", payment.ErrUnavailable},
		{"20000", "isp.unknow-error", payment.ErrUnavailable},
		{"20000", "aop.unknow-error", payment.ErrUnavailable},
		{"20001", "aop.invalid-auth-token", payment.ErrUnavailable},
		{"99999", "", payment.ErrUnavailable},
	} {
		t.Run(test.code+" "+test.sub, func(t *testing.T) {
			defer w.faults(alipaytest.Faults{Code: test.code, SubCode: test.sub})()
			_, err := w.provider.Refund(t.Context(), w.refund(paid, 1))
			paymenttest.Only(t, test.want, err, "refund")
			require.ErrorContains(t, err, test.sub, "whoever mends it wants to know")
		})
	}
}

// What a proxy or a stranger between us says leaves the outcome unknown: never "rejected", never "not found".
func TestAnswersAreVerified(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	stranger, err := alipaytest.NewIdentity()
	require.NoError(t, err)
	for name, f := range map[string]alipaytest.Faults{
		"another key":          {AnswersBy: stranger},
		"not signed":           {Unsigned: true},
		"changed":              {Tamper: true},
		"a refusal unsigned":   {Unsigned: true, Code: "40004", SubCode: "ACQ.TRADE_NOT_EXIST"},
		"a refusal changed":    {Tamper: true, Code: "40004", SubCode: "ACQ.TRADE_NOT_EXIST"},
		"status 404":           {Status: http.StatusNotFound},
		"status 500":           {Status: http.StatusInternalServerError},
		"status 502":           {Status: http.StatusBadGateway},
		"a page":               {Answer: "<html><body>登录</body></html>"},
		"half an answer":       {Answer: `{"alipay_trade_query_response":{"code":"10000","msg":"Succ`},
		"an empty object":      {Answer: `{}`},
		"a list":               {Answer: `[]`},
		"null":                 {Answer: `null`},
		"an empty answer":      {Answer: ` `},
		"an answer without":    {Answer: `{"sign":"QUFBQQ=="}`},
		"null inside":          {Answer: `{"alipay_trade_query_response":null,"sign":"QUFBQQ=="}`},
		"a signature of what?": {Answer: `{"alipay_trade_query_response":{"code":"10000"},"sign":"***"}`},
		"an error unsigned":    {Answer: `{"error_response":{"code":"40002","sub_code":"isv.invalid-app-id"}}`},
		"too long":             {Answer: `{"alipay_trade_query_response":"` + strings.Repeat("x", 1<<20) + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			defer w.faults(f)()
			for call, err := range w.calls(t.Context(), w.provider, paid) {
				paymenttest.Only(t, payment.ErrUnavailable, err, call)
			}
		})
	}
}

// A request carries our signature and the payer's affairs: it goes where the configuration says and nowhere else.
func TestRedirectsAreNotFollowed(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	followed := make(chan string, 64)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { followed <- r.URL.String() }))
	t.Cleanup(elsewhere.Close)
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		gateway := httptest.NewServer(http.RedirectHandler(elsewhere.URL+"/gateway.do", status))
		t.Cleanup(gateway.Close)
		p := w.newProvider(t, func(c *alipay.Config) { c.URL = gateway.URL + "/gateway.do" })
		for call, err := range w.calls(t.Context(), p, paid) {
			paymenttest.Only(t, payment.ErrUnavailable, err, call)
		}
	}
	require.Empty(t, followed)
}

// endless is an answer that never ends.
type endless struct{ read int }

func (e *endless) Read(into []byte) (int, error) { e.read += len(into); return len(into), nil }
func (e *endless) Close() error                  { return nil }

func (e *endless) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: e}, nil
}

func TestHazard31AnswersAreBounded(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	answer := &endless{}
	p := w.newProvider(t, func(c *alipay.Config) { c.HTTPClient = &http.Client{Transport: answer}; c.Timeout = time.Minute })
	_, err := p.Query(t.Context(), paid.Number)
	paymenttest.Only(t, payment.ErrUnavailable, err, "query")
	require.Less(t, answer.read, 8<<20)
}

// TRADE_CLOSED is what an unpaid payment ends as, and also one whose money all went back.
func TestClosedUnpaidIsNotClosedRefunded(t *testing.T) {
	w := newWorld(t)
	unpaid := w.opened(t)
	status, err := w.provider.Close(t.Context(), unpaid.Number)
	require.NoError(t, err)
	require.Equal(t, payment.StateClosed, status.State)
	status, err = w.provider.Query(t.Context(), unpaid.Number)
	require.NoError(t, err)
	require.Equal(t, payment.StateClosed, status.State)
	require.Zero(t, status.Captured)

	paid := w.paid(t)
	refund := w.refund(paid, paid.Captured.Amount)
	_, err = w.provider.Refund(t.Context(), refund)
	require.NoError(t, err)
	trade, _ := w.gateway.Trade(paid.Number)
	require.Equal(t, "TRADE_CLOSED", trade.State)
	for range 2 {
		status, err = w.provider.Query(t.Context(), paid.Number)
		require.NoError(t, err)
		require.Equal(t, paid, status, "that it was paid stays a fact")
		status, err = w.provider.Close(t.Context(), paid.Number)
		require.NoError(t, err)
		require.Equal(t, paid, status)
	}
	c := w.mailbox.about(t, "out_biz_no="+refund.ID, 1)[0]
	notice, err := w.provider.ParseCallback(c.Header, c.Body, w.now())
	require.NoError(t, err)
	require.Equal(t, payment.NoticeRefund, notice.Kind, "not that the payment was closed")
	require.Equal(t, refund.ID, notice.Refund.ID)
}

// A payment that closed by itself says so by a callback without a moment of payment.
func TestACallbackOfAClosedPayment(t *testing.T) {
	w := newWorld(t)
	c := w.forge(t, w.opened(t).Number, alipaytest.Forgery{Before: func(m map[string]string) {
		m["trade_status"] = "TRADE_CLOSED"
		delete(m, "gmt_payment")
	}})
	notice, err := w.provider.ParseCallback(c.Header, c.Body, w.now())
	require.NoError(t, err)
	require.Equal(t, payment.NoticePayment, notice.Kind)
	require.Equal(t, payment.StateClosed, notice.Payment.State)
	require.Zero(t, notice.Payment.Captured)
}

// Hazard 22: TRADE_FINISHED is paid, and what the end of the refund window looks like.
func TestHazard22Finished(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	require.NoError(t, w.gateway.Finish(paid.Number))
	status, err := w.provider.Query(t.Context(), paid.Number)
	require.NoError(t, err)
	require.Equal(t, paid, status)
	status, err = w.provider.Close(t.Context(), paid.Number)
	require.NoError(t, err)
	require.Equal(t, paid, status)
	_, err = w.provider.Refund(t.Context(), w.refund(paid, 1))
	paymenttest.Only(t, payment.ErrRejected, err, "refund")
	require.ErrorContains(t, err, "ACQ.TRADE_HAS_FINISHED", "the reason goes to the person who settles it")
	told := w.mailbox.about(t, "trade_status=TRADE_FINISHED", 1)[0]
	notice, err := w.provider.ParseCallback(told.Header, told.Body, w.now())
	require.NoError(t, err)
	require.Equal(t, payment.StatePaid, notice.Payment.State)
	first := w.mailbox.about(t, "trade_status=TRADE_SUCCESS", 1)[0]
	earlier, err := w.provider.ParseCallback(first.Header, first.Body, w.now())
	require.NoError(t, err)
	require.NotEqual(t, earlier.EventID, notice.EventID)
	require.Equal(t, earlier.Payment, notice.Payment)
}

// Hazard 15: until somebody scans, the gateway knows of nothing, and nothing can be closed; but for the payment's own end it could
// still be paid.
func TestHazard15OpenedButNeverScanned(t *testing.T) {
	for _, method := range []string{alipay.MethodPage, alipay.MethodQR} {
		t.Run(method, func(t *testing.T) {
			w := newWorld(t)
			scanned, never := w.order(), w.order()
			for _, order := range []payment.Order{scanned, never} {
				checkout, err := w.provider.Create(t.Context(), order, method)
				require.NoError(t, err)
				require.NoError(t, look(t.Context(), checkout))
				_, err = w.provider.Query(t.Context(), order.Number)
				paymenttest.Only(t, payment.ErrNotFound, err, "query")
				_, err = w.provider.Close(t.Context(), order.Number)
				paymenttest.Only(t, payment.ErrNotFound, err, "close")
			}
			w.wait(scanned.ExpiresAt.Sub(w.now()) - 30*time.Second)
			require.NoError(t, w.gateway.Pay(scanned.Number), "closing forbade nothing")
			status, err := w.provider.Query(t.Context(), scanned.Number)
			require.NoError(t, err)
			require.Equal(t, payment.StatePaid, status.State)
			w.wait(never.ExpiresAt.Sub(w.now()))
			require.ErrorIs(t, w.gateway.Pay(never.Number), alipaytest.ErrEnded, "the order's own end forbids it")
		})
	}
}

// Hazard 14: money may still come for a payment that has ended.
func TestHazard14LateMoneyIsTold(t *testing.T) {
	w := newWorld(t)
	order := w.opened(t)
	w.wait(11 * time.Minute)
	require.ErrorIs(t, w.gateway.Pay(order.Number), alipaytest.ErrEnded)
	status, err := w.provider.Query(t.Context(), order.Number)
	require.NoError(t, err)
	require.Equal(t, payment.StateClosed, status.State)
	require.NoError(t, w.gateway.PayLate(order.Number))
	status, err = w.provider.Close(t.Context(), order.Number)
	require.NoError(t, err)
	require.Equal(t, payment.StatePaid, status.State)
	require.Equal(t, order.Amount, status.Captured)
}

// A refused close is not a closed payment: the payer may be paying.
func TestHazard10ARefusedClose(t *testing.T) {
	w := newWorld(t)
	order := w.opened(t)
	p := w.newProvider(t, func(c *alipay.Config) {
		c.HTTPClient.Transport = refusingClose{c.HTTPClient.Transport, w.gateway}
	})
	status, err := p.Close(t.Context(), order.Number)
	require.NoError(t, err)
	require.Equal(t, payment.StateUnknown, status.State)
	require.Equal(t, order.Number, status.Number)
}

// refusingClose makes the gateway refuse to close.
type refusingClose struct {
	http.RoundTripper

	gateway *alipaytest.Gateway
}

func (c refusingClose) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	form := make([]byte, r.ContentLength)
	if _, err := body.Read(form); err != nil {
		return nil, err
	}
	if strings.Contains(string(form), "method=alipay.trade.close") {
		c.gateway.SetFaults(alipaytest.Faults{Code: "40004", SubCode: "ACQ.REASON_TRADE_STATUS_INVALID"})
		defer c.gateway.SetFaults(alipaytest.Faults{})
	}
	return c.RoundTripper.RoundTrip(r)
}
