package store_test

import (
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// bundlePlants break what holds of bundles.
var bundlePlants = map[string]string{
	"a bundle contains tickets of its organiser and currency, without seats or required names, one of them of its own session": `INSERT INTO bundle_components
		(bundle_id, component_id, quantity, currency) SELECT 'show-t1', 'bundle-t1', 1, 'CNY'`,
	"every bundle that was bought has a ticket for each thing in it, and no ticket is of anything else": "UPDATE tickets SET bundle = 2 WHERE bundle = 1",
	"the tickets of a bundle are all good, or none is":                                                  "UPDATE tickets SET state = 'VOID' WHERE id = (SELECT min(id) FROM tickets WHERE bundle = 1)",
}

// bundles buys a bundle, gives another one back, and holds a third.
func (s *scene) bundles() {
	s.Helper()
	storetest.Seed(s, s.Store, storetest.Bundled("bundle", "after", 20, 20, 20)...)
	for bundles := range 3 {
		r := by(request(bundles+1), bundles)
		r.EventID, r.SessionID, r.Lines[0].TicketTypeID = "bundle", "bundle-s1", "bundle-t2"
		order := s.heldAs(r)
		if bundles == 2 {
			return
		}
		s.pays(order)
		if bundles == 1 {
			s.settles(s.gives(order.ID, order.ID+"-004", order.ID+"-005", order.ID+"-006"))
		}
	}
}

// wantStock compares what is free of ticket types.
func (s *scene) wantStock(want map[string]int) {
	s.Helper()
	have := must(s.Availability(s.Context()))(s)
	for id, free := range want {
		if have[id] != free {
			s.Errorf("%d of %s free, want %d", have[id], id, free)
		}
	}
}

func TestABundleIsHeldSoldAndGivenBackAsAWhole(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Bundled("show", "next", 20, 8, 20)...)
	s.wantStock(map[string]int{"show-t1": 20, "show-t2": 8, "next-t1": 20})
	order := s.held(1, 2)
	s.wantStock(map[string]int{"show-t1": 17, "show-t2": 6, "next-t1": 16})
	s.expired(order)
	s.wantStock(map[string]int{"show-t1": 20, "show-t2": 8, "next-t1": 20})
	s.wantSound()

	id, _ := s.paid(1, 2)
	s.wantStock(map[string]int{"show-t1": 17, "show-t2": 6, "next-t1": 16})
	tickets := s.order(id).Tickets
	if len(tickets) != 1+2*3 {
		t.Fatalf("%+v", tickets)
	}
	if single := tickets[0]; single.TicketTypeID != "show-t1" || single.Bundle != 0 || single.ComponentID != "" {
		t.Errorf("%+v", single)
	}
	for i, want := range []struct {
		component string
		bundle    int
	}{{"next-t1", 1}, {"next-t1", 1}, {"show-t1", 1}, {"next-t1", 2}, {"next-t1", 2}, {"show-t1", 2}} {
		if have := tickets[i+1]; have.TicketTypeID != "show-t2" || have.ComponentID != want.component || have.Bundle != want.bundle {
			t.Errorf("%+v, want %+v", have, want)
		}
	}
	wantCode(t, second(s.QuoteRefund(t.Context(), id, []string{id + "-002", id + "-003"})), ticketing.CodeInvalid)
	wantCode(t, second(s.QuoteRefund(t.Context(), id, []string{id + "-002", id + "-003", id + "-007"})), ticketing.CodeInvalid)
	s.settles(s.gives(id, id+"-002", id+"-003", id+"-004"))
	s.wantState(id, ticketing.OrderPartiallyRefunded)
	s.wantStock(map[string]int{"show-t1": 18, "show-t2": 7, "next-t1": 18})
	s.settles(s.gives(id))
	s.wantState(id, ticketing.OrderRefunded)
	s.wantStock(map[string]int{"show-t1": 20, "show-t2": 8, "next-t1": 20})
	s.wantSound()
}

func second[T any](_ T, err error) error { return err }

func TestWhatWasPaidForABundleIsSharedByWhatItsTicketsCostAlone(t *testing.T) {
	t.Parallel()
	events := storetest.Bundled("show", "next", 20, 8, 20)
	events[0].Sessions[0].TicketTypes[1].BasePrice, events[0].Sessions[0].TicketTypes[1].Surcharge = 20001, 0
	events[1].Sessions[0].TicketTypes[0].BasePrice = 5000
	s := newScene(t, events...)
	id, _ := s.paid(0, 1)
	// 200.01 by 55.00 + 55.00 + 105.00, each share rounded so that they add up.
	quote := must(s.QuoteRefund(t.Context(), id, nil))(t)
	if len(quote.Lines) != 3 || quote.Lines[0].Paid != 5116 || quote.Lines[1].Paid != 5117 || quote.Lines[2].Paid != 9768 || quote.Paid != 20001 {
		t.Errorf("%+v", quote)
	}
	s.wantSound()
}

