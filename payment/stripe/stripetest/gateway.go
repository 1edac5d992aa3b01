package stripetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Config says how the stand-in behaves. The zero value is a test account in the United States.
type Config struct {
	// Address to listen on. Default: a free port of 127.0.0.1.
	Address string
	// SecretKey and WebhookSecret are made up unless given. A key that begins with sk_live_ makes a live account.
	SecretKey     string
	WebhookSecret string
	// Account is the connected account that requests have to name (Stripe-Account); empty: none may.
	Account string
	// Settles is the currency of the balance, in small letters; empty: each payment settles in its own.
	Settles string
	// FeeBasisPoints and FeeFixed are what is kept of a payment (default 290 and 30), DisputeFee of a dispute (default 1500).
	FeeBasisPoints, FeeFixed, DisputeFee int64
	// Retry says how long to wait before each repeat of an event that was not acknowledged. Default: 200 ms, 1 s, 5 s.
	Retry []time.Duration
	// Check looks at every request of a program before it is answered; what it objects to is answered with status 400.
	Check func(r *http.Request, body []byte) error
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Log tells of events nobody acknowledged. Default: nothing.
	Log *slog.Logger
}

// Credentials are what a merchant needs.
type Credentials struct {
	SecretKey     string
	WebhookSecret string
}

// Gateway is Stripe on one port: the API, its payment page, and the sender of its events.
type Gateway struct {
	config   Config
	live     bool
	url      string
	server   *http.Server
	courier  *http.Client
	busy     sync.WaitGroup
	stopped  context.Context
	stop     context.CancelFunc
	listened net.Listener

	mu        sync.Mutex
	sessions  []*session
	refunds   []*refund
	disputes  []*dispute
	movements []*movement
	events    []*event
	endpoints []*endpoint
	answers   map[string]*kept
	asked     map[string]int
	faults    Faults
	restored  chan struct{}
}

// Open starts a gateway.
func Open(config Config) (*Gateway, error) {
	if config.Address == "" {
		config.Address = "127.0.0.1:0"
	}
	if config.SecretKey == "" {
		config.SecretKey = "sk_test_" + random()
	}
	if config.WebhookSecret == "" {
		config.WebhookSecret = "whsec_" + random()
	}
	if config.FeeBasisPoints == 0 && config.FeeFixed == 0 {
		config.FeeBasisPoints, config.FeeFixed = 290, 30
	}
	if config.DisputeFee == 0 {
		config.DisputeFee = 1500
	}
	if config.Retry == nil {
		config.Retry = []time.Duration{200 * time.Millisecond, time.Second, 5 * time.Second}
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	listened, err := net.Listen("tcp", config.Address)
	if err != nil {
		return nil, err
	}
	g := &Gateway{
		config: config, live: isLive(config.SecretKey), url: "http://" + listened.Addr().String(), listened: listened,
		courier: &http.Client{
			Timeout: 10 * time.Second, Transport: &http.Transport{},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		answers: map[string]*kept{}, asked: map[string]int{}, restored: make(chan struct{}),
		endpoints: []*endpoint{{ID: "we_" + random(), secrets: []string{config.WebhookSecret}}},
	}
	g.stopped, g.stop = context.WithCancel(context.Background())
	g.server = &http.Server{Handler: g.handler(), ReadHeaderTimeout: 5 * time.Second}
	g.busy.Go(func() { _ = g.server.Serve(listened) })
	return g, nil
}

// URL is the origin of the API and of the payment page.
func (g *Gateway) URL() string { return g.url }

// Credentials are the merchant's.
func (g *Gateway) Credentials() Credentials {
	return Credentials{SecretKey: g.config.SecretKey, WebhookSecret: g.config.WebhookSecret}
}

// Notify sends every event to an address from now on, signed with the credentials' secret. Stripe's are told of it in the
// dashboard, or with POST /v1/webhook_endpoints, which adds others.
func (g *Gateway) Notify(address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.endpoints[0].URL = address
}

// Rotate adds a second signing secret: events are signed with both until Retire.
func (g *Gateway) Rotate() (secret string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	secret = "whsec_" + random()
	g.endpoints[0].secrets = append(g.endpoints[0].secrets, secret)
	return secret
}

// Retire forgets the oldest signing secret.
func (g *Gateway) Retire() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if e := g.endpoints[0]; len(e.secrets) > 1 {
		e.secrets = e.secrets[1:]
	}
}

// Close ends the gateway and waits until nothing of it runs.
func (g *Gateway) Close() error {
	g.stop()
	patience, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := g.server.Shutdown(patience)
	if err != nil {
		err = g.server.Close()
	}
	g.busy.Wait()
	g.courier.CloseIdleConnections()
	return err
}

// now is the clock in whole seconds, as Stripe's is.
func (g *Gateway) now() int64 { return g.config.Now().Unix() }

// newID is an id of Stripe's form.
func (g *Gateway) newID(prefix string) string {
	return prefix + "_" + random()
}

func (g *Gateway) newSessionID() string {
	mode := "test"
	if g.live {
		mode = "live"
	}
	return fmt.Sprintf("cs_%s_a1%s", mode, random()+random())
}

func random() string { return rand.Text()[:24] }

func isLive(key string) bool {
	return strings.HasPrefix(key, "sk_live_") || strings.HasPrefix(key, "rk_live_")
}
