package store_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// memberPlants break what a membership is made of.
var memberPlants = map[string]string{
	"an order makes the points of the tickets that were paid for and have not gone back":          "UPDATE tickets SET state = 'VOID'",
	"points are those of the member whose order made them, and there is a reason for each change": "UPDATE points_entries SET cause = 'refund:nobody' WHERE cause LIKE 'refund:%'",
	"a member has the points of their orders":                                                     "UPDATE members SET points = points + 1",
	"whoever wanted to join and has paid is the member of their mail address":                     "UPDATE order_members SET member_id = NULL WHERE member_id = order_id",
}

// circle is the programme of the organiser of storetest.Event, in which a yuan is a point: friends have 5 % off from 200 points on,
// patrons 10 % from 1000, buy a day before everybody else and two tickets more.
func circle() ticketing.Programme {
	name := func(en, zh string) ticketing.Text { return ticketing.Text{"en": en, "zh-CN": zh} }
	return ticketing.Programme{
		ID: "circle", OrganiserID: "organiser", Name: name("Circle", "之友"), Currency: "CNY", SpendPerPoint: 100,
		Levels: []ticketing.Level{
			{Name: name("Friend", "朋友"), Points: 200, DiscountBasisPoints: 500},
			{Name: name("Patron", "赞助人"), Points: 1000, DiscountBasisPoints: 1000, LeadHours: 24, ExtraTickets: 2},
		},
	}
}

// clubScene is a scene in which the organiser has a programme.
func clubScene(t *testing.T, events ...ticketing.Event) *scene {
	t.Helper()
	s := newScene(t, events...)
	s.putProgramme(circle())
	return s
}

func (s *scene) putProgramme(p ticketing.Programme) {
	s.Helper()
	if err := s.PutProgramme(s.Context(), p); err != nil {
		s.Fatal(err)
	}
}

// joining is the request of a buyer who wants to be a member.
func joining(n int, quantities ...int) ticketing.HoldRequest {
	r := by(request(quantities...), n)
	r.Join = true
	return r
}

// with is the request of a member.
func with(code string, n int, quantities ...int) ticketing.HoldRequest {
	r := by(request(quantities...), n)
	r.MemberCode = code
	return r
}

// buys places an order and pays it.
func (s *scene) buys(r ticketing.HoldRequest) ticketing.Order {
	s.Helper()
	order := s.pays(s.heldAs(r))
	if order.State != ticketing.OrderPaid {
		s.Fatalf("%+v", order)
	}
	return order
}

// earned is what an order shows of its membership besides names and codes.
type earned struct {
	Earned, Points int64
	Shown          bool
}

func (s *scene) membership(orderID string) earned {
	s.Helper()
	m := s.order(orderID).Membership
	if m == nil {
		s.Fatal("no membership")
	}
	return earned{m.Earned, m.Points, m.Shown}
}

func TestAMembershipBeginsWithThePaymentAndGrows(t *testing.T) {
	t.Parallel()
	s := clubScene(t)
	first := s.heldAs(joining(1, 2))
	if first.Membership != nil || first.Member != nil {
		t.Fatalf("a member before paying: %+v", first.Membership)
	}
	s.pays(first)
	// Two tickets of 105.00; the order's fee of 2.00 makes no points.
	if m := s.membership(first.ID); m != (earned{Earned: 210, Shown: true, Points: 210}) {
		t.Fatalf("%+v", m)
	}
	code := s.order(first.ID).Membership.Code
	if len(code) != encryption.NumberLength || strings.Contains(strings.ToLower(s.dump()), strings.ToLower(code)) {
		t.Errorf("the code %q is short or stored", code)
	}

	// A friend now: 5 % of 210.00.
	r := with(strings.ToLower(code)+" ", 1, 2)
	held := must(s.Hold(t.Context(), r))(t)
	second := s.order(r.OrderID)
	if !reflect.DeepEqual(held.Quote, second.Quote) || second.Member.Discount != 1050 || second.Member.Level["en"] != "Friend" || second.Total.Amount != 20150 {
		t.Fatalf("held %+v, read %+v", held.Quote, second.Quote)
	}
	s.pays(second)
	if m := s.membership(second.ID); m != (earned{Earned: 199, Shown: true, Points: 409}) {
		t.Errorf("%+v", m)
	}

	// Who joins again is the same member, but the order does not prove it.
	third := s.buys(joining(1, 1))
	if m := s.membership(third.ID); m != (earned{Earned: 105, Points: 514}) || third.Membership.Code != code {
		t.Errorf("%+v", m)
	}
	if m := s.membership(second.ID); m.Points != 514 {
		t.Errorf("%+v", m)
	}
	if alone := s.buys(by(request(1), 1)); alone.Membership != nil {
		t.Errorf("an order without a code or a wish makes points: %+v", alone.Membership)
	}
	s.expired(s.heldAs(joining(2, 1)).ID)
	count := must(s.Programmes(t.Context()))(t)
	if len(count) != 1 || !reflect.DeepEqual(count[0].Programme, circle()) || count[0].Members != 1 || count[0].Points != 514 {
		t.Errorf("%+v", count)
	}
	s.wantSound()
}

