package activities_test

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"github.com/boxoffice/boxoffice/activities"
	"github.com/boxoffice/boxoffice/encryption"
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

// scene is the steps on a real database and a real gateway, with a deliverer that keeps what it is given.
type scene struct {
	*testsuite.TestActivityEnvironment
	*testing.T
	store     *store.Store
	url       string
	gateway   *gateway.Gateway
	control   *gateway.Control
	provider  *sandbox.Provider
	metrics   *prometheus.Registry
	purchase  *activities.Purchase
	payments  *activities.Payments
	delivered *deliveries
}

// newScene opens everything; adapt changes how the adapter calls the gateway.
func newScene(t *testing.T, adapt ...func(*sandbox.Config)) *scene {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	g, err := gateway.Open(gateway.Config{
		Address: "127.0.0.1:0", Merchant: merchant, Key: key, CallbackKeys: []string{"callback-key"},
		File: filepath.Join(t.TempDir(), "gateway.db"), Log: quiet,
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = g.Close() })
	control := gateway.NewControl(g.URL(), merchant, key)
	t.Cleanup(control.Close)

	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	config := sandbox.Config{
		URL: g.URL(), Merchant: merchant, Key: key, CallbackKeys: []string{"callback-key"}, Timeout: 10 * time.Second,
		HTTPClient: &http.Client{Transport: transport},
	}
	for _, change := range adapt {
		change(&config)
	}
	provider, err := sandbox.New(config)
	require.NoError(t, err)
	gateways, err := payment.NewRegistry(provider)
	require.NoError(t, err)

	s := &scene{
		T: t, url: storetest.Database(t), gateway: g, control: control, provider: provider,
		metrics: prometheus.NewRegistry(), delivered: newDeliveries(),
	}
	s.store = storetest.OpenURL(t, s.url)
	storetest.Seed(t, s.store)
	metrics := activities.NewMetrics(s.metrics)
	s.purchase = &activities.Purchase{Store: s.store, Gateways: gateways, Metrics: metrics}
	s.payments = &activities.Payments{Store: s.store, Gateways: gateways, Deliverer: s.delivered, Metrics: metrics, Log: quiet}

	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(quiet))
	s.TestActivityEnvironment = suite.NewTestActivityEnvironment()
	s.RegisterActivity(s.purchase)
	s.RegisterActivity(s.payments)
	return s
}

// step runs a step as a worker would and returns its result.
func step[R any](s *scene, what any, args ...any) (R, error) {
	s.Helper()
	var result R
	value, err := s.ExecuteActivity(what, args...)
	if err == nil && value.HasValue() {
		require.NoError(s, value.Get(&result))
	}
	return result, err
}

// done is step for one that has to succeed.
func done[R any](s *scene, what any, args ...any) R {
	s.Helper()
	result, err := step[R](s, what, args...)
	require.NoError(s, err)
	return result
}

func request() ticketing.HoldRequest {
	return ticketing.HoldRequest{
		OrderID: encryption.NewNumber(), EventID: "show", SessionID: "show-s1", Fingerprint: "f",
		Buyer: ticketing.Buyer{Name: "Mei Lin", Email: "mei@example.com", Language: "en"},
		Lines: []ticketing.Ask{{TicketTypeID: "show-t1", Quantity: 1}},
		At:    time.Now(), PayBy: time.Now().Add(15 * time.Minute),
	}
}

// held places an order that gets its stock.
func (s *scene) held() string {
	s.Helper()
	r := request()
	result, err := s.store.Hold(s.Context(), r)
	require.NoError(s, err)
	require.Equal(s, ticketing.OrderPending, result.State)
	return r.OrderID
}

// started stores an attempt the gateway has not heard of.
func (s *scene) started(orderID, provider string) ticketing.PaymentAttempt {
	s.Helper()
	attempt, err := s.store.StartAttempt(s.Context(), ticketing.PaymentAttempt{
		ID: encryption.NewNumber(), OrderID: orderID, Provider: provider, Method: sandbox.MethodCard,
	})
	require.NoError(s, err)
	return attempt.PaymentAttempt
}

