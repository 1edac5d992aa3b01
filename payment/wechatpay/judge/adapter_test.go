package judge_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/wechatpay"
	"github.com/boxoffice/boxoffice/payment/wechatpay/wechatpaytest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// signed is a request of the adapter as it was sent.
type signed struct {
	Method        string `json:"method"`
	URI           string `json:"uri"`
	Authorization string `json:"authorization"`
	Body          string `json:"body"`
}

// witness sends requests and remembers them.
type witness struct {
	http.RoundTripper

	saw []signed
}

func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	sent := r.Clone(r.Context())
	sent.Body = io.NopCloser(bytes.NewReader(body))
	w.saw = append(w.saw, signed{r.Method, r.URL.RequestURI(), r.Header.Get("Authorization"), string(body)})
	return w.RoundTripper.RoundTrip(sent)
}

// adapters are the adapter's requests of each kind.
func adapters(t *testing.T, g *wechatpaytest.Gateway) []signed {
	t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	w := &witness{RoundTripper: transport}
	c := g.Credentials()
	p, err := wechatpay.New(wechatpay.Config{
		Merchant: c.Merchant, AppID: c.AppID, Key: c.Key, Serial: c.Serial, APIv3Key: c.APIv3Key, PublicKeys: c.PublicKeys,
		URL: g.URL(), HTTPClient: &http.Client{Transport: w},
	})
	require.NoError(t, err)
	order := payment.Order{
		Number: ticketing.NewNumber(time.Now()), Amount: ticketing.Money{Amount: 38_000, Currency: "CNY"}, Description: "哈姆雷特 & co", Language: "zh-CN",
		ExpiresAt: time.Now().Add(10 * time.Minute), NotifyURL: "https://shop.example/notify", ReturnURL: "https://shop.example/orders/1?returned=1",
	}
	_, err = p.Create(t.Context(), order, wechatpay.MethodNative)
	require.NoError(t, err)
	_, err = p.Query(t.Context(), order.Number)
	require.NoError(t, err)
	_, err = p.Close(t.Context(), order.Number)
	require.NoError(t, err)
	_, err = p.QueryRefund(t.Context(), payment.Refund{ID: order.Number, Number: order.Number})
	require.ErrorIs(t, err, payment.ErrNotFound)
	require.Len(t, w.saw, 4)
	return w.saw
}
