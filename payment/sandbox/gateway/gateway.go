package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/boxoffice/boxoffice/payment/sandbox"
)

// Config is what a gateway needs.
type Config struct {
	// Address is where to listen, host:port; port 0 takes a free one.
	Address string
	// PublicURL is how payers reach the gateway, without a path. Default "http://" and the address listened on.
	PublicURL string
	// Merchant is the one merchant it knows, Key verifies its requests.
	Merchant string
	Key      string
	// CallbackKeys sign callbacks, each with a signature of its own.
	CallbackKeys []string
	// File keeps the ledger. It survives the death of the process. One process at a time may have it open.
	File string
	// Retry are the pauses between deliveries of a callback; the last one repeats. Default 0.5 s to 1 min.
	Retry []time.Duration
	// Deliveries bounds how often a callback is sent. Default 24.
	Deliveries int
	// Now is the clock of expiry, signatures and records; delays are counted by the machine's own. Default time.Now.
	Now func() time.Time
	// Log hears of deliveries that fail and of what was paid. Default slog.Default().
	Log *slog.Logger
}

// Gateway is a running sandbox gateway.
type Gateway struct {
	config   Config
	log      *slog.Logger
	listener net.Listener
	server   *http.Server
	courier  *courier
	ledger   *ledger

	// ctx ends with Close; timers and deliveries end with it.
	ctx  context.Context
	stop context.CancelFunc
	busy sync.WaitGroup

	mu     sync.Mutex // guards everything below and the records of the ledger
	faults Faults
	toLose int // deliveries still to be lost
	calls  map[string]int
	// nonces were seen since turnedAt, before in the Freshness before that.
	nonces, before map[string]struct{}
	turnedAt       time.Time
}

// Open starts a gateway; when it returns without an error, it listens. The error says when the
// port is in use, the ledger is held by another process, or something required is missing.
func Open(config Config) (*Gateway, error) {
	if config.Merchant == "" || config.Key == "" || len(config.CallbackKeys) == 0 || config.File == "" {
		return nil, errors.New("sandbox gateway: merchant, key, callback key and file are required")
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.Default()
	}
	if len(config.Retry) == 0 {
		config.Retry = []time.Duration{
			500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second,
			10 * time.Second, 30 * time.Second, time.Minute,
		}
	}
	if config.Deliveries == 0 {
		config.Deliveries = 24
	}
	listener, err := net.Listen("tcp", config.Address)
	if err != nil {
		return nil, fmt.Errorf("sandbox gateway: %w", err)
	}
	config.PublicURL = strings.TrimSuffix(config.PublicURL, "/")
	if config.PublicURL == "" {
		config.PublicURL = "http://" + listener.Addr().String()
	}
	ledger, err := openLedger(config.File)
	if err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("sandbox gateway: %w", err)
	}
	g := &Gateway{
		config: config, log: config.Log, listener: listener, ledger: ledger,
		calls: map[string]int{}, nonces: map[string]struct{}{},
	}
	g.ctx, g.stop = context.WithCancel(context.Background())
	g.courier = newCourier(g)
	g.server = &http.Server{
		Handler:           g.routes(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      2 * time.Minute, // the slowest switch takes one
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(config.Log.Handler(), slog.LevelWarn),
	}
	g.resume()
	g.busy.Go(func() {
		if err := g.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			g.log.Error("the sandbox gateway stopped serving", "error", err)
		}
	})
	return g, nil
}

// Addr is the address listened on.
func (g *Gateway) Addr() string { return g.listener.Addr().String() }

// URL is how payers reach the gateway.
func (g *Gateway) URL() string { return g.config.PublicURL }

// Close stops the gateway. Callbacks that were not acknowledged are sent after the next Open.
func (g *Gateway) Close() error {
	g.stop()
	grace, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := g.server.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = g.server.Close()
	}
	g.busy.Wait()
	g.courier.client.CloseIdleConnections()
	return errors.Join(err, g.ledger.close())
}

func (g *Gateway) now() time.Time { return g.config.Now().UTC() }

// after runs what at a time, unless the gateway stops first.
func (g *Gateway) after(at time.Time, what func()) {
	g.busy.Go(func() {
		timer := time.NewTimer(at.Sub(g.now()))
		defer timer.Stop()
		select {
		case <-g.ctx.Done():
		case <-timer.C:
			what()
		}
	})
}

// resume takes up what was under way when the process last ended.
func (g *Gateway) resume() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range g.ledger.payments {
		if !p.CaptureAt.IsZero() {
			g.after(p.CaptureAt, func() { g.captureLater(p.Number) })
		}
	}
	for _, r := range g.ledger.refunds {
		if r.State == sandbox.RefundPending {
			g.after(r.SettleAt, func() { g.settleLater(r.ID) })
		}
	}
	for _, d := range g.ledger.deliveries {
		g.courier.send(d, 0)
	}
}
