package store_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// rush is holds that all wait for the same stock, because somebody sits on it.
type rush struct {
	*scene
	sitting pgx.Tx
	answers []chan struct{} // closed when the answer is there
	results []ticketing.HoldResult
	errs    []error
}

// newRushScene is a scene whose store waits for locks as long as a slow machine takes.
func newRushScene(t testing.TB, events ...ticketing.Event) *scene {
	t.Helper()
	s := newScene(t, events...)
	patient, err := store.Open(t.Context(), store.Config{
		URL: s.url, Keyring: storetest.Keyring(), LockTimeout: time.Minute, StatementTimeout: time.Minute, CallTimeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(patient.Close)
	s.Store = patient
	return s
}

// startRush lets everybody ask while nobody can be answered. With waiting it lets the first two go ahead, who are groups of
// their own and all that may be under way, and returns when so many wait to join one.
func startRush(s *scene, requests []ticketing.HoldRequest, contexts func(int) context.Context, waiting int) *rush {
	s.Helper()
	n := len(requests)
	r := &rush{scene: s, answers: make([]chan struct{}, n), results: make([]ticketing.HoldResult, n), errs: make([]error, n)}
	r.sitting = must(s.connect().Begin(s.Context()))(s)
	must(r.sitting.Exec(s.Context(), "SELECT FROM stock FOR UPDATE"))(s)
	watching := s.connect()
	defer func() { _ = watching.Close(s.Context()) }()
	for i, request := range requests {
		ctx, answer := s.Context(), make(chan struct{})
		if contexts != nil {
			ctx = contexts(i)
		}
		r.answers[i] = answer
		go func() {
			defer close(answer)
			r.results[i], r.errs[i] = s.Hold(ctx, request)
		}()
		if waiting > 0 && i < 2 {
			r.until(func() bool {
				var blocked int
				err := watching.QueryRow(s.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&blocked)
				return must(blocked, err)(s) > i
			})
		}
	}
	r.until(func() bool { return s.WaitingHolds() >= waiting })
	return r
}

// until waits for something.
func (r *rush) until(so func() bool) {
	r.Helper()
	for deadline := time.Now().Add(30 * time.Second); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			r.Fatal("not in time")
		}
	}
}

// end lets everybody through.
func (r *rush) end() {
	r.Helper()
	if err := r.sitting.Rollback(r.Context()); err != nil {
		r.Fatal(err)
	}
	_ = r.sitting.Conn().Close(r.Context())
	for _, answer := range r.answers {
		<-answer
	}
	if n := r.WaitingHolds(); n != 0 {
		r.Errorf("%d still wait", n)
	}
}

// transactions counts those in which orders were written.
func (s *scene) transactions() (n int) {
	s.Helper()
	if err := s.connect().QueryRow(s.Context(), "SELECT count(DISTINCT xmin::text) FROM orders WHERE state = 'PENDING'").Scan(&n); err != nil {
		s.Fatal(err)
	}
	return n
}

func rushing(n int, quantities ...int) []ticketing.HoldRequest {
	requests := make([]ticketing.HoldRequest, n)
	for i := range requests {
		requests[i] = request(quantities...)
	}
	return requests
}

func TestHoldsThatWaitForTheSameStockShareATransaction(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		quantities []int
	}{{"one ticket type", []int{1}}, {"two ticket types", []int{1, 2}}} {
		t.Run(test.name, func(t *testing.T) {
			s := newRushScene(t, storetest.Event("show", 100, 100, 100))
			requests := rushing(30, test.quantities...)
			r := startRush(s, requests, nil, 28)
			r.end()
			for i := range requests {
				if r.errs[i] != nil || r.results[i].State != ticketing.OrderPending {
					t.Fatalf("%d: %+v %v", i, r.results[i], r.errs[i])
				}
				if again := must(s.Hold(t.Context(), requests[i]))(t); !reflect.DeepEqual(again, r.results[i]) {
					t.Errorf("%d: again %+v, want %+v", i, again, r.results[i])
				}
				s.wantKinds(requests[i].OrderID, ticketing.EventHeld)
			}
			if n := s.transactions(); n > 6 { // the first two on their own, and the rest in a group or two
				t.Errorf("%d transactions", n)
			}
			s.wantSound()
		})
	}
}

func TestNoGroupIsLargerThanAllowed(t *testing.T) {
	t.Parallel()
	s := newRushScene(t, storetest.Event("show", 1000, 0, 10))
	r := startRush(s, rushing(3*store.GroupSize, 1), nil, 3*store.GroupSize-2)
	r.end()
	var most int
	if err := s.connect().QueryRow(t.Context(), "SELECT max(n) FROM (SELECT count(*) AS n FROM orders GROUP BY xmin::text) g").Scan(&most); err != nil {
		t.Fatal(err)
	}
	if most != store.GroupSize {
		t.Errorf("%d holds in a transaction, want %d", most, store.GroupSize)
	}
	s.wantSound()
}

