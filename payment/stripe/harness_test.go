package stripe_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/paymenttest"
	"github.com/boxoffice/boxoffice/payment/stripe"
	"github.com/boxoffice/boxoffice/payment/stripe/published"
	"github.com/boxoffice/boxoffice/payment/stripe/stripetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a gateway, a shop's mailbox for its events, the adapter between them, and their clock.
type world struct {
	gateway  *stripetest.Gateway
	provider *stripe.Provider
	config   stripe.Config
	mailbox  *mailbox
	ahead    atomic.Int64
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

// wait lets time pass.
func (w *world) wait(d time.Duration) { w.ahead.Add(int64(d)) }

// newWorld opens a gateway that holds every request against what Stripe publishes.
func newWorld(t testing.TB, changes ...func(*stripetest.Config)) *world {
	t.Helper()
	require.NoError(t, published.Ready()) // outside of anybody's time-out
	w := &world{mailbox: newMailbox(t)}
	config := stripetest.Config{
		Retry: []time.Duration{10 * time.Millisecond, 10 * time.Millisecond}, Now: w.now,
		Check: func(r *http.Request, body []byte) error {
			err := published.Request(r, body)
			if err != nil {
				t.Error(err)
			}
			return err
		},
	}
	for _, change := range changes {
		change(&config)
	}
	var err error
	w.gateway, err = stripetest.Open(config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.gateway.Close()) })
	w.gateway.Notify(w.mailbox.server.URL + "/api/v1/callbacks/stripe")
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	c := w.gateway.Credentials()
	w.config = stripe.Config{
		SecretKey: c.SecretKey, WebhookSecrets: []string{c.WebhookSecret}, Account: config.Account, URL: w.gateway.URL(),
		Timeout: 2 * time.Second, BillTimeout: 20 * time.Second, HTTPClient: &http.Client{Transport: transport}, Now: w.now,
	}
	w.provider = w.adapter(t, func(*stripe.Config) {})
	return w
}

// adapter makes a provider from the world's configuration, changed. It remembers nothing of the others.
func (w *world) adapter(t testing.TB, change func(*stripe.Config)) *stripe.Provider {
	t.Helper()
	c := w.config
	change(&c)
	p, err := stripe.New(c)
	require.NoError(t, err)
	return p
}

// another is the adapter in another process.
func (w *world) another(t testing.TB) *stripe.Provider {
	return w.adapter(t, func(*stripe.Config) {})
}

func dollars(cents int64) ticketing.Money { return ticketing.Money{Amount: cents, Currency: "USD"} }

// order is a new order that can be paid for ten minutes.
func (w *world) order() payment.Order {
	return payment.Order{
		Number: ticketing.NewNumber(w.now()), Amount: dollars(38_000), Description: "Hamlet, 哈姆雷特", Language: "en",
		ExpiresAt: w.now().Add(10 * time.Minute).Truncate(time.Second), NotifyURL: w.mailbox.server.URL + "/api/v1/callbacks/stripe",
		ReturnURL: "https://tickets.example/orders/1?returned=1",
	}
}

func (w *world) opened(t testing.TB) payment.Order {
	t.Helper()
	order := w.order()
	_, err := w.provider.Create(t.Context(), order, stripe.MethodCheckout)
	require.NoError(t, err)
	return order
}

// paid creates a payment and pays it.
func (w *world) paid(t testing.TB) payment.Status {
	t.Helper()
	order := w.opened(t)
	require.NoError(t, w.gateway.Pay(order.Number))
	return w.query(t, order.Number, payment.StatePaid)
}

func (w *world) query(t testing.TB, number string, state payment.State) payment.Status {
	t.Helper()
	status, err := w.provider.Query(t.Context(), number)
	require.NoError(t, err)
	require.Equal(t, state, status.State)
	return status
}

func (w *world) refund(paid payment.Status, minor int64) payment.Refund {
	return payment.Refund{
		ID: ticketing.NewNumber(w.now()), Number: paid.Number, GatewayID: paid.GatewayID,
		Amount: ticketing.Money{Amount: minor, Currency: paid.Captured.Currency}, Total: paid.Captured, Reason: "buyer",
	}
}

// mailbox receives events. It refuses each one's first delivery, so that there is always a second.
type mailbox struct {
	server *httptest.Server
	mu     sync.Mutex
	mail   []paymenttest.Callback
	seen   map[string]bool
}

func newMailbox(t testing.TB) *mailbox {
	m := &mailbox{seen: map[string]bool{}}
	m.server = httptest.NewServer(m)
	t.Cleanup(m.server.Close)
	return m
}

