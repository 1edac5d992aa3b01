package gateway_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/ticketing"
)

// BenchmarkPayment is a payment created, paid and told of, with both ends of every connection in
// this process: what the gateway adds to a bench of the product is below this.
func BenchmarkPayment(b *testing.B) {
	var told atomic.Int64
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		told.Add(1)
		received(w)
	}))
	defer shop.Close()
	g, err := gateway.Open(settings(b))
	require.NoError(b, err)
	defer g.Close()
	control := gateway.NewControl(g.URL(), merchant, key)
	defer control.Close()
	provider, err := sandbox.New(sandbox.Config{URL: g.URL(), Merchant: merchant, Key: key, CallbackKeys: []string{"callback-key"}})
	require.NoError(b, err)
	expires := time.Now().Add(time.Hour)
	var made atomic.Int64
	b.SetParallelism(16)
	b.RunParallel(func(run *testing.PB) {
		for run.Next() {
			n := fmt.Sprintf("T%020d", made.Add(1))
			_, err := provider.Create(b.Context(), payment.Order{
				Number: n, Amount: ticketing.Money{Amount: 100, Currency: "CNY"}, Description: "bench",
				ExpiresAt: expires, NotifyURL: shop.URL, ReturnURL: shop.URL,
			}, sandbox.MethodWallet)
			if err == nil {
				err = control.Pay(b.Context(), n)
			}
			if err != nil {
				b.Error(err)
				return
			}
		}
	})
	for told.Load() < made.Load() {
		runtime.Gosched()
	}
}
