package unionpay_test

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
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/paymenttest"
	"github.com/boxoffice/boxoffice/payment/unionpay"
	"github.com/boxoffice/boxoffice/payment/unionpay/unionpaytest"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// authority is made once: its keys take a while.
var authority = sync.OnceValues(func() (*unionpaytest.Authority, error) { return unionpaytest.NewAuthority(time.Now()) })

// world is a gateway, a shop's mailbox for its callbacks, the adapter between them, and their clock.
type world struct {
	gateway  *unionpaytest.Gateway
	provider *unionpay.Provider
	config   unionpay.Config
	mailbox  *mailbox
	ahead    atomic.Int64
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

// wait lets time pass until the test ends.
func (w *world) wait(t *testing.T, d time.Duration) {
	t.Helper()
	before := w.ahead.Load()
	w.ahead.Store(before + int64(d))
	t.Cleanup(func() { w.ahead.Store(before) })
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{mailbox: newMailbox(t)}
	a, err := authority()
	require.NoError(t, err)
	w.gateway, err = unionpaytest.Open(unionpaytest.Config{
		Authority: a, Retry: []time.Duration{10 * time.Millisecond, 10 * time.Millisecond}, BillsAtOnce: true, Now: w.now,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.gateway.Close()) })
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	c := w.gateway.Credentials()
	w.config = unionpay.Config{
		Merchant: c.Merchant, PFX: c.PFX, PFXPassword: c.PFXPassword, Roots: c.Roots, Intermediates: c.Intermediates,
		URL: w.gateway.URL(), FileURL: w.gateway.URL(), RefundNotifyURL: w.mailbox.server.URL + "/api/v1/callbacks/unionpay",
		Timeout: time.Second, BillTimeout: time.Second, HTTPClient: &http.Client{Transport: transport}, Now: w.now,
	}
	w.provider = w.adapter(t, func(*unionpay.Config) {})
	return w
}

// adapter makes a provider from the world's configuration, changed.
func (w *world) adapter(t testing.TB, change func(*unionpay.Config)) *unionpay.Provider {
	t.Helper()
	c := w.config
	change(&c)
	p, err := unionpay.New(c)
	require.NoError(t, err)
	return p
}

// order is a new order that can be paid for ten minutes.
func (w *world) order() payment.Order {
	return payment.Order{
		Number: ticketing.NewNumber(w.now()), Amount: yuan(38_000), Description: "Conformance test", Language: "en",
		ExpiresAt: w.now().Add(10 * time.Minute).Truncate(time.Second), NotifyURL: w.mailbox.server.URL + "/api/v1/callbacks/unionpay",
		ReturnURL: w.mailbox.server.URL + "/orders/1?returned=1",
	}
}

func yuan(fen int64) ticketing.Money { return ticketing.Money{Amount: fen, Currency: "CNY"} }

// opened creates a payment whose page the payer has opened.
func (w *world) opened(t testing.TB) payment.Order {
	t.Helper()
	order := w.order()
	_, err := browser{w.provider}.Create(t.Context(), order, unionpay.MethodPage)
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
		ID: ticketing.NewNumber(w.now()), Number: paid.Number, GatewayID: paid.GatewayID, Amount: yuan(fen), Total: paid.Captured, Reason: "test",
	}
}

// browser is the adapter with the payer's browser behind it, which posts the form at once: the gateway hears of an order
// from nobody else, and both together are what Create is at other gateways.
type browser struct{ *unionpay.Provider }

func (b browser) Create(ctx context.Context, order payment.Order, method string) (payment.Checkout, error) {
	checkout, err := b.Provider.Create(ctx, order, method)
	if err != nil {
		return checkout, err
	}
	page, err := post(ctx, checkout)
	if err != nil {
		return checkout, fmt.Errorf("%w: %w", payment.ErrUnavailable, err)
	}
	if strings.Contains(page, `id="refused"`) {
		return checkout, fmt.Errorf("%w: %s", payment.ErrRejected, page)
	}
	return checkout, nil
}

