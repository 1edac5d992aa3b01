package store_test

import (
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestBundlesAndWhatIsInThemNeverOversellNorDeadlock(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Bundled("show", "next", 40, 30, 50)...)
	single := func(quantity int) ticketing.HoldRequest {
		r := request(1)
		r.EventID, r.SessionID, r.Lines = "next", "next-s1", []ticketing.Ask{{TicketTypeID: "next-t1", Quantity: quantity}}
		return r
	}
	var show, next atomic.Int32
	inParallel(120, func(i int) {
		r, shows, nexts := single(1), 0, 1
		switch i % 4 {
		case 0:
			r, shows, nexts = request(0, 1), 1, 2
		case 1:
			r, shows, nexts = request(1, 1), 2, 2
		case 2:
			r, shows, nexts = request(1), 1, 0
		}
		result := must(s.Hold(t.Context(), r))(t)
		switch {
		case result.State == ticketing.OrderPending && i%8 < 4:
			must(s.Release(t.Context(), r.OrderID, ticketing.OrderCancelled))(t)
		case result.State == ticketing.OrderPending:
			show.Add(int32(shows))
			next.Add(int32(nexts))
		case result.Refusal == nil || result.Refusal.Code != ticketing.CodeSoldOut:
			t.Errorf("%+v", result)
		}
	})
	s.wantSoundSoFar()
	s.wantStock(map[string]int{"show-t1": 40 - int(show.Load()), "next-t1": 50 - int(next.Load())})
	var deadlocks int
	if s.query("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()", &deadlocks); deadlocks != 0 {
		t.Errorf("%d deadlocks", deadlocks)
	}
	// What is left is sold to the last ticket, all or nothing.
	inParallel(80, func(i int) {
		must(s.Hold(t.Context(), []ticketing.HoldRequest{request(0, 1), single(1), request(1)}[i%3]))(t)
	})
	s.wantStock(map[string]int{"show-t2": 0})
	s.wantSound()
}

func TestAnyInterleavingKeepsEveryBundleWhole(t *testing.T) {
	t.Parallel()
	l := newLife(newScene(t, storetest.Bundled("show", "next", 9, 5, 9)...))
	l.live(t, map[string]func(*rapid.T){"refill": l.refill})
}
