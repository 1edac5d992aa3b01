package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/boxoffice/boxoffice/ticketing"
)

const (
	sessionID   = "bench-1"
	ticketTypes = 8
	// capacity of each ticket type: more than any run sells.
	capacity = 1_000_000
	price    = 10000
)

// ticketType names the type a buyer wants; buyers are spread over all of them.
func ticketType(buyer int) string { return fmt.Sprintf("bench-1-%d", buyer%ticketTypes+1) }

// catalogue is one event with tickets for everybody.
func catalogue() []ticketing.Event {
	now := time.Now().UTC().Truncate(time.Second)
	text := func(en, zh string) ticketing.Text { return ticketing.Text{"en": en, "zh-CN": zh} }
	session := ticketing.Session{
		ID: sessionID, EventID: "bench", StartsAt: now.Add(72 * time.Hour), EndsAt: now.Add(75 * time.Hour),
		Venue: ticketing.Venue{
			ID: "harbour-hall", Name: text("Harbour Hall", "海港音乐厅"), City: text("Shanghai", "上海"),
			Address: text("1 Quay Road", "码头路1号"), TimeZone: "Asia/Shanghai",
		},
	}
	for i := range ticketTypes {
		session.TicketTypes = append(session.TicketTypes, ticketing.TicketType{
			ID: ticketType(i), SessionID: sessionID, Name: text(fmt.Sprintf("Category %d", i+1), fmt.Sprintf("%d类", i+1)),
			Currency: "CNY", BasePrice: price, MaxPerOrder: 10, Capacity: capacity,
			SaleFrom: now.Add(-time.Hour), SaleUntil: now.Add(48 * time.Hour), Phases: []ticketing.PricePhase{},
		})
	}
	return []ticketing.Event{{
		ID: "bench", OrganiserID: "quay", Organiser: "Quay Concerts", Kind: ticketing.KindConcert,
		Title: text("Evening Concert", "傍晚音乐会"), Summary: text("Strings and piano.", "弦乐与钢琴。"), State: ticketing.EventOnSale,
		HoldFor: 15 * time.Minute, MaxPerOrder: 10, Sessions: []ticketing.Session{session},
	}}
}

func cutSetting(setting, name string) (string, bool) { return strings.CutPrefix(setting, name+"=") }
