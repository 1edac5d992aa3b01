package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/ticketing"
)

// Event makes an event on sale with one session and a ticket type of each
// capacity. Its session is called <id>-s1, its ticket types <id>-t1, <id>-t2 … The n-th costs n × 100.00 CNY
// and a surcharge of 5.00, the order fee is 2.00. It takes place in three days; until two days before ten per cent are
// kept of a ticket that goes back, until the day before half of its price.
func Event(id string, capacities ...int) ticketing.Event {
	now := time.Now().UTC().Truncate(time.Second)
	session := ticketing.Session{
		ID: id + "-s1", EventID: id, StartsAt: now.Add(72 * time.Hour), EndsAt: now.Add(74 * time.Hour),
		Venue: ticketing.Venue{
			ID: "hall", Name: text("Hall", "大厅"), City: text("Shanghai", "上海"), Address: text("1 Quay Road", "码头路1号"),
			TimeZone: "Asia/Shanghai",
		},
	}
	for i, capacity := range capacities {
		session.TicketTypes = append(session.TicketTypes, ticketing.TicketType{
			ID: fmt.Sprintf("%s-t%d", id, i+1), SessionID: session.ID, Name: text(fmt.Sprintf("Type %d", i+1), fmt.Sprintf("第%d类", i+1)),
			Currency: "CNY", BasePrice: int64(i+1) * 10000, Surcharge: 500, MaxPerOrder: 10, Capacity: capacity,
			SaleFrom: now.Add(-time.Hour), SaleUntil: now.Add(48 * time.Hour), Phases: []ticketing.PricePhase{},
		})
	}
	return ticketing.Event{
		ID: id, OrganiserID: "organiser", Organiser: "Quay Hall", Kind: ticketing.KindConcert,
		Title: text("A concert", "一场音乐会"), Summary: text("With music.", "有音乐。"), State: ticketing.EventOnSale,
		HoldFor: 15 * time.Minute, OrderFee: 200, MaxPerOrder: 20,
		Refunds:  ticketing.RefundPolicy{{Before: 48 * time.Hour, FeeBasisPoints: 1000}, {Before: 24 * time.Hour, FeeBasisPoints: 5000}},
		Sessions: []ticketing.Session{session},
	}
}

// Seed puts events into the catalogue, and Hall where one needs it; without any, Event("show", 20, 20). It returns the first.
func Seed(t testing.TB, s *store.Store, events ...ticketing.Event) ticketing.Event {
	t.Helper()
	if len(events) == 0 {
		events = []ticketing.Event{Event("show", 20, 20)}
	}
	for _, event := range events {
		if !event.Sessions[0].SeatMap.IsZero() {
			if err := s.ImportSeatMap(t.Context(), Hall()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.SeedCatalogue(t.Context(), events...); err != nil {
		t.Fatal(err)
	}
	return events[0]
}

func text(en, zh string) ticketing.Text { return ticketing.Text{"en": en, "zh-CN": zh} }
