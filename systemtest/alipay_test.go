package systemtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/alipay"
	"github.com/boxoffice/boxoffice/payment/alipay/alipaytest"
)

func openAlipay(t testing.TB) bank {
	t.Helper()
	g, err := alipaytest.Open(alipaytest.Config{Retry: []time.Duration{time.Second, 2 * time.Second}, BillsAtOnce: true})
	require.NoError(t, err)
	t.Cleanup(func() { _ = g.Close() })
	c := g.Credentials()
	return bank{
		provider: alipay.Name, method: alipay.MethodQR, zone: time.FixedZone("Beijing", 8*60*60),
		env: []string{
			"BOXOFFICE_GATEWAYS=sandbox,alipay", "BOXOFFICE_ALIPAY_URL=" + g.URL(),
			"BOXOFFICE_ALIPAY_APP_ID=" + c.AppID, "BOXOFFICE_ALIPAY_SELLER_ID=" + c.SellerID,
			"BOXOFFICE_ALIPAY_KEY_FILE=" + kept(t, "own.pem", c.Key),
			"BOXOFFICE_ALIPAY_PUBLIC_KEY_FILES=now:" + kept(t, "theirs.pem", c.PublicKey),
		},
		pay: g.Pay, payLate: g.PayLate,
		refunded: func(number, _ string) int64 {
			trade, _ := g.Trade(number)
			return trade.Refunded
		},
	}
}
