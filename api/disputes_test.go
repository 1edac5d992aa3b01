package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestHazard33ADisputeIsSeenByTheBuyer(t *testing.T) {
	for decision, want := range map[payment.DisputeState]struct {
		ticket ticketing.TicketState
		order  ticketing.OrderState
	}{
		payment.DisputeWon:  {ticketing.TicketValid, ticketing.OrderPaid},
		payment.DisputeLost: {ticketing.TicketVoid, ticketing.OrderRefunded},
	} {
		t.Run(string(decision), func(t *testing.T) {
			w := newWorld(t)
			o := w.order(keyed(1))
			w.paidBy(o, "sandbox_card")
			read := func() (order placed) {
				a := w.do(call{method: "GET", path: "/api/v1/orders/" + o.ID, token: o.Token, valid: true})
				require.Equal(t, 200, a.status)
				a.decode(t, &order)
				return order
			}
			number := read().Attempts[0].ID
			tell := func(event string, state payment.DisputeState) {
				require.Equal(t, 200, w.callback("good", testCallback{EventID: event, Number: number, Dispute: state, Amount: o.Total}).status)
			}
			tell("D1", payment.DisputeOpen)
			require.EqualValues(t, ticketing.OrderPaid, read().State)
			require.EqualValues(t, ticketing.TicketFrozen, read().Tickets[0].State)
			require.Contains(t, w.log.String(), "a payment is disputed")
			tell("D2", decision)
			require.EqualValues(t, want.order, read().State)
			require.EqualValues(t, want.ticket, read().Tickets[0].State)
			require.Equal(t, 200, w.do(call{method: "GET", path: "/api/v1/orders/" + o.ID + "/events", token: o.Token, valid: true}).status)
		})
	}
}

func TestNoticesAboutNothingOfOursAreAcknowledged(t *testing.T) {
	w := newWorld(t)
	for range 2 {
		require.Equal(t, 200, w.callback("good", testCallback{EventID: "E1", Other: true}).status)
		require.Equal(t, 200, w.callback("good", testCallback{EventID: "E2", Number: "R0000001", Refund: payment.RefundFailed}).status)
	}
}
