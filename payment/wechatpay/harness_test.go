package wechatpay_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/paymenttest"
	"github.com/boxoffice/boxoffice/payment/wechatpay"
	"github.com/boxoffice/boxoffice/payment/wechatpay/wechatpaytest"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a gateway, a shop's mailbox for its callbacks, the adapter between them, and their clock.
type world struct {
	gateway  *wechatpaytest.Gateway
	provider *wechatpay.Provider
	config   wechatpay.Config
	mailbox  *mailbox
	ahead    atomic.Int64
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{}
	var err error
	w.gateway, err = wechatpaytest.Open(wechatpaytest.Config{
		Retry: []time.Duration{10 * time.Millisecond, 10 * time.Millisecond}, BillsAtOnce: true, Now: w.now,
	})
	require.NoError(t, err)
	w.mailbox = newMailbox(t)
	t.Cleanup(func() { require.NoError(t, w.gateway.Close()) })
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	c := w.gateway.Credentials()
	w.config = wechatpay.Config{
		Merchant: c.Merchant, AppID: c.AppID, Key: c.Key, Serial: c.Serial, APIv3Key: c.APIv3Key, PublicKeys: c.PublicKeys,
		URL: w.gateway.URL(), RefundNotifyURL: w.mailbox.server.URL + "/api/v1/callbacks/wechatpay",
		Timeout: time.Second, BillTimeout: time.Second, HTTPClient: &http.Client{Transport: transport}, Now: w.now,
	}
	w.provider = w.adapter(t, func(*wechatpay.Config) {})
	w.mailbox.read = w.provider
	return w
}

// adapter makes a provider from the world's configuration, changed.
func (w *world) adapter(t testing.TB, change func(*wechatpay.Config)) *wechatpay.Provider {
	t.Helper()
	c := w.config
	change(&c)
	p, err := wechatpay.New(c)
	require.NoError(t, err)
	return p
}

func yuan(fen int64) ticketing.Money { return ticketing.Money{Amount: fen, Currency: "CNY"} }

// order is a new order that can be paid for ten minutes.
func (w *world) order() payment.Order {
	return payment.Order{
		Number: ticketing.NewNumber(w.now()), Amount: yuan(38_000), Description: "Conformance test", Language: "zh-CN",
		ExpiresAt: w.now().Add(10 * time.Minute).Truncate(time.Second), NotifyURL: w.mailbox.server.URL + "/api/v1/callbacks/wechatpay",
		ReturnURL: w.mailbox.server.URL + "/orders/1?returned=1",
	}
}

func (w *world) created(t testing.TB) payment.Order {
	t.Helper()
	order := w.order()
	_, err := w.provider.Create(t.Context(), order, wechatpay.MethodNative)
	require.NoError(t, err)
	return order
}

