package alipaytest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"sync"
	"time"
)

var beijing = time.FixedZone("UTC+8", 8*60*60)

// Config is what a gateway needs; its zero value opens one on a free port.
type Config struct {
	// Address is where to listen, host:port. Default 127.0.0.1:0.
	Address string
	// AppID is the one application it knows, SellerID the account that is paid. Default "2021000122671080" and "2088531891668739".
	AppID    string
	SellerID string
	// Certificates makes the application one that uses certificates. Default: plain keys.
	Certificates bool
	// Retry are the pauses between deliveries of a callback. Default: those of Alipay, from 4 minutes to 15 hours.
	Retry []time.Duration
	// BillsAtOnce has the bill of a day while the day goes on. Default: from nine in the morning after it.
	BillsAtOnce bool
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Log hears of deliveries that fail. Default: nobody.
	Log *slog.Logger
}

// Credentials are what Alipay gives a merchant, and the merchant's own.
type Credentials struct {
	AppID, SellerID string
	// Key is the merchant's in PEM.
	Key []byte
	// PublicKey is the gateway's in PEM; empty where certificates are used.
	PublicKey []byte
	// Certificate is the gateway's, AppCertificate the merchant's, Roots those that issued them; empty where plain keys are used.
	Certificate, AppCertificate, Roots []byte
}

// Gateway is a running gateway.
type Gateway struct {
	config      Config
	credentials Credentials
	merchant    *Identity
	root        *Identity
	server      *http.Server
	url         string
	courier     *http.Client
	stop        context.CancelFunc
	stopped     context.Context
	busy        sync.WaitGroup

	mu       sync.Mutex
	signer   *Identity
	faults   Faults
	restored chan struct{}     // closed when the faults change
	offers   map[string]*offer // by token
	latest   map[string]*offer // by number
	trades   map[string]*Trade // by number
	moved    []movement
	bills    map[string][]byte
	asked    map[string]int
	sequence int
}

// Open starts a gateway. It returns an error when the port is taken or a key cannot be made.
func Open(config Config) (*Gateway, error) {
	if config.Address == "" {
		config.Address = "127.0.0.1:0"
	}
	if config.AppID == "" {
		config.AppID = "2021000122671080"
	}
	if config.SellerID == "" {
		config.SellerID = "2088531891668739"
	}
	if config.Retry == nil {
		config.Retry = []time.Duration{4 * time.Minute, 10 * time.Minute, 10 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 15 * time.Hour}
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	g := &Gateway{
		config: config, restored: make(chan struct{}), offers: map[string]*offer{}, latest: map[string]*offer{}, trades: map[string]*Trade{},
		bills: map[string][]byte{}, asked: map[string]int{},
	}
	if err := g.equip(); err != nil {
		return nil, fmt.Errorf("alipaytest: %w", err)
	}
	listener, err := net.Listen("tcp", config.Address)
	if err != nil {
		return nil, fmt.Errorf("alipaytest: %w", err)
	}
	g.url = "http://" + listener.Addr().String()
	g.courier = &http.Client{Timeout: 10 * time.Second, Transport: http.DefaultTransport.(*http.Transport).Clone()}
	g.stopped, g.stop = context.WithCancel(context.Background())
	g.server = &http.Server{Handler: g.handler(), ReadHeaderTimeout: 5 * time.Second}
	g.busy.Go(func() {
		if err := g.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			config.Log.Error("alipaytest stopped", "error", err)
		}
	})
	return g, nil
}

// equip makes the keys of the gateway and of its merchant.
func (g *Gateway) equip() error {
	var err error
	if g.merchant, err = NewIdentity(); err != nil {
		return err
	}
	g.credentials = Credentials{AppID: g.config.AppID, SellerID: g.config.SellerID, Key: g.merchant.KeyPEM()}
	now := g.config.Now()
	if g.config.Certificates {
		if g.root, err = NewIdentity(); err != nil {
			return err
		}
		if err = g.root.issue(nil, "Ant Financial Certification Authority R1", now.Add(-24*time.Hour), now.AddDate(20, 0, 0)); err != nil {
			return err
		}
		if err = g.merchant.issue(g.root, g.config.AppID, now.Add(-time.Hour), now.AddDate(5, 0, 0)); err != nil {
			return err
		}
		g.credentials.AppCertificate, g.credentials.Roots = g.merchant.PEM(), g.root.PEM()
	}
	if g.signer, err = g.Signer(now.Add(-time.Hour), now.AddDate(5, 0, 0)); err != nil {
		return err
	}
	if g.config.Certificates {
		g.credentials.Certificate = g.signer.PEM()
	} else {
		g.credentials.PublicKey = g.signer.PEM()
	}
	return nil
}

// Signer makes another key with which the gateway may sign, and where certificates are used one that is valid between two moments.
func (g *Gateway) Signer(from, until time.Time) (*Identity, error) {
	i, err := NewIdentity()
	if err == nil && g.config.Certificates {
		err = i.issue(g.root, "支付宝(中国)网络技术有限公司-"+g.config.SellerID, from, until)
	}
	return i, err
}

// Rotate signs with another key from now on.
func (g *Gateway) Rotate(signer *Identity) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.signer = signer
}

// Origin is where its pages are.
func (g *Gateway) Origin() string { return g.url }

// URL is where requests go.
func (g *Gateway) URL() string { return g.url + "/gateway.do" }

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
	mux.HandleFunc("GET /gateway.do", g.troubled(g.page))
	mux.HandleFunc("POST /gateway.do", g.troubled(g.called))
	mux.HandleFunc("GET /downloadBillFile.resource", g.troubled(g.download))
	mux.HandleFunc("GET /cashier/{token}", g.troubled(g.cashier))
	mux.HandleFunc("POST /cashier/{token}/{step}", g.troubled(g.press))
	return mux
}

// newID is an id of the gateway's own, such as trade_no: the day and 20 digits.
func (g *Gateway) newID(at time.Time) string {
	g.sequence++
	random, _ := rand.Int(rand.Reader, big.NewInt(1e10)) // never fails: the program ends first
	return fmt.Sprintf("%s22001%010d%05d", at.In(beijing).Format("20060102"), random, g.sequence%1e5)
}
