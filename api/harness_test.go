package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/api"
	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// world is one server with everything around it, and a client that holds every exchange against
// the contract.
type world struct {
	t         testing.TB
	server    *api.Server
	url       string
	store     *brittle
	purchases *inline
	courier   *courier
	gateway   *gateway
	other     *gateway
	ring      *encryption.Keyring
	registry  *prometheus.Registry
	log       *logBuffer
	client    *http.Client
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newWorld opens a server on a free port; it is shut down with the test.
func newWorld(t testing.TB, change ...func(*api.Config)) *world {
	t.Helper()
	database := storetest.Open(t)
	storetest.Seed(t, database, programme()...)
	ring := storetest.Keyring()
	w := &world{
		t: t, ring: ring, store: &brittle{testStore: database, asked: map[string]bool{}}, log: &logBuffer{}, registry: prometheus.NewRegistry(),
		gateway: newGateway("sandbox", "sandbox_card", "sandbox_wallet"), other: newGateway("elsewhere", "bank"),
	}
	w.purchases = &inline{store: w.store.testStore, started: map[string]chan struct{}{}}
	w.courier = &courier{store: w.store.testStore}
	gateways, err := payment.NewRegistry(w.gateway, w.other)
	require.NoError(t, err)
	config := api.Config{
		Address: "127.0.0.1:0", PublicURL: "http://tickets.example",
		Store: w.store, Payments: gateways, Purchases: w.purchases, Refunds: w.purchases, Deliverer: w.courier, Identity: ring,
		Log: slog.New(slog.NewJSONHandler(w.log, nil)), Registry: w.registry,
		Web: fstest.MapFS{
			"index.html":           {Data: []byte("<!doctype html><title>Boxoffice</title>" + strings.Repeat("<p>tickets</p>", 100))},
			"favicon.svg":          {Data: []byte("<svg/>")},
			"assets/app-a1b2c3.js": {Data: []byte(strings.Repeat("console.log('tickets');", 100))},
		},
	}
	for _, c := range change {
		c(&config)
	}
	w.open(config)
	return w
}

// newWorldOf opens a server of a given making.
func newWorldOf(t testing.TB, config api.Config) *world {
	t.Helper()
	w := &world{t: t}
	w.open(config)
	return w
}

func (w *world) open(config api.Config) {
	w.t.Helper()
	var err error
	w.server, err = api.New(config)
	require.NoError(w.t, err)
	require.NoError(w.t, w.server.Open())
	w.url = "http://" + w.server.Addr().String()
	w.client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 200}}
	w.t.Cleanup(func() {
		w.client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(w.t, w.server.Shutdown(ctx))
		require.NoError(w.t, <-w.server.Err())
	})
}

// answer is a response that was read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) decode(t testing.TB, v any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(a.body, v), string(a.body))
}

// problem is what a problem document says.
type problem struct {
	Type, Title, Detail, Code, Field string
	Status                           int
	RequestID                        string `json:"request_id"`
	Left                             *int
}

// problem reads a problem and checks its form.
func (a answer) problem(t testing.TB, status int, code ticketing.Code) problem {
	t.Helper()
	require.Equal(t, status, a.status, string(a.body))
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"))
	var p problem
	a.decode(t, &p)
	require.Equal(t, string(code), p.Code, string(a.body))
	require.Equal(t, status, p.Status)
	require.NotEmpty(t, p.RequestID)
	return p
}

// call is a request to make.
type call struct {
	method, path string
	body         any // []byte and string are sent as they are, anything else as JSON
	token        string
	header       map[string]string
	// valid says that the request itself keeps the contract.
	valid bool
}

// do makes a call and holds it against the contract.
func (w *world) do(c call) answer {
	w.t.Helper()
	a, err := w.try(c)
	require.NoError(w.t, err)
	return a
}

func (w *world) try(c call) (answer, error) {
	w.t.Helper()
	var body []byte
	switch b := c.body.(type) {
	case nil:
	case []byte:
		body = b
	case string:
		body = []byte(b)
	default:
		var err error
		body, err = json.Marshal(b)
		require.NoError(w.t, err)
	}
	build := func(base string) *http.Request {
		request, err := http.NewRequestWithContext(context.Background(), c.method, base+c.path, bytes.NewReader(body))
		require.NoError(w.t, err)
		if body != nil {
			request.Header.Set("Content-Type", "application/json")
		}
		if c.token != "" {
			request.Header.Set("Authorization", "Bearer "+c.token)
		}
		for name, value := range c.header {
			request.Header.Set(name, value)
		}
		return request
	}
	if c.valid {
		contract.request(w.t, build(""))
	}
	response, err := w.client.Do(build(w.url))
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	contract.response(w.t, build(""), response, read)
	return answer{response.StatusCode, response.Header, read}, nil
}

func (w *world) get(path string) answer {
	w.t.Helper()
	return w.do(call{method: http.MethodGet, path: path, valid: true})
}

// orderBody is a valid order of two seats in the stalls.
func orderBody(change ...func(map[string]any)) map[string]any {
	body := map[string]any{
		"session_id": "hamlet-1",
		"lines":      []map[string]any{{"ticket_type_id": "hamlet-1-stalls", "quantity": 2}},
		"buyer":      map[string]any{"name": "Ada Lovelace", "email": "Ada@Example.com", "phone": "+86 138 0013 8000"},
	}
	for _, c := range change {
		c(body)
	}
	return body
}

func (w *world) submit(key string, body any) answer {
	w.t.Helper()
	return w.do(call{method: http.MethodPost, path: "/api/v1/orders", body: body, header: map[string]string{"Idempotency-Key": key}, valid: true})
}

