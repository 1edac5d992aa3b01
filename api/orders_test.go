package api_test

import (
	"net/http"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/api"
	"github.com/boxoffice/boxoffice/ticketing"
)

var serverTime = regexp.MustCompile(`"server_time":"[^"]+"`)

// steady is an answer without what may differ between equal ones.
func steady(a answer) string { return serverTime.ReplaceAllString(string(a.body), "") }

func TestOrderIsHeldAndRead(t *testing.T) {
	w := newWorld(t)
	a := w.submit(keyed(1), orderBody(func(b map[string]any) {
		b["language"] = "zh-CN"
		b["expected_total"] = ticketing.Money{Amount: 61300, Currency: "CNY"}
	}))
	require.Equal(t, http.StatusCreated, a.status, string(a.body))
	var o placed
	a.decode(t, &o)
	require.Equal(t, "/api/v1/orders/"+o.ID, a.header.Get("Location"))
	require.Equal(t, "PENDING", o.State)
	require.Equal(t, int64(61300), o.Total.Amount)
	require.Equal(t, "+8613800138000", o.Buyer.Phone)
	require.Equal(t, []string{"bank", "sandbox_card", "sandbox_wallet"}, o.Methods)
	require.WithinDuration(t, time.Now().Add(15*time.Minute), o.PayBy, 10*time.Second)
	require.NotEmpty(t, o.Token)
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))

	now := w.read(o)
	require.Equal(t, o.Buyer, now.Buyer)
	require.Empty(t, now.Token, "only the submission tells the token")
	require.Equal(t, 398, w.freeStalls(), "the stock is taken")
	require.NotContains(t, w.log.String(), o.Token)
	require.NotContains(t, w.log.String(), "Lovelace")
	require.NotContains(t, w.log.String(), "xample.com")
	require.Contains(t, w.log.String(), o.ID)
}

func (w *world) freeStalls() int {
	free, err := w.store.testStore.Availability(w.t.Context(), "hamlet-1")
	require.NoError(w.t, err)
	return free["hamlet-1-stalls"]
}

// TestHazard32EqualSubmitsMakeOneOrder presses the button a hundred times at once, and then again.
func TestHazard32EqualSubmitsMakeOneOrder(t *testing.T) {
	w := newWorld(t)
	answers := make([]answer, 100)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = w.submit(keyed(1), orderBody()) })
	}
	all.Wait()
	for _, a := range answers {
		require.Equal(t, http.StatusCreated, a.status, string(a.body))
		require.Equal(t, steady(answers[0]), steady(a))
	}
	require.EqualValues(t, 1, w.purchases.starts.Load())
	require.Equal(t, 398, w.freeStalls())

	again := w.submit(keyed(1), orderBody())
	require.Equal(t, steady(answers[0]), steady(again), "the database tells the same as the hold did")
}

func TestSameIntentIsAnsweredAfterItSoldOut(t *testing.T) {
	w := newWorld(t)
	film := func(b map[string]any) {
		b["session_id"] = "film-1"
		b["lines"] = []map[string]any{{"ticket_type_id": "film-1-seat", "quantity": 3}}
	}
	first := w.submit(keyed(1), orderBody(film))
	require.Equal(t, http.StatusCreated, first.status, string(first.body))
	var refused answer
	var starts int64
	next := 2
	eventually(t, "no purchase is started for what is known to be gone", func() bool {
		starts = w.purchases.starts.Load()
		refused = w.submit(keyed(next), orderBody(film))
		next++
		return w.purchases.starts.Load() == starts
	})
	p := refused.problem(t, 409, ticketing.CodeSoldOut)
	require.Equal(t, "sold out", p.Detail)
	require.Equal(t, "/lines/0/quantity", p.Field)
	require.Equal(t, steady(first), steady(w.submit(keyed(1), orderBody(film))), "but the one who has them still has them")
}

func TestSoldOutWithoutTheCache(t *testing.T) {
	w := newWorld(t)
	film := func(n int) func(b map[string]any) {
		return func(b map[string]any) {
			b["session_id"] = "film-1"
			b["lines"] = []map[string]any{{"ticket_type_id": "film-1-seat", "quantity": n}}
		}
	}
	require.Equal(t, 201, w.submit(keyed(1), orderBody(film(2))).status)
	w.submit(keyed(2), orderBody(film(2))).problem(t, 409, ticketing.CodeSoldOut)
	w.submit(keyed(2), orderBody(film(2))).problem(t, 409, ticketing.CodeSoldOut)
}

