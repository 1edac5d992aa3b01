package systemtest

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/store/demo"
	"github.com/boxoffice/boxoffice/systemtest/stack"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/workflows"
)

func TestBothEveningsAreBoughtAsOneAndGiveBackAsOne(t *testing.T) {
	t.Parallel()
	events := demo.Catalogue(time.Now().UTC())
	s := stack.New(t, servers(t), stack.Options{SeatMaps: demo.SeatMaps(), Events: events})
	const first, second, both = "northern-light-1-stalls", "northern-light-2-stalls", "northern-light-1-both"
	order := bought1(t, s, stack.Want{Session: "northern-light-1", Type: both, Quantity: 2})
	s.Ended(order.ID, soon)
	require.Len(t, order.Tickets, 4)
	require.Len(t, s.History(workflows.PurchaseID(order.ID)), 14, "a bundle costs the purchase nothing")
	for _, id := range []string{first, second} {
		require.Equal(t, stack.Stock{Capacity: 600, Free: 598, Sold: 2}, s.Stock(id))
	}
	require.Equal(t, stack.Stock{Capacity: 100, Free: 98, Sold: 2}, s.Stock(both))

	awaitMessages(t, s, order, soon, "paid by mail SENT")
	_, kept := told(t, s)
	for _, evening := range events[1].Sessions {
		require.Contains(t, kept[0].Text, evening.StartsAt.In(time.FixedZone("", 8*60*60)).Format("Mon, 2 Jan 2006, 15:04"))
	}
	a, err := s.Request(t.Context(), http.MethodGet, "/api/v1/orders/"+order.ID, order.Token, "", nil)
	require.NoError(t, err)
	var view struct {
		Tickets []struct {
			Bundle struct {
				Number    int
				SessionID string `json:"session_id"`
			}
		}
	}
	require.NoError(t, json.Unmarshal(a.Body, &view))
	for i, session := range []string{"northern-light-1", "northern-light-2", "northern-light-1", "northern-light-2"} {
		require.Equal(t, i/2+1, view.Tickets[i].Bundle.Number)
		require.Equal(t, session, view.Tickets[i].Bundle.SessionID)
	}

	one, err := s.TryRefund(t.Context(), order, "half of a bundle", fen(1), order.Tickets[0].ID)
	require.NoError(t, err)
	require.Equal(t, ticketing.CodeInvalid, one.Problem.Code)
	s.GiveBack(order, order.Tickets[2].ID, order.Tickets[3].ID)
	s.Await(order, ticketing.OrderPartiallyRefunded, soon)
	require.Equal(t, stack.Stock{Capacity: 600, Free: 599, Sold: 1}, s.Stock(second))
	rest := s.GiveBack(order)
	s.Await(order, ticketing.OrderRefunded, soon)
	s.EndedID(workflows.RefundID(rest.ID), soon)
	for _, id := range []string{first, second} {
		require.Equal(t, stack.Stock{Capacity: 600, Free: 600}, s.Stock(id))
	}
	require.Equal(t, stack.Stock{Capacity: 100, Free: 100}, s.Stock(both))
}

func TestABrowserBuysBothEveningsAndGivesOneOfTwoBundlesBack(t *testing.T) {
	s := demoStack(t)
	for name, width := range map[string]int64{"en": 1280, "zh-CN": 390} {
		t.Run(name, func(t *testing.T) {
			b := browse(t, s, name, width)
			b.open("/events/northern-light")
			row := id("ticket-type") + `[data-ticket-type-id="northern-light-1-both"] `
			for _, session := range []string{"northern-light-1", "northern-light-2"} {
				b.see(row + id("bundle-part") + `[data-session-id="` + session + `"]`)
			}
			for range 2 {
				b.click(row + id("qty-plus"))
			}
			b.see(id("buy") + ":enabled")
			b.shoot("event")
			b.click(id("buy"))
			b.see(id("buyer-name"))
			b.see(id("bundle-part"))
			b.shoot("checkout")
			b.order()
			b.click(id("method-sandbox_wallet"))
			b.click(id("gw-pay"))
			b.state(ticketing.OrderPaid)
			b.see(id("ticket-qr"))
			require.Equal(t, 4, b.count(id("ticket-bundle")))
			b.shoot("paid")

			order := b.shown()
			b.click(id("refund-open"))
			b.see(id("refund-amount") + `[data-amount="191900"]`)
			b.click(id("refund-ticket") + `[data-ticket-id="` + order.Tickets[1].ID + `"] input`) // takes the other evening with it
			b.see(id("refund-amount") + `[data-amount="95950"]`)
			b.shoot("one-of-two")
			b.giveBack(95950)
			b.state(ticketing.OrderPartiallyRefunded)
			require.Equal(t, []ticketing.TicketState{ticketing.TicketValid, ticketing.TicketValid, ticketing.TicketVoid, ticketing.TicketVoid}, states(s.Order(order)))
			b.shoot("partly-refunded")
			b.done()
		})
	}
	require.Equal(t, stack.Stock{Capacity: 600, Free: 598, Sold: 2}, s.Stock("northern-light-2-stalls"))
	refundsEnded(t, s)
	settledAll(t, s)
}

func states(o stack.Order) []ticketing.TicketState {
	var all []ticketing.TicketState
	for _, ticket := range o.Tickets {
		all = append(all, ticket.State)
	}
	return all
}
