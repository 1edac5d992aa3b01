package ticketing_test

import (
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/ticketing"
)

// TestHazard29WindowsAreInstants: a sale from midnight to midnight in Beijing begins and ends on
// the second, whatever zone the limits were written in and the process keeps.
func TestHazard29WindowsAreInstants(t *testing.T) {
	beijing := time.FixedZone("+08:00", 8*60*60)
	// In UTC both midnights are 16:00 of the day before.
	opens := time.Date(2026, 11, 20, 0, 0, 0, 0, beijing)
	early := opens.Add(12 * time.Hour) // until noon at the early price
	closes := opens.AddDate(0, 0, 1)
	const closed, reduced, full = 0, 8000, 10000
	clocks := []struct {
		at    time.Time
		price int64
	}{
		{opens.Add(-time.Second), closed},
		{opens.Add(-time.Nanosecond), closed},
		{opens, reduced},
		{opens.Add(time.Second), reduced},
		{early.Add(-time.Second), reduced},
		{early, full},
		{early.Add(time.Second), full},
		{closes.Add(-time.Second), full},
		{closes.Add(-time.Nanosecond), full},
		{closes, closed},
		{closes.Add(time.Second), closed},
		// Midnight of the UTC calendar is the middle of the morning there.
		{time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), reduced},
		{time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), closed},
	}
	zones := []*time.Location{time.UTC, beijing, time.FixedZone("-08:00", -8*60*60)}
	for _, written := range zones {
		event := ticketing.Event{State: ticketing.EventOnSale, MaxPerOrder: 4}
		session := ticketing.Session{TicketTypes: []ticketing.TicketType{{
			ID: "stalls", Currency: "CNY", BasePrice: full, MaxPerOrder: 4,
			SaleFrom: opens.In(written), SaleUntil: closes.In(written),
			Phases: []ticketing.PricePhase{{From: opens.In(written), Until: early.In(written), BasePrice: reduced}},
		}}}
		for _, kept := range zones {
			for _, clock := range clocks {
				now := clock.at.In(kept)
				quote, err := ticketing.PriceOrder(event, session, ticketing.Basket{Lines: ask("stalls", 1), At: now})
				if clock.price == closed {
					if ticketing.CodeOf(err) != ticketing.CodeWindowClosed {
						t.Errorf("limits in %v, at %v: %v, want the window closed", written, now, err)
					}
					continue
				}
				if err != nil || quote.Total.Amount != clock.price {
					t.Errorf("limits in %v, at %v: %v, %v, want %d", written, now, quote.Total, err, clock.price)
				}
			}
		}
	}
}
