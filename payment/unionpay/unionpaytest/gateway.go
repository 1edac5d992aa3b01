package unionpaytest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"sync"
	"time"
)

// Config is what a gateway needs; its zero value opens one on a free port.
type Config struct {
	// Address is where to listen, host:port. Default 127.0.0.1:0.
	Address string
	// Merchant is the one merchant it knows, 15 digits. Default "777290058110048", as in UnionPay's examples.
	Merchant string
	// Authority issues every certificate. Default: a new one.
	Authority *Authority
	// Retry are the pauses between deliveries of a callback. Default: UnionPay's, 1, 2, 4, 8 and 16 minutes.
	Retry []time.Duration
	// BillsAtOnce has the file of a day while the day goes on. Default: from nine in the morning after it.
	BillsAtOnce bool
	// RefundTakes is how long after its acceptance a refund is made. Default: at once.
	RefundTakes time.Duration
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Log hears of deliveries that fail. Default: nobody.
	Log *slog.Logger
}

// Credentials are what UnionPay and its authority give a merchant.
type Credentials struct {
	Merchant string
	// PFX holds Certificate and Key, opened by PFXPassword.
	PFX              []byte
	PFXPassword      string
	Certificate, Key []byte
	// Roots and Intermediates verify the gateway's messages.
	Roots, Intermediates []byte
}

// Gateway is a running gateway.
type Gateway struct {
	config      Config
	credentials Credentials
	merchantKey *rsa.PublicKey
	merchantID  string // the serial number of the merchant's certificate
	server      *http.Server
	url         string
	courier     *http.Client
	stop        context.CancelFunc
	stopped     context.Context
	busy        sync.WaitGroup

	mu       sync.Mutex
	signer   *Identity
	faults   Faults
	restored chan struct{} // closed when the faults change
	payments map[string]*Payment
	cashiers map[string]*Payment
	refunds  map[string]*Refund
	moved    []movement
	asked    map[string]int
	sequence int
}

// Open starts a gateway. It returns an error when the port is taken or a key cannot be made.
func Open(config Config) (*Gateway, error) {
	if config.Address == "" {
		config.Address = "127.0.0.1:0"
	}
	if config.Merchant == "" {
		config.Merchant = "777290058110048"
	}
	if config.Retry == nil {
		config.Retry = []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute}
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	g := &Gateway{
		config: config, restored: make(chan struct{}), payments: map[string]*Payment{}, cashiers: map[string]*Payment{},
		refunds: map[string]*Refund{}, asked: map[string]int{},
	}
	if err := g.equip(); err != nil {
		return nil, fmt.Errorf("unionpaytest: %w", err)
	}
	listener, err := net.Listen("tcp", config.Address)
	if err != nil {
		return nil, fmt.Errorf("unionpaytest: %w", err)
	}
	g.url = "http://" + listener.Addr().String()
	g.courier = &http.Client{Timeout: 10 * time.Second, Transport: http.DefaultTransport.(*http.Transport).Clone()}
	g.stopped, g.stop = context.WithCancel(context.Background())
	g.server = &http.Server{Handler: g.handler(), ReadHeaderTimeout: 5 * time.Second}
	g.busy.Go(func() {
		if err := g.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			config.Log.Error("unionpaytest stopped", "error", err)
		}
	})
	return g, nil
}

// equip makes the certificates of the gateway and of its merchant.
func (g *Gateway) equip() error {
	now := g.config.Now()
	var err error
	if g.config.Authority == nil {
		if g.config.Authority, err = NewAuthority(now); err != nil {
			return err
		}
	}
	if g.signer, err = g.Signer(); err != nil {
		return err
	}
	merchant, err := g.config.Authority.Issue("051@BOXOFFICE@N"+g.config.Merchant+"@00000001", now.Add(-24*time.Hour), now.Add(2*365*24*time.Hour))
	if err != nil {
		return err
	}
	g.merchantKey, g.merchantID = &merchant.Key.PublicKey, merchant.Certificate.SerialNumber.String()
	c := Credentials{
		Merchant: g.config.Merchant, PFXPassword: "000000", Certificate: merchant.PEM(),
		Roots: g.config.Authority.Roots(), Intermediates: g.config.Authority.Intermediates(),
	}
	if c.Key, err = merchant.KeyPEM(); err != nil {
		return err
	}
	c.PFX, err = merchant.PFX(c.PFXPassword)
	g.credentials = c
	return err
}

// Signer makes another certificate with which the gateway may sign.
func (g *Gateway) Signer() (*Identity, error) {
	now := g.config.Now()
	return g.config.Authority.Issue(SignerCommonName, now.Add(-365*24*time.Hour), now.Add(365*24*time.Hour))
}

// Rotate signs with another certificate from now on.
func (g *Gateway) Rotate(signer *Identity) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.signer = signer
}

// URL is the origin of the gateway, and of its files, too.
func (g *Gateway) URL() string { return g.url }

// Credentials are the merchant's.
func (g *Gateway) Credentials() Credentials { return g.credentials }

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

func (g *Gateway) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /gateway/api/frontTransReq.do", g.troubled(g.front))
	mux.HandleFunc("POST /gateway/api/backTransReq.do", g.troubled(g.spoken(refundRules, g.refund)))
	mux.HandleFunc("POST /gateway/api/queryTrans.do", g.troubled(g.spoken(queryRules, g.query)))
	mux.HandleFunc("POST /{$}", g.troubled(g.spoken(fileRules, g.file)))
	mux.HandleFunc("GET /cashier/{token}", g.troubled(g.cashier))
	mux.HandleFunc("POST /cashier/{token}/{step}", g.troubled(g.press))
	return mux
}

// newID is an id of the gateway's own: 21 digits, as queryId has.
func (g *Gateway) newID(at time.Time) string {
	g.sequence++
	random, _ := rand.Int(rand.Reader, big.NewInt(1e5)) // never fails: the program ends first
	return fmt.Sprintf("%s%05d%06d", at.In(beijing).Format("0601021504"), random, g.sequence%1e6)
}