func TestABundleGoesBackByItsFirstSession(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Bundled("show", "next", 20, 8, 20)...)
	id, _ := s.paid(1, 1)
	fees := func() (single, bundle int64) {
		quote := must(s.QuoteRefund(t.Context(), id, nil))(t)
		for _, line := range quote.Lines[1:] {
			bundle += line.Fee
		}
		return quote.Lines[0].Fee, bundle
	}
	// show is in three days, next in two: half an hour later its first step is over.
	s.execute("UPDATE sessions SET starts_at = starts_at - interval '30 minutes' WHERE id = 'next-s1'")
	s.execute("UPDATE sessions SET changed_at = NULL")
	if single, bundle := fees(); single != 1050 || bundle != 10250 && bundle != 10251 && bundle != 10252 {
		t.Errorf("%d and %d kept", single, bundle)
	}
	if err := s.MoveEvent(t.Context(), "next", ticketing.EventCancelled, "tester", "a test"); err != nil {
		t.Fatal(err)
	}
	if single, bundle := fees(); single != 1050 || bundle != 0 {
		t.Errorf("%d and %d kept of a bundle whose first night is cancelled", single, bundle)
	}
	s.settles(s.gives(id))
	s.wantSound()
}

func TestABundleIsRefusedWhereAnythingInItIsShort(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Bundled("show", "next", 5, 8, 5)...)
	s.wantStock(map[string]int{"show-t2": 2})
	if refusal := s.wantRefused(request(0, 3), ticketing.CodeSoldOut, "/lines/0/quantity"); refusal.Message != "only 2 left" {
		t.Errorf("%+v", refusal)
	}
	s.held(2)
	// The other line takes two of the last three.
	if refusal := s.wantRefused(request(2, 2), ticketing.CodeSoldOut, "/lines/1/quantity"); refusal.Message != "only 1 left" {
		t.Errorf("%+v", refusal)
	}
	s.held(2, 1)
	s.wantStock(map[string]int{"show-t1": 0, "show-t2": 0, "next-t1": 3})
	if refusal := s.wantRefused(request(0, 1), ticketing.CodeSoldOut, "/lines/0/quantity"); refusal.Message != "sold out" {
		t.Errorf("%+v", refusal)
	}
	s.wantSound()
	s.execute("UPDATE stock SET capacity = capacity + 9, free = free + 9")
	if err := s.MoveEvent(t.Context(), "next", ticketing.EventPaused, "tester", "a test"); err != nil {
		t.Fatal(err)
	}
	s.wantRefused(request(0, 1), ticketing.CodeNotOnSale, "/lines/0/ticket_type_id")
	s.held(1)
	s.wantSound()
}

func TestABundleIsSoldWithoutNamesWhereTheyAreOptional(t *testing.T) {
	t.Parallel()
	events := storetest.Bundled("show", "next", 5, 8, 5)
	events[0].RealNames.Need = ticketing.RealNamesOptional
	s := newScene(t, events...)
	named := request(0, 1)
	named.Attendees = []ticketing.Attendee{{Name: "Mei Lin", DocumentType: "passport", DocumentNumber: "E12345678"}}
	s.wantRefused(named, ticketing.CodeAttendeesUnwanted, "/attendees")
	s.held(0, 1)
	s.wantSound()
}

func TestNobodyPaysForABundleOfWhichSomethingIsCalledOff(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Bundled("show", "next", 5, 8, 5)...)
	bundle, single := s.held(0, 1), s.held(1)
	records := must(s.EventRecords(t.Context(), ticketing.EventRecordFilter{ID: "show", Limit: 1}))(t)
	if len(records) != 1 || records[0].Held != 2 || records[0].Free != 3 {
		t.Errorf("%+v", records)
	}
	if err := s.MoveEvent(t.Context(), "next", ticketing.EventPostponed, "tester", "a test"); err != nil {
		t.Fatal(err)
	}
	_, err := s.StartAttempt(t.Context(), ticketing.PaymentAttempt{ID: encryption.NewNumber(), OrderID: bundle, Provider: "sandbox", Method: "x"})
	wantCode(t, err, ticketing.CodeNotOnSale)
	s.started(single)
	s.expired(bundle)
	s.wantStock(map[string]int{"show-t1": 4, "show-t2": 2, "next-t1": 5})
	s.wantSound()
}

