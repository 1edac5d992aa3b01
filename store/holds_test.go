package store_test

import (
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestHoldAnswersTheSameForEver(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	r := request(2, 1)
	first := must(s.Hold(t.Context(), r))(t)
	if first.State != ticketing.OrderPending || first.Revision != 1 || first.Fingerprint != "f" || len(first.Quote.Lines) != 2 {
		t.Errorf("held %+v", first)
	}
	other := r
	other.Fingerprint, other.Lines, other.PayBy = "another", other.Lines[:1], r.PayBy.Add(time.Hour)
	for _, again := range []ticketing.HoldRequest{r, other} {
		if have := must(s.Hold(t.Context(), again))(t); !reflect.DeepEqual(have, first) {
			t.Errorf("held again %+v, want %+v", have, first)
		}
	}
	s.wantFree(18, 19)
	s.expired(r.OrderID)
	if have := must(s.Hold(t.Context(), r))(t); have.State != ticketing.OrderExpired || !reflect.DeepEqual(have.Quote, first.Quote) {
		t.Errorf("held after expiry %+v", have)
	}
	s.wantFree(20, 20)
	s.wantSound()
}

func TestHazard32TheSameHoldAtTheSameMomentTakesOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	r := request(2, 3)
	results := make([]ticketing.HoldResult, 50)
	inParallel(len(results), func(i int) { results[i] = must(s.Hold(t.Context(), r))(t) })
	for _, result := range results {
		if !reflect.DeepEqual(result, results[0]) {
			t.Errorf("%+v and %+v", result, results[0])
		}
	}
	s.wantFree(18, 17)
	s.wantSound()
}

func TestRefusedHolds(t *testing.T) {
	t.Parallel()
	event := storetest.Event("show", 5, 5, 0)
	now := time.Now()
	event.Sessions[0].TicketTypes[1].SaleFrom = now.Add(time.Hour)
	paused := storetest.Event("paused", 5)
	s := newScene(t, event, paused)
	if err := s.MoveEvent(t.Context(), "paused", ticketing.EventPaused, "tester", "a test"); err != nil {
		t.Fatal(err)
	}
	cheap := ticketing.Money{Amount: 1, Currency: "CNY"}
	tests := []struct {
		name    string
		change  func(*ticketing.HoldRequest)
		refusal ticketing.Refusal
	}{
		{
			"sold out", func(r *ticketing.HoldRequest) { r.Lines[0] = ticketing.Ask{TicketTypeID: "show-t3", Quantity: 1} },
			ticketing.Refusal{Code: ticketing.CodeSoldOut, Message: "sold out", Field: "/lines/0/quantity"},
		},
		{
			"fewer left", func(r *ticketing.HoldRequest) { r.Lines[0].Quantity = 6 },
			ticketing.Refusal{Code: ticketing.CodeSoldOut, Message: "only 5 left", Field: "/lines/0/quantity"},
		},
		{"one line of two", func(r *ticketing.HoldRequest) {
			r.Lines = append(r.Lines, ticketing.Ask{TicketTypeID: "show-t3", Quantity: 2})
		}, ticketing.Refusal{Code: ticketing.CodeSoldOut, Message: "sold out", Field: "/lines/1/quantity"}},
		{"not yet, by the database's clock", func(r *ticketing.HoldRequest) {
			r.Lines[0].TicketTypeID, r.At = "show-t2", now.Add(2*time.Hour)
		}, ticketing.Refusal{Code: ticketing.CodeWindowClosed, Message: "this ticket type is not on sale now", Field: "/lines/0/ticket_type_id"}},
		{
			"too many", func(r *ticketing.HoldRequest) { r.Lines[0].Quantity = 11 },
			ticketing.Refusal{Code: ticketing.CodeLimitExceeded, Message: "at most 10 tickets of this type per order", Field: "/lines/0/quantity"},
		},
		{
			"another price", func(r *ticketing.HoldRequest) { r.ExpectedTotal = &cheap },
			ticketing.Refusal{Code: ticketing.CodePriceChanged, Message: "the total is now 10700 CNY", Field: "/expected_total"},
		},
		{
			"no such session", func(r *ticketing.HoldRequest) { r.SessionID = "paused-s1" },
			ticketing.Refusal{Code: ticketing.CodeNotFound, Message: "no such session", Field: "/session_id"},
		},
		{
			"no such event", func(r *ticketing.HoldRequest) { r.EventID = "nothing" },
			ticketing.Refusal{Code: ticketing.CodeNotFound, Message: "no such event"},
		},
		{"paused", func(r *ticketing.HoldRequest) {
			r.EventID, r.SessionID, r.Lines[0].TicketTypeID = "paused", "paused-s1", "paused-t1"
		}, ticketing.Refusal{Code: ticketing.CodeNotOnSale, Message: "this event is not on sale"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := request(1)
			test.change(&r)
			first := must(s.Hold(t.Context(), r))(t)
			if first.State != ticketing.OrderRefused || first.Refusal == nil || *first.Refusal != test.refusal {
				t.Fatalf("%+v because of %+v", first, first.Refusal)
			}
			if again := must(s.Hold(t.Context(), r))(t); !reflect.DeepEqual(again, first) {
				t.Errorf("again %+v, want %+v", again, first)
			}
			s.wantKinds(r.OrderID, ticketing.EventRefused)
		})
	}
	s.wantFree(5, 5, 0)
	s.wantSound()
}