func TestKeyBelongsToOneRequest(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	other := orderBody(func(b map[string]any) {
		b["lines"] = []map[string]any{{"ticket_type_id": "hamlet-1-stalls", "quantity": 1}}
	})
	w.submit(keyed(1), other).problem(t, 422, ticketing.CodeKeyReused)
	another := orderBody(func(b map[string]any) { b["buyer"] = map[string]any{"name": "Bob", "email": "bob@example.com"} })
	a := w.submit(keyed(1), another)
	require.Equal(t, 201, a.status, "another buyer's key is another key")
	var theirs placed
	a.decode(t, &theirs)
	require.NotEqual(t, o.ID, theirs.ID)
}

func TestOrdersAreRefusedEarlyAndClearly(t *testing.T) {
	w := newWorld(t)
	with := func(session, ticketType string, n int) func(map[string]any) {
		return func(b map[string]any) {
			b["session_id"] = session
			b["lines"] = []map[string]any{{"ticket_type_id": ticketType, "quantity": n}}
		}
	}
	w.submit(keyed(1), orderBody(with("none", "x", 1))).problem(t, 404, ticketing.CodeNotFound)
	w.submit(keyed(1), orderBody(with("concert-1", "concert-1-floor", 1))).problem(t, 409, ticketing.CodeNotOnSale)
	w.submit(keyed(1), orderBody(with("match-1", "match-1-stand", 1))).problem(t, 422, ticketing.CodeWindowClosed)
	w.submit(keyed(1), orderBody(with("hamlet-1", "hamlet-1-stalls", 5))).problem(t, 422, ticketing.CodeLimitExceeded)
	require.Zero(t, w.purchases.starts.Load())
	w.submit(keyed(1), orderBody(func(b map[string]any) {
		b["expected_total"] = ticketing.Money{Amount: 1, Currency: "CNY"}
	})).problem(t, 409, ticketing.CodePriceChanged)
	require.Equal(t, 400, w.freeStalls())
}

func TestNoWorkerMeansAskAgain(t *testing.T) {
	w := newWorld(t)
	w.purchases.silent.Store(true)
	a := w.submit(keyed(1), orderBody())
	require.Equal(t, http.StatusAccepted, a.status, string(a.body))
	require.Equal(t, "1", a.header.Get("Retry-After"))
	var o placed
	a.decode(t, &o)
	require.Equal(t, "/api/v1/orders/"+o.ID, a.header.Get("Location"))
	path := "/api/v1/orders/" + o.ID
	w.do(call{method: "GET", path: path, token: o.Token, valid: true}).problem(t, 404, ticketing.CodeNotFound)
	w.do(call{method: "GET", path: path + "/events", token: o.Token, valid: true}).problem(t, 404, ticketing.CodeNotFound)
	w.do(call{method: "POST", path: path + "/cancel", token: o.Token, valid: true}).problem(t, 404, ticketing.CodeNotFound)
	w.do(call{method: "POST", path: path + "/payments", token: o.Token, body: map[string]string{"method": "bank"}, valid: true}).problem(t, 404, ticketing.CodeNotFound)
	require.Equal(t, http.StatusAccepted, w.submit(keyed(1), orderBody()).status, "the same intent waits for the same purchase")
	require.EqualValues(t, 1, w.purchases.starts.Load())
}

// TestRefusalAfterThePendingAnswer: whoever waits for the order reads why there is none.
func TestRefusalAfterThePendingAnswer(t *testing.T) {
	w := newWorld(t)
	w.purchases.silent.Store(true)
	var o placed
	w.submit(keyed(1), orderBody()).decode(t, &o)
	_, err := w.store.testStore.Hold(t.Context(), ticketing.HoldRequest{
		OrderID: o.ID, EventID: "hamlet", SessionID: "hamlet-1", Lines: []ticketing.Ask{{TicketTypeID: "hamlet-1-stalls", Quantity: 5}},
		Buyer: ticketing.Buyer{Name: "Ada", Email: "ada@example.com", Language: "en"}, Fingerprint: "f", At: time.Now().UTC(), PayBy: time.Now().Add(time.Minute).UTC(),
	})
	require.NoError(t, err)
	a := w.do(call{method: "GET", path: "/api/v1/orders/" + o.ID, token: o.Token, valid: true})
	require.Equal(t, 200, a.status)
	var refused struct {
		State   string
		Refusal struct{ Code string }
	}
	a.decode(t, &refused)
	require.Equal(t, "REFUSED", refused.State)
	require.Equal(t, "limit_exceeded", refused.Refusal.Code)
	w.cancel(o).problem(t, 409, ticketing.CodeOrderClosed)
}