func TestWhatABuyerMayHaveCountsWhatIsInBundles(t *testing.T) {
	t.Parallel()
	events := storetest.Bundled("show", "next", 50, 50, 50)
	events[0].MaxPerBuyer, events[1].MaxPerBuyer = 4, 8
	events[0].Sessions[0].TicketTypes[0].MaxPerBuyer = 3
	s := newScene(t, events...)
	order := s.heldAs(request(1, 2))
	again := request(0, 1)
	if refusal := s.wantRefused(again, ticketing.CodeLimitExceeded, "/lines/0/quantity"); *refusal.Left != 0 {
		t.Errorf("%d left", *refusal.Left)
	}
	s.expired(order.ID)
	id, _ := s.paid(0, 3)
	single := by(request(1), 1)
	single.Buyer.Email, single.EventID, single.SessionID = buyer.Email, "next", "next-s1"
	single.Lines = []ticketing.Ask{{TicketTypeID: "next-t1", Quantity: 3}}
	if refusal := s.wantRefused(single, ticketing.CodeLimitExceeded, "/lines"); *refusal.Left != 2 {
		t.Errorf("%d left", *refusal.Left)
	}
	s.settles(s.gives(id, id+"-001", id+"-002", id+"-003"))
	single.OrderID = encryption.NewNumber()
	s.heldAs(single)
	s.wantSound()
	// A change of the other event is seen at once.
	s.execute("UPDATE events SET max_per_buyer = 1 WHERE id = 'next'")
	s.wantRefused(by(request(0, 1), 2), ticketing.CodeLimitExceeded, "/lines/0/quantity")
}

func TestLateMoneyTakesABundleAgainOrNothingOfIt(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Bundled("show", "next", 4, 4, 4)...)
	late := func(meanwhile func()) bool { return s.takenAgain(s.paidLate(request(1, 1), meanwhile)) }
	var other string
	if late(func() { other = s.held(3) }) {
		t.Error("two of the last one were taken again")
	}
	s.expired(other)
	if late(func() { must(0, s.MoveEvent(t.Context(), "next", ticketing.EventPaused, "tester", "a test"))(t) }) {
		t.Error("taken again of an event that does not sell")
	}
	must(0, s.MoveEvent(t.Context(), "next", ticketing.EventOnSale, "tester", "a test"))(t)
	if !late(func() {}) {
		t.Error("not taken again")
	}
	s.wantStock(map[string]int{"show-t1": 2, "show-t2": 1, "next-t1": 2})
	s.wantSound()
}

func TestWhoHasABundleIsToldOfEachOfItsSessions(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Bundled("show", "next", 20, 8, 20)...)
	id, _ := s.paid(0, 1)
	single, _ := s.paid(1)
	s.dropWaiting()
	s.execute("UPDATE payment_attempts SET captured_at = captured_at - interval '30 days'")
	if err := s.NoticeReminders(t.Context(), 60*time.Hour); err != nil { // next is in 48
		t.Fatal(err)
	}
	s.tellAll()
	s.wantTold(id, ticketing.MessageReminder)
	s.wantTold(single)
	message := s.claimed(ticketing.ChannelMail)
	telling := must(s.Telling(t.Context(), message))(t)
	if telling.Event.ID != "next" || telling.Session().ID != "next-s1" || telling.Moot(time.Now()) != "" {
		t.Errorf("%+v", telling.Event)
	}
	if at := telling.Admissions[telling.Order.Tickets[2].Admits()]; at.Session.ID != "show-s1" || at.Session.EventID != "show" {
		t.Errorf("%+v", at)
	}
	s.dropWaiting()
	if err := s.MoveEvent(t.Context(), "next", ticketing.EventCancelled, "tester", "a test"); err != nil {
		t.Fatal(err)
	}
	s.tellAll()
	s.wantTold(id, ticketing.MessageEventCancelled)
	s.wantTold(single)
}

