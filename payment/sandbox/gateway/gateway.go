package gateway

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/boxoffice/boxoffice/payment/sandbox"
)

// Config is what a gateway needs.
type Config struct {
	// Address is where to listen, host:port; port 0 takes a free one.
	Address string
	// PublicURL is how payers reach the gateway. Default "http://" and the address listened on.
	PublicURL string
	// Merchant is the one merchant it knows, Key verifies its requests.
	Merchant string
	Key      string
	// CallbackKeys sign callbacks, each with a signature of its own.
	CallbackKeys []string
	// File keeps the ledger. It survives the death of the process.
	File string
	// Retry is the pauses between deliveries of a callback; the last one repeats. Default 0.5 s to 1 min.
	Retry []time.Duration
	// Deliveries bounds how often a callback is sent. Default 24.
	Deliveries int
	// Now is the clock. Default time.Now.
	Now func() time.Time
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

	mu       sync.Mutex // guards everything below and the records of the ledger
	faults   Faults
	calls    map[string]int
	nonces   map[string]time.Time
	forgotAt time.Time
}

// Open starts a gateway; when it returns nil, it listens.
func Open(config Config) (*Gateway, error) {
	if config.Merchant == "" || config.Key == "" || len(config.CallbackKeys) == 0 {
		return nil, errors.New("sandbox gateway: merchant, key and callback key are required")
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
		calls: map[string]int{}, nonces: map[string]time.Time{},
	}
	g.ctx, g.stop = context.WithCancel(context.Background())
	g.courier = newCourier(g)
	g.server = &http.Server{
		Handler:           g.routes(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
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
		if !p.CaptureAt.IsZero() && p.State != sandbox.Paid {
			g.after(p.CaptureAt, func() { g.captureLater(p.Number) })
		}
	}
	for _, d := range g.ledger.deliveries {
		g.courier.send(d, 0)
	}
}

// formToken guards the pages' forms against foreign sites.
func (g *Gateway) formToken(subject string) string {
	mac := hmac.New(sha256.New, []byte(g.config.Key))
	mac.Write([]byte("form\n" + subject))
	return hex.EncodeToString(mac.Sum(nil))
}
