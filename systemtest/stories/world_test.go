package stories

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/activities"
	"github.com/boxoffice/boxoffice/api"
	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

const (
	merchant = "boxoffice-test"
	key      = "request-key-of-the-test"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// world is everything around the workflows: database, gateway and API.
type world struct {
	ctx      context.Context  //nolint:containedctx // of the whole test
	t        require.TestingT // of the story that is told
	store    *store.Store
	db       *pgxpool.Pool
	control  *gateway.Control
	provider payment.Provider
	mood     *moody
	gateways *payment.Registry
	server   *api.Server
	client   *http.Client
	post     *post
	inbox    *inbox
	metrics  *activities.Metrics
	// endings counts what became of the stories' money.
	endings map[string]int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	g, err := gateway.Open(gateway.Config{
		Address: "127.0.0.1:0", Merchant: merchant, Key: key, CallbackKeys: []string{"callback-key"},
		File: filepath.Join(t.TempDir(), "gateway.db"), Log: quiet,
		Retry: []time.Duration{5 * time.Millisecond}, Deliveries: 100,
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = g.Close() })
	url := storetest.Database(t)
	w := &world{ctx: t.Context(), t: t, store: storetest.OpenURL(t, url), post: &post{}, endings: map[string]int{}, client: &http.Client{Timeout: 20 * time.Second}}
	w.db, err = pgxpool.New(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(w.db.Close)
	w.control = gateway.NewControl(g.URL(), merchant, key)
	t.Cleanup(w.control.Close)
	adapter, err := sandbox.New(sandbox.Config{URL: g.URL(), Merchant: merchant, Key: key, CallbackKeys: []string{"callback-key"}})
	require.NoError(t, err)
	w.mood = &moody{Provider: adapter}
	w.provider = w.mood
	w.gateways, err = payment.NewRegistry(w.provider)
	require.NoError(t, err)
	w.metrics = activities.NewMetrics(prometheus.NewRegistry())
	storetest.Seed(t, w.store, storetest.Event("show", 0))

	w.inbox = &inbox{Store: w.store}
	w.server, err = api.New(api.Config{
		Address: "127.0.0.1:0", Store: w.inbox, Payments: w.gateways, Purchases: nobody{}, Deliverer: w.post,
		Identity: storetest.Keyring(), Log: quiet,
	})
	require.NoError(t, err)
	require.NoError(t, w.server.Open())
	w.server.PublicURL = "http://" + w.server.Addr().String()
	t.Cleanup(func() {
		w.client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, w.server.Shutdown(ctx))
	})
	return w
}

// choose opens an attempt to pay an order through the API, as its buyer does. It returns the number,
// or "" when the API refused.
func (w *world) choose(orderID string) string {
	body, err := json.Marshal(map[string]string{"method": sandbox.MethodCard})
	require.NoError(w.t, err)
	request, err := http.NewRequestWithContext(w.ctx, http.MethodPost, w.server.PublicURL+"/api/v1/orders/"+orderID+"/payments", bytes.NewReader(body))
	require.NoError(w.t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+storetest.Keyring().OrderToken(orderID))
	response, err := w.client.Do(request)
	require.NoError(w.t, err)
	defer response.Body.Close()
	var made struct {
		ID string `json:"attempt_id"`
	}
	if response.StatusCode != http.StatusCreated {
		return ""
	}
	require.NoError(w.t, json.NewDecoder(response.Body).Decode(&made))
	return made.ID
}

func (w *world) execute(sql string, args ...any) {
	_, err := w.db.Exec(w.ctx, sql, args...)
	require.NoError(w.t, err)
}

func (w *world) count(sql string, args ...any) int {
	var n int
	require.NoError(w.t, w.db.QueryRow(w.ctx, sql, args...).Scan(&n))
	return n
}

func (w *world) books() gateway.Books {
	books, err := w.control.Books(w.ctx)
	require.NoError(w.t, err)
	return books
}

// order reads an order.
func (w *world) order(id string) ticketing.Order {
	o, err := w.store.Order(w.ctx, id)
	require.NoError(w.t, err)
	return o
}

// nobody starts no purchases: the stories start them themselves.
type nobody struct{ api.Purchases }

var errDown = errors.New("it is down")

// inbox is the store as the API sees it. It can be down for the next callbacks.
type inbox struct {
	*store.Store
	mu   sync.Mutex
	down int
}

// KeepCallback implements api.Store.
func (s *inbox) KeepCallback(ctx context.Context, c ticketing.Callback) (ticketing.KeptCallback, error) {
	s.mu.Lock()
	down := s.down > 0
	if down {
		s.down--
	}
	s.mu.Unlock()
	if down {
		return ticketing.KeptCallback{}, errDown
	}
	return s.Store.KeepCallback(ctx, c)
}

// moody is the gateway's adapter; something may happen right after it was asked about a payment.
type moody struct {
	payment.Provider
	mu       sync.Mutex
	surprise func(number string)
}

// Query implements payment.Provider.
func (p *moody) Query(ctx context.Context, number string) (payment.Status, error) {
	status, err := p.Provider.Query(ctx, number)
	p.mu.Lock()
	surprise := p.surprise
	p.mu.Unlock()
	if surprise != nil {
		surprise(number)
	}
	return status, err
}

func (p *moody) after(surprise func(number string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.surprise = surprise
}

func (s *inbox) fail(times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = times
}

// post is the way of captured money to its workflows. What it takes, a workflow has.
type post struct {
	mu     sync.Mutex
	lost   int // deliveries that fail, because Temporal cannot be reached
	calls  int
	posted []ticketing.PaymentAttempt
}

// DeliverPayment implements api.Deliverer and activities.Deliverer.
func (p *post) DeliverPayment(_ context.Context, attempt ticketing.PaymentAttempt) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	if p.lost > 0 {
		p.lost--
		return errDown
	}
	p.posted = append(p.posted, attempt)
	return nil
}

// WakeRefund implements api.Deliverer. Refunds ask by themselves.
func (p *post) WakeRefund(context.Context, ticketing.Refund) error { return nil }

func (p *post) fail(times int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lost = times
}

// collect takes what was delivered since.
func (p *post) collect() []ticketing.PaymentAttempt {
	p.mu.Lock()
	defer p.mu.Unlock()
	posted := p.posted
	p.posted = nil
	return posted
}

func (p *post) tried() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

// fragile is the store as the steps see it: the first call of a step may fail before it did
// anything, or after it did everything, as when its worker is killed.
type fragile struct {
	*store.Store
	mu    sync.Mutex
	fails map[string]string // "before" or "after", by step
}

// try runs a step of the store, with what may go wrong around it.
func try[R any](s *fragile, name string, step func() (R, error)) (R, error) {
	s.mu.Lock()
	when := s.fails[name]
	delete(s.fails, name)
	s.mu.Unlock()
	var none R
	if when == "before" {
		return none, errDown
	}
	result, err := step()
	if when == "after" && err == nil {
		return none, errDown
	}
	return result, err
}

// Hold implements activities.Store.
func (s *fragile) Hold(ctx context.Context, r ticketing.HoldRequest) (ticketing.HoldResult, error) {
	return try(s, "hold", func() (ticketing.HoldResult, error) { return s.Store.Hold(ctx, r) })
}

// Settle implements activities.Store.
func (s *fragile) Settle(ctx context.Context, attemptID string) (ticketing.Settlement, error) {
	return try(s, "settle", func() (ticketing.Settlement, error) { return s.Store.Settle(ctx, attemptID) })
}

// Release implements activities.Store.
func (s *fragile) Release(ctx context.Context, orderID string, state ticketing.OrderState) (ticketing.OrderState, error) {
	return try(s, "release", func() (ticketing.OrderState, error) { return s.Store.Release(ctx, orderID, state) })
}

// Retake implements activities.Store.
func (s *fragile) Retake(ctx context.Context, attemptID string) (bool, error) {
	return try(s, "retake", func() (bool, error) { return s.Store.Retake(ctx, attemptID) })
}

// StartRefund implements activities.Store.
func (s *fragile) StartRefund(ctx context.Context, attemptID string) (ticketing.Refund, error) {
	return try(s, "start refund", func() (ticketing.Refund, error) { return s.Store.StartRefund(ctx, attemptID) })
}

// FinishRefund implements activities.Store.
func (s *fragile) FinishRefund(ctx context.Context, fact ticketing.RefundFact) error {
	_, err := try(s, "finish refund", func() (struct{}, error) {
		return struct{}{}, s.Store.FinishRefund(ctx, fact)
	})
	return err
}

// RecordPayment implements activities.Store.
func (s *fragile) RecordPayment(ctx context.Context, fact ticketing.PaymentFact) error {
	_, err := try(s, "record", func() (struct{}, error) { return struct{}{}, s.Store.RecordPayment(ctx, fact) })
	return err
}

// RequestRefund implements activities.Store.
func (s *fragile) RequestRefund(ctx context.Context, r ticketing.RefundRequest) (ticketing.RefundAnswer, error) {
	return try(s, "request refund", func() (ticketing.RefundAnswer, error) { return s.Store.RequestRefund(ctx, r) })
}

var fragileSteps = []string{"request refund", "hold", "settle", "release", "retake", "start refund", "finish refund", "record"}
