package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/boxoffice/boxoffice/api"
	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

// testStore is the store with the steps a worker would take, so that tests can play the worker.
type testStore interface {
	api.Store
	Hold(ctx context.Context, request ticketing.HoldRequest) (ticketing.HoldResult, error)
	Release(ctx context.Context, orderID string, state ticketing.OrderState) (ticketing.OrderState, error)
	Settle(ctx context.Context, attemptID string) (ticketing.Settlement, error)
	RequestRefund(ctx context.Context, request ticketing.RefundRequest) (ticketing.RefundAnswer, error)
	MoveEvent(ctx context.Context, eventID string, to ticketing.EventState, by, reason string) error
	ClaimMessages(ctx context.Context, channel ticketing.Channel, limit int, lease, patience time.Duration) ([]ticketing.Message, error)
	FinishMessages(ctx context.Context, ended ...ticketing.EndedMessage) (opened []string, err error)
}

var errDown = errors.New("connection refused")

// brittle is a store whose database can be taken away, and counted on.
type brittle struct {
	testStore
	down     atomic.Bool
	lookups  atomic.Int64 // of events' revisions
	counted  atomic.Int64 // of availability
	looked   atomic.Int64 // at seats
	panicked atomic.Bool

	mu    sync.Mutex
	asked map[string]bool // sessions whose stock was asked for
}

func (b *brittle) fault() error {
	if b.panicked.Load() {
		panic("the store has lost its mind")
	}
	if b.down.Load() {
		return errDown
	}
	return nil
}

func (b *brittle) Ping(ctx context.Context) error {
	if err := b.fault(); err != nil {
		return err
	}
	return b.testStore.Ping(ctx)
}

func (b *brittle) FindEvents(ctx context.Context, f ticketing.EventFilter) ([]ticketing.ListingKey, bool, error) {
	if err := b.fault(); err != nil {
		return nil, false, err
	}
	return b.testStore.FindEvents(ctx, f)
}

func (b *brittle) Cities(ctx context.Context) ([]ticketing.Text, error) {
	if err := b.fault(); err != nil {
		return nil, err
	}
	return b.testStore.Cities(ctx)
}

func (b *brittle) EventRevisions(ctx context.Context, ids ...string) (map[string]int64, error) {
	b.lookups.Add(1)
	if err := b.fault(); err != nil {
		return nil, err
	}
	return b.testStore.EventRevisions(ctx, ids...)
}

func (b *brittle) Availability(ctx context.Context, ids ...string) (map[string]int, error) {
	b.counted.Add(1)
	b.mu.Lock()
	for _, id := range ids {
		b.asked[strings.Clone(id)] = true
	}
	b.mu.Unlock()
	if err := b.fault(); err != nil {
		return nil, err
	}
	return b.testStore.Availability(ctx, ids...)
}

func (b *brittle) SeatStates(ctx context.Context, since map[string]int64) (ticketing.SeatStates, error) {
	b.looked.Add(1)
	if err := b.fault(); err != nil {
		return ticketing.SeatStates{}, err
	}
	return b.testStore.SeatStates(ctx, since)
}

func (b *brittle) Order(ctx context.Context, id string) (ticketing.Order, error) {
	if err := b.fault(); err != nil {
		return ticketing.Order{}, err
	}
	return b.testStore.Order(ctx, id)
}

func (b *brittle) OrderEvents(ctx context.Context, id string, after int) ([]ticketing.OrderEvent, error) {
	if err := b.fault(); err != nil {
		return nil, err
	}
	return b.testStore.OrderEvents(ctx, id, after)
}

func (b *brittle) StartAttempt(ctx context.Context, attempt ticketing.PaymentAttempt) (ticketing.StartedAttempt, error) {
	if err := b.fault(); err != nil {
		return ticketing.StartedAttempt{}, err
	}
	return b.testStore.StartAttempt(ctx, attempt)
}

func (b *brittle) ChangeAttendee(ctx context.Context, id, ticket string, attendee ticketing.Attendee) error {
	if err := b.fault(); err != nil {
		return err
	}
	return b.testStore.ChangeAttendee(ctx, id, ticket, attendee)
}

func (b *brittle) QuoteRefund(ctx context.Context, id string, tickets []string) (ticketing.RefundQuote, error) {
	if err := b.fault(); err != nil {
		return ticketing.RefundQuote{}, err
	}
	return b.testStore.QuoteRefund(ctx, id, tickets)
}

