package systemtest

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/store/demo"
	"github.com/boxoffice/boxoffice/systemtest/stack"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestTwoBuyersOneSeatAndTheTicketSaysWhich(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{SeatMaps: demo.SeatMaps(), Events: demo.Catalogue(time.Now().UTC())})
	const session = "harbour-cup-1"
	first := s.Buy(stack.Want{Session: session, Type: session + "-main", Quantity: 2, Seats: []string{"south-5/1/12", "south-5/1/13"}})
	lost, err := s.Submit(t.Context(), stack.Want{
		Session: session, Type: session + "-main", Quantity: 2, Seats: []string{"south-5/1/13", "south-5/1/14"}, Email: "bo@example.com",
	})
	require.NoError(t, err)
	require.Equal(t, http.StatusConflict, lost.Status, "%s", lost.Body)
	require.Equal(t, ticketing.CodeSeatTaken, lost.Problem.Code)
	require.Equal(t, &ticketing.LostSeats{Taken: []string{"south-5/1/13"}, Alternative: []string{"south-5/1/14", "south-5/1/15"}}, lost.Problem.Seats)
	second := s.Buy(stack.Want{Session: session, Type: session + "-main", Quantity: 2, Seats: lost.Problem.Seats.Alternative, Email: "bo@example.com"})
	s.Pay(s.Attempt(first))
	paid := s.Await(first, ticketing.OrderPaid, soon)
	require.Equal(t, "south-5/1/12", paid.Tickets[0].Seat.ID)
	require.Equal(t, "13", paid.Tickets[1].Seat.Number)
	require.Equal(t, http.StatusOK, s.Cancel(second).Status)
	s.Ended(first.ID, soon)
	s.Ended(second.ID, soon)
	again := s.Buy(stack.Want{Session: session, Type: session + "-main", Quantity: 1, Seats: []string{"south-5/1/14"}})
	require.Equal(t, "south-5/1/14", s.Order(again).Seats[0].ID)
}