// placed is an order with its token.
type placed struct {
	ID, State, Token string
	Total            ticketing.Money
	Methods          []string
	Revision         int
	Attempts         []struct {
		ID, State, Method string
		PayURL            string `json:"pay_url"`
	}
	Tickets []struct {
		ID, Code, State string
		RefundID        string `json:"refund_id"`
	}
	Refunds      []refund
	RefundPolicy policy `json:"refund_policy"`
	Buyer        struct{ Name, Email, Phone string }
	PayBy        time.Time `json:"pay_by"`
}

// order places an order.
func (w *world) order(key string) placed {
	w.t.Helper()
	a := w.submit(key, orderBody())
	require.Equal(w.t, http.StatusCreated, a.status, string(a.body))
	var o placed
	a.decode(w.t, &o)
	return o
}

func (w *world) read(o placed) placed {
	w.t.Helper()
	a := w.do(call{method: http.MethodGet, path: "/api/v1/orders/" + o.ID, token: o.Token, valid: true})
	require.Equal(w.t, http.StatusOK, a.status, string(a.body))
	var now placed
	a.decode(w.t, &now)
	return now
}

// pay starts an attempt and returns its number.
func (w *world) pay(o placed, method string) answer {
	w.t.Helper()
	return w.do(call{method: http.MethodPost, path: "/api/v1/orders/" + o.ID + "/payments", token: o.Token, body: map[string]string{"method": method}, valid: true})
}

func (w *world) attempt(o placed, method string) string {
	w.t.Helper()
	a := w.pay(o, method)
	require.Equal(w.t, http.StatusCreated, a.status, string(a.body))
	var p struct {
		AttemptID string `json:"attempt_id"`
	}
	a.decode(w.t, &p)
	return p.AttemptID
}

func (w *world) callback(signature string, body any) answer {
	w.t.Helper()
	defer w.delivered()
	return w.do(call{method: http.MethodPost, path: "/api/v1/callbacks/sandbox", body: body, header: map[string]string{signatureHeader: signature}, valid: true})
}

// delivered waits until captured money is where it belongs, or could not be brought there.
func (w *world) delivered() {
	w.t.Helper()
	require.Eventually(w.t, w.server.Idle, 10*time.Second, time.Millisecond)
}

// programme is a small catalogue: a play with two prices, a match whose sale has not begun, a
// concert that is paused and a film without much room.
func programme() []ticketing.Event {
	start := time.Now().Add(30 * 24 * time.Hour).UTC().Truncate(time.Second)
	text := func(en, zh string) ticketing.Text { return ticketing.Text{"en": en, "zh-CN": zh} }
	venue := func(id, city, chinese string) ticketing.Venue {
		return ticketing.Venue{ID: id, Name: text("House "+city, chinese+"剧院"), City: text(city, chinese), Address: text("1 Main Street", "大街1号"), TimeZone: "Asia/Shanghai"}
	}
	kind := func(session, name string, price int64, capacity int) ticketing.TicketType {
		return ticketing.TicketType{
			ID: session + "-" + name, SessionID: session, Name: text(name, name+"座"), Currency: "CNY", BasePrice: price, Surcharge: 500,
			MaxPerOrder: 4, SaleFrom: start.Add(-60 * 24 * time.Hour), SaleUntil: start, Capacity: capacity,
		}
	}
	event := func(id string, k ticketing.Kind, title ticketing.Text, state ticketing.EventState, v ticketing.Venue, at time.Time, types ...ticketing.TicketType) ticketing.Event {
		return ticketing.Event{
			ID: id, OrganiserID: "o1", Organiser: "City Stage", Kind: k, Title: title, Summary: text("About "+id, "关于"+id), State: state,
			HoldFor: 15 * time.Minute, OrderFee: 300, MaxPerOrder: 5, Refunds: ticketing.RefundPolicy{{Before: 14 * 24 * time.Hour, FeeBasisPoints: 500}, {Before: 24 * time.Hour, FeeBasisPoints: 5000}},
			Sessions: []ticketing.Session{{ID: id + "-1", EventID: id, Venue: v, StartsAt: at, EndsAt: at.Add(2 * time.Hour), TicketTypes: types}},
		}
	}
	shanghai, beijing := venue("v1", "Shanghai", "上海"), venue("v2", "Beijing", "北京")
	stalls, circle := kind("hamlet-1", "stalls", 38000, 400), kind("hamlet-1", "circle", 28000, 200)
	stalls.Phases = []ticketing.PricePhase{{Name: text("Early bird", "早鸟"), From: start.Add(-60 * 24 * time.Hour), Until: start.Add(-24 * time.Hour), BasePrice: 30000}}
	later := kind("match-1", "stand", 9000, 1000)
	later.SaleFrom = start.Add(-24 * time.Hour)
	return []ticketing.Event{
		event("hamlet", ticketing.KindTheatre, text("Hamlet", "哈姆雷特"), ticketing.EventOnSale, shanghai, start, stalls, circle),
		event("match", ticketing.KindSport, text("Cup final", "决赛"), ticketing.EventOnSale, beijing, start.Add(48*time.Hour), later),
		event("concert", ticketing.KindConcert, text("Concert", "音乐会"), ticketing.EventPaused, beijing, start.Add(24*time.Hour), kind("concert-1", "floor", 20000, 50)),
		event("film", ticketing.KindCinema, text("Film", "电影"), ticketing.EventOnSale, shanghai, start.Add(-24*time.Hour), kind("film-1", "seat", 4000, 3)),
	}
}

// eventually polls until check holds.
func eventually(t testing.TB, what string, check func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !check() {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func keyed(n int) string { return fmt.Sprintf("key-%08d", n) }