func (b *brittle) RefundOfRequest(ctx context.Context, id, request string) (ticketing.Refund, string, error) {
	if err := b.fault(); err != nil {
		return ticketing.Refund{}, "", err
	}
	return b.testStore.RefundOfRequest(ctx, id, request)
}

func (b *brittle) KeepReceipt(ctx context.Context, receipt ticketing.MessageReceipt) error {
	if err := b.fault(); err != nil {
		return err
	}
	return b.testStore.KeepReceipt(ctx, receipt)
}

func (b *brittle) KeepCallback(ctx context.Context, callback ticketing.Callback) (ticketing.KeptCallback, error) {
	if err := b.fault(); err != nil {
		return ticketing.KeptCallback{}, err
	}
	return b.testStore.KeepCallback(ctx, callback)
}

func (b *brittle) CountRefusedCallback(ctx context.Context, provider, reason string) error {
	if err := b.fault(); err != nil {
		return err
	}
	return b.testStore.CountRefusedCallback(ctx, provider, reason)
}

// inline plays the purchase workflows and their worker: a start makes the hold at once.
type inline struct {
	store   testStore
	starts  atomic.Int64
	refunds atomic.Int64
	silent  atomic.Bool // no worker alive
	down    atomic.Bool // Temporal away
	stuck   atomic.Bool // a gateway does not say what became of an attempt
	mu      sync.Mutex
	started map[string]chan struct{}
}

func (p *inline) Start(ctx context.Context, n api.NewPurchase) (ticketing.HoldResult, error) {
	if p.down.Load() {
		return ticketing.HoldResult{}, errDown
	}
	request := n.Input.Hold
	p.mu.Lock()
	if p.started[request.OrderID] != nil {
		p.mu.Unlock()
		return ticketing.HoldResult{}, api.ErrStarted
	}
	held := make(chan struct{})
	p.started[request.OrderID] = held
	p.mu.Unlock()
	p.starts.Add(1)
	if p.silent.Load() {
		return ticketing.HoldResult{}, api.ErrNoAnswer
	}
	defer close(held)
	request.At = time.Now().UTC()
	request.PayBy = request.At.Add(n.Input.Policy.WithDefaults().HoldFor)
	return p.store.Hold(ctx, request)
}

func (p *inline) Hold(_ context.Context, orderID string) (ticketing.HoldResult, error) {
	p.mu.Lock()
	held := p.started[orderID]
	p.mu.Unlock()
	if held == nil {
		return ticketing.HoldResult{}, api.ErrNotRunning
	}
	select {
	case <-held:
		return ticketing.HoldResult{}, api.ErrNotRunning
	case <-time.After(50 * time.Millisecond):
		return ticketing.HoldResult{}, api.ErrNoAnswer
	}
}

func (p *inline) Cancel(ctx context.Context, orderID string) (ticketing.OrderState, error) {
	switch {
	case p.down.Load():
		return "", errDown
	case p.stuck.Load():
		return "", api.ErrNoAnswer
	}
	return p.store.Release(ctx, orderID, ticketing.OrderCancelled)
}

func (p *inline) Request(ctx context.Context, n api.NewRefund) (ticketing.RefundAnswer, error) {
	switch {
	case p.down.Load():
		return ticketing.RefundAnswer{}, errDown
	case p.silent.Load():
		return ticketing.RefundAnswer{}, api.ErrNoAnswer
	}
	p.refunds.Add(1)
	return p.store.RequestRefund(ctx, n.Request)
}

func (p *inline) Ready(context.Context) error {
	if p.down.Load() {
		return errDown
	}
	return nil
}

// courier plays the delivery of captured money.
type courier struct {
	store     testStore
	down      atomic.Bool
	delivered atomic.Int64
	orphans   atomic.Int64
	woken     sync.Map
}

func (d *courier) WakeRefund(_ context.Context, refund ticketing.Refund) error {
	d.woken.Store(refund.ID, true)
	return nil
}

func (d *courier) DeliverPayment(ctx context.Context, attempt ticketing.PaymentAttempt) error {
	if d.down.Load() {
		return errDown
	}
	d.delivered.Add(1)
	if attempt.OrderID == "" {
		d.orphans.Add(1)
		return nil
	}
	_, err := d.store.Settle(ctx, attempt.ID)
	return err
}

// gateway is a payment gateway that does as it is told.
type gateway struct {
	name    string
	methods []string

	mu       sync.Mutex
	payments map[string]payment.Status
	orders   map[string]payment.Order
	creates  int
	createFn func(try int) error
	closeErr error
}

