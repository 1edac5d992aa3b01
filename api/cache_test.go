package api_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/ticketing"
)

// TestHotReadsAreAskedForOnce: a crowd that asks at once is one question to the database.
func TestHotReadsAreAskedForOnce(t *testing.T) {
	w := newWorld(t)
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() { require.Equal(t, 200, w.get("/api/v1/events/hamlet").status) })
	}
	all.Wait()
	require.LessOrEqual(t, w.store.lookups.Load(), int64(10))
	require.LessOrEqual(t, w.store.counted.Load(), int64(10))
}

// TestReadsAreAtMostASecondOld changes stock and catalogue under a reader who never stops asking.
func TestReadsAreAtMostASecondOld(t *testing.T) {
	w := newWorld(t)
	available := func() int {
		var e struct {
			Sessions []struct {
				TicketTypes []struct{ Available int } `json:"ticket_types"`
			}
		}
		w.get("/api/v1/events/hamlet").decode(t, &e)
		return e.Sessions[0].TicketTypes[0].Available
	}
	free := 400
	for round := range 5 {
		require.Eventually(t, func() bool { return available() == free }, 5*time.Second, time.Millisecond)
		hold(t, w, fmt.Sprintf("%026d", round), 2)
		taken := time.Now()
		free -= 2
		for available() != free {
			require.Less(t, time.Since(taken), 1100*time.Millisecond, "a second, and what asking takes")
		}
	}
	setter := w.store.testStore.(interface {
		MoveEvent(ctx context.Context, eventID string, to ticketing.EventState, by, reason string) error
	})
	require.NoError(t, setter.MoveEvent(t.Context(), "hamlet", ticketing.EventPaused, "tester", "a test"))
	changed := time.Now()
	for w.submit(keyed(1), orderBody()).status != 409 {
		require.Less(t, time.Since(changed), 1100*time.Millisecond)
	}
}

// TestCacheRefusesNoLongerThanASecond: tickets that come back can be bought again.
func TestCacheRefusesNoLongerThanASecond(t *testing.T) {
	w := newWorld(t)
	film := orderBody(func(b map[string]any) {
		b["session_id"] = "film-1"
		b["lines"] = []map[string]any{{"ticket_type_id": "film-1-seat", "quantity": 3}}
	})
	var o placed
	w.submit(keyed(1), film).decode(t, &o)
	key := 2
	eventually(t, "sold out in the cache", func() bool {
		starts := w.purchases.starts.Load()
		key++
		return w.submit(keyed(key), film).status == 409 && starts == w.purchases.starts.Load()
	})
	_, err := w.store.testStore.Release(t.Context(), o.ID, ticketing.OrderExpired)
	require.NoError(t, err)
	back := time.Now()
	for {
		key++
		if w.submit(keyed(key), film).status == 201 {
			break
		}
		require.Less(t, time.Since(back), 1300*time.Millisecond)
	}
}

// TestHazard39RushIsRefusedWithoutPurchases: a hundred buyers at once for three seats.
func TestHazard39RushIsRefusedWithoutPurchases(t *testing.T) {
	w := newWorld(t)
	answers := make([]answer, 100)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			answers[i] = w.submit(keyed(i), orderBody(func(b map[string]any) {
				b["session_id"] = "film-1"
				b["lines"] = []map[string]any{{"ticket_type_id": "film-1-seat", "quantity": 1}}
			}))
		})
	}
	all.Wait()
	held := 0
	for _, a := range answers {
		if a.status == 201 {
			held++
			continue
		}
		a.problem(t, 409, ticketing.CodeSoldOut)
	}
	require.Equal(t, 3, held)
	require.LessOrEqual(t, w.purchases.starts.Load(), int64(10), "hardly anybody starts a purchase in vain")
}

// hold takes stalls as a worker of another process would.
func hold(t testing.TB, w *world, orderID string, n int) {
	t.Helper()
	result, err := w.store.testStore.Hold(t.Context(), ticketing.HoldRequest{
		OrderID: orderID, EventID: "hamlet", SessionID: "hamlet-1", Lines: []ticketing.Ask{{TicketTypeID: "hamlet-1-stalls", Quantity: n}},
		Buyer: ticketing.Buyer{Name: "Ada", Email: "ada@example.com", Language: "en"}, Fingerprint: "f", At: time.Now().UTC(), PayBy: time.Now().Add(time.Minute).UTC(),
	})
	require.NoError(t, err)
	require.Equal(t, ticketing.OrderPending, result.State)
}
