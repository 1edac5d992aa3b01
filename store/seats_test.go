package store_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// seatedScene is a scene whose event has numbered seats: show-t1 and show-t2 sell them, show-t3 standing tickets.
func seatedScene(t testing.TB) *scene {
	t.Helper()
	return newScene(t, storetest.SeatedEvent("show", 20))
}

// choose asks for chosen seats of show-t1.
func choose(seats ...string) ticketing.HoldRequest {
	r := request(len(seats))
	r.Lines[0].SeatIDs = seats
	return r
}

func seatIDs(seats []ticketing.Seat) []string {
	ids := make([]string, len(seats))
	for i, seat := range seats {
		ids[i] = seat.ID
	}
	return ids
}

// wantSeats checks which seats an order was given.
func (s *scene) wantSeats(order string, want ...string) {
	s.Helper()
	if have := seatIDs(s.order(order).Seats); !slices.Equal(have, want) {
		s.Errorf("seats %v, want %v", have, want)
	}
}

// wantLost holds and wants to be told that seats are gone.
func (s *scene) wantLost(r ticketing.HoldRequest, taken, alternative []string) {
	s.Helper()
	result := must(s.Hold(s.Context(), r))(s)
	want := &ticketing.Refusal{
		Code: ticketing.CodeSeatTaken, Message: "somebody else has taken a seat you chose", Field: "/lines/0/seat_ids",
		Seats: &ticketing.LostSeats{Taken: taken, Alternative: alternative},
	}
	if result.State != ticketing.OrderRefused || !reflect.DeepEqual(result.Refusal, want) {
		s.Errorf("%s: %+v with %+v", result.State, result.Refusal, result.Refusal.Seats)
	}
	if again := must(s.Hold(s.Context(), r))(s); !reflect.DeepEqual(again, result) {
		s.Errorf("again %+v, want %+v", again, result)
	}
}

func TestSeatsGoFromTheHoldToTheTickets(t *testing.T) {
	t.Parallel()
	s := seatedScene(t)
	r := request(2, 1, 3)
	held := must(s.Hold(t.Context(), r))(t)
	want := []ticketing.Seat{
		{ID: "hall/1/5", TicketTypeID: "show-t1", Section: ticketing.Text{"en": "Hall", "zh-CN": "大厅"}, Row: "1", Number: "5"},
		{ID: "hall/1/6", TicketTypeID: "show-t1", Section: ticketing.Text{"en": "Hall", "zh-CN": "大厅"}, Row: "1", Number: "6"},
		{ID: "hall/4/35", TicketTypeID: "show-t2", Section: ticketing.Text{"en": "Hall", "zh-CN": "大厅"}, Row: "4", Number: "35"},
	}
	if held.State != ticketing.OrderPending || !reflect.DeepEqual(held.Seats, want) {
		t.Fatalf("held %+v", held)
	}
	if again := must(s.Hold(t.Context(), r))(t); !reflect.DeepEqual(again, held) {
		t.Errorf("again %+v, want %+v", again, held)
	}
	s.wantFree(33, 74, 17)
	s.wantSoundSoFar()
	attempt := s.started(r.OrderID)
	s.captured(attempt)
	must(s.Settle(t.Context(), attempt.ID))(t)
	order := s.order(r.OrderID)
	var onTickets []string
	for _, ticket := range order.Tickets {
		if ticket.Seat == nil {
			onTickets = append(onTickets, ticket.TicketTypeID)
			continue
		}
		if ticket.Seat.TicketTypeID != ticket.TicketTypeID {
			t.Errorf("ticket %+v for seat %+v", ticket, ticket.Seat)
		}
		onTickets = append(onTickets, ticket.Seat.ID)
	}
	if want := []string{"hall/1/5", "hall/1/6", "hall/4/35", "show-t3", "show-t3", "show-t3"}; !slices.Equal(onTickets, want) {
		t.Errorf("tickets for %v, want %v", onTickets, want)
	}
	s.wantSound()
}

