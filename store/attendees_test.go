package store_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// attendeePlants break the rules of attendees.
var attendeePlants = map[string]string{
	"a person has one live hold or ticket of a session": `DROP INDEX attendees_one_per_session;
		UPDATE attendees SET person_index = (SELECT person_index FROM attendees WHERE live ORDER BY order_id LIMIT 1) WHERE live`,
	"an attendee is counted exactly while the order holds its stock or the ticket has not gone back": "UPDATE attendees SET live = false",
	"an order that names attendees names one for each ticket":                                        "UPDATE attendees SET ticket_id = NULL WHERE ticket_id IS NOT NULL",
}

// realNamed is an event that wants to know who attends; attendees can be changed until the day before.
func realNamed(id string) ticketing.Event {
	event := storetest.Event(id, 20, 20)
	event.RealNames = ticketing.RealNames{Need: ticketing.RealNamesRequired, ChangeBefore: 24 * time.Hour}
	return event
}

// person is somebody with a travel permit of that number.
func person(n int) ticketing.Attendee {
	return ticketing.Attendee{Name: "张三丰", DocumentType: ticketing.DocumentTaiwanPermit, DocumentNumber: fmt.Sprintf("%08d", n)}
}

func people(numbers ...int) (all []ticketing.Attendee) {
	for _, n := range numbers {
		all = append(all, person(n))
	}
	return all
}

// requestFor asks for a ticket of show-t1 for each of them.
func requestFor(numbers ...int) ticketing.HoldRequest {
	r := request(len(numbers))
	r.Attendees = people(numbers...)
	return r
}

// bought pays for a ticket of show-t1 for each of them.
func (s *scene) bought(numbers ...int) ticketing.Order {
	s.Helper()
	return s.pays(s.heldAs(requestFor(numbers...)))
}

func (s *scene) pays(order ticketing.Order) ticketing.Order {
	s.Helper()
	attempt := s.started(order.ID)
	s.captured(attempt)
	must(s.Settle(s.Context(), attempt.ID))(s)
	s.delivered(attempt.ID)
	return s.order(order.ID)
}

// wantTaken says that each of them has a ticket already.
func (s *scene) wantTaken(numbers ...int) {
	s.Helper()
	for _, n := range numbers {
		s.wantRefused(requestFor(9000+n, n), ticketing.CodeAttendeeTaken, "/attendees/1/document_number")
	}
}

// attending holds tickets for them in an event of realNamed of that id.
func (s *scene) attending(event string, numbers ...int) ticketing.Order {
	s.Helper()
	r := requestFor(numbers...)
	r.EventID, r.SessionID, r.Lines[0].TicketTypeID = event, event+"-s1", event+"-t1"
	return s.heldAs(r)
}

// attend buys orders of everybody's fate, in an event of realNamed of that id.
func (s *scene) attend(event string) {
	s.Helper()
	s.attending(event, 1)
	s.expired(s.attending(event, 2, 3).ID)
	order := s.pays(s.attending(event, 2, 3))
	if err := s.ChangeAttendee(s.Context(), order.ID, order.Tickets[1].ID, person(4)); err != nil {
		s.Fatal(err)
	}
	s.settles(s.gives(order.ID, order.Tickets[0].ID))
}

func TestAnOrderKnowsWhoItsTicketsAreFor(t *testing.T) {
	t.Parallel()
	s := newScene(t, realNamed("show"))
	r := request(2, 1)
	slices.Reverse(r.Lines)
	r.Attendees = people(1, 2, 3)
	r.Attendees[0].DocumentNumber = " ０００ 00001"
	order := s.heldAs(r)
	want := []string{"0*****01", "0*****02", "0*****03"}
	check := func(order ticketing.Order) {
		t.Helper()
		for i, a := range order.Attendees {
			if a.DocumentNumber != want[i] || a.Name != "张**" || a.DocumentType != ticketing.DocumentTaiwanPermit {
				t.Errorf("attendee %d: %+v", i, a)
			}
		}
		if len(order.Attendees) != 3 {
			t.Errorf("%+v", order.Attendees)
		}
	}
	check(order)
	if again := must(s.Hold(t.Context(), r))(t); again.State != ticketing.OrderPending {
		t.Errorf("held again: %+v", again)
	}
	order = s.pays(order)
	check(order)
	for _, ticket := range order.Tickets {
		// The first attendee is of the line for show-t2, the others of that for show-t1.
		if ticket.Attendee == nil || (ticket.TicketTypeID == "show-t2") != (ticket.Attendee.DocumentNumber == want[0]) {
			t.Errorf("%+v has %+v", ticket, ticket.Attendee)
		}
	}
	s.wantSound()
}

