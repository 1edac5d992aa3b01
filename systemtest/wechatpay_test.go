package systemtest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/wechatpay"
	"github.com/boxoffice/boxoffice/payment/wechatpay/wechatpaytest"
)

func openWechatPay(t testing.TB) bank {
	t.Helper()
	g, err := wechatpaytest.Open(wechatpaytest.Config{Retry: []time.Duration{time.Second, 2 * time.Second}, BillsAtOnce: true})
	require.NoError(t, err)
	t.Cleanup(func() { _ = g.Close() })
	c := g.Credentials()
	var keys []string
	for id, key := range c.PublicKeys {
		keys = append(keys, id+":"+kept(t, id+".pem", key))
	}
	return bank{
		provider: wechatpay.Name, method: wechatpay.MethodNative, zone: time.FixedZone("Beijing", 8*60*60),
		env: []string{
			"BOXOFFICE_GATEWAYS=sandbox,wechatpay",
			"BOXOFFICE_WECHATPAY_MERCHANT=" + c.Merchant, "BOXOFFICE_WECHATPAY_APP_ID=" + c.AppID,
			"BOXOFFICE_WECHATPAY_KEY_FILE=" + kept(t, "own.pem", c.Key), "BOXOFFICE_WECHATPAY_SERIAL=" + c.Serial,
			"BOXOFFICE_WECHATPAY_API_V3_KEY=" + c.APIv3Key, "BOXOFFICE_WECHATPAY_PUBLIC_KEY_FILES=" + strings.Join(keys, ","),
			"BOXOFFICE_WECHATPAY_URL=" + g.URL(),
		},
		pay: g.Pay, payLate: g.PayLate,
		refunded: func(_, refundID string) (sum int64) {
			for _, r := range g.Refunds(refundID) {
				sum += r.Amount
			}
			return sum
		},
	}
}
