package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/api"
	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
)

// seatedWorld is a world with a show whose seats are those of storetest.Hall.
func seatedWorld(t testing.TB, change ...func(*api.Config)) *world {
	t.Helper()
	w := newWorld(t, change...)
	storetest.Seed(t, w.database(), storetest.SeatedEvent("show", 20))
	eventually(t, "the show is listed", func() bool { return w.get("/api/v1/sessions/show-s1").status == http.StatusOK })
	return w
}

func (w *world) database() *store.Store {
	w.t.Helper()
	database, ok := w.store.testStore.(*store.Store)
	require.True(w.t, ok)
	return database
}

// seatsBody orders seats of show-t1: chosen ones, or so many assigned.
func seatsBody(quantity int, chosen ...string) map[string]any {
	line := map[string]any{"ticket_type_id": "show-t1", "quantity": quantity}
	if chosen != nil {
		line["seat_ids"] = chosen
	}
	return orderBody(func(body map[string]any) { body["session_id"], body["lines"] = "show-s1", []map[string]any{line} })
}

type seat struct{ ID, Row, Number string }

type seatedOrder struct {
	placed
	Seats   []seat
	Tickets []struct{ Seat *seat }
}

func (o seatedOrder) ids() []string {
	ids := make([]string, len(o.Seats))
	for i, s := range o.Seats {
		ids[i] = s.ID
	}
	return ids
}

func (w *world) orderSeats(key string, body any) seatedOrder {
	w.t.Helper()
	a := w.submit(key, body)
	require.Equal(w.t, http.StatusCreated, a.status, string(a.body))
	var o seatedOrder
	a.decode(w.t, &o)
	return o
}

// seatMap is what a page makes of a seat map.
type seatMap struct {
	Seats      int
	Categories []struct {
		ID           string
		TicketTypeID string `json:"ticket_type_id"`
	}
	Sections []struct {
		ID   string
		Rows []struct {
			Label        string
			First, Count int
			Labels       []string
			X, Y         []int
			Categories   [][2]int
		}
	}
	Areas []struct {
		Category, Capacity int
		Outline            [][2]int
	}
	Wheelchair, Companion, Restricted, Aisles []int
}

func TestASeatMapSaysEverythingOfEverySeat(t *testing.T) {
	w := seatedWorld(t)
	a := w.get("/api/v1/sessions/show-s1/seat-map")
	require.Equal(t, http.StatusOK, a.status)
	var m seatMap
	a.decode(t, &m)
	plan := seating.NewPlan(storetest.Hall())
	require.Equal(t, plan.Seats(), m.Seats)
	next := 0
	for _, section := range m.Sections {
		for _, row := range section.Rows {
			var at seating.Point
			var categories []string
			for _, run := range row.Categories {
				categories = append(categories, slices.Repeat([]string{m.Categories[run[0]].ID}, run[1])...)
			}
			require.Equal(t, next, row.First)
			for i := range row.Count {
				label := strconv.Itoa(i + 1)
				if row.Labels != nil {
					label = row.Labels[i]
				}
				at.X, at.Y = at.X+row.X[i], at.Y+row.Y[i]
				number, ok := plan.Find(seating.SeatID(section.ID, row.Label, label))
				require.True(t, ok)
				have := seating.Seat{Label: label, At: at, Category: categories[i], Wheelchair: slices.Contains(m.Wheelchair, next)}
				require.Equal(t, plan.Seat(number), have)
				require.Equal(t, next, number)
				next++
			}
		}
	}
	require.Equal(t, m.Seats, next)
	require.Equal(t, "show-t2", m.Categories[1].TicketTypeID)
	require.Equal(t, 500, m.Areas[0].Capacity)
	require.Equal(t, "standing", m.Categories[m.Areas[0].Category].ID)

	again := w.do(call{method: http.MethodGet, path: "/api/v1/sessions/show-s1/seat-map", header: map[string]string{"If-None-Match": a.header.Get("ETag")}, valid: true})
	require.Equal(t, http.StatusNotModified, again.status)
	w.get("/api/v1/sessions/hamlet-1/seat-map").problem(t, http.StatusNotFound, ticketing.CodeNotFound)
	w.get("/api/v1/sessions/nothing/seat-map").problem(t, http.StatusNotFound, ticketing.CodeNotFound)
}

// seatNews is one event of a stream of seats, or its JSON.
type seatNews struct {
	SeatMap ticketing.SeatMapRef `json:"seat_map"`
	Spans   []struct {
		First, Count int
		Taken, Sold  []byte
	}
}

// hall is what a page knows of the seats.
type hall struct {
	plan  *seating.Plan
	state map[string]string
}

func newHall() hall { return hall{seating.NewPlan(storetest.Hall()), map[string]string{}} }