func TestAnEventSaysWhetherItWantsAttendees(t *testing.T) {
	t.Parallel()
	optional := realNamed("optional")
	optional.RealNames.Need = ticketing.RealNamesOptional
	s := newScene(t, realNamed("show"), optional, storetest.Event("plain", 20))
	of := func(event string, r ticketing.HoldRequest) ticketing.HoldRequest {
		r.EventID, r.SessionID, r.Lines[0].TicketTypeID = event, event+"-s1", event+"-t1"
		return r
	}
	s.wantRefused(request(2), ticketing.CodeAttendeesRequired, "/attendees/0")
	s.wantRefused(of("plain", requestFor(1)), ticketing.CodeAttendeesUnwanted, "/attendees")
	s.heldAs(of("optional", request(2)))
	s.heldAs(of("optional", requestFor(1, 2)))
	s.wantRefused(of("optional", requestFor(1)), ticketing.CodeAttendeeTaken, "/attendees/0/document_number")
	s.heldAs(requestFor(1, 2)) // another session
	bad := requestFor(3)
	bad.Attendees[0].DocumentNumber = "123"
	refused := s.wantRefused(bad, ticketing.CodeInvalid, "/attendees/0/document_number")
	if strings.Contains(refused.Message, "123") {
		t.Errorf("repeats the number: %s", refused.Message)
	}
	s.wantSound()
}

func TestAPersonIsFreeAgainOnceTheirTicketIs(t *testing.T) {
	t.Parallel()
	s := newScene(t, realNamed("show"))
	held := s.heldAs(requestFor(1, 2))
	s.wantTaken(1, 2)
	s.expired(held.ID)
	order := s.bought(1, 2, 3)
	s.wantTaken(1, 2, 3)
	s.settles(s.gives(order.ID, order.Tickets[1].ID))
	s.wantTaken(1, 3)
	s.bought(2)
	s.wantTaken(1, 2, 3)
	s.wantFree(20 - 3)
	s.wantSound()
}

func TestFiftyOrdersForOnePersonHaveOneWinner(t *testing.T) {
	t.Parallel()
	s := newScene(t, realNamed("show"))
	var won, lost atomic.Int32
	inParallel(50, func(i int) {
		// From both ticket types, among others, and in either order.
		r := request(1, 1)
		r.Attendees = people(1, 100+i)
		if i%2 == 0 {
			slices.Reverse(r.Attendees)
		}
		switch result := must(s.Hold(t.Context(), by(r, i)))(t); {
		case result.State == ticketing.OrderPending:
			won.Add(1)
		case result.Refusal.Code == ticketing.CodeAttendeeTaken:
			lost.Add(1)
		default:
			t.Errorf("%+v", result.Refusal)
		}
	})
	if won.Load() != 1 || lost.Load() != 49 {
		t.Errorf("%d won, %d lost", won.Load(), lost.Load())
	}
	s.wantFree(19, 19)
	s.wantSound()
}

func TestOrdersThatShareAttendeesNeverWaitForEachOther(t *testing.T) {
	t.Parallel()
	s := newScene(t, realNamed("show"))
	var won atomic.Int32
	inParallel(30, func(i int) {
		// Either ticket type alone, so that no lock on stock puts them in line.
		r := request([]int{3, 0}[i%2], []int{0, 3}[i%2])
		r.Attendees = people(i%3, (i+1)%3, (i+2)%3)
		if result := must(s.Hold(t.Context(), by(r, i)))(t); result.State == ticketing.OrderPending {
			won.Add(1)
		} else if result.Refusal.Code != ticketing.CodeAttendeeTaken {
			t.Errorf("%+v", result.Refusal)
		}
	})
	if won.Load() != 1 {
		t.Errorf("%d orders for the same three people", won.Load())
	}
	s.wantSound()
}

func TestLateMoneyTakesThePersonsAgainUnlessTheyHaveTicketsBesides(t *testing.T) {
	t.Parallel()
	s := newScene(t, realNamed("show"))
	late := s.paidLate(requestFor(1, 2), func() {})
	if !s.takenAgain(late) {
		t.Error("not taken again")
	}
	if named := s.order(late.OrderID); named.Tickets[1].Attendee == nil {
		t.Errorf("%+v", named.Tickets)
	}
	s.wantTaken(1, 2)
	late = s.paidLate(requestFor(3, 4), func() {})
	s.bought(4)
	if s.takenAgain(late) {
		t.Error("somebody has two tickets")
	}
	s.wantTaken(4)
	s.bought(3)
	s.wantSound()
}

