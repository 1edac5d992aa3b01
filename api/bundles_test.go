package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// admission is a session to which something admits.
type admission struct {
	SessionID  string         `json:"session_id"`
	EventID    string         `json:"event_id"`
	EventTitle ticketing.Text `json:"event_title"`
	StartsAt   time.Time      `json:"starts_at"`
	Venue      struct{ ID string }
}

type bundle struct {
	Contents []struct {
		TicketTypeID string `json:"ticket_type_id"`
		Name         ticketing.Text
		Quantity     int
		admission
	}
	RefundPolicy policy `json:"refund_policy"`
}

// bundled is an order with what its lines contain and its tickets are of.
type bundled struct {
	placed
	Lines []struct {
		TicketTypeID string `json:"ticket_type_id"`
		Quantity     int
		Bundle       *bundle
	}
	Tickets []struct {
		ID     string
		Name   ticketing.Text
		Bundle *struct {
			Number int
			Name   ticketing.Text
			admission
		}
	}
}

// bundleWorld is a world in which show-t2 is a bundle of one show-t1 and two next-t1, a day before.
func bundleWorld(t testing.TB) (*world, []ticketing.Event) {
	t.Helper()
	w := newWorld(t)
	events := storetest.Bundled("show", "next", 5, 20, 7)
	events[1].Title = ticketing.Text{"en": "The first night", "zh-CN": "首夜"}
	storetest.Seed(t, w.database(), events...)
	eventually(t, "the show is listed", func() bool { return w.get("/api/v1/sessions/show-s1").status == http.StatusOK })
	return w, events
}

func TestABundleSaysWhatIsInItFromThePageToTheTicket(t *testing.T) {
	w, events := bundleWorld(t)
	var page struct {
		Session struct {
			TicketTypes []struct {
				ID        string
				OnSale    bool `json:"on_sale"`
				Available int
				Bundle    *bundle
			} `json:"ticket_types"`
		}
	}
	w.get("/api/v1/sessions/show-s1").decode(t, &page)
	single, pass := page.Session.TicketTypes[0], page.Session.TicketTypes[1]
	require.Nil(t, single.Bundle)
	require.Equal(t, 5, single.Available)
	require.True(t, pass.OnSale)
	require.Equal(t, 3, pass.Available, "of seven for the first night, two each")
	contents := pass.Bundle.Contents
	require.Len(t, contents, 2)
	require.Equal(t, "next-t1", contents[0].TicketTypeID)
	require.Equal(t, 2, contents[0].Quantity)
	require.Equal(t, events[1].Title, contents[0].EventTitle)
	require.Equal(t, events[1].Sessions[0].StartsAt, contents[0].StartsAt)
	require.Equal(t, admission{"show-s1", "show", events[0].Title, events[0].Sessions[0].StartsAt, struct{ ID string }{"hall"}}, contents[1].admission)
	require.Equal(t, events[1].Sessions[0].StartsAt.Add(-48*time.Hour), pass.Bundle.RefundPolicy.Steps[0].Until, "by the first session")

	var quote, order bundled
	w.quoted(showBody("show-t2", 2)).decode(t, &quote)
	require.Equal(t, contents, quote.Lines[0].Bundle.Contents)
	require.Equal(t, yuan(2*20500+200), quote.Total)
	a := w.submit(keyed(1), showBody("show-t2", 2, withCode("expected_total", quote.Total)))
	require.Equal(t, http.StatusCreated, a.status, string(a.body))
	a.decode(t, &order)
	require.Equal(t, quote.Lines, order.Lines)
	eventually(t, "what is left of it is shown", func() bool {
		w.get("/api/v1/sessions/show-s1").decode(t, &page)
		return page.Session.TicketTypes[0].Available == 3 && page.Session.TicketTypes[1].Available == 1
	})
	w.submit(keyed(2), showBody("show-t2", 3)).problem(t, http.StatusConflict, ticketing.CodeSoldOut)

	w.paidBy(order.placed, "sandbox_card")
	var paid bundled
	w.do(call{method: http.MethodGet, path: "/api/v1/orders/" + order.ID, token: order.Token, valid: true}).decode(t, &paid)
	require.Equal(t, quote.Lines, paid.Lines)
	require.Len(t, paid.Tickets, 6)
	require.Equal(t, 1, paid.Tickets[0].Bundle.Number)
	require.Equal(t, contents[0].admission, paid.Tickets[0].Bundle.admission)
	require.Equal(t, contents[0].Name, paid.Tickets[0].Name)
	require.Equal(t, "Type 2", paid.Tickets[0].Bundle.Name["en"])
	require.Equal(t, contents[1].admission, paid.Tickets[5].Bundle.admission)
	require.Equal(t, 2, paid.Tickets[5].Bundle.Number)

	paid.placed.Token = order.Token
	w.quoteRefund(paid.placed, paid.Tickets[5].ID).problem(t, http.StatusUnprocessableEntity, ticketing.CodeInvalid)
	var back refundQuote
	w.quoteRefund(paid.placed, paid.Tickets[3].ID, paid.Tickets[4].ID, paid.Tickets[5].ID).decode(t, &back)
	require.Equal(t, yuan(20500), back.Paid)
	given := w.refund(paid.placed, keyed(3), back.Amount.Amount, paid.Tickets[3].ID, paid.Tickets[4].ID, paid.Tickets[5].ID)
	require.Equal(t, http.StatusCreated, given.status, string(given.body))
}

func TestABundleIsNotOnSaleWhileSomethingInItIsNot(t *testing.T) {
	w, _ := bundleWorld(t)
	require.NoError(t, w.store.testStore.MoveEvent(t.Context(), "next", ticketing.EventPaused, "tester", "a test"))
	var page struct {
		Session struct {
			TicketTypes []struct {
				OnSale bool `json:"on_sale"`
			} `json:"ticket_types"`
		}
	}
	eventually(t, "the page says so", func() bool {
		w.get("/api/v1/sessions/show-s1").decode(t, &page)
		return !page.Session.TicketTypes[1].OnSale
	})
	require.True(t, page.Session.TicketTypes[0].OnSale)
	w.submit(keyed(1), showBody("show-t2", 1)).problem(t, http.StatusConflict, ticketing.CodeNotOnSale)
}
