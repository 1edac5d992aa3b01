package stories

import (
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/ticketing"
)

// check compares what came of a story with what must have.
func (s *story) check() {
	order := s.order(s.orderID)
	timeline, err := s.store.OrderEvents(s.ctx, s.orderID, 0)
	require.NoError(s.t, err)
	kinds := make([]ticketing.OrderEventKind, len(timeline))
	for i, e := range timeline {
		kinds[i] = e.Kind
	}

	accepted := ""
	for _, c := range s.captures {
		if s.verdict(c.number) == "accepted" {
			require.Empty(s.t, accepted, "paid twice")
			accepted = c.number
		}
	}
	s.wantTickets(order, accepted)
	s.wantInTime(kinds, accepted)
	s.wantMoney(order, accepted)
	s.tally(kinds, accepted)

	violations, err := s.store.AuditAfter(s.ctx, 0)
	require.NoError(s.t, err)
	open := slices.DeleteFunc(violations, func(v store.Violation) bool { return s.isRivals(v.Subject) })
	require.Empty(s.t, open)
}

// tally counts what became of the story's money.
func (s *story) tally(kinds []ticketing.OrderEventKind, accepted string) {
	switch {
	case slices.Contains(kinds, ticketing.EventRetaken):
		s.endings["retaken"]++
	case accepted != "":
		s.endings["accepted"]++
	case len(s.captures) == 0:
		s.endings["never paid"]++
	}
	if len(s.returned) > 0 {
		s.endings["tickets back"]++
	}
	for _, c := range s.captures {
		if c.number != accepted {
			s.endings["refunded: "+s.verdict(c.number)]++
		}
	}
}

// wantTickets: who paid has their tickets, who did not has none.
func (s *story) wantTickets(order ticketing.Order, accepted string) {
	want := []ticketing.OrderState{ticketing.OrderExpired, ticketing.OrderCancelled}
	tickets := 0
	if accepted != "" {
		tickets = s.Quantity
		switch len(s.returned) {
		case 0:
			want = []ticketing.OrderState{ticketing.OrderPaid}
		case s.Quantity:
			want = []ticketing.OrderState{ticketing.OrderRefunded}
		default:
			want = []ticketing.OrderState{ticketing.OrderPartiallyRefunded}
		}
	}
	require.Contains(s.t, want, order.State, "%q is accepted, %d tickets went back", accepted, len(s.returned))
	require.Len(s.t, order.Tickets, tickets)
	for _, ticket := range order.Tickets {
		require.Equal(s.t, slices.Contains(s.returned, ticket.ID), ticket.State == ticketing.TicketVoid, "a ticket is valid or its money went back")
	}
}

// wantInTime: money that came in time, in full, pays the order, whoever else is at the door.
func (s *story) wantInTime(kinds []ticketing.OrderEventKind, accepted string) {
	if s.everDown() {
		return // a gateway that could not be asked may have told us too late
	}
	var inTime []string
	for _, c := range s.captures {
		if c.right && c.inTime {
			inTime = append(inTime, c.number)
		}
	}
	if len(inTime) == 0 {
		return
	}
	require.Contains(s.t, inTime, accepted, "paid in time, and the tickets went elsewhere")
	require.NotContains(s.t, kinds, ticketing.EventExpired)
	require.NotContains(s.t, kinds, ticketing.EventCancelled)
	require.NotContains(s.t, kinds, ticketing.EventRetaken)
	for _, c := range s.captures {
		switch {
		case c.number == accepted:
		case !c.right:
			require.Equal(s.t, string(ticketing.RejectAmount), s.verdict(c.number))
		default:
			require.Equal(s.t, string(ticketing.RejectDouble), s.verdict(c.number))
		}
	}
}

func (s *story) everDown() bool {
	return slices.ContainsFunc(s.Chapters, func(c chapter) bool { return c.What == "close down" })
}

// wantMoney: by the gateway's own books, what was captured paid for tickets or went back, once, in full.
func (s *story) wantMoney(order ticketing.Order, accepted string) {
	books := s.books()
	for _, c := range s.captures {
		var back []int64
		for _, r := range books.Refunds {
			if r.Number == c.number {
				back = append(back, r.Amount.Amount)
			}
		}
		if c.number == accepted {
			require.Equal(s.t, order.Total.Amount, s.captured(c.number), "not the price")
			if len(s.returned) == 0 {
				require.Empty(s.t, back, "the tickets are valid, and the money went back")
			} else {
				require.Equal(s.t, []int64{s.worth}, back, "for %d tickets", len(s.returned))
			}
			continue
		}
		require.Equal(s.t, []int64{s.captured(c.number)}, back, "%s was rejected (%s)", c.number, s.verdict(c.number))
	}
	for _, p := range books.Payments {
		if p.Captured != nil && slices.Contains(s.attempts, p.Number) {
			require.True(s.t, slices.ContainsFunc(s.captures, func(c capture) bool { return c.number == p.Number }), "captured unseen")
		}
	}
}

// isRivals says whether something belongs to an order nobody runs a purchase for.
func (s *story) isRivals(subject string) bool {
	return s.count("SELECT count(*) FROM orders WHERE id = $1 AND id NOT IN (SELECT order_id FROM payment_attempts WHERE order_id IS NOT NULL)", subject) > 0
}
