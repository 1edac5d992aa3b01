package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/api"
	"github.com/boxoffice/boxoffice/ticketing"
)

// listener reads one stream of server-sent events.
type listener struct {
	t      testing.TB
	events chan event
	beats  chan struct{}
	ended  chan struct{}
	close  func()
}

type event struct {
	name, id, data string
	at             time.Time
}

func (w *world) listen(path, token string, header ...string) *listener {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+path, nil)
	require.NoError(w.t, err)
	request.Header.Set("Accept", "text/event-stream")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := (&http.Client{Transport: &http.Transport{}}).Do(request)
	require.NoError(w.t, err)
	require.Equal(w.t, 200, response.StatusCode)
	require.Equal(w.t, "text/event-stream", response.Header.Get("Content-Type"))
	contract.response(w.t, request, response, nil)
	l := &listener{
		t: w.t, events: make(chan event, 1000), beats: make(chan struct{}, 1000), ended: make(chan struct{}),
		close: func() { cancel(); response.Body.Close() },
	}
	w.t.Cleanup(l.close)
	go l.read(response.Body)
	return l
}

func (l *listener) read(body io.Reader) {
	defer close(l.ended)
	lines := bufio.NewScanner(body)
	var e event
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data = value
		case "":
			if value != "" {
				l.beats <- struct{}{} // a comment
			} else if e.name != "" {
				e.at = time.Now()
				l.events <- e
				e = event{}
			}
		}
	}
}

func (l *listener) next() event {
	l.t.Helper()
	select {
	case e := <-l.events:
		return e
	case <-time.After(5 * time.Second):
		l.t.Fatal("no event in time")
		return event{}
	}
}

type free struct {
	TicketTypes []struct {
		ID        string
		Available int
	} `json:"ticket_types"`
}

func (e event) stalls(t testing.TB) int {
	t.Helper()
	var f free
	require.NoError(t, json.Unmarshal([]byte(e.data), &f))
	require.Equal(t, "hamlet-1-stalls", f.TicketTypes[0].ID)
	return f.TicketTypes[0].Available
}

func TestAvailabilityIsStreamedWithinASecond(t *testing.T) {
	w := newWorld(t)
	streams := []*listener{}
	for range 20 {
		streams = append(streams, w.listen("/api/v1/sessions/hamlet-1/availability", ""))
	}
	for _, l := range streams {
		e := l.next()
		require.Equal(t, "availability", e.name)
		require.Equal(t, 400, e.stalls(t))
	}
	w.order(keyed(1))
	taken := time.Now()
	for _, l := range streams {
		e := l.next()
		require.Equal(t, 398, e.stalls(t))
		require.Less(t, e.at.Sub(taken), time.Second)
	}
	require.Contains(t, string(w.get("/metrics").body), `boxoffice_streams_open{kind="availability"} 20`)
	for _, l := range streams {
		l.close()
	}
}

// TestWatchingCostsOneQuestionAtATime: a hundred watchers are one query per look, none are none.
func TestWatchingCostsOneQuestionAtATime(t *testing.T) {
	w := newWorld(t, func(c *api.Config) { c.Heartbeat = 20 * time.Millisecond })
	streams := []*listener{}
	for range 100 {
		l := w.listen("/api/v1/sessions/hamlet-1/availability", "")
		l.next()
		streams = append(streams, l)
	}
	before, begun := w.store.counted.Load(), time.Now()
	eventually(t, "five looks", func() bool { return w.store.counted.Load() >= before+5 })
	require.Greater(t, time.Since(begun), time.Second, "one look every 300 ms for all of them")
	for _, l := range streams {
		l.close()
	}
	last, since := w.store.counted.Load(), time.Now()
	eventually(t, "the looking ends with the last watcher", func() bool {
		if n := w.store.counted.Load(); n != last {
			last, since = n, time.Now()
		}
		return time.Since(since) > 700*time.Millisecond
	})
}