func TestTwoBuyersChooseOneSeat(t *testing.T) {
	t.Parallel()
	s := seatedScene(t)
	var won, lost atomic.Int32
	inParallel(20, func(i int) {
		other := fmt.Sprintf("hall/1/%d", 5+2*(i%2)) // everybody wants 1/6, with one seat beside it
		result, err := s.Hold(t.Context(), choose("hall/1/6", other))
		switch {
		case err != nil:
			t.Error(err)
		case result.State == ticketing.OrderPending:
			won.Add(1)
		case result.Refusal.Code == ticketing.CodeSeatTaken && slices.Contains(result.Refusal.Seats.Taken, "hall/1/6") && len(result.Refusal.Seats.Alternative) == 2:
			lost.Add(1)
		default:
			t.Errorf("%+v", result.Refusal)
		}
	})
	if won.Load() != 1 || lost.Load() != 19 {
		t.Errorf("%d won, %d lost", won.Load(), lost.Load())
	}
	s.wantFree(33, 75, 20)
	s.wantSound()
}

func TestWhoLosesASeatIsToldWhichAndWhatIsNearest(t *testing.T) {
	t.Parallel()
	s := seatedScene(t)
	must(s.Hold(t.Context(), choose("hall/1/6")))(t)
	s.wantLost(choose("hall/1/5", "hall/1/6"), []string{"hall/1/6"}, []string{"hall/1/4", "hall/1/5"})
	s.wantLost(choose("hall/1/6"), []string{"hall/1/6"}, []string{"hall/1/5"})
	s.wantLost(choose("hall/1/6", "hall/3/1"), []string{"hall/1/6"}, []string{"hall/1/5", "hall/3/1"}) // who wanted to sit apart keeps the other
	for _, n := range []int{10, 10, 10, 4} {                                                           // all that are left
		r := request(n)
		r.Lines[0].Apart = true
		must(s.Hold(t.Context(), r))(t)
	}
	s.wantLost(choose("hall/1/6"), []string{"hall/1/6"}, nil)
	s.wantSound()
}

func TestRefusedSeats(t *testing.T) {
	t.Parallel()
	event := storetest.SeatedEvent("show", 20)
	event.Sessions[0].TicketTypes[1].SaleFrom = time.Now().Add(time.Hour)
	s := newScene(t, event)
	tests := map[string]struct {
		change  func(*ticketing.HoldRequest)
		refusal ticketing.Refusal
	}{
		"no such seat": {
			func(r *ticketing.HoldRequest) { r.Lines[0].SeatIDs = []string{"hall/1/1", "hall/9/1"} },
			ticketing.Refusal{Code: ticketing.CodeInvalid, Message: "no such seat of this ticket type", Field: "/lines/0/seat_ids/1"},
		},
		"a seat of another category": {
			func(r *ticketing.HoldRequest) { r.Lines[0].SeatIDs = []string{"hall/4/1", "hall/1/1"} },
			ticketing.Refusal{Code: ticketing.CodeInvalid, Message: "no such seat of this ticket type", Field: "/lines/0/seat_ids/0"},
		},
		"twice": {
			func(r *ticketing.HoldRequest) { r.Lines[0].SeatIDs = []string{"hall/1/1", "hall/1/1"} },
			ticketing.Refusal{Code: ticketing.CodeInvalid, Message: "this seat is chosen twice", Field: "/lines/0/seat_ids/1"},
		},
		"fewer than tickets": {
			func(r *ticketing.HoldRequest) { r.Lines[0].SeatIDs = []string{"hall/1/1"} },
			ticketing.Refusal{Code: ticketing.CodeInvalid, Message: "choose 2 seats, or none to be given the best ones", Field: "/lines/0/seat_ids"},
		},
		"before its sale": {
			func(r *ticketing.HoldRequest) { r.Lines[0].TicketTypeID = "show-t2" },
			ticketing.Refusal{Code: ticketing.CodeWindowClosed, Message: "this ticket type is not on sale now", Field: "/lines/0/ticket_type_id"},
		},
		"where there are none": {
			func(r *ticketing.HoldRequest) {
				r.Lines[0].TicketTypeID, r.Lines[0].SeatIDs = "show-t3", []string{"hall/1/1", "hall/1/2"}
			},
			ticketing.Refusal{Code: ticketing.CodeInvalid, Message: "this ticket type has no numbered seats", Field: "/lines/0/seat_ids"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := request(2)
			test.change(&r)
			if result := must(s.Hold(t.Context(), r))(t); result.State != ticketing.OrderRefused || *result.Refusal != test.refusal {
				t.Errorf("%+v", result.Refusal)
			}
		})
	}
	s.wantFree(35, 75, 20)
	s.wantSound()
}