func TestPurchaseThatEndedWithoutAnOrderIsSaid(t *testing.T) {
	w := newWorld(t)
	w.purchases.silent.Store(true)
	var o placed
	w.submit(keyed(1), orderBody()).decode(t, &o)
	close(w.purchases.started[o.ID]) // terminated by an operator
	w.submit(keyed(1), orderBody()).problem(t, 409, ticketing.CodeOrderClosed)
}

func TestTokenIsTheOnlyWayIn(t *testing.T) {
	w := newWorld(t)
	o, other := w.order(keyed(1)), w.order(keyed(2))
	for _, path := range []string{"", "/events"} {
		for _, token := range []string{"", "x", other.Token, o.Token + "A"} {
			a := w.do(call{method: "GET", path: "/api/v1/orders/" + o.ID + path, token: token})
			a.problem(t, 401, "unauthorized")
			require.Equal(t, "Bearer", a.header.Get("WWW-Authenticate"))
		}
	}
	for _, path := range []string{"/cancel", "/payments", "/refund-quotes", "/refunds"} {
		w.do(call{method: "POST", path: "/api/v1/orders/" + o.ID + path, body: map[string]string{"method": "bank"}}).problem(t, 401, "unauthorized")
	}
	w.do(call{method: "GET", path: "/api/v1/orders/" + o.ID, header: map[string]string{"Authorization": "Basic " + o.Token}}).problem(t, 401, "unauthorized")
	w.do(call{method: "GET", path: "/api/v1/orders/UNKNOWN", token: o.Token}).problem(t, 401, "unauthorized")
}

func (w *world) cancel(o placed) answer {
	w.t.Helper()
	return w.do(call{method: "POST", path: "/api/v1/orders/" + o.ID + "/cancel", token: o.Token, valid: true})
}

func TestCancelGivesTheTicketsBack(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	w.purchases.stuck.Store(true)
	require.Equal(t, http.StatusAccepted, w.cancel(o).status, "a gateway has not said yet")
	w.purchases.stuck.Store(false)
	for range 2 {
		a := w.cancel(o)
		require.Equal(t, http.StatusOK, a.status, string(a.body))
		var now placed
		a.decode(t, &now)
		require.Equal(t, "CANCELLED", now.State)
		require.Empty(t, now.Methods)
	}
	require.Equal(t, 400, w.freeStalls())
	w.pay(o, "bank").problem(t, 409, ticketing.CodeOrderClosed)

	expired := w.order(keyed(2))
	_, err := w.store.testStore.Release(t.Context(), expired.ID, ticketing.OrderExpired)
	require.NoError(t, err)
	w.cancel(expired).problem(t, 409, ticketing.CodeOrderClosed)

	paid := w.order(keyed(3))
	w.paidBy(paid, "sandbox_card")
	a := w.cancel(paid)
	require.Equal(t, 200, a.status)
	require.Contains(t, string(a.body), `"state":"PAID"`)
	w.do(call{method: "POST", path: "/api/v1/orders/" + o.ID + "/cancel", token: o.Token, body: map[string]any{"why": "no"}}).problem(t, 422, ticketing.CodeInvalid)
}

// paidBy pays an order through the sandbox gateway and its callback.
func (w *world) paidBy(o placed, method string) {
	w.t.Helper()
	number := w.attempt(o, method)
	w.gateway.capture(number)
	a := w.callback("good", testCallback{EventID: "E-" + number, Number: number, Paid: true, Amount: o.Total})
	require.Equal(w.t, 200, a.status, string(a.body))
}

