package api_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// move moves hamlet, and waits until buyers see it.
func (w *world) move(to ticketing.EventState) {
	w.t.Helper()
	require.NoError(w.t, w.store.MoveEvent(w.t.Context(), "hamlet", to, "ada", "because"))
	moved := time.Now()
	for {
		var e struct{ State ticketing.EventState }
		w.get("/api/v1/events/hamlet").decode(w.t, &e)
		if e.State == to {
			return
		}
		require.Less(w.t, time.Since(moved), 1100*time.Millisecond, "a second, and what asking takes")
	}
}

// TestOnlyWhatIsOnSaleSells moves an event through its publication.
func TestOnlyWhatIsOnSaleSells(t *testing.T) {
	w := newWorld(t)
	listed := func() bool { return slices.Contains(w.list(""), "hamlet") }
	sellsNothing := func(key int) {
		t.Helper()
		w.submit(keyed(key), orderBody()).problem(t, 409, ticketing.CodeNotOnSale)
		w.do(call{method: http.MethodPost, path: "/api/v1/quotes", body: map[string]any{"session_id": "hamlet-1", "lines": orderBody()["lines"]}, valid: true}).
			problem(t, 409, ticketing.CodeNotOnSale)
		var s struct {
			TicketTypes []struct {
				OnSale bool `json:"on_sale"`
			} `json:"ticket_types"`
		}
		w.get("/api/v1/sessions/hamlet-1").decode(t, &s)
		for _, tt := range s.TicketTypes {
			require.False(t, tt.OnSale)
		}
	}
	require.True(t, listed())
	held, later := w.order(keyed(1)), w.order(keyed(2))

	w.move(ticketing.EventPaused)
	require.True(t, listed())
	sellsNothing(3)
	w.paidBy(held, "sandbox_card")
	require.Equal(t, "PAID", w.read(held).State, "held before the pause, and paid")

	w.move(ticketing.EventOnSale)
	w.order(keyed(4))
	w.move(ticketing.EventPostponed)
	require.True(t, listed())
	sellsNothing(5)
	w.pay(later, "sandbox_card").problem(t, 409, ticketing.CodeNotOnSale)

	w.move(ticketing.EventCancelled)
	require.Eventually(t, func() bool { return !listed() }, time.Second, time.Millisecond)
	sellsNothing(6)
	w.pay(later, "sandbox_card").problem(t, 409, ticketing.CodeNotOnSale)
	require.Equal(t, 200, w.get("/api/v1/events/hamlet").status, "who has tickets wants to know")
	require.Equal(t, ticketing.CodeIllegalTransition, ticketing.CodeOf(w.store.MoveEvent(t.Context(), "hamlet", ticketing.EventOnSale, "ada", "because")))
}

// TestADraftIsNoBusinessOfBuyersUntilItIsPublished asks for it all the while.
func TestADraftIsNoBusinessOfBuyersUntilItIsPublished(t *testing.T) {
	w := newWorld(t)
	draft := storetest.Event("draft", 5)
	draft.State = ticketing.EventDraft
	seeder := w.store.testStore.(interface {
		SeedCatalogue(ctx context.Context, events ...ticketing.Event) error
	})
	require.NoError(t, seeder.SeedCatalogue(t.Context(), draft))
	paths := []string{"/api/v1/events/draft", "/api/v1/sessions/draft-s1", "/api/v1/sessions/draft-s1/availability"}
	for _, path := range paths {
		w.do(call{method: http.MethodGet, path: path}).problem(t, 404, ticketing.CodeNotFound)
	}
	require.NotContains(t, w.list(""), "draft")
	require.Empty(t, w.list("?q=concert&city=shanghai"))
	body := orderBody(func(b map[string]any) {
		b["session_id"] = "draft-s1"
		b["lines"] = []map[string]any{{"ticket_type_id": "draft-t1", "quantity": 1}}
	})
	w.submit(keyed(1), body).problem(t, 404, ticketing.CodeNotFound)

	require.NoError(t, w.store.MoveEvent(t.Context(), "draft", ticketing.EventOnSale, "ada", "because"))
	published := time.Now()
	seen := func() bool {
		for _, path := range paths {
			if w.do(call{method: http.MethodGet, path: path}).status != 200 {
				return false
			}
		}
		return slices.Equal(w.list("?q=concert&city=shanghai"), []string{"draft"})
	}
	for !seen() {
		require.Less(t, time.Since(published), 1100*time.Millisecond, "a second, and what asking takes")
	}
	require.Equal(t, http.StatusCreated, w.submit(keyed(2), body).status)
}
