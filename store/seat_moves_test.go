package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// heldSeats places an order for chosen seats of show-t1 that gets them.
func (s *scene) heldSeats(seats ...string) string {
	s.Helper()
	r := choose(seats...)
	if result := must(s.Hold(s.Context(), r))(s); result.State != ticketing.OrderPending {
		s.Fatalf("held: %+v", result.Refusal)
	}
	return r.OrderID
}

// paidSeats takes such an order to paid.
func (s *scene) paidSeats(seats ...string) string {
	s.Helper()
	order := s.heldSeats(seats...)
	attempt := s.started(order)
	s.captured(attempt)
	if settled := must(s.Settle(s.Context(), attempt.ID))(s); settled.Verdict != ticketing.VerdictAccept {
		s.Fatalf("paid: %+v", settled)
	}
	return order
}

func TestReleasedSeatsAreFreeAgain(t *testing.T) {
	t.Parallel()
	s := seatedScene(t)
	for range 3 {
		s.expired(s.heldSeats("hall/1/5", "hall/2/6"))
	}
	s.wantFree(35, 75, 20)
	s.wantSound()
}

func TestARefundFreesTheSeatsOfItsTickets(t *testing.T) {
	t.Parallel()
	s := seatedScene(t)
	order := s.paidSeats("hall/1/4", "hall/1/5", "hall/1/6")
	s.settles(s.gives(order, order+"-002"))
	s.wantSound()
	s.wantLost(choose("hall/1/4"), []string{"hall/1/4"}, []string{"hall/1/3"})
	s.paidSeats("hall/1/5")
	s.wantFree(32, 75, 20)
	for _, ticket := range s.order(order).Tickets {
		if (ticket.State == ticketing.TicketVoid) != (ticket.Seat.ID == "hall/1/5") {
			t.Errorf("ticket %+v for seat %+v", ticket, ticket.Seat)
		}
	}
	s.settles(s.gives(order))
	s.wantFree(34, 75, 20)
	s.wantSound()
}

func TestALostDisputeFreesTheSeats(t *testing.T) {
	t.Parallel()
	s := seatedScene(t)
	order, attempt := s.paid(2)
	s.settles(s.gives(order, order+"-001"))
	s.hears(disputed("D", attempt, ticketing.DisputeOpen))
	s.hears(disputed("D-lost", attempt, ticketing.DisputeLost))
	s.wantFree(35, 75, 20)
	s.paidSeats("hall/1/5", "hall/1/6")
}

func TestHazard09LateMoneyTakesTheVerySeatsAgainIfAllAreFree(t *testing.T) {
	t.Parallel()
	for name, rival := range map[string][]string{"free": nil, "one is gone": {"hall/1/6"}, "others are gone": {"hall/1/7", "hall/2/5"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := seatedScene(t)
			order := s.heldSeats("hall/1/5", "hall/1/6")
			attempt := s.started(order)
			s.expired(order)
			if rival != nil {
				s.heldSeats(rival...)
			}
			s.captured(attempt)
			must(s.Settle(t.Context(), attempt.ID))(t)
			want := !slices.Contains(rival, "hall/1/6")
			if retaken := must(s.Retake(t.Context(), attempt.ID))(t); retaken != want {
				t.Errorf("retaken %t, want %t", retaken, want)
			}
			s.wantSeats(order, "hall/1/5", "hall/1/6")
			if tickets := s.order(order).Tickets; want && (len(tickets) != 2 || tickets[0].Seat.ID != "hall/1/5") {
				t.Errorf("tickets %+v", tickets)
			}
			s.refundAll()
			s.wantSound()
		})
	}
}

func TestLateMoneyAndARivalForTheSameSeats(t *testing.T) {
	t.Parallel()
	s := seatedScene(t)
	for round := range 10 {
		seats := []string{fmt.Sprintf("hall/1/%d", round+1), fmt.Sprintf("hall/2/%d", round+1)}
		order := s.heldSeats(seats...)
		attempt := s.started(order)
		s.expired(order)
		s.captured(attempt)
		must(s.Settle(t.Context(), attempt.ID))(t)
		var retaken, held bool
		slices.Reverse(seats)
		inParallel(2, func(i int) {
			if i == 0 {
				retaken = must(s.Retake(t.Context(), attempt.ID))(t)
			} else {
				held = must(s.Hold(t.Context(), choose(seats...)))(t).State == ticketing.OrderPending
			}
		})
		if retaken == held {
			t.Fatalf("retaken %t, held by another %t", retaken, held)
		}
	}
	s.refundAll()
	s.wantSound()
}