func TestAMemberCodeIsForItsMemberAtItsOrganiser(t *testing.T) {
	t.Parallel()
	elsewhere := storetest.Event("elsewhere", 20)
	elsewhere.OrganiserID = "another"
	s := clubScene(t, storetest.Event("show", 20, 20), elsewhere)
	code := s.buys(joining(1, 1)).Membership.Code
	other := circle()
	other.ID, other.OrganiserID = "others", "another"

	foreign := with(code, 1, 1)
	foreign.EventID, foreign.SessionID, foreign.Lines[0].TicketTypeID = "elsewhere", "elsewhere-s1", "elsewhere-t1"
	want := s.wantRefused(foreign, ticketing.CodeVoucherInvalid, "/member_code")
	s.putProgramme(other)
	foreign.OrderID = encryption.NewNumber()
	tagged := with(code, 1, 1)
	tagged.Buyer.Email = "buyer1+tag@example.com"
	for name, r := range map[string]ticketing.HoldRequest{
		"of another programme": foreign, "of somebody else": with(code, 2, 1), "unknown": with("GUESS", 1, 1), "with a tag": tagged,
	} {
		if have := s.wantRefused(r, ticketing.CodeVoucherInvalid, "/member_code"); !reflect.DeepEqual(have, want) {
			t.Errorf("%s: %+v, want %+v", name, have, want)
		}
	}
	s.heldAs(with(code, 1, 1))
	for _, m := range []*ticketing.Member{
		must(s.Basket(t.Context(), ticketing.Session{}, ticketing.Basket{}, ticketing.Codes{MemberCode: code}))(t).Member,
		must(s.Basket(t.Context(), ticketing.Session{}, ticketing.Basket{Email: "BUYER1@example.com"}, ticketing.Codes{MemberCode: code}))(t).Member,
	} {
		if m.ProgrammeID != "circle" || m.Points != 105 {
			t.Errorf("%+v", m)
		}
	}
	s.wantSound()
}

func TestALevelBuysBeforeTheSaleAndMore(t *testing.T) {
	t.Parallel()
	event := storetest.Event("show", 40, 40)
	event.MaxPerBuyer = 10
	s := clubScene(t, event)
	code := s.buys(joining(1, 10)).Membership.Code // 1050 points: a patron

	soon := storetest.Event("soon", 20)
	soon.Sessions[0].TicketTypes[0].SaleFrom = time.Now().Add(23 * time.Hour)
	soon.MaxPerBuyer = 1
	storetest.Seed(t, s.Store, soon)
	of := func(r ticketing.HoldRequest) ticketing.HoldRequest {
		r.EventID, r.SessionID, r.Lines[0].TicketTypeID = "soon", "soon-s1", "soon-t1"
		return r
	}
	s.wantRefused(of(by(request(1), 1)), ticketing.CodeWindowClosed, "/lines/0/ticket_type_id")
	s.wantRefused(of(with(code, 1, 4)), ticketing.CodeLimitExceeded, "/lines")
	late := s.heldAs(of(with(code, 1, 3)))
	refusal := s.wantRefused(of(with(code, 1, 1)), ticketing.CodeLimitExceeded, "/lines")
	if refusal.Left == nil || *refusal.Left != 0 {
		t.Errorf("%+v", refusal)
	}
	// Money that comes late is taken by the same rules.
	attempt := s.started(late.ID)
	s.expired(late.ID)
	s.captured(attempt)
	must(s.Settle(t.Context(), attempt.ID))(t)
	if !must(s.Retake(t.Context(), attempt.ID))(t) {
		t.Error("a member's late money was not taken before the sale")
	}
	// 3 × 105.00 less 10 % are 283.50.
	if m := s.membership(late.ID); m.Earned != 283 || m.Points != 1333 {
		t.Errorf("%+v", m)
	}
	s.wantSound()
}