// Whatever a few buyers want at once, the answers are those of some order in which they came one by one.
func TestGroupedHoldsAnswerLikeSingleOnes(t *testing.T) {
	t.Parallel()
	s, shows := newRushScene(t), 0
	rapid.Check(t, func(rt *rapid.T) {
		shows++
		id := fmt.Sprintf("show%d", shows)
		capacities := []int{rapid.IntRange(0, 20).Draw(rt, "capacity"), rapid.IntRange(0, 20).Draw(rt, "other capacity")}
		storetest.Seed(t, s.Store, storetest.Event(id, capacities...))
		var requests []ticketing.HoldRequest
		for range rapid.IntRange(3, 12).Draw(rt, "orders") {
			next := request()
			next.EventID, next.SessionID = id, id+"-s1"
			for i, quantity := range []int{rapid.IntRange(1, 5).Draw(rt, "quantity"), rapid.SampledFrom([]int{0, 0, 1, 3}).Draw(rt, "of the other")} {
				if quantity > 0 {
					next.Lines = append(next.Lines, ticketing.Ask{TicketTypeID: id + []string{"-t1", "-t2"}[i], Quantity: quantity})
				}
			}
			if len(requests) > 0 && rapid.IntRange(0, 4).Draw(rt, "again") == 0 {
				next = rapid.SampledFrom(requests).Draw(rt, "which")
			}
			requests = append(requests, next)
		}
		r := startRush(s, requests, nil, 0)
		r.end()
		free := must(s.Availability(t.Context()))(rt)
		left, answers := append([]int(nil), capacities...), map[string]ticketing.HoldResult{}
		for i, q := range requests {
			have := r.results[i]
			if r.errs[i] != nil {
				rt.Fatalf("%d: %v", i, r.errs[i])
			}
			if before, known := answers[q.OrderID]; known {
				if !reflect.DeepEqual(have, before) {
					rt.Fatalf("the same order got %+v and %+v", before, have)
				}
				continue
			}
			answers[q.OrderID] = have
			short := false // of something, in the end: stock only ever gets less here
			for _, line := range q.Lines {
				of := map[string]int{id + "-t1": 0, id + "-t2": 1}[line.TicketTypeID]
				if have.State == ticketing.OrderPending {
					left[of] -= line.Quantity
				}
				short = short || free[line.TicketTypeID] < line.Quantity
			}
			if refused := have.State == ticketing.OrderRefused; refused && (!short || have.Refusal.Code != ticketing.CodeSoldOut) {
				rt.Fatalf("refused %+v for %+v though %v are free", q.Lines, have.Refusal, free)
			}
		}
		if free[id+"-t1"] != left[0] || free[id+"-t2"] != left[1] {
			rt.Fatalf("%v free, buyers left %v", free, left)
		}
	})
	s.wantSound()
}

func TestAHoldThatFailsHarmsNobodyElse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, fingerprint, plant string }{
		{"in its statement", "not\x00text", ""},
		{"when everything is written", "late", `
			CREATE FUNCTION too_late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'too late'; END $$;
			CREATE CONSTRAINT TRIGGER late AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW WHEN (NEW.fingerprint = 'late') EXECUTE FUNCTION too_late()`},
		{"because it meets a hold of the same order", "f", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newRushScene(t, storetest.Event("show", 100, 100, 100))
			if test.plant != "" {
				s.execute(test.plant)
			}
			requests := rushing(20, 1)
			requests[10].Fingerprint = test.fingerprint
			poisoned := test.fingerprint != "f"
			if !poisoned {
				requests[11] = request(0, 1) // goes by another queue
				requests[11].OrderID = requests[10].OrderID
			}
			r := startRush(s, requests, nil, 16)
			r.end()
			held := 0
			for i, err := range r.errs {
				if i == 10 && poisoned {
					if err == nil {
						t.Errorf("the one that fails got %+v", r.results[i])
					}
					continue
				}
				if err != nil || r.results[i].State != ticketing.OrderPending {
					t.Errorf("%d: %+v %v", i, r.results[i], err)
				}
				held++
			}
			if poisoned {
				s.wantFree(100-held, 100, 100)
			}
			s.wantSound()
		})
	}
}

func TestWhoeverLeavesAGroupGetsAnAnswerAtOnceAndBreaksNothing(t *testing.T) {
	t.Parallel()
	s := newRushScene(t, storetest.Event("show", 100, 100, 100))
	requests := rushing(20, 1)
	leaving, leave := context.WithCancel(t.Context())
	r := startRush(s, requests, func(i int) context.Context {
		if i%2 == 0 {
			return leaving
		}
		return t.Context()
	}, 18)
	leave()
	for i := 0; i < len(requests); i += 2 {
		<-r.answers[i] // while the stock is still sat on
	}
	r.end()
	for i, err := range r.errs {
		if i%2 == 0 && !errors.Is(err, context.Canceled) {
			t.Errorf("%d: whoever left got %v", i, err)
		}
		if i%2 == 1 && (err != nil || r.results[i].State != ticketing.OrderPending) {
			t.Errorf("%d: %+v %v", i, r.results[i], err)
		}
	}
	for _, q := range requests { // asked again, everybody has exactly one hold
		if again := must(s.Hold(t.Context(), q))(t); again.State != ticketing.OrderPending {
			t.Errorf("again %+v", again)
		}
	}
	s.wantFree(80, 100, 100)
	s.wantSound()
}

func TestTheSameRefusalAtTheSameMomentIsOne(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Event("show", 0))
	for range 20 {
		r := request(1)
		results := make([]ticketing.HoldResult, 30)
		inParallel(len(results), func(i int) { results[i] = must(s.Hold(t.Context(), r))(t) })
		for _, result := range results {
			if result.State != ticketing.OrderRefused || !reflect.DeepEqual(result, results[0]) {
				t.Fatalf("%+v and %+v", result, results[0])
			}
		}
	}
	s.wantSound()
}