func TestBlockedSeatsAreNotSoldUntilTheyAreReleased(t *testing.T) {
	t.Parallel()
	s := seatedScene(t)
	house := []string{"hall/1/5", "hall/1/6", "hall/5/6"}
	if err := s.BlockSeats(t.Context(), "show-s1", house, "for the press"); err != nil {
		t.Fatal(err)
	}
	s.wantFree(33, 74, 20)
	s.wantLost(choose("hall/1/5"), []string{"hall/1/5"}, []string{"hall/1/4"})
	order := s.held(4)
	s.wantSeats(order, "hall/1/1", "hall/1/2", "hall/1/3", "hall/1/4")
	err := s.BlockSeats(t.Context(), "show-s1", []string{"hall/3/1", "hall/1/4", "hall/1/5"}, "")
	wantCode(t, err, ticketing.CodeSeatTaken)
	if !strings.Contains(fmt.Sprint(err), "held, sold or blocked") {
		t.Error(err)
	}
	wantCode(t, s.UnblockSeats(t.Context(), "show-s1", []string{"hall/1/5", "hall/1/4"}), ticketing.CodeConflict)
	wantCode(t, s.BlockSeats(t.Context(), "show-s1", []string{"hall/9/9"}, ""), ticketing.CodeNotFound)
	wantCode(t, s.BlockSeats(t.Context(), "nothing", house, ""), ticketing.CodeNotFound)
	s.wantSound()
	if err := s.UnblockSeats(t.Context(), "show-s1", house); err != nil {
		t.Fatal(err)
	}
	s.paidSeats("hall/1/5", "hall/1/6")
	s.wantFree(29, 75, 20)
	s.wantSound()
}

func TestBlocksAndBuyersRace(t *testing.T) {
	t.Parallel()
	s := seatedScene(t)
	inParallel(30, func(i int) {
		seats := []string{fmt.Sprintf("hall/5/%d", 1+i%5), fmt.Sprintf("hall/5/%d", 10-i%5)}
		switch i % 3 {
		case 0:
			if err := s.BlockSeats(t.Context(), "show-s1", seats, ""); err != nil && ticketing.CodeOf(err) != ticketing.CodeSeatTaken {
				t.Error(err)
			}
		case 1:
			if err := s.UnblockSeats(t.Context(), "show-s1", seats); err != nil && ticketing.CodeOf(err) != ticketing.CodeConflict {
				t.Error(err)
			}
		default:
			must(s.Hold(t.Context(), request(1, 1)))(t)
		}
	})
	s.wantSound()
}

func TestTheDatabaseSellsASeatOnce(t *testing.T) {
	t.Parallel()
	s := seatedScene(t)
	order := s.heldSeats("hall/1/5")
	other := s.heldSeats("hall/1/6")
	conn := s.connect()
	_, err := conn.Exec(t.Context(), `INSERT INTO order_seats SELECT $1, ticket_type_id, session_id, word, bit, state FROM order_seats WHERE order_id = $2`, other, order)
	if constraintOf(err) != "order_seats_once" {
		t.Error(err)
	}
	_, err = conn.Exec(t.Context(), "UPDATE seat_words SET taken = taken | 1::bigint << 12 WHERE word = 0")
	if constraintOf(err) != "seat_words_exist" {
		t.Error(err)
	}
	_, err = conn.Exec(t.Context(), "UPDATE seat_words SET sold = 1")
	if constraintOf(err) != "seat_words_add_up" {
		t.Error(err)
	}
}

func TestASoldSessionKeepsItsMap(t *testing.T) {
	t.Parallel()
	s := seatedScene(t)
	next := storetest.Hall()
	next.Version = 2
	next.Sections[0].Rows = next.Sections[0].Rows[:2]
	// Rows 1 and 2 only; the rear keeps a seat, or its ticket type would have none.
	next.Sections[0].Rows[1].Seats[9].Category = "rear"
	if err := s.ImportSeatMap(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	event := storetest.SeatedEvent("show", 20)
	event.Sessions[0].SeatMap.Version = 2
	if err := s.BlockSeats(t.Context(), "show-s1", []string{"hall/3/1"}, ""); err != nil {
		t.Fatal(err)
	}
	storetest.Seed(t, s.Store, event) // nobody has bought yet
	s.wantFree(19, 1, 20)
	s.wantSound()
	order := s.held(2)
	storetest.Seed(t, s.Store, storetest.SeatedEvent("show", 20))
	s.wantFree(17, 1, 20)
	s.wantSeats(order, "hall/1/5", "hall/1/6")
	if _, err := s.connect().Exec(t.Context(), "UPDATE sessions SET seat_map_version = 1"); constraintOf(err) != "sessions_seat_map_stays" {
		t.Error(err)
	}
	if _, err := s.connect().Exec(t.Context(), "UPDATE seat_maps SET version = 3 WHERE version = 2"); constraintOf(err) != "seat_maps_append_only" {
		t.Error(err)
	}
	other := storetest.Hall()
	other.Name = ticketing.Text{"en": "Another", "zh-CN": "另一个"}
	wantCode(t, s.ImportSeatMap(t.Context(), other), ticketing.CodeConflict)
	s.wantSound()
}
