package alipay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/alipay"
	"github.com/boxoffice/boxoffice/payment/alipay/alipaytest"
	"github.com/boxoffice/boxoffice/payment/paymenttest"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a gateway, a shop's mailbox for its callbacks, and the adapter between them.
type world struct {
	gateway  *alipaytest.Gateway
	provider *alipay.Provider
	mailbox  *mailbox

	mu  sync.Mutex
	ago time.Duration // how far the clock was put forward
}

// newWorld makes a world, after changes of its gateway's configuration.
func newWorld(t testing.TB, changes ...func(*alipaytest.Config)) *world {
	t.Helper()
	w := &world{mailbox: newMailbox(t)}
	config := alipaytest.Config{BillsAtOnce: true, Now: w.now, Retry: []time.Duration{10 * time.Millisecond}}
	for _, change := range changes {
		change(&config)
	}
	g, err := alipaytest.Open(config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, g.Close()) })
	w.gateway = g
	w.provider = w.newProvider(t)
	return w
}

// config is the configuration of an adapter for the gateway, whose connections end with the test.
func (w *world) config(t testing.TB) alipay.Config {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	c := w.gateway.Credentials()
	config := alipay.Config{
		AppID: c.AppID, SellerID: c.SellerID, Key: c.Key, Certificates: c.Certificate, AppCertificate: c.AppCertificate, Roots: c.Roots,
		URL: w.gateway.URL(), Timeout: time.Second, BillTimeout: time.Second, HTTPClient: &http.Client{Transport: transport}, Now: w.now,
	}
	if c.PublicKey != nil {
		config.PublicKeys = [][]byte{c.PublicKey}
	}
	return config
}

func (w *world) newProvider(t testing.TB, changes ...func(*alipay.Config)) *alipay.Provider {
	t.Helper()
	config := w.config(t)
	for _, change := range changes {
		change(&config)
	}
	p, err := alipay.New(config)
	require.NoError(t, err)
	return p
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.ago)
}

// wait lets time pass.
func (w *world) wait(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ago += d
}

func (w *world) order() payment.Order {
	return payment.Order{
		Number: ticketing.NewNumber(w.now()), Amount: cny(38_000), Description: "哈姆雷特 × 3", Language: "zh-CN",
		ExpiresAt: w.now().Add(10 * time.Minute).Truncate(time.Second), NotifyURL: w.mailbox.server.URL + "/api/v1/callbacks/alipay",
		ReturnURL: w.mailbox.server.URL + "/orders/1?returned=1",
	}
}

func cny(fen int64) ticketing.Money { return ticketing.Money{Amount: fen, Currency: "CNY"} }

// payer is the adapter with the payer behind it, who opens the page or reads the code at once and scans: before, the gateway knows no
// payment, and both together are what Create is at other gateways.
type payer struct {
	*alipay.Provider

	gateway *alipaytest.Gateway
}

func (p payer) Create(ctx context.Context, order payment.Order, method string) (payment.Checkout, error) {
	checkout, err := p.Provider.Create(ctx, order, method)
	if err == nil {
		err = look(ctx, checkout)
	}
	if errors.Is(err, payment.ErrRejected) {
		return checkout, err
	}
	// Even if nothing was heard of it: the gateway may have understood.
	if scanned := p.gateway.Scan(order.Number); err == nil && scanned != nil {
		err = fmt.Errorf("%w: %w", payment.ErrRejected, scanned)
	}
	return checkout, err
}

// look opens what a checkout leads to.
func look(ctx context.Context, checkout payment.Checkout) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	page, err := get(ctx, checkout.PayURL+checkout.QR)
	if err != nil {
		return fmt.Errorf("%w: %w", payment.ErrUnavailable, err)
	}
	if strings.Contains(page, `id="refused"`) {
		return fmt.Errorf("%w: %s", payment.ErrRejected, page)
	}
	return nil
}

// browser keeps no connections, and goes where it is sent.
var browser = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func get(ctx context.Context, address string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	response, err := browser.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return string(page), err
}

// opened creates a payment that the payer has scanned, and returns its order.
func (w *world) opened(t testing.TB) payment.Order {
	t.Helper()
	order := w.order()
	_, err := payer{w.provider, w.gateway}.Create(t.Context(), order, alipay.MethodQR)
	require.NoError(t, err)
	return order
}

// paid creates a payment and pays it.
func (w *world) paid(t testing.TB) payment.Status {
	t.Helper()
	order := w.opened(t)
	require.NoError(t, w.gateway.Pay(order.Number))
	status, err := w.provider.Query(t.Context(), order.Number)
	require.NoError(t, err)
	require.Equal(t, payment.StatePaid, status.State)
	return status
}