// TestTheLevelIsThatOfTheHold: points that go back between a price and its hold leave nobody with a level they have no more.
func TestTheLevelIsThatOfTheHold(t *testing.T) {
	t.Parallel()
	s := clubScene(t)
	code := s.buys(joining(1, 2)).Membership.Code
	expected := ticketing.Money{Amount: 9975 + 200, Currency: "CNY"}
	shown := with(code, 1, 1)
	shown.ExpectedTotal = &expected
	s.heldAs(shown)
	shown.OrderID = encryption.NewNumber()
	unseen := with(code, 1, 1)
	results := make(chan ticketing.HoldResult, 2)

	conn := s.connect()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "UPDATE members SET points = 199"); err != nil {
		t.Fatal(err)
	}
	for _, r := range []ticketing.HoldRequest{shown, unseen} {
		go func() {
			result, err := s.Hold(t.Context(), r)
			if err != nil {
				t.Error(err)
			}
			results <- result
		}()
	}
	waiting := 0
	for deadline := time.Now().Add(20 * time.Second); waiting < 2; {
		if time.Now().After(deadline) {
			t.Fatalf("%d holds wait for the member", waiting)
		}
		s.query("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'", &waiting)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		switch result := <-results; {
		case result.Refusal != nil:
			if result.Refusal.Code != ticketing.CodePriceChanged {
				t.Errorf("%+v", result.Refusal)
			}
		case result.Quote.Member.Discount != 0 || result.Quote.Total.Amount != 10700:
			t.Errorf("%+v", result.Quote)
		}
	}
	if s.order(shown.OrderID).State != ticketing.OrderRefused || s.order(unseen.OrderID).State != ticketing.OrderPending {
		t.Error("what was shown was not refused, or the other one was")
	}
}

func TestProgrammesChangeForWhatIsBoughtNext(t *testing.T) {
	t.Parallel()
	s := clubScene(t)
	first := s.buys(joining(1, 2))
	code := first.Membership.Code
	dearer := circle()
	dearer.SpendPerPoint, dearer.Levels = 1000, dearer.Levels[1:]
	s.putProgramme(dearer)
	second := s.buys(with(code, 1, 1))
	if second.Member.Level != nil || second.Membership.Earned != 10 {
		t.Errorf("%+v %+v", second.Member, second.Membership)
	}
	s.settles(s.gives(first.ID, first.ID+"-001"))
	if m := s.membership(first.ID); m.Earned != 105 {
		t.Errorf("points by the terms of the purchase: %+v", m)
	}

	for name, change := range map[string]func(*ticketing.Programme) ticketing.Code{
		"another currency":   func(p *ticketing.Programme) ticketing.Code { p.Currency = "JPY"; return ticketing.CodeConflict },
		"a second programme": func(p *ticketing.Programme) ticketing.Code { p.ID = "second"; return ticketing.CodeConflict },
		"no such organiser": func(p *ticketing.Programme) ticketing.Code {
			p.ID, p.OrganiserID = "x", "nobody"
			return ticketing.CodeNotFound
		},
		"no levels to be had": func(p *ticketing.Programme) ticketing.Code { p.Levels = nil; return ticketing.CodeInvalid },
	} {
		p := circle()
		code := change(&p)
		if err := s.PutProgramme(t.Context(), p); ticketing.CodeOf(err) != code {
			t.Errorf("%s: %v, want %s", name, err, code)
		}
	}
	s.wantSoundSoFar()
}

func TestOrdersInAnotherCurrencyMakeNoPoints(t *testing.T) {
	t.Parallel()
	event := storetest.Event("show", 20)
	event.Sessions[0].TicketTypes[0].Currency = "JPY"
	s := clubScene(t, event)
	if m := s.membership(s.buys(joining(1, 1)).ID); m != (earned{Shown: true}) {
		t.Errorf("%+v", m)
	}
	s.wantSound()
}
