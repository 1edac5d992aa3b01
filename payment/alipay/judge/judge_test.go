package judge_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/alipay"
	"github.com/boxoffice/boxoffice/payment/alipay/alipaytest"
	"github.com/boxoffice/boxoffice/payment/paymenttest"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestAlipaysOwnLibraryForNode lets the library be a merchant with plain keys, and one with certificates.
func TestAlipaysOwnLibraryForNode(t *testing.T) {
	for name, certificates := range map[string]bool{"keys": false, "certificates": true} {
		t.Run(name, func(t *testing.T) {
			g, err := alipaytest.Open(alipaytest.Config{BillsAtOnce: true, Certificates: certificates})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, g.Close()) })
			stranger, err := alipaytest.NewIdentity()
			require.NoError(t, err)
			c := g.Credentials()
			number, page := offered(t, g)
			said, complaints, err := paymenttest.Node(t, "alipay", "merchant.mjs", map[string]any{
				"gateway": g.URL(), "appID": c.AppID, "sellerID": c.SellerID, "key": string(c.Key), "publicKey": string(c.PublicKey),
				"certificate": string(c.Certificate), "appCertificate": string(c.AppCertificate), "roots": string(c.Roots),
				"strangersKey": string(stranger.KeyPEM()), "number": number, "page": page,
			}, "TZ=Asia/Shanghai") // the library writes the machine's time, the gateway reads Beijing's
			require.NoError(t, err, complaints)
			var saw struct{ Callbacks, Lines int }
			require.NoError(t, json.Unmarshal(said, &saw), string(said))
			require.Equal(t, 3, saw.Callbacks)
			require.Equal(t, 3, saw.Lines)
		})
	}
}

// offered has the adapter offer a page, and returns its number and address.
func offered(t *testing.T, g *alipaytest.Gateway) (number, page string) {
	t.Helper()
	c := g.Credentials()
	config := alipay.Config{
		AppID: c.AppID, SellerID: c.SellerID, Key: c.Key, Certificates: c.Certificate, AppCertificate: c.AppCertificate, Roots: c.Roots, URL: g.URL(),
	}
	if len(c.PublicKey) > 0 {
		config.PublicKeys = [][]byte{c.PublicKey}
	}
	p, err := alipay.New(config)
	require.NoError(t, err)
	order := payment.Order{
		Number: ticketing.NewNumber(time.Now()), Amount: ticketing.Money{Amount: 38_000, Currency: "CNY"}, Description: "哈姆雷特 & co", Language: "zh-CN",
		ExpiresAt: time.Now().Add(10 * time.Minute), NotifyURL: "https://shop.example/notify", ReturnURL: "https://shop.example/orders/1?returned=1",
	}
	checkout, err := p.Create(t.Context(), order, alipay.MethodPage)
	require.NoError(t, err)
	return order.Number, checkout.PayURL
}