func (w *world) refund(paid payment.Status, fen int64) payment.Refund {
	return payment.Refund{
		ID: ticketing.NewNumber(w.now()), Number: paid.Number, GatewayID: paid.GatewayID, Amount: cny(fen), Total: paid.Captured, Reason: "test",
	}
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
	form, _ := url.ParseQuery(string(body))
	event := form.Get("notify_id") + form.Get("out_biz_no")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mail = append(m.mail, paymenttest.Callback{Header: r.Header.Clone(), Body: body})
	if !m.seen[event] {
		m.seen[event] = true
		_, _ = io.WriteString(w, "fail")
		return
	}
	_, _ = io.WriteString(w, "success")
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

// faults sets faults until restore is called.
func (w *world) faults(f alipaytest.Faults) (restore func()) {
	w.gateway.SetFaults(f)
	return func() { w.gateway.SetFaults(alipaytest.Faults{}) }
}

// forge makes a callback, genuine but for what a forgery changes.
func (w *world) forge(t testing.TB, number string, f alipaytest.Forgery) paymenttest.Callback {
	t.Helper()
	c, ok := w.gateway.Forge(number, f)
	require.True(t, ok)
	return paymenttest.Callback{Header: c.Header, Body: c.Body}
}

// forgery makes a callback that must not be believed.
func (w *world) forgery(t testing.TB, number string, how paymenttest.Forgery) paymenttest.Callback {
	t.Helper()
	var f alipaytest.Forgery
	switch how {
	case paymenttest.Tampered:
		f.After = func(form url.Values) { form.Set("total_amount", "0.01") }
	case paymenttest.OtherKey:
		var err error
		f.By, err = alipaytest.NewIdentity()
		require.NoError(t, err)
	case paymenttest.Stale:
		f.At = w.now().Add(-27 * time.Hour)
	case paymenttest.OtherMerchant:
		f.Before = func(m map[string]string) { m["seller_id"] = "2088000000000001" }
	case paymenttest.Malformed:
		f.Before = func(m map[string]string) { m["total_amount"] = "380.001" }
	}
	return w.forge(t, number, f)
}

func (w *world) harness(method string) paymenttest.Harness {
	return paymenttest.Harness{
		Provider: payer{w.provider, w.gateway}, Method: method, Currency: "CNY", Patience: 2 * time.Second,
		NotifyURL: w.mailbox.server.URL + "/api/v1/callbacks/alipay", ReturnURL: w.mailbox.server.URL + "/orders/1?returned=1",
		Pay: func(t *testing.T, number string) { require.NoError(t, w.gateway.Pay(number)) },
		PayOther: func(t *testing.T, number string, captured ticketing.Money) {
			require.NoError(t, w.gateway.PayOther(number, captured.Amount, captured.Currency))
		},
		// Decline, Hesitate: a payer may always try again, and the gateway never says that it does not know.
		LoseAnswers:  func(*testing.T) func() { return w.faults(alipaytest.Faults{Cut: true}) },
		GoDown:       func(*testing.T) func() { return w.faults(alipaytest.Faults{Down: true}) },
		Hang:         func(*testing.T) func() { return w.faults(alipaytest.Faults{Hang: true}) },
		EmptyBalance: func(*testing.T) func() { return w.faults(alipaytest.Faults{LowBalance: true}) },
		TruncateBill: func(*testing.T) func() { return w.faults(alipaytest.Faults{TruncateBill: true}) },
		Callbacks: func(t *testing.T, number string, n int) []paymenttest.Callback {
			return w.mailbox.about(t, "out_trade_no="+number, n)
		},
		RefundCallback: func(t *testing.T, id string) paymenttest.Callback { return w.mailbox.about(t, "out_biz_no="+id, 1)[0] },
		Forge: func(t *testing.T, number string, how paymenttest.Forgery) paymenttest.Callback {
			return w.forgery(t, number, how)
		},
		Forgeries: []paymenttest.Forgery{
			paymenttest.Tampered, paymenttest.OtherKey, paymenttest.Stale, paymenttest.OtherMerchant, paymenttest.Malformed,
		},
	}
}

func TestConformance(t *testing.T) {
	for name, certificates := range map[string]bool{"plain keys": false, "certificates": true} {
		for _, method := range []string{alipay.MethodPage, alipay.MethodQR} {
			t.Run(name+" "+method, func(t *testing.T) {
				w := newWorld(t, func(c *alipaytest.Config) { c.Certificates = certificates })
				paymenttest.Run(t, w.harness(method))
			})
		}
	}
}