func TestTimelineTellsTheStory(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	w.paidBy(o, "sandbox_card")
	a := w.do(call{method: "GET", path: "/api/v1/orders/" + o.ID + "/events", token: o.Token, valid: true})
	require.Equal(t, 200, a.status)
	var story struct {
		Events []struct {
			Sequence int
			Kind     string
			State    string
		}
	}
	a.decode(t, &story)
	kinds := []string{}
	for i, e := range story.Events {
		require.Equal(t, i+1, e.Sequence)
		kinds = append(kinds, e.Kind)
	}
	require.Equal(t, []string{"held", "attempt_started", "payment_received", "paid"}, kinds)
	a = w.do(call{method: "GET", path: "/api/v1/orders/" + o.ID + "/events", token: o.Token, header: map[string]string{"Last-Event-ID": "3"}, valid: true})
	story.Events = nil
	a.decode(t, &story)
	require.Len(t, story.Events, 1)
	w.do(call{method: "GET", path: "/api/v1/orders/" + o.ID + "/events", token: o.Token, header: map[string]string{"Last-Event-ID": "last"}}).problem(t, 422, ticketing.CodeInvalid)
}

func TestAddressesAreLimited(t *testing.T) {
	limiter := api.NewAddressLimiter(0.5, 2)
	w := newWorld(t, func(c *api.Config) { c.Limiter = limiter })
	require.Equal(t, 201, w.submit(keyed(1), orderBody()).status)
	require.Equal(t, 201, w.submit(keyed(1), orderBody()).status)
	a := w.submit(keyed(1), orderBody())
	a.problem(t, 429, "rate_limited")
	require.NotEmpty(t, a.header.Get("Retry-After"))
}

func TestEverythingSaysWhenTheDatabaseIsAway(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	w.store.down.Store(true)
	eventually(t, "what was cached is no longer shown", func() bool {
		return w.do(call{method: "GET", path: "/api/v1/events/hamlet"}).status == 503
	})
	for _, path := range []string{"/api/v1/events", "/api/v1/cities", "/api/v1/events/hamlet", "/api/v1/sessions/hamlet-1", "/api/v1/sessions/hamlet-1/availability", "/api/v1/orders/" + o.ID, "/api/v1/orders/" + o.ID + "/events", "/readyz"} {
		a := w.do(call{method: "GET", path: path, token: o.Token})
		p := a.problem(t, 503, "unavailable")
		require.NotContains(t, p.Detail, "refused", "the cause is for the log")
		require.Equal(t, "1", a.header.Get("Retry-After"))
	}
	eventually(t, "nor priced", func() bool {
		a := w.do(call{method: "POST", path: "/api/v1/quotes", body: map[string]any{"session_id": "hamlet-1", "lines": orderBody()["lines"]}, valid: true})
		return a.status == 503
	})
	w.submit(keyed(2), orderBody()).problem(t, 503, "unavailable")
	w.pay(o, "bank").problem(t, 503, "unavailable")
	w.cancel(o).problem(t, 503, "unavailable")
	w.quoteRefund(o).problem(t, 503, "unavailable")
	w.refund(o, keyed(3), 100).problem(t, 503, "unavailable")
	require.Contains(t, w.log.String(), "connection refused")
	require.Equal(t, 200, w.get("/livez").status)
	w.store.down.Store(false)
	eventually(t, "it works again", func() bool { return w.get("/readyz").status == 200 })
	require.Equal(t, 200, w.get("/api/v1/events/hamlet").status)
}

func TestTemporalAwayIsSaid(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, 200, w.get("/readyz").status)
	o := w.order(keyed(1))
	w.purchases.down.Store(true)
	w.submit(keyed(2), orderBody()).problem(t, 503, "unavailable")
	w.cancel(o).problem(t, 503, "unavailable")
	eventually(t, "readiness says so but stays", func() bool {
		a := w.get("/readyz")
		require.Equal(t, 200, a.status, "callbacks must still come here")
		return string(a.body) == `{"status":"ready","database":"ok","temporal":"unavailable"}`
	})
}

func TestNotReadyBeforeTemporalAnsweredOnce(t *testing.T) {
	w := newWorld(t, func(c *api.Config) { c.Purchases.(*inline).down.Store(true) })
	w.get("/readyz").problem(t, 503, "unavailable")
	w.purchases.down.Store(false)
	eventually(t, "ready", func() bool { return w.get("/readyz").status == 200 })
}
