package sandbox_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/paymenttest"
	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestSandboxConforms(t *testing.T) {
	for _, method := range []string{sandbox.MethodWallet, sandbox.MethodQR} {
		t.Run(method, func(t *testing.T) {
			h := newWorld(t).harness()
			h.Method = method
			paymenttest.Run(t, h)
		})
	}
}

func TestWhatIsMissingIsSaidAtOnce(t *testing.T) {
	good := sandbox.Config{URL: "http://127.0.0.1:1", Merchant: merchant, Key: key, CallbackKeys: []string{callbackKey}}
	_, err := sandbox.New(good)
	require.NoError(t, err)
	for name, spoil := range map[string]func(*sandbox.Config){
		"URL": func(c *sandbox.Config) { c.URL = "" }, "scheme": func(c *sandbox.Config) { c.URL = "ftp://host" },
		"host": func(c *sandbox.Config) { c.URL = "http://" }, "merchant": func(c *sandbox.Config) { c.Merchant = "" },
		"key": func(c *sandbox.Config) { c.Key = "" }, "callback keys": func(c *sandbox.Config) { c.CallbackKeys = nil },
	} {
		config := good
		spoil(&config)
		_, err := sandbox.New(config)
		require.Error(t, err, name)
	}
}

// answering makes an adapter whose gateway answers everything alike.
func answering(t *testing.T, handler http.HandlerFunc) *sandbox.Provider {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return newProvider(t, sandbox.Config{URL: server.URL})
}

func TestOnlyTheGatewaysOwnWordsAreBelieved(t *testing.T) {
	pending := func(number string) string {
		return `{"id":"SB1","merchant":"` + merchant + `","number":"` + number + `","state":"pending","amount":{"amount":1,"currency":"CNY"},"pay_url":"http://x","at":"2026-11-20T12:00:00Z"}`
	}
	for name, test := range map[string]struct {
		status int
		body   string
		want   error
	}{
		"the payment":                    {200, pending("T0000001"), nil},
		"another payment":                {200, pending("T0000002"), payment.ErrUnavailable},
		"another merchant's":             {200, strings.Replace(pending("T0000001"), merchant, "M2", 1), payment.ErrUnavailable},
		"an unknown state":               {200, strings.Replace(pending("T0000001"), "pending", "sold", 1), payment.ErrUnavailable},
		"no state":                       {200, `{"number":"T0000001"}`, payment.ErrUnavailable},
		"nothing":                        {200, "", payment.ErrUnavailable},
		"a page":                         {200, "<html>", payment.ErrUnavailable},
		"half":                           {200, pending("T0000001")[:40], payment.ErrUnavailable},
		"too much":                       {200, `{"id":"` + strings.Repeat("x", 2<<20) + `"}`, payment.ErrUnavailable},
		"more than all of it":            {200, pending("T0000001") + strings.Repeat(" ", 2<<20), payment.ErrUnavailable},
		"unknown":                        {404, `{"code":"unknown","message":""}`, payment.ErrNotFound},
		"a proxy's 404":                  {404, "404 page not found", payment.ErrUnavailable},
		"refused":                        {409, `{"code":"not_paid","message":""}`, payment.ErrRejected},
		"a proxy's 409":                  {409, "conflict", payment.ErrUnavailable},
		"invalid":                        {400, `{"code":"invalid","message":""}`, payment.ErrRejected},
		"a proxy's 400":                  {400, "bad request", payment.ErrUnavailable},
		"our clock or key is wrong":      {401, `{"code":"unsigned","message":""}`, payment.ErrUnavailable},
		"the balance is too low":         {402, `{"code":"balance_too_low","message":""}`, payment.ErrLowBalance},
		"too many requests":              {429, `{"code":"slow_down","message":""}`, payment.ErrUnavailable},
		"failed":                         {500, `{"code":"failed","message":""}`, payment.ErrUnavailable},
		"a redirect, never followed":     {307, "", payment.ErrUnavailable},
		"a success that says too little": {204, "", payment.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			p := answering(t, func(w http.ResponseWriter, r *http.Request) {
				asked++
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			})
			_, err := p.Query(t.Context(), "T0000001")
			if test.want == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, test.want)
			}
			_, err = p.Close(t.Context(), "T0000001")
			require.Equal(t, test.want == nil, err == nil)
			require.Equal(t, 2, asked, "once each: it never retries by itself")
		})
	}
}

func TestACreateOrRefundAnsweredForAnotherIsNotBelieved(t *testing.T) {
	p := answering(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"id":"SB1","merchant":"`+merchant+`","number":"T0000002","pay_url":"http://x"}`)
	})
	checkout, err := p.Create(t.Context(), payment.Order{Number: "T0000001", ExpiresAt: time.Now()}, sandbox.MethodCard)
	require.ErrorIs(t, err, payment.ErrUnavailable)
	require.Zero(t, checkout)
	p = answering(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"id":"R0000001","gateway_id":"SR1","merchant":"`+merchant+`","number":"T0000001","state":"succeeded","amount":{"amount":2,"currency":"CNY"},"at":"2026-11-20T12:00:00Z"}`)
	})
	refund := payment.Refund{ID: "R0000001", Number: "T0000001", Amount: ticketing.Money{Amount: 1, Currency: "CNY"}}
	_, err = p.Refund(t.Context(), refund)
	require.ErrorIs(t, err, payment.ErrUnavailable, "another amount went back")
	refund.Amount.Amount = 2
	_, err = p.QueryRefund(t.Context(), refund)
	require.NoError(t, err)
}

func TestABillIsWholeOrNotAtAll(t *testing.T) {
	line := `{"kind":"payment","gateway_id":"SB1","merchant":"M","number":"T0000001","amount":{"amount":1,"currency":"CNY"},"at":"2026-11-20T12:00:00Z"}`
	asked := []string{}
	p := answering(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RequestURI())
		_, _ = io.WriteString(w, `{"total":3,"movements":[`+line+`]}`)
	})
	bill, err := p.Bill(t.Context(), time.Date(2026, 11, 21, 7, 0, 0, 0, time.FixedZone("Beijing", 8*60*60)))
	require.NoError(t, err)
	require.Len(t, bill, 3)
	require.Equal(t, []string{"/v1/bills/2026-11-20?from=0", "/v1/bills/2026-11-20?from=1", "/v1/bills/2026-11-20?from=2"}, asked)
	p = answering(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"total":3,"movements":[]}`) })
	_, err = p.Bill(t.Context(), time.Now())
	require.ErrorIs(t, err, payment.ErrTruncatedBill)
}

func TestTheCallersPatienceCountsToo(t *testing.T) {
	w := newWorld(t)
	defer w.faults(t, gateway.Faults{Hang: []string{"*"}})()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.provider.Query(ctx, "T0000001")
	require.ErrorIs(t, err, payment.ErrUnavailable)
}