func TestARefusalStaysWhenStockComesBack(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Event("show", 2))
	holder, refused := s.held(2), request(1)
	if first := must(s.Hold(t.Context(), refused))(t); first.State != ticketing.OrderRefused {
		t.Fatalf("%+v", first)
	}
	s.expired(holder)
	if again := must(s.Hold(t.Context(), refused))(t); again.State != ticketing.OrderRefused {
		t.Errorf("the same order got another answer: %+v", again)
	}
	s.held(1)
	s.wantSound()
}

func TestHoldSeesEveryChangeOfTheEvent(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.held(1) // the event is remembered from here
	// Seeding leaves sold sessions alone, so the price is changed as the back office will.
	s.execute("UPDATE ticket_types SET base_price = 77700 WHERE id = 'show-t2'")
	result := must(s.Hold(t.Context(), request(0, 1)))(t)
	if result.Quote.Total.Amount != 77700+500+200 {
		t.Errorf("total %v", result.Quote.Total)
	}
	s.execute("UPDATE ticket_types SET max_per_order = 1 WHERE id = 'show-t2'")
	if result := must(s.Hold(t.Context(), request(0, 2)))(t); result.Refusal == nil || result.Refusal.Code != ticketing.CodeLimitExceeded {
		t.Errorf("%+v", result)
	}
	if err := s.MoveEvent(t.Context(), "show", ticketing.EventPaused, "tester", "a test"); err != nil {
		t.Fatal(err)
	}
	if result := must(s.Hold(t.Context(), request(1)))(t); result.Refusal == nil || result.Refusal.Code != ticketing.CodeNotOnSale {
		t.Errorf("%+v", result)
	}
	if err := s.MoveEvent(t.Context(), "show", ticketing.EventOnSale, "tester", "a test"); err != nil {
		t.Fatal(err)
	}
	// A refusal is not given from what was remembered either.
	s.held(1)
	s.wantSound()
}

func TestHoldPricesByTheRequestsClock(t *testing.T) {
	t.Parallel()
	event := storetest.Event("show", 20)
	at := time.Now().UTC().Truncate(time.Second).Add(time.Hour)
	event.Sessions[0].TicketTypes[0].Phases = []ticketing.PricePhase{{
		Name: ticketing.Text{"en": "Early", "zh-CN": "早鸟"}, From: at.Add(-30 * time.Minute), Until: at, BasePrice: 4000,
	}}
	s := newScene(t, event)
	for clock, total := range map[time.Time]int64{at.Add(-time.Second): 4700, at: 10700} {
		r := request(1)
		r.At = clock
		if result := must(s.Hold(t.Context(), r))(t); result.Quote.Total.Amount != total {
			t.Errorf("at %v: %v, want %d", clock, result.Quote.Total, total)
		}
	}
}

