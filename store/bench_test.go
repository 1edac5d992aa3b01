package store_test

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/store/demo"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
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

// BenchmarkHoldBestOfTheArena is a hold of the best two of some 20,000 seats, of which more and more are taken.
func BenchmarkHoldBestOfTheArena(b *testing.B) {
	s, next := arena(b)
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			must(s.Hold(b.Context(), next()))(b)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "holds/s")
}

// BenchmarkHoldChosenOfTheArena is a hold of two chosen seats there, which somebody else may have.
func BenchmarkHoldChosenOfTheArena(b *testing.B) {
	s, next := arena(b)
	plan := seating.NewPlan(demo.SeatMaps()[2])
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := next()
			seat := plan.At(seating.Position{Word: rand.IntN(200), Bit: rand.IntN(11) * 2}) // of the main stand
			r.Lines[0] = ticketing.Ask{TicketTypeID: "harbour-cup-1-main", Quantity: 2, SeatIDs: plan.IDs([]int{seat, seat + 1})}
			must(s.Hold(b.Context(), r))(b)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "holds/s")
}

// arena is a match in a stadium of some 20,000 seats, and orders for two seats of one of its kinds after the other.
func arena(b *testing.B) (*scene, func() ticketing.HoldRequest) {
	b.Helper()
	s := newScene(b)
	if err := s.ImportSeatMap(b.Context(), demo.SeatMaps()[2]); err != nil {
		b.Fatal(err)
	}
	match := demo.Catalogue(time.Now())[3]
	if err := s.SeedCatalogue(b.Context(), match); err != nil {
		b.Fatal(err)
	}
	var orders atomic.Int64
	return s, func() ticketing.HoldRequest {
		r := request(2)
		r.EventID, r.SessionID = match.ID, match.Sessions[0].ID
		kind := []string{"main", "home", "upper"}[orders.Add(1)%3]
		r.Lines[0].TicketTypeID = r.SessionID + "-" + kind
		return r
	}
}