func (m *mailbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mail = append(m.mail, paymenttest.Callback{Header: r.Header.Clone(), Body: body})
	if !m.seen[string(body)] {
		m.seen[string(body)] = true
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "{}")
}

// about waits for n events of a kind that contain a text.
func (m *mailbox) about(t testing.TB, kind, text string, n int) []paymenttest.Callback {
	t.Helper()
	var found []paymenttest.Callback
	require.Eventually(t, func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		found = nil
		for _, c := range m.mail {
			if bytes.Contains(c.Body, []byte(`"`+kind+`"`)) && bytes.Contains(c.Body, []byte(text)) {
				found = append(found, c)
			}
		}
		return len(found) >= n
	}, 10*time.Second, 5*time.Millisecond)
	return found[:n]
}

// faults sets faults until restore is called.
func (w *world) faults(f stripetest.Faults) (restore func()) {
	w.gateway.SetFaults(f)
	return func() { w.gateway.SetFaults(stripetest.Faults{}) }
}

// forge makes an event that must not be believed.
func (w *world) forge(t testing.TB, number string, how paymenttest.Forgery) paymenttest.Callback {
	t.Helper()
	var f stripetest.Forgery
	switch how {
	case paymenttest.Tampered:
		f.Tamper = func(body []byte) []byte { return bytes.Replace(body, []byte("38000"), []byte("1"), 1) }
	case paymenttest.OtherKey:
		f.Secrets = []string{"whsec_" + strings.Repeat("x", 24)}
	case paymenttest.Stale:
		f.At = w.now().Add(-5*time.Minute - time.Second)
	case paymenttest.OtherMerchant:
		f.Change = func(event map[string]any) { event["account"] = "acct_somebodyelse" }
	case paymenttest.Malformed:
		f.Change = func(event map[string]any) { event["data"] = map[string]any{"object": "paid"} }
	}
	c, ok := w.gateway.Forge(number, f)
	require.True(t, ok)
	return paymenttest.Callback(c)
}

func (w *world) harness() paymenttest.Harness {
	return paymenttest.Harness{
		Provider: w.provider, Method: stripe.MethodCheckout, Currency: "USD", Patience: 4 * time.Second,
		NotifyURL: w.mailbox.server.URL + "/api/v1/callbacks/stripe", ReturnURL: "https://tickets.example/orders/1?returned=1",
		Pay: func(t *testing.T, number string) { require.NoError(t, w.gateway.Pay(number)) },
		PayOther: func(t *testing.T, number string, captured ticketing.Money) {
			require.NoError(t, w.gateway.PayOther(number, captured.Amount, strings.ToLower(captured.Currency)))
		},
		Decline: func(t *testing.T, number string) { // a declined card leaves the page open; a bounced debit does not
			require.NoError(t, w.gateway.PayLater(number))
			require.NoError(t, w.gateway.Bounce(number))
		},
		Hesitate:     func(t *testing.T, number string) { require.NoError(t, w.gateway.PayLater(number)) },
		LoseAnswers:  func(*testing.T) func() { return w.faults(stripetest.Faults{Cut: true}) },
		GoDown:       func(*testing.T) func() { return w.faults(stripetest.Faults{Down: true}) },
		Hang:         func(*testing.T) func() { return w.faults(stripetest.Faults{Hang: true}) },
		EmptyBalance: func(*testing.T) func() { return w.faults(stripetest.Faults{LowBalance: true}) },
		TruncateBill: func(*testing.T) func() { return w.faults(stripetest.Faults{TruncateBill: true}) },
		Callbacks: func(t *testing.T, number string, n int) []paymenttest.Callback {
			return w.mailbox.about(t, "checkout.session.completed", number, n)
		},
		RefundCallback: func(t *testing.T, id string) paymenttest.Callback {
			return w.mailbox.about(t, "refund.updated", id, 1)[0]
		},
		Forge: func(t *testing.T, number string, how paymenttest.Forgery) paymenttest.Callback {
			return w.forge(t, number, how)
		},
		Forgeries: []paymenttest.Forgery{
			paymenttest.Tampered, paymenttest.OtherKey, paymenttest.Stale, paymenttest.OtherMerchant, paymenttest.Malformed,
		},
	}
}

func TestConformance(t *testing.T) { paymenttest.Run(t, newWorld(t).harness()) }

// quick does not hold requests against what Stripe publishes, for tests of many.
func quick(c *stripetest.Config) { c.Check = nil }