// hear applies news and returns how many seats they were about.
func (h hall) hear(t testing.TB, data []byte) (seats int) {
	t.Helper()
	var news seatNews
	require.NoError(t, json.Unmarshal(data, &news), string(data))
	require.Equal(t, ticketing.SeatMapRef{ID: "hall", Version: 1}, news.SeatMap)
	for _, span := range news.Spans {
		for i := range span.Count {
			state := "free"
			switch {
			case span.Sold[i/8]>>(i%8)&1 == 1:
				state = "sold"
				require.Equal(t, byte(1), span.Taken[i/8]>>(i%8)&1)
			case span.Taken[i/8]>>(i%8)&1 == 1:
				state = "held"
			}
			h.state[h.plan.ID(span.First+i)] = state
		}
		seats += span.Count
	}
	return seats
}

// not lists the seats that are not free.
func (h hall) not() map[string]string {
	others := map[string]string{}
	for id, state := range h.state {
		if state != "free" {
			others[id] = state
		}
	}
	return others
}

func TestSeatsAreReadAsTheyStand(t *testing.T) {
	w := seatedWorld(t)
	before := w.get("/api/v1/sessions/show-s1/seats")
	require.Equal(t, http.StatusOK, before.status)
	h := newHall()
	require.Equal(t, 110, h.hear(t, before.body))
	require.Empty(t, h.not())
	order := w.orderSeats(keyed(1), seatsBody(2, "hall/2/9", "hall/2/10"))
	require.Equal(t, []string{"hall/2/9", "hall/2/10"}, order.ids())
	require.NoError(t, w.database().BlockSeats(t.Context(), "show-s1", []string{"hall/4/64"}, "")) // the first of a row's second word
	eventually(t, "the seats are taken", func() bool {
		h.hear(t, w.get("/api/v1/sessions/show-s1/seats").body)
		return len(h.not()) == 3
	})
	require.Equal(t, map[string]string{"hall/2/9": "held", "hall/2/10": "held", "hall/4/64": "sold"}, h.not())
	tag := w.get("/api/v1/sessions/show-s1/seats").header.Get("ETag")
	require.NotEqual(t, before.header.Get("ETag"), tag)
	same := w.do(call{method: http.MethodGet, path: "/api/v1/sessions/show-s1/seats", header: map[string]string{"If-None-Match": tag}, valid: true})
	require.Equal(t, http.StatusNotModified, same.status)
	w.get("/api/v1/sessions/hamlet-1/seats").problem(t, http.StatusNotFound, ticketing.CodeNotFound)

	w.store.down.Store(true)
	eventually(t, "nothing older than the promise is served", func() bool {
		return w.get("/api/v1/sessions/show-s1/seats").status == http.StatusServiceUnavailable &&
			w.get("/api/v1/sessions/show-s1/seat-map").status == http.StatusServiceUnavailable
	})
	w.store.down.Store(false)
}

func TestSeatsAreStreamedWithinASecond(t *testing.T) {
	w := seatedWorld(t)
	const path = "/api/v1/sessions/show-s1/seats"
	l, h := w.listen(path, ""), newHall()
	first := l.next()
	require.Equal(t, "seats", first.name)
	require.Equal(t, 110, h.hear(t, []byte(first.data)))
	order := w.orderSeats(keyed(1), seatsBody(2, "hall/1/1", "hall/1/2"))
	taken := time.Now()
	second := l.next()
	require.Less(t, second.at.Sub(taken), time.Second)
	require.Equal(t, 10, h.hear(t, []byte(second.data)), "only the row that changed")
	require.Equal(t, map[string]string{"hall/1/1": "held", "hall/1/2": "held"}, h.not())
	w.do(call{method: http.MethodPost, path: "/api/v1/orders/" + order.ID + "/cancel", token: order.Token, valid: true})
	third := l.next()
	h.hear(t, []byte(third.data))
	require.Empty(t, h.not())
	l.close()

	// Who comes back, even to another server, hears what has changed since; who comes with nonsense hears everything.
	w.orderSeats(keyed(2), seatsBody(2, "hall/2/1", "hall/3/1"))
	other := seatedCopy(t, w)
	for id, seats := range map[string]int{first.id: 30, third.id: 20, "hall.2.7": 110, "hall.1.99999999999": 110, "nonsense": 110, "": 110} {
		l := other.listen(path, "", "Last-Event-ID", id)
		again := newHall()
		require.GreaterOrEqual(t, again.hear(t, []byte(l.next().data)), seats, id)
		require.Equal(t, map[string]string{"hall/2/1": "held", "hall/3/1": "held"}, again.not(), id)
		l.close()
	}
}