func TestTimelineIsStreamedAndResumed(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	path := "/api/v1/orders/" + o.ID + "/events"
	l := w.listen(path, o.Token)
	e := l.next()
	require.Equal(t, "order", e.name)
	require.Equal(t, "1", e.id)
	require.Contains(t, e.data, `"kind":"held"`)
	w.paidBy(o, "sandbox_card")
	paid := time.Now()
	for _, kind := range []string{"attempt_started", "payment_received", "paid"} {
		e := l.next()
		require.Contains(t, e.data, `"kind":"`+kind+`"`)
		require.Less(t, e.at.Sub(paid), time.Second)
	}
	l.close()
	resumed := w.listen(path, o.Token, "Last-Event-ID", "3")
	require.Equal(t, "4", resumed.next().id)
}

// TestStreamMayBeginBeforeItsOrder: the buyer of a pending answer waits for it here.
func TestStreamMayBeginBeforeItsOrder(t *testing.T) {
	w := newWorld(t)
	w.purchases.silent.Store(true)
	var o placed
	w.submit(keyed(1), orderBody()).decode(t, &o)
	l := w.listen("/api/v1/orders/"+o.ID+"/events", o.Token)
	_, err := w.store.testStore.Hold(t.Context(), ticketing.HoldRequest{
		OrderID: o.ID, EventID: "hamlet", SessionID: "hamlet-1", Lines: []ticketing.Ask{{TicketTypeID: "hamlet-1-stalls", Quantity: 1}},
		Buyer: ticketing.Buyer{Name: "Ada", Email: "ada@example.com", Language: "en"}, Fingerprint: "f", At: time.Now().UTC(), PayBy: time.Now().Add(time.Minute).UTC(),
	})
	require.NoError(t, err)
	require.Contains(t, l.next().data, `"kind":"held"`)
}

func TestIdleStreamsSendHeartbeats(t *testing.T) {
	w := newWorld(t, func(c *api.Config) { c.Heartbeat = 30 * time.Millisecond })
	l := w.listen("/api/v1/sessions/hamlet-1/availability", "")
	for range 3 {
		select {
		case <-l.beats:
		case <-time.After(5 * time.Second):
			t.Fatal("no heartbeat")
		}
	}
}

// TestVanishedClientsAreNoticed: a heartbeat that cannot be sent ends the stream.
func TestVanishedClientsAreNoticed(t *testing.T) {
	w := newWorld(t, func(c *api.Config) { c.Heartbeat = 30 * time.Millisecond })
	l := w.listen("/api/v1/sessions/hamlet-1/availability", "")
	l.next()
	l.close()
	eventually(t, "the stream is closed", func() bool {
		return strings.Contains(string(w.get("/metrics").body), `boxoffice_streams_open{kind="availability"} 0`)
	})
}

// TestHazard36StuckClientsHoldUpNobody: one that never reads neither delays the others nor the shutdown.
func TestHazard36StuckClientsHoldUpNobody(t *testing.T) {
	w := newWorld(t, func(c *api.Config) { c.Heartbeat = time.Millisecond })
	conn, err := net.Dial("tcp", w.server.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(1))
	_, err = io.WriteString(conn, "GET /api/v1/sessions/hamlet-1/availability HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
	require.NoError(t, err)
	l := w.listen("/api/v1/sessions/hamlet-1/availability", "")
	l.next()
	w.order(keyed(1))
	require.Equal(t, 398, l.next().stalls(t))
}

func TestShutdownEndsStreams(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	streams := []*listener{w.listen("/api/v1/sessions/hamlet-1/availability", ""), w.listen("/api/v1/orders/"+o.ID+"/events", o.Token)}
	for _, l := range streams {
		l.next()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	require.NoError(t, w.server.Shutdown(ctx))
	for _, l := range streams {
		select {
		case <-l.ended:
		case <-time.After(5 * time.Second):
			t.Fatal("the stream goes on")
		}
	}
}

func TestStreamsAreBounded(t *testing.T) {
	w := newWorld(t, func(c *api.Config) { c.MaxStreams = 1 })
	l := w.listen("/api/v1/sessions/hamlet-1/availability", "")
	l.next()
	w.do(call{method: "GET", path: "/api/v1/sessions/hamlet-1/availability", header: map[string]string{"Accept": "text/event-stream"}}).problem(t, 503, "unavailable")
}