func TestAnAttendeeIsChangedUntilTheDeadline(t *testing.T) {
	t.Parallel()
	s := newScene(t, realNamed("show"))
	order := s.bought(1, 2)
	first, second := order.Tickets[0].ID, order.Tickets[1].ID
	change := func(ticket string, n int) error { return s.ChangeAttendee(t.Context(), order.ID, ticket, person(n)) }
	for range 2 { // the second time there is nothing to change
		if err := change(first, 3); err != nil {
			t.Fatal(err)
		}
	}
	if now := s.order(order.ID); now.Tickets[0].Attendee.DocumentNumber != "0*****03" || now.Revision != order.Revision+1 {
		t.Errorf("%+v at %d", now.Tickets[0].Attendee, now.Revision)
	}
	kinds := must(s.OrderEvents(t.Context(), order.ID, order.Revision))(t)
	if len(kinds) != 1 || kinds[0].Kind != ticketing.EventAttendeeChanged || len(kinds[0].Detail) != 1 || kinds[0].Detail["ticket_id"] != first {
		t.Errorf("told %+v", kinds)
	}
	s.wantTaken(3, 2)
	s.bought(1)
	wantCode(t, change(first, 2), ticketing.CodeAttendeeTaken)
	wantCode(t, change(first, 1), ticketing.CodeAttendeeTaken)
	other := s.bought(4)
	wantCode(t, s.ChangeAttendee(t.Context(), order.ID, other.Tickets[0].ID, person(5)), ticketing.CodeNotFound)
	wantCode(t, s.ChangeAttendee(t.Context(), encryption.NewNumber(), first, person(5)), ticketing.CodeNotFound)
	wantCode(t, s.ChangeAttendee(t.Context(), order.ID, first, ticketing.Attendee{Name: "X", DocumentType: "none"}), ticketing.CodeInvalid)

	s.settles(s.gives(order.ID, second))
	wantCode(t, change(second, 6), ticketing.CodeAttendeeFixed)
	s.execute("UPDATE sessions SET starts_at = now() + interval '24 hours' + interval '1 minute'")
	if err := change(first, 7); err != nil {
		t.Error(err)
	}
	s.execute("UPDATE sessions SET starts_at = now() + interval '24 hours'")
	wantCode(t, change(first, 8), ticketing.CodeAttendeeFixed)
	s.wantSound()
}

func TestTwentyTicketsForOnePersonHaveOneWinner(t *testing.T) {
	t.Parallel()
	s := newScene(t, realNamed("show"))
	var orders []ticketing.Order
	for i := range 20 {
		orders = append(orders, s.bought(i))
	}
	var won atomic.Int32
	inParallel(len(orders), func(i int) {
		err := s.ChangeAttendee(t.Context(), orders[i].ID, orders[i].Tickets[0].ID, person(777))
		if err == nil {
			won.Add(1)
		} else if ticketing.CodeOf(err) != ticketing.CodeAttendeeTaken {
			t.Error(err)
		}
	})
	if won.Load() != 1 {
		t.Errorf("%d tickets for one person", won.Load())
	}
	s.wantSound()
}

func TestNoTableHoldsADocumentInClear(t *testing.T) {
	t.Parallel()
	s := newScene(t, realNamed("show"))
	r := requestFor(1, 2)
	canary := ticketing.Attendee{Name: "Canary Attendee", DocumentType: ticketing.DocumentPassport, DocumentNumber: "C4N4RY77"}
	r.Attendees[0] = canary
	order := s.pays(s.heldAs(r))
	s.wantRefused(requestOf(canary), ticketing.CodeAttendeeTaken, "/attendees/0/document_number")
	canary.Name = "Canary Two"
	if err := s.ChangeAttendee(t.Context(), order.ID, order.Tickets[0].ID, canary); err != nil {
		t.Fatal(err)
	}
	dump := strings.ToLower(s.dump())
	for _, secret := range []string{canary.DocumentNumber, "canary", "00000002"} {
		secret = strings.ToLower(secret)
		for _, form := range []string{secret, hex.EncodeToString([]byte(secret)), hex.EncodeToString([]byte(strings.ToUpper(secret)))} {
			if strings.Contains(dump, form) {
				t.Errorf("the database holds %q", secret)
			}
		}
	}
	s.execute("UPDATE attendees SET name = document_number WHERE order_id = $1", order.ID)
	if _, err := s.Order(t.Context(), order.ID); err == nil {
		t.Error("a ciphertext opens in another column")
	}
}

// requestOf asks for one ticket for somebody.
func requestOf(a ticketing.Attendee) ticketing.HoldRequest {
	r := request(1)
	r.Attendees = []ticketing.Attendee{a}
	return r
}