func TestWhatNoBundleMayContain(t *testing.T) {
	t.Parallel()
	foreign := storetest.Event("foreign", 5)
	foreign.OrganiserID, foreign.Organiser = "somebody", "Somebody"
	dollars := storetest.Event("dollars", 5)
	dollars.Sessions[0].TicketTypes[0].Currency = "USD"
	named := storetest.Event("named", 5)
	named.RealNames.Need = ticketing.RealNamesRequired
	s := newScene(t, append(storetest.Bundled("show", "next", 20, 8, 20), foreign, named, dollars, storetest.SeatedEvent("seated", 5))...)
	before := s.revision()
	for name, component := range map[string]string{
		"of another organiser": "foreign-t1", "in another currency": "dollars-t1", "with seats": "seated-t1", "a bundle": "show-t2", "with names": "named-t1", "itself": "more-t2",
	} {
		more := storetest.Event("more", 5, 5)
		more.Sessions[0].TicketTypes[1].Contents = []ticketing.Component{
			{TicketTypeID: "more-t1", SessionID: "more-s1", Quantity: 1}, {TicketTypeID: component, SessionID: "x", Quantity: 1},
		}
		if code := ticketing.CodeOf(s.SeedCatalogue(t.Context(), more)); code != ticketing.CodeInvalid {
			t.Errorf("%s: %q", name, code)
		}
	}
	home := storetest.Event("more", 5, 5)
	home.Sessions[0].TicketTypes[1].Contents = []ticketing.Component{{TicketTypeID: "show-t1", SessionID: "show-s1", Quantity: 2}}
	wantCode(t, s.SeedCatalogue(t.Context(), home), ticketing.CodeInvalid)
	// Nor does what is in a bundle become so.
	seated := storetest.Bundled("show", "next", 20, 8, 20)[1]
	seated.Sessions[0].TicketTypes[0].Currency = "USD"
	wantCode(t, s.SeedCatalogue(t.Context(), seated), ticketing.CodeInvalid)
	strict := storetest.Bundled("show", "next", 20, 8, 20)[1]
	strict.RealNames.Need = ticketing.RealNamesRequired
	wantCode(t, s.SeedCatalogue(t.Context(), strict), ticketing.CodeInvalid)
	if after := s.revision(); after != before {
		t.Errorf("revision %d after what was refused, %d before", after, before)
	}
	storetest.Seed(t, s.Store, storetest.Bundled("show", "next", 20, 8, 20)...) // at another time of day, but
	settled := s.revision()
	changed := storetest.Bundled("show", "next", 20, 8, 20)
	changed[0].Sessions[0].TicketTypes[1].Contents[0].Quantity = 3
	storetest.Seed(t, s.Store, changed...)
	if s.revision() == settled {
		t.Error("other contents, and the revision is the same")
	}
	s.wantStock(map[string]int{"show-t2": 6})
	s.wantSound()
}

func TestABundleBesideNumberedSeatsIsTakenWithThem(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	event := storetest.SeatedEvent("hall", 12)
	pair := storetest.Event("hall", 1).Sessions[0].TicketTypes[0]
	pair.ID, pair.Capacity, pair.Contents = "hall-t4", 5, []ticketing.Component{{TicketTypeID: "hall-t3", SessionID: "hall-s1", Quantity: 2}}
	event.Sessions[0].TicketTypes = append(event.Sessions[0].TicketTypes, pair)
	storetest.Seed(t, s.Store, event)
	before := must(s.Availability(t.Context(), "hall-s1"))(t)
	inParallel(20, func(i int) {
		r := by(request(1), i)
		r.EventID, r.SessionID = "hall", "hall-s1"
		r.Lines = []ticketing.Ask{{TicketTypeID: "hall-t4", Quantity: 1}, {TicketTypeID: "hall-t1", Quantity: 1}, {TicketTypeID: "hall-t3", Quantity: 1}}
		if i%2 == 0 {
			r.Lines = r.Lines[1:]
		}
		if result := must(s.Hold(t.Context(), r))(t); result.State != ticketing.OrderPending && result.Refusal.Code != ticketing.CodeSoldOut {
			t.Errorf("%+v", result.Refusal)
		} else if result.State == ticketing.OrderPending && len(result.Seats) != 1 {
			t.Errorf("%+v", result.Seats)
		}
	})
	after := must(s.Availability(t.Context(), "hall-s1"))(t)
	if before["hall-t4"] != 5 || after["hall-t3"] >= before["hall-t3"] || after["hall-t4"] > after["hall-t3"]/2 {
		t.Errorf("%v, then %v", before, after)
	}
	s.wantSound()
}

func TestALostDisputePutsAllOfABundleOnSaleAgain(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Bundled("show", "next", 20, 8, 20)...)
	id, attempt := s.paid(1, 2)
	s.settles(s.gives(id, id+"-002", id+"-003", id+"-004"))
	for _, state := range []ticketing.DisputeState{ticketing.DisputeOpen, ticketing.DisputeLost} {
		s.hears(disputed("E-"+string(state), attempt, state))
	}
	s.wantStock(map[string]int{"show-t1": 20, "show-t2": 8, "next-t1": 20})
	s.wantSoundSoFar()
}
