package paymenttest

import (
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/payment"
)

// BenchmarkParseCallback measures what one genuine callback about a paid order costs to verify and read. In a rush there is one for every order.
// now is when it arrives.
func BenchmarkParseCallback(b *testing.B, provider payment.Provider, genuine Callback, now time.Time) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		notice, err := provider.ParseCallback(genuine.Header, genuine.Body, now)
		if err != nil || notice.Payment.State != payment.StatePaid {
			b.Fatalf("%+v, %v", notice, err)
		}
	}
}
