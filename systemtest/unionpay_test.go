package systemtest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/unionpay"
	"github.com/boxoffice/boxoffice/payment/unionpay/unionpaytest"
)

func openUnionPay(t testing.TB) bank {
	t.Helper()
	g, err := unionpaytest.Open(unionpaytest.Config{Retry: []time.Duration{time.Second, 2 * time.Second}, BillsAtOnce: true})
	require.NoError(t, err)
	t.Cleanup(func() { _ = g.Close() })
	c := g.Credentials()
	return bank{
		provider: unionpay.Name, method: unionpay.MethodPage, zone: time.FixedZone("Beijing", 8*60*60),
		env: []string{
			"BOXOFFICE_GATEWAYS=sandbox,unionpay",
			"BOXOFFICE_UNIONPAY_MERCHANT=" + c.Merchant,
			"BOXOFFICE_UNIONPAY_PFX_FILE=" + kept(t, "own.pfx", c.PFX),
			"BOXOFFICE_UNIONPAY_PFX_PASSWORD=" + c.PFXPassword,
			"BOXOFFICE_UNIONPAY_ROOTS_FILE=" + kept(t, "roots.pem", c.Roots),
			"BOXOFFICE_UNIONPAY_INTERMEDIATES_FILE=" + kept(t, "intermediates.pem", c.Intermediates),
			"BOXOFFICE_UNIONPAY_URL=" + g.URL(), "BOXOFFICE_UNIONPAY_FILE_URL=" + g.URL(),
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

// kept writes a file for the product to read.
func kept(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}
