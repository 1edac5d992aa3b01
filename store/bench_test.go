package store_test

import (
	"testing"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// BenchmarkPurchase is what the database does for one completed purchase: hold, attempt, its
// opening, callback and settlement. Run it with -cpu 1,8 to see it alone and in a rush on one ticket type.
func BenchmarkPurchase(b *testing.B) {
	s := newScene(b, storetest.Event("show", 1_000_000))
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			order := s.held(1)
			attempt := s.started(order)
			must(s.KeepCallback(b.Context(), payment(attempt.ID, fact(attempt, ticketing.PaymentPaid))))(b)
			must(s.Settle(b.Context(), attempt.ID))(b)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "purchases/s")
}

// BenchmarkHold is a hold alone, on one ticket type.
func BenchmarkHold(b *testing.B) {
	s := newScene(b, storetest.Event("show", 1_000_000))
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			s.held(1)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "holds/s")
}

// BenchmarkSoldOut is a hold that is refused.
func BenchmarkSoldOut(b *testing.B) {
	s := newScene(b, storetest.Event("show", 0))
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := request(1)
			r.OrderID = encryption.NewNumber()
			must(s.Hold(b.Context(), r))(b)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "refusals/s")
}
