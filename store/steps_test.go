package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// scene is a store with the catalogue of storetest.Seed and the steps of a purchase on it.
type scene struct {
	testing.TB
	*store.Store
	url string
}

func newScene(t testing.TB, events ...ticketing.Event) *scene {
	t.Helper()
	url := storetest.Database(t)
	s := &scene{TB: t, Store: storetest.OpenURL(t, url), url: url}
	storetest.Seed(t, s.Store, events...)
	return s
}

var buyer = ticketing.Buyer{Name: "Mei Canary-Lin", Email: "Mei.Canary@Example.com", Phone: "+8613800138000", Language: "zh-CN"}

// request asks for tickets of show-t1, show-t2 …, as many of each as given.
func request(quantities ...int) ticketing.HoldRequest {
	r := ticketing.HoldRequest{
		OrderID: encryption.NewNumber(), EventID: "show", SessionID: "show-s1", Buyer: buyer, Fingerprint: "f",
		At: time.Now(), PayBy: time.Now().Add(15 * time.Minute),
	}
	for i, q := range quantities {
		if q > 0 {
			r.Lines = append(r.Lines, ticketing.Ask{TicketTypeID: []string{"show-t1", "show-t2", "show-t3"}[i], Quantity: q})
		}
	}
	return r
}

// failer is what a test and a run of a property have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
}

// must returns the result of a step that has to succeed.
func must[R any](result R, err error) func(failer) R {
	return func(t failer) R {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
}

// held places an order that gets its stock.
func (s *scene) held(quantities ...int) string {
	s.Helper()
	r := request(quantities...)
	result := must(s.Hold(s.Context(), r))(s)
	if result.State != ticketing.OrderPending {
		s.Fatalf("held: %+v", result)
	}
	return r.OrderID
}

// started starts an attempt to pay an order and opens it.
func (s *scene) started(orderID string) ticketing.PaymentAttempt {
	s.Helper()
	attempt := must(s.StartAttempt(s.Context(), ticketing.PaymentAttempt{
		ID: encryption.NewNumber(), OrderID: orderID, Provider: "sandbox", Method: "sandbox_card",
	}))(s).PaymentAttempt
	if err := s.AttemptOpened(s.Context(), attempt.ID, ticketing.OpenedAttempt{GatewayID: "G-" + attempt.ID, PayURL: "https://pay.example/1"}); err != nil {
		s.Fatal(err)
	}
	return attempt
}

func fact(a ticketing.PaymentAttempt, state ticketing.PaymentState) ticketing.PaymentFact {
	f := ticketing.PaymentFact{Provider: a.Provider, AttemptID: a.ID, GatewayID: "G-" + a.ID, State: state, At: time.Now()}
	if state == ticketing.PaymentPaid {
		f.Captured = a.Amount
	}
	return f
}

// outcome is what a gateway says of a refund.
func outcome(id string, state ticketing.RefundState, reason string) ticketing.RefundFact {
	return ticketing.RefundFact{ID: id, GatewayID: "R-" + id, State: state, Reason: reason}
}

// captured records that an attempt was paid as asked.
func (s *scene) captured(a ticketing.PaymentAttempt) {
	s.Helper()
	if err := s.RecordPayment(s.Context(), fact(a, ticketing.PaymentPaid)); err != nil {
		s.Fatal(err)
	}
}

// paid takes an order from nothing to paid.
func (s *scene) paid(quantities ...int) (string, ticketing.PaymentAttempt) {
	s.Helper()
	order := s.held(quantities...)
	attempt := s.started(order)
	s.captured(attempt)
	if settled := must(s.Settle(s.Context(), attempt.ID))(s); settled.Verdict != ticketing.VerdictAccept {
		s.Fatalf("paid: %+v", settled)
	}
	return order, attempt
}

// expired releases an order.
func (s *scene) expired(orderID string) {
	s.Helper()
	if state := must(s.Release(s.Context(), orderID, ticketing.OrderExpired))(s); state != ticketing.OrderExpired {
		s.Fatalf("expired: %s", state)
	}
}

func (s *scene) order(id string) ticketing.Order {
	s.Helper()
	return must(s.Order(s.Context(), id))(s)
}

func (s *scene) wantState(id string, state ticketing.OrderState) {
	s.Helper()
	if o := s.order(id); o.State != state {
		s.Errorf("order is %s, want %s", o.State, state)
	}
}

// wantFree checks what is free of show-t1, show-t2 …
func (s *scene) wantFree(free ...int) {
	s.Helper()
	have := must(s.Availability(s.Context()))(s)
	for i, n := range free {
		if id := []string{"show-t1", "show-t2", "show-t3"}[i]; have[id] != n {
			s.Errorf("%d of %s free, want %d", have[id], id, n)
		}
	}
}

// wantKinds checks the kinds of an order's timeline.
func (s *scene) wantKinds(id string, kinds ...ticketing.OrderEventKind) {
	s.Helper()
	var have []ticketing.OrderEventKind
	for _, e := range must(s.OrderEvents(s.Context(), id, 0))(s) {
		have = append(have, e.Kind)
	}
	if len(have) != len(kinds) {
		s.Fatalf("timeline %v, want %v", have, kinds)
	}
	for i := range kinds {
		if have[i] != kinds[i] {
			s.Fatalf("timeline %v, want %v", have, kinds)
		}
	}
}

// wantSound checks every invariant with nothing under way.
func (s *scene) wantSound() {
	s.Helper()
	// No workflow runs here that could acknowledge what was settled.
	s.execute("UPDATE payment_attempts SET delivered_at = clock_timestamp() WHERE state IN ('ACCEPTED', 'REFUNDED')")
	for _, v := range must(s.AuditAfter(context.Background(), 0))(s) {
		s.Error(v)
	}
}

func wantCode(t testing.TB, err error, code ticketing.Code) {
	t.Helper()
	if ticketing.CodeOf(err) != code {
		t.Errorf("error %v, want code %q", err, code)
	}
}

// connect opens a connection beside the store, for what the store would never do.
func (s *scene) connect() *pgx.Conn {
	s.Helper()
	conn, err := pgx.Connect(s.Context(), s.url)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// execute runs a statement.
func (s *scene) execute(sql string, args ...any) {
	s.Helper()
	conn := s.connect()
	defer func() { _ = conn.Close(s.Context()) }()
	if _, err := conn.Exec(s.Context(), sql, args...); err != nil {
		s.Fatal(err)
	}
}

// query reads one row.
func (s *scene) query(sql string, into ...any) {
	s.Helper()
	conn := s.connect()
	defer func() { _ = conn.Close(s.Context()) }()
	if err := conn.QueryRow(s.Context(), sql).Scan(into...); err != nil {
		s.Fatal(err)
	}
}