// opened opens an attempt at the gateway. Nobody listens for its callbacks.
func (s *scene) opened(orderID string) ticketing.PaymentAttempt {
	s.Helper()
	attempt := s.started(orderID, sandbox.Name)
	checkout, err := s.provider.Create(s.Context(), payment.Order{
		Number: attempt.ID, Amount: attempt.Amount, Description: "One ticket", Language: "en", ExpiresAt: attempt.ExpiresAt,
		NotifyURL: "http://127.0.0.1:9/callbacks", ReturnURL: "http://shop.example/orders/1",
	}, attempt.Method)
	require.NoError(s, err)
	require.NoError(s, s.store.AttemptOpened(s.Context(), attempt.ID, ticketing.OpenedAttempt{
		GatewayID: checkout.GatewayID, PayURL: checkout.PayURL, QR: checkout.QR,
	}))
	attempt.GatewayID = checkout.GatewayID
	return attempt
}

func (s *scene) pay(attempt ticketing.PaymentAttempt) {
	s.Helper()
	require.NoError(s, s.control.Pay(s.Context(), attempt.ID))
}

func (s *scene) faults(f gateway.Faults) {
	s.Helper()
	require.NoError(s, s.control.SetFaults(s.Context(), f))
}

// calls says how often the gateway was asked to do something with a number.
func (s *scene) calls(operation, number string) int {
	s.Helper()
	calls, err := s.control.Calls(s.Context())
	require.NoError(s, err)
	return calls[operation+"/"+number]
}

// attempt reads an attempt back.
func (s *scene) attempt(a ticketing.PaymentAttempt) ticketing.PaymentAttempt {
	s.Helper()
	order, err := s.store.Order(s.Context(), a.OrderID)
	require.NoError(s, err)
	for _, stored := range order.Attempts {
		if stored.ID == a.ID {
			return stored
		}
	}
	s.Fatalf("order %s has no attempt %s", a.OrderID, a.ID)
	return a
}

// count reads a counter; labels are its values in alphabetical order of their names.
func (s *scene) count(name string, labels ...string) int {
	s.Helper()
	families, err := s.metrics.Gather()
	require.NoError(s, err)
	for _, family := range families {
		if family.GetName() != "boxoffice_"+name {
			continue
		}
		for _, metric := range family.GetMetric() {
			var values []string
			for _, label := range metric.GetLabel() {
				values = append(values, label.GetValue())
			}
			if slices.Equal(values, labels) {
				return int(metric.GetCounter().GetValue())
			}
		}
	}
	return 0
}

// execute runs a statement beside the store, to make time pass for a row.
func (s *scene) execute(sql string, args ...any) {
	s.Helper()
	conn, err := pgx.Connect(s.Context(), s.url)
	require.NoError(s, err)
	defer func() { _ = conn.Close(context.WithoutCancel(s.Context())) }()
	_, err = conn.Exec(s.Context(), sql, args...)
	require.NoError(s, err)
}

// deliveries is a Deliverer that keeps what it is given.
type deliveries struct {
	// before, if set, runs first; its error is the delivery's.
	before func(ticketing.PaymentAttempt) error
	// arrived gets every attempt that was delivered.
	arrived chan ticketing.PaymentAttempt

	mu   sync.Mutex
	seen map[string]int
}

func newDeliveries() *deliveries {
	return &deliveries{arrived: make(chan ticketing.PaymentAttempt, 1000), seen: map[string]int{}}
}

// DeliverPayment implements activities.Deliverer.
func (d *deliveries) DeliverPayment(_ context.Context, attempt ticketing.PaymentAttempt) error {
	d.mu.Lock()
	d.seen[attempt.ID]++
	d.mu.Unlock()
	if d.before != nil {
		if err := d.before(attempt); err != nil {
			return err
		}
	}
	d.arrived <- attempt
	return nil
}

// tries says how often the delivery of an attempt was begun.
func (d *deliveries) tries(attempt ticketing.PaymentAttempt) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seen[attempt.ID]
}

// next waits for a delivery.
func (s *scene) next() ticketing.PaymentAttempt {
	s.Helper()
	select {
	case attempt := <-s.delivered.arrived:
		return attempt
	case <-time.After(20 * time.Second):
		s.Fatal("nothing was delivered")
		return ticketing.PaymentAttempt{}
	}
}