func TestAHundredWatchersOfSeatsAreOneQuestionAtATime(t *testing.T) {
	w := seatedWorld(t, func(c *api.Config) { c.Heartbeat = 20 * time.Millisecond })
	streams := []*listener{}
	for range 100 {
		l := w.listen("/api/v1/sessions/show-s1/seats", "")
		l.next()
		streams = append(streams, l)
	}
	before, begun := w.store.looked.Load(), time.Now()
	eventually(t, "five looks", func() bool { return w.store.looked.Load() >= before+5 })
	require.Greater(t, time.Since(begun), time.Second, "one look every 300 ms for all of them")

	// While the database is away nothing is told, and afterwards what has happened meanwhile.
	w.store.down.Store(true)
	down := w.store.looked.Load()
	eventually(t, "a look failed", func() bool { return w.store.looked.Load() > down })
	require.NoError(t, w.database().BlockSeats(t.Context(), "show-s1", []string{"hall/1/1"}, ""))
	w.store.down.Store(false)
	for _, l := range streams {
		h := newHall()
		require.Equal(t, 10, h.hear(t, []byte(l.next().data)))
		require.Equal(t, map[string]string{"hall/1/1": "sold"}, h.not())
		l.close()
	}
	last, since := w.store.looked.Load(), time.Now()
	eventually(t, "the looking ends with the last watcher", func() bool {
		if n := w.store.looked.Load(); n != last {
			last, since = n, time.Now()
		}
		return time.Since(since) > 700*time.Millisecond
	})
}

// seatedCopy is another server on the same database.
func seatedCopy(t *testing.T, w *world) *world {
	t.Helper()
	return newWorld(t, func(c *api.Config) { c.Store = w.store })
}

func TestOneSeatForTwoBuyers(t *testing.T) {
	w := seatedWorld(t)
	lost := func(a answer) ticketing.LostSeats {
		t.Helper()
		p := a.problem(t, http.StatusConflict, ticketing.CodeSeatTaken)
		require.Equal(t, "/lines/0/seat_ids", p.Field)
		var problem struct{ Seats ticketing.LostSeats }
		a.decode(t, &problem)
		return problem.Seats
	}
	want := ticketing.LostSeats{Taken: []string{"hall/1/6"}, Alternative: []string{"hall/1/4", "hall/1/5"}}
	w.orderSeats(keyed(1), seatsBody(1, "hall/1/6"))
	require.Equal(t, want, lost(w.submit(keyed(2), seatsBody(2, "hall/1/5", "hall/1/6"))))
	require.EqualValues(t, 2, w.purchases.starts.Load())

	// Once the seats are being read, nobody starts a purchase for one that is gone; the one who has it still gets it.
	require.Equal(t, http.StatusOK, w.get("/api/v1/sessions/show-s1/seats").status)
	require.Equal(t, want, lost(w.submit(keyed(3), seatsBody(2, "hall/1/5", "hall/1/6"))))
	require.EqualValues(t, 2, w.purchases.starts.Load())
	require.Equal(t, []string{"hall/1/6"}, w.orderSeats(keyed(1), seatsBody(1, "hall/1/6")).ids())
	require.Equal(t, []string{"hall/1/4", "hall/1/5"}, w.orderSeats(keyed(4), seatsBody(2, want.Alternative...)).ids())
}

func TestAssignedSeatsAreToldWithTheOrder(t *testing.T) {
	w := seatedWorld(t)
	order := w.orderSeats(keyed(1), seatsBody(3))
	require.Equal(t, []string{"hall/1/4", "hall/1/5", "hall/1/6"}, order.ids())
	w.paidBy(order.placed, "sandbox_card")
	var now seatedOrder
	w.do(call{method: http.MethodGet, path: "/api/v1/orders/" + order.ID, token: order.Token, valid: true}).decode(t, &now)
	require.Len(t, now.Tickets, 3)
	require.Equal(t, seat{"hall/1/4", "1", "4"}, *now.Tickets[0].Seat)
}

func TestSeatsThatCannotBeOrdered(t *testing.T) {
	w := seatedWorld(t)
	for field, body := range map[string]any{
		"/lines/0/seat_ids/1": seatsBody(2, "hall/1/1", "hall/4/1"),
		"/lines/0/seat_ids":   seatsBody(2, "hall/1/1"),
	} {
		require.Equal(t, field, w.submit(keyed(1), body).problem(t, http.StatusUnprocessableEntity, ticketing.CodeInvalid).Field)
	}
	for row := 1; row <= 5; row++ {
		for first := 2; first <= 10-5*(row/5); first += 2 {
			if row != 4 {
				w.orderSeats(keyed(100*row+first), seatsBody(1, "hall/"+strconv.Itoa(row)+"/"+strconv.Itoa(first)))
			}
		}
	}
	w.submit(keyed(2), seatsBody(2)).problem(t, http.StatusConflict, ticketing.CodeNotTogether)
	apart := seatsBody(2)
	apart["lines"].([]map[string]any)[0]["apart"] = true
	require.Len(t, w.orderSeats(keyed(3), apart).Seats, 2)
}
