package sandbox_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/boxoffice/boxoffice/payment/paymenttest"
	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	merchant    = "boxoffice-test"
	key         = "request-key-of-the-test"
	callbackKey = "callback-key-of-the-test"
)

// world is a gateway, a shop's mailbox for its callbacks, and the adapter between them.
type world struct {
	gateway  *gateway.Gateway
	control  *gateway.Control
	provider *sandbox.Provider
	mailbox  *mailbox
}

func newWorld(t testing.TB) *world {
	t.Helper()
	box := newMailbox(t)
	g, err := gateway.Open(gateway.Config{
		Address: "127.0.0.1:0", Merchant: merchant, Key: key, CallbackKeys: []string{callbackKey},
		File: filepath.Join(t.TempDir(), "gateway.db"), Retry: []time.Duration{10 * time.Millisecond},
		Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, g.Close()) })
	control := gateway.NewControl(g.URL(), merchant, key)
	t.Cleanup(control.Close)
	w := &world{gateway: g, control: control, mailbox: box}
	w.provider = newProvider(t, sandbox.Config{URL: g.URL(), Timeout: time.Second, CreateTimeout: time.Second})
	return w
}

// newProvider makes an adapter whose connections end with the test.
func newProvider(t testing.TB, c sandbox.Config) *sandbox.Provider {
	t.Helper()
	c.Merchant, c.Key, c.CallbackKeys = merchant, key, []string{callbackKey}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	c.HTTPClient = &http.Client{Transport: transport}
	provider, err := sandbox.New(c)
	require.NoError(t, err)
	return provider
}

// mailbox receives callbacks. It refuses each event's first delivery, so that there is always a second.
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
	var notice struct {
		EventID string `json:"event_id"`
	}
	_ = json.Unmarshal(body, &notice)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mail = append(m.mail, paymenttest.Callback{Header: r.Header.Clone(), Body: body})
	if !m.seen[notice.EventID] {
		m.seen[notice.EventID] = true
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, sandbox.Received)
}

// about waits for n callbacks that contain a text.
func (m *mailbox) about(t testing.TB, text string, n int) []paymenttest.Callback {
	t.Helper()
	var found []paymenttest.Callback
	require.Eventually(t, func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		found = nil
		for _, c := range m.mail {
			if bytes.Contains(c.Body, []byte(text)) {
				found = append(found, c)
			}
		}
		return len(found) >= n
	}, 10*time.Second, 5*time.Millisecond)
	return found[:n]
}

// faults sets switches until restore is called.
func (w *world) faults(t *testing.T, f gateway.Faults) (restore func()) {
	t.Helper()
	require.NoError(t, w.control.SetFaults(t.Context(), f))
	return func() { require.NoError(t, w.control.SetFaults(context.Background(), gateway.Faults{})) }
}

func (w *world) harness() paymenttest.Harness {
	forgeries := map[paymenttest.Forgery]gateway.Forgery{
		paymenttest.Tampered: gateway.ForgeTampered, paymenttest.OtherKey: gateway.ForgeSignature,
		paymenttest.Stale: gateway.ForgeStale, paymenttest.OtherMerchant: gateway.ForgeMerchant,
		paymenttest.Malformed: gateway.ForgeMalformed,
	}
	h := paymenttest.Harness{
		Provider: w.provider, Method: sandbox.MethodWallet, Currency: "CNY", Patience: 2 * time.Second,
		NotifyURL: w.mailbox.server.URL + "/api/v1/callbacks/sandbox", ReturnURL: w.mailbox.server.URL + "/orders/1",
		Pay: func(t *testing.T, number string) { require.NoError(t, w.control.Pay(t.Context(), number)) },
		PayOther: func(t *testing.T, number string, captured ticketing.Money) {
			defer w.faults(t, gateway.Faults{CaptureAmount: captured.Amount, CaptureCurrency: captured.Currency})()
			require.NoError(t, w.control.Pay(t.Context(), number))
		},
		Decline: func(t *testing.T, number string) { require.NoError(t, w.control.Decline(t.Context(), number)) },
		Hesitate: func(t *testing.T, number string) {
			require.NoError(t, w.control.Process(t.Context(), number, time.Hour))
		},
		LoseAnswers:  func(t *testing.T) func() { return w.faults(t, gateway.Faults{Cut: []string{"*"}}) },
		GoDown:       func(t *testing.T) func() { return w.faults(t, gateway.Faults{Down: []string{"*"}}) },
		Hang:         func(t *testing.T) func() { return w.faults(t, gateway.Faults{Hang: []string{"*"}}) },
		EmptyBalance: func(t *testing.T) func() { return w.faults(t, gateway.Faults{LowBalance: true}) },
		TruncateBill: func(t *testing.T) func() { return w.faults(t, gateway.Faults{WholeBill: gateway.BillTruncated}) },
		Callbacks: func(t *testing.T, number string, n int) []paymenttest.Callback {
			return w.mailbox.about(t, number, n)
		},
		RefundCallback: func(t *testing.T, id string) paymenttest.Callback { return w.mailbox.about(t, id, 1)[0] },
		Forge: func(t *testing.T, number string, how paymenttest.Forgery) paymenttest.Callback {
			w.mailbox.mu.Lock()
			before := len(w.mailbox.mail)
			w.mailbox.mu.Unlock()
			_, err := w.control.Forge(t.Context(), number, forgeries[how])
			require.NoError(t, err)
			w.mailbox.mu.Lock()
			defer w.mailbox.mu.Unlock()
			for _, c := range w.mailbox.mail[before:] {
				if strings.Contains(string(c.Body), number) {
					return c
				}
			}
			t.Fatal("the forged callback did not arrive")
			return paymenttest.Callback{}
		},
	}
	for how := range forgeries {
		h.Forgeries = append(h.Forgeries, how)
	}
	return h
}