func TestThreeHundredHoldsForTwentyTickets(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Event("show", 20))
	results := make([]ticketing.HoldResult, 300)
	inParallel(len(results), func(i int) { results[i] = must(s.Hold(t.Context(), request(1)))(t) })
	held := 0
	for _, r := range results {
		switch {
		case r.State == ticketing.OrderPending:
			held++
		case r.Refusal == nil || r.Refusal.Code != ticketing.CodeSoldOut:
			t.Errorf("%+v", r)
		}
	}
	if held != 20 {
		t.Errorf("%d holds for 20 tickets", held)
	}
	s.wantFree(0)
	s.wantSound()
}

func TestOrdersOfManyLinesNeverDeadlock(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Event("show", 200, 200, 200))
	deadlocks := func() (n int) {
		s.query("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()", &n)
		return n
	}
	inParallel(100, func(i int) {
		r := request(1, 2, 1)
		if i%2 == 0 {
			slices.Reverse(r.Lines)
		}
		if result := must(s.Hold(t.Context(), r))(t); result.State != ticketing.OrderPending {
			t.Errorf("%+v", result.Refusal)
		}
		if i%3 == 0 {
			must(s.Release(t.Context(), r.OrderID, ticketing.OrderCancelled))(t)
		}
	})
	if n := deadlocks(); n != 0 {
		t.Errorf("%d deadlocks", n)
	}
	s.wantFree(200-66, 200-132, 200-66)
	s.wantSound()
}

func TestOrdersOfManyLinesTakeAllOrNothing(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Event("show", 30, 10))
	held := make([]bool, 60)
	inParallel(len(held), func(i int) {
		held[i] = must(s.Hold(t.Context(), request(1, 1)))(t).State == ticketing.OrderPending
	})
	n := 0
	for _, h := range held {
		if h {
			n++
		}
	}
	if n != 10 {
		t.Errorf("%d orders got both tickets, want 10", n)
	}
	s.wantFree(20, 0)
	s.wantSound()
}

func TestReleaseGivesBackOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.held(3, 2)
	inParallel(20, func(int) {
		if state := must(s.Release(t.Context(), order, ticketing.OrderCancelled))(t); state != ticketing.OrderCancelled {
			t.Errorf("released: %s", state)
		}
	})
	// Where the order is decides, not what is asked for now.
	if state := must(s.Release(t.Context(), order, ticketing.OrderExpired))(t); state != ticketing.OrderCancelled {
		t.Errorf("released again: %s", state)
	}
	s.wantFree(20, 20)
	s.wantKinds(order, ticketing.EventHeld, ticketing.EventOrderCancelled)
	paid, _ := s.paid(1)
	if state := must(s.Release(t.Context(), paid, ticketing.OrderExpired))(t); state != ticketing.OrderPaid {
		t.Errorf("released though paid: %s", state)
	}
	_, err := s.Release(t.Context(), order, ticketing.OrderFailed)
	wantCode(t, err, ticketing.CodeInvalid)
	_, err = s.Release(t.Context(), encryption.NewNumber(), ticketing.OrderExpired)
	wantCode(t, err, ticketing.CodeNotFound)
	s.wantSound()
}

func TestOrdersAreFoundByTheirBuyer(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.held(1)
	r := request(1)
	r.Buyer.Email = "someone.else@example.com"
	must(s.Hold(t.Context(), r))(t)
	found := must(s.OrdersOfBuyer(t.Context(), " mei.canary@example.COM", 10))(t)
	if fmt.Sprint(found) != fmt.Sprint([]string{order}) {
		t.Errorf("found %v, want %s", found, order)
	}
	if fingerprint := must(s.OrderFingerprint(t.Context(), order))(t); fingerprint != "f" {
		t.Errorf("fingerprint %q", fingerprint)
	}
	_, err := s.OrderFingerprint(t.Context(), encryption.NewNumber())
	wantCode(t, err, ticketing.CodeNotFound)
	_, err = s.Order(t.Context(), encryption.NewNumber())
	wantCode(t, err, ticketing.CodeNotFound)
	revisions := must(s.OrderRevisions(t.Context(), []string{order, "unknown"}))(t)
	if len(revisions) != 1 || revisions[order] != 1 {
		t.Errorf("revisions %v", revisions)
	}
}

// inParallel runs step n times at once.
func inParallel(n int, step func(i int)) {
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-begin
			step(i)
		})
	}
	close(begin)
	all.Wait()
}