func newGateway(name string, methods ...string) *gateway {
	return &gateway{name: name, methods: methods, payments: map[string]payment.Status{}, orders: map[string]payment.Order{}}
}

func (g *gateway) Name() string      { return g.name }
func (g *gateway) Methods() []string { return g.methods }

func (g *gateway) Accepts(string) bool { return true }

func (g *gateway) Create(_ context.Context, order payment.Order, method string) (payment.Checkout, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.creates++
	if g.createFn != nil {
		if err := g.createFn(g.creates); err != nil {
			return payment.Checkout{}, err
		}
	}
	g.orders[order.Number] = order
	if _, ok := g.payments[order.Number]; !ok {
		g.payments[order.Number] = payment.Status{Number: order.Number, GatewayID: "G-" + order.Number, State: payment.StatePending}
	}
	return payment.Checkout{PayURL: "http://gateway.example/pay/" + order.Number, QR: method, GatewayID: "G-" + order.Number}, nil
}

func (g *gateway) Query(_ context.Context, number string) (payment.Status, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	status, ok := g.payments[number]
	if !ok {
		return payment.Status{}, payment.ErrNotFound
	}
	return status, nil
}

func (g *gateway) Close(ctx context.Context, number string) (payment.Status, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closeErr != nil {
		return payment.Status{}, g.closeErr
	}
	status, ok := g.payments[number]
	if !ok {
		return payment.Status{}, payment.ErrNotFound
	}
	if status.State == payment.StatePending {
		status.State = payment.StateClosed
		g.payments[number] = status
	}
	return status, nil
}

// capture takes the money of a payment.
func (g *gateway) capture(number string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	status := g.payments[number]
	status.State, status.Captured, status.At = payment.StatePaid, g.orders[number].Amount, time.Now().UTC()
	g.payments[number] = status
}

func (g *gateway) Refund(context.Context, payment.Refund) (payment.RefundStatus, error) {
	return payment.RefundStatus{}, payment.ErrUnavailable
}

func (g *gateway) QueryRefund(context.Context, payment.Refund) (payment.RefundStatus, error) {
	return payment.RefundStatus{}, payment.ErrNotFound
}

func (g *gateway) Bill(context.Context, time.Time) ([]payment.BillLine, error) { return nil, nil }

// testCallback is this gateway's own format.
type testCallback struct {
	EventID string          `json:"event_id"`
	Number  string          `json:"number"`
	Paid    bool            `json:"paid"`
	Amount  ticketing.Money `json:"amount"`
	// Dispute and Refund are the state of one, Other that of nothing that moves money.
	Dispute payment.DisputeState `json:"dispute,omitempty"`
	Refund  payment.RefundState  `json:"refund,omitempty"`
	Other   bool                 `json:"other,omitempty"`
}

const signatureHeader = "X-Gateway-Signature"

func (g *gateway) ParseCallback(header http.Header, body []byte, now time.Time) (payment.Notice, error) {
	switch header.Get(signatureHeader) {
	case "good":
	case "other-merchant":
		return payment.Notice{}, fmt.Errorf("%w: M2", payment.ErrWrongMerchant)
	case "nonce":
		panic("incorrect nonce length")
	default:
		return payment.Notice{}, payment.ErrSignature
	}
	var c testCallback
	if err := json.Unmarshal(body, &c); err != nil {
		return payment.Notice{}, fmt.Errorf("%w: %w", payment.ErrMalformed, err)
	}
	notice := payment.Notice{Provider: g.name, EventID: c.EventID}
	switch {
	case c.Other:
		notice.Kind = payment.NoticeOther
		return notice, nil
	case c.Refund != "":
		notice.Kind, notice.Refund = payment.NoticeRefund, payment.RefundStatus{ID: c.Number, State: c.Refund}
		return notice, nil
	case c.Dispute != "":
		notice.Kind = payment.NoticeDispute
		notice.Dispute = payment.Dispute{ID: "D1", Number: c.Number, GatewayID: "G-" + c.Number, State: c.Dispute, Amount: c.Amount, At: now}
		return notice, nil
	}
	status := payment.Status{Number: c.Number, GatewayID: "G-" + c.Number, State: payment.StateDeclined, At: now}
	if c.Paid {
		status.State, status.Captured = payment.StatePaid, c.Amount
	}
	notice.Kind, notice.Payment = payment.NoticePayment, status
	return notice, nil
}

func (g *gateway) Acknowledge() (int, string, []byte) {
	return http.StatusOK, "application/json", []byte(`{"received":true}`)
}
