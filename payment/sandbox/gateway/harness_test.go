package gateway_test

import (
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/ticketing"
)

const (
	merchant = "boxoffice-test"
	key      = "request-key-of-the-test"
)

func TestMain(m *testing.M) {
	if serveChild() {
		return
	}
	goleak.VerifyTestMain(m)
}

// clock is the gateway's; tests move it on.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// settings are those of a gateway for tests.
func settings(t testing.TB) gateway.Config {
	return gateway.Config{
		Address: "127.0.0.1:0", Merchant: merchant, Key: key, CallbackKeys: []string{"callback-key"},
		File: filepath.Join(t.TempDir(), "ledger", "gateway.db"), Retry: []time.Duration{5 * time.Millisecond},
		Log: slog.New(slog.DiscardHandler),
	}
}

// sandboxed is a gateway under test, with the means of its merchant.
type sandboxed struct {
	*gateway.Gateway
	*clock
	t       *testing.T
	url     string
	control *gateway.Control
	client  *http.Client
}

func open(t *testing.T, config gateway.Config) *sandboxed {
	t.Helper()
	c := &clock{}
	if config.Now == nil {
		config.Now = c.now
	}
	g, err := gateway.Open(config)
	require.NoError(t, err)
	s := &sandboxed{Gateway: g, clock: c, t: t, url: g.URL()}
	s.connect()
	t.Cleanup(func() { _ = g.Close() })
	return s
}

func (s *sandboxed) connect() {
	s.control = gateway.NewControl(s.URL(), merchant, key)
	s.control.Now = s.now
	s.t.Cleanup(s.control.Close)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	s.t.Cleanup(transport.CloseIdleConnections)
	s.client = &http.Client{Transport: transport}
}

func number() string { return "T" + rand.Text()[:25] }

func (s *sandboxed) order() sandbox.Order {
	return sandbox.Order{
		Number: number(), Amount: ticketing.Money{Amount: 38000, Currency: "CNY"}, Method: sandbox.MethodWallet,
		Description: "Two tickets", ExpiresAt: s.now().Add(10 * time.Minute).UTC().Truncate(time.Second),
		NotifyURL: "http://127.0.0.1:9/callbacks", ReturnURL: "http://shop.example/orders/1",
	}
}

type reply struct {
	status int
	code   string
	body   []byte
}

// send sends a request, signed unless alter says otherwise.
func (s *sandboxed) send(method, path, body string, alter func(*http.Request)) reply {
	s.t.Helper()
	request, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	require.NoError(s.t, err)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	sandbox.SignRequest(request, merchant, key, []byte(body), s.now())
	if alter != nil {
		alter(request)
	}
	response, err := s.client.Do(request)
	require.NoError(s.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	var failure sandbox.Failure
	if response.StatusCode != http.StatusOK {
		require.NoError(s.t, json.Unmarshal(text, &failure), "%d %s", response.StatusCode, text)
	}
	return reply{response.StatusCode, failure.Code, text}
}

func (s *sandboxed) create(o sandbox.Order) reply {
	s.t.Helper()
	body, err := json.Marshal(o)
	require.NoError(s.t, err)
	return s.send(http.MethodPost, "/v1/payments", string(body), nil)
}

func (s *sandboxed) created(o sandbox.Order) sandbox.Payment {
	s.t.Helper()
	r := s.create(o)
	require.Equal(s.t, http.StatusOK, r.status, "%s", r.body)
	var made sandbox.Payment
	require.NoError(s.t, json.Unmarshal(r.body, &made))
	return made
}

func (s *sandboxed) close(number string) (sandbox.Payment, error) {
	r := s.send(http.MethodPost, "/v1/payments/"+number+"/close", "", nil)
	var p sandbox.Payment
	return p, json.Unmarshal(r.body, &p)
}

func (s *sandboxed) refund(o sandbox.RefundOrder) reply {
	s.t.Helper()
	body, err := json.Marshal(o)
	require.NoError(s.t, err)
	return s.send(http.MethodPost, "/v1/refunds", string(body), nil)
}

func (s *sandboxed) books() gateway.Books {
	s.t.Helper()
	books, err := s.control.Books(s.t.Context())
	require.NoError(s.t, err)
	return books
}

// payment is how the gateway's ledger has it, which no question has touched.
func (s *sandboxed) payment(number string) gateway.Payment {
	s.t.Helper()
	for _, p := range s.books().Payments {
		if p.Number == number {
			return p
		}
	}
	s.t.Fatalf("no payment %s in the books", number)
	return gateway.Payment{}
}

func (s *sandboxed) eventually(done func() bool) {
	s.t.Helper()
	eventually(s.t, done)
}

// eventually asks in the test's own goroutine, so that what done requires ends the test.
func eventually(t *testing.T, done func() bool) {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(10 * time.Second); !done(); <-again.C {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen in time")
		}
	}
}

// shop receives callbacks and answers as told.
type shop struct {
	server *httptest.Server
	answer atomic.Value // func(http.ResponseWriter)
	mu     sync.Mutex
	got    []sandbox.Notice
	bodies []string
	header []http.Header
}

func received(w http.ResponseWriter) { _, _ = io.WriteString(w, sandbox.Received) }

func newShop(t *testing.T) *shop {
	s := &shop{}
	s.answer.Store(received)
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		var n sandbox.Notice
		_ = json.Unmarshal(body, &n)
		s.mu.Lock()
		s.got, s.bodies, s.header = append(s.got, n), append(s.bodies, string(body)), append(s.header, r.Header.Clone())
		s.mu.Unlock()
		s.answer.Load().(func(http.ResponseWriter))(w)
	}))
	t.Cleanup(s.server.Close)
	return s
}

func (s *shop) notices() []sandbox.Notice {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]sandbox.Notice(nil), s.got...)
}