// paid creates a payment and pays it.
func (w *world) paid(t testing.TB) payment.Status {
	t.Helper()
	order := w.created(t)
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

// letter is a callback and what it is about.
type letter struct {
	paymenttest.Callback
	about string
}

// mailbox receives callbacks. It refuses each event's first delivery, so that there is always a second.
type mailbox struct {
	server *httptest.Server
	read   *wechatpay.Provider
	mu     sync.Mutex
	mail   []letter
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
	notice, err := m.read.ParseCallback(r.Header, body, time.Now())
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mail = append(m.mail, letter{paymenttest.Callback{Header: r.Header.Clone(), Body: body}, notice.Payment.Number + notice.Refund.ID})
	if !m.seen[notice.EventID] {
		m.seen[notice.EventID] = true
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	status, kind, answer := m.read.Acknowledge()
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

// about waits for n callbacks about a number or refund.
func (m *mailbox) about(t testing.TB, id string, n int) []paymenttest.Callback {
	t.Helper()
	var found []paymenttest.Callback
	require.Eventually(t, func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		found = nil
		for _, l := range m.mail {
			if l.about == id {
				found = append(found, l.Callback)
			}
		}
		return len(found) >= n
	}, 10*time.Second, 5*time.Millisecond)
	return found[:n]
}

// faults sets faults until restore is called.
func (w *world) faults(f wechatpaytest.Faults) (restore func()) {
	w.gateway.SetFaults(f)
	return func() { w.gateway.SetFaults(wechatpaytest.Faults{}) }
}

// forge makes a callback that must not be believed.
func (w *world) forge(t testing.TB, number string, how paymenttest.Forgery) paymenttest.Callback {
	t.Helper()
	var f wechatpaytest.Forgery
	switch how {
	case paymenttest.Tampered:
	case paymenttest.OtherKey:
		f.By = w.stranger(t)
	case paymenttest.Stale:
		f.At = w.now().Add(-6 * time.Minute)
	case paymenttest.OtherMerchant:
		f.Content = func(c map[string]any) { c["mchid"] = "1900000110" }
	case paymenttest.Malformed:
		f.Content = func(c map[string]any) { c["amount"] = "380.00" }
	}
	c, ok := w.gateway.Forge(number, f)
	require.True(t, ok)
	if how == paymenttest.Tampered {
		var envelope map[string]any
		require.NoError(t, json.Unmarshal(c.Body, &envelope))
		envelope["id"] = "another"
		var err error
		c.Body, err = json.Marshal(envelope)
		require.NoError(t, err)
	}
	return paymenttest.Callback{Header: c.Header, Body: c.Body}
}

// stranger signs under the id of the gateway's key with another.
func (w *world) stranger(t testing.TB) *wechatpaytest.Identity {
	t.Helper()
	other, err := wechatpaytest.NewIdentity()
	require.NoError(t, err)
	for id := range w.config.PublicKeys {
		other.ID = id
	}
	return other
}

func (w *world) harness() paymenttest.Harness {
	return paymenttest.Harness{
		Provider: w.provider, Method: wechatpay.MethodNative, Currency: "CNY", Patience: 2 * time.Second,
		NotifyURL: w.mailbox.server.URL + "/api/v1/callbacks/wechatpay", ReturnURL: w.mailbox.server.URL + "/orders/1?returned=1",
		Pay: func(t *testing.T, number string) { require.NoError(t, w.gateway.Pay(number)) },
		PayOther: func(t *testing.T, number string, captured ticketing.Money) {
			require.NoError(t, w.gateway.PayOther(number, captured.Amount, captured.Currency))
		},
		Decline:      func(t *testing.T, number string) { require.NoError(t, w.gateway.Decline(number)) },
		Hesitate:     func(t *testing.T, number string) { require.NoError(t, w.gateway.Hesitate(number)) },
		LoseAnswers:  func(*testing.T) func() { return w.faults(wechatpaytest.Faults{Cut: true}) },
		GoDown:       func(*testing.T) func() { return w.faults(wechatpaytest.Faults{Down: true}) },
		Hang:         func(*testing.T) func() { return w.faults(wechatpaytest.Faults{Hang: true}) },
		EmptyBalance: func(*testing.T) func() { return w.faults(wechatpaytest.Faults{LowBalance: true}) },
		TruncateBill: func(*testing.T) func() { return w.faults(wechatpaytest.Faults{TruncateBill: true}) },
		Callbacks: func(t *testing.T, number string, n int) []paymenttest.Callback {
			return w.mailbox.about(t, number, n)
		},
		RefundCallback: func(t *testing.T, id string) paymenttest.Callback { return w.mailbox.about(t, id, 1)[0] },
		Forge: func(t *testing.T, number string, how paymenttest.Forgery) paymenttest.Callback {
			return w.forge(t, number, how)
		},
		Forgeries: []paymenttest.Forgery{
			paymenttest.Tampered, paymenttest.OtherKey, paymenttest.Stale, paymenttest.OtherMerchant, paymenttest.Malformed,
		},
	}
}

func TestConformance(t *testing.T) { paymenttest.Run(t, newWorld(t).harness()) }