func TestAGroupSitsTogetherOrIsToldThatItCannot(t *testing.T) {
	t.Parallel()
	s := seatedScene(t)
	var odd []string
	for row := 1; row <= 5; row++ {
		for seat := 1; seat <= 10-5*(row/5); seat += 2 {
			if row != 4 {
				odd = append(odd, fmt.Sprintf("hall/%d/%d", row, seat))
			}
		}
	}
	for _, seat := range odd {
		must(s.Hold(t.Context(), choose(seat)))(t)
	}
	r := request(2)
	if result := must(s.Hold(t.Context(), r))(t); result.Refusal == nil || result.Refusal.Code != ticketing.CodeNotTogether || result.Refusal.Field != "/lines/0/quantity" {
		t.Fatalf("%+v", result)
	}
	r = request(2)
	r.Lines[0].Apart = true
	if result := must(s.Hold(t.Context(), r))(t); !slices.Equal(seatIDs(result.Seats), []string{"hall/1/4", "hall/1/6"}) {
		t.Fatalf("%+v", result)
	}
	left := 35 - len(odd) - 2
	for ; left >= 10; left -= 10 {
		r = request(10)
		r.Lines[0].Apart = true
		must(s.Hold(t.Context(), r))(t)
	}
	r = request(left + 1)
	r.Lines[0].Apart = true
	if result := must(s.Hold(t.Context(), r))(t); result.Refusal == nil || result.Refusal.Message != fmt.Sprintf("only %d left", left) {
		t.Errorf("%+v", result)
	}
	s.wantSound()
}

func TestTwoHundredOrdersOfAssignedAndChosenSeatsSellEachSeatOnce(t *testing.T) {
	t.Parallel()
	s := seatedScene(t)
	chance := rand.New(rand.NewPCG(1, 2))
	requests := make([]ticketing.HoldRequest, 200)
	for i := range requests {
		switch chance.IntN(3) {
		case 0:
			requests[i] = request(1+chance.IntN(2), 1+chance.IntN(2))
		case 1:
			requests[i] = request(0, 1)
		default: // across rows that both types have seats in
			seat := 1 + chance.IntN(4)
			requests[i] = request(2, 2)
			requests[i].Lines[0].SeatIDs = []string{fmt.Sprintf("hall/5/%d", seat), fmt.Sprintf("hall/5/%d", seat+1)}
			requests[i].Lines[1].SeatIDs = []string{fmt.Sprintf("hall/5/%d", seat+5), fmt.Sprintf("hall/5/%d", seat+6)}
			if chance.IntN(2) == 0 {
				slices.Reverse(requests[i].Lines)
			}
		}
	}
	results := make([]ticketing.HoldResult, len(requests))
	inParallel(len(requests), func(i int) { results[i] = must(s.Hold(t.Context(), requests[i]))(t) })
	sold, tickets := map[string]bool{}, 0
	for i, result := range results {
		if result.State != ticketing.OrderPending {
			continue
		}
		for _, line := range requests[i].Lines {
			tickets += line.Quantity
		}
		for _, seat := range result.Seats {
			if sold[seat.ID] {
				t.Errorf("seat %s is sold twice", seat.ID)
			}
			sold[seat.ID] = true
		}
	}
	free := must(s.Availability(t.Context()))(t)
	if len(sold) != tickets || free["show-t1"]+free["show-t2"]+tickets != 110 || tickets < 90 {
		t.Errorf("%d seats for %d tickets, free %v", len(sold), tickets, free)
	}
	s.wantSound()
}