// post does what a browser does with a checkout and returns the page it shows.
func post(ctx context.Context, checkout payment.Checkout) (string, error) {
	form := url.Values{}
	for name, value := range checkout.Form {
		form.Set(name, value)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, checkout.PayURL, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := client.Do(request)
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

// client keeps no connections: nothing has to be closed.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

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
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mail = append(m.mail, paymenttest.Callback{Header: r.Header.Clone(), Body: body})
	if !m.seen[string(body)] {
		m.seen[string(body)] = true
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ok")
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
func (w *world) faults(f unionpaytest.Faults) (restore func()) {
	w.gateway.SetFaults(f)
	return func() { w.gateway.SetFaults(unionpaytest.Faults{}) }
}

// forge makes a callback that must not be believed.
func (w *world) forge(t testing.TB, number string, how paymenttest.Forgery) paymenttest.Callback {
	t.Helper()
	var by *unionpaytest.Identity
	var before, after func(map[string]string)
	switch how {
	case paymenttest.Tampered:
		after = func(m map[string]string) { m["txnAmt"], m["settleAmt"] = "1", "1" }
	case paymenttest.OtherKey: // the same name, of an authority nobody knows
		by = stranger(t)
	case paymenttest.Stale: // messages do not say when they were sent; a certificate that has expired does
		a, err := authority()
		require.NoError(t, err)
		by, err = a.Issue(unionpaytest.SignerCommonName, time.Now().Add(-48*time.Hour), time.Now().Add(-time.Minute))
		require.NoError(t, err)
	case paymenttest.OtherMerchant:
		before = func(m map[string]string) { m["merId"] = "777290058110097" }
	case paymenttest.Malformed:
		before = func(m map[string]string) { m["txnAmt"] = "380.00" }
	}
	c, ok := w.gateway.Forge(number, by, before, after)
	require.True(t, ok)
	return paymenttest.Callback{Header: c.Header, Body: c.Body}
}

func stranger(t testing.TB) *unionpaytest.Identity {
	t.Helper()
	other, err := unionpaytest.NewAuthority(time.Now())
	require.NoError(t, err)
	by, err := other.Issue(unionpaytest.SignerCommonName, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	require.NoError(t, err)
	return by
}

func (w *world) harness() paymenttest.Harness {
	end := func(t *testing.T, _ string) { w.wait(t, 11*time.Minute) }
	return paymenttest.Harness{
		Provider: browser{w.provider}, Method: unionpay.MethodPage, Currency: "CNY", Patience: 2 * time.Second,
		NotifyURL: w.mailbox.server.URL + "/api/v1/callbacks/unionpay", ReturnURL: w.mailbox.server.URL + "/orders/1?returned=1",
		Pay: func(t *testing.T, number string) { require.NoError(t, w.gateway.Pay(number)) },
		PayOther: func(t *testing.T, number string, captured ticketing.Money) {
			code := map[string]string{"CNY": "156", "EUR": "978"}[captured.Currency]
			require.NoError(t, w.gateway.PayOther(number, captured.Amount, code))
		},
		Decline: func(t *testing.T, number string) { // final only when the page no longer takes another card
			require.NoError(t, w.gateway.Decline(number, "64"))
			end(t, number)
		},
		Hesitate:     func(t *testing.T, number string) { require.NoError(t, w.gateway.Hesitate(number, "04")) },
		Expire:       end,
		LoseAnswers:  func(*testing.T) func() { return w.faults(unionpaytest.Faults{Cut: true}) },
		GoDown:       func(*testing.T) func() { return w.faults(unionpaytest.Faults{Down: true}) },
		Hang:         func(*testing.T) func() { return w.faults(unionpaytest.Faults{Hang: true}) },
		TruncateBill: func(*testing.T) func() { return w.faults(unionpaytest.Faults{TruncateBill: true}) },
		Callbacks: func(t *testing.T, number string, n int) []paymenttest.Callback {
			return w.mailbox.about(t, "orderId="+number, n)
		},
		RefundCallback: func(t *testing.T, id string) paymenttest.Callback { return w.mailbox.about(t, "orderId="+id, 1)[0] },
		Forge: func(t *testing.T, number string, how paymenttest.Forgery) paymenttest.Callback {
			return w.forge(t, number, how)
		},
		Forgeries: []paymenttest.Forgery{
			paymenttest.Tampered, paymenttest.OtherKey, paymenttest.Stale, paymenttest.OtherMerchant, paymenttest.Malformed,
		},
	}
}

func TestConformance(t *testing.T) { paymenttest.Run(t, newWorld(t).harness()) }
