package wechatpaytest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
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
	// Merchant is the one merchant it knows, AppID its one application. Default "1900000109" and "wxd678efh567hg6787".
	Merchant string
	AppID    string
	// Retry are the pauses between deliveries of a callback. Default: those of WeChat Pay, from 15 seconds to 6 hours.
	Retry []time.Duration
	// BillsAtOnce has the bill of a day while the day goes on. Default: from ten in the morning after it.
	BillsAtOnce bool
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Log hears of deliveries that fail. Default: nobody.
	Log *slog.Logger
}

// Credentials are what WeChat Pay gives a merchant, and the merchant's own.
type Credentials struct {
	Merchant, AppID string
	// Key is the merchant's in PEM, Serial its certificate's.
	Key    []byte
	Serial string
	// APIv3Key encrypts what callbacks carry.
	APIv3Key string
	// PublicKeys verify the gateway's messages.
	PublicKeys map[string][]byte
}

// Identity is a key with which the gateway may sign.
type Identity struct {
	ID  string
	Key *rsa.PrivateKey
}

// NewIdentity makes a key with an id such as WeChat Pay's.
func NewIdentity() (*Identity, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1e15))
	if err != nil {
		return nil, err
	}
	return &Identity{ID: fmt.Sprintf("PUB_KEY_ID_01%020d", n), Key: key}, nil
}

// PEM is the public key.
func (i *Identity) PEM() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(&i.Key.PublicKey)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), err
}

// Certificate makes the identity one with a platform certificate, valid between two moments: its id becomes the
// certificate's serial number.
func (i *Identity) Certificate(from, until time.Time) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 150))
	if err != nil {
		return nil, err
	}
	serial.SetBit(serial, 158, 1) // twenty bytes, as theirs have
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Tenpay.com sign", Organization: []string{"Tenpay.com"}},
		NotBefore: from, NotAfter: until,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &i.Key.PublicKey, i.Key)
	if err != nil {
		return nil, err
	}
	i.ID = fmt.Sprintf("%X", serial)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// Gateway is a running gateway.
type Gateway struct {
	config      Config
	credentials Credentials
	merchantKey *rsa.PublicKey
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
	bills    map[string][]byte
	nonces   map[string]bool
	sequence int
}

// Open starts a gateway. It returns an error when the port is taken or a key cannot be made.
func Open(config Config) (*Gateway, error) {
	if config.Address == "" {
		config.Address = "127.0.0.1:0"
	}
	if config.Merchant == "" {
		config.Merchant = "1900000109"
	}
	if config.AppID == "" {
		config.AppID = "wxd678efh567hg6787"
	}
	if config.Retry == nil {
		config.Retry = []time.Duration{15 * time.Second, 15 * time.Second, 30 * time.Second, 3 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour}
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	g := &Gateway{
		config: config, restored: make(chan struct{}), payments: map[string]*Payment{}, cashiers: map[string]*Payment{},
		refunds: map[string]*Refund{}, bills: map[string][]byte{}, nonces: map[string]bool{},
	}
	if err := g.equip(); err != nil {
		return nil, fmt.Errorf("wechatpaytest: %w", err)
	}
	listener, err := net.Listen("tcp", config.Address)
	if err != nil {
		return nil, fmt.Errorf("wechatpaytest: %w", err)
	}
	g.url = "http://" + listener.Addr().String()
	g.courier = &http.Client{Timeout: 5 * time.Second, Transport: http.DefaultTransport.(*http.Transport).Clone()}
	g.stopped, g.stop = context.WithCancel(context.Background())
	g.server = &http.Server{Handler: g.handler(), ReadHeaderTimeout: 5 * time.Second}
	g.busy.Go(func() {
		if err := g.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			config.Log.Error("wechatpaytest stopped", "error", err)
		}
	})
	return g, nil
}

// equip makes the keys of the gateway and of its merchant.
func (g *Gateway) equip() error {
	var err error
	if g.signer, err = NewIdentity(); err != nil {
		return err
	}
	public, err := g.signer.PEM()
	if err != nil {
		return err
	}
	merchant, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(merchant)
	if err != nil {
		return err
	}
	g.merchantKey = &merchant.PublicKey
	g.credentials = Credentials{
		Merchant: g.config.Merchant, AppID: g.config.AppID, Serial: "5157F09EFDC096DE15EBE81A47057A72" + hexText(8),
		Key:      pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		APIv3Key: hexText(32), PublicKeys: map[string][]byte{g.signer.ID: public},
	}
	return nil
}

// hexText is n random hexadecimal digits.
func hexText(n int) string {
	random := make([]byte, n)
	_, _ = rand.Read(random) // never fails: the program ends first
	return fmt.Sprintf("%X", random)[:n]
}

// Rotate signs with another key from now on.
func (g *Gateway) Rotate(signer *Identity) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.signer = signer
}

// URL is the origin of the gateway.
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
	for _, kind := range []string{"native", "h5"} {
		mux.HandleFunc("POST /v3/pay/transactions/"+kind, g.troubled(g.spoken(g.order(kind))))
	}
	mux.HandleFunc("GET /v3/pay/transactions/out-trade-no/{number}", g.troubled(g.spoken(g.query)))
	mux.HandleFunc("POST /v3/pay/transactions/out-trade-no/{number}/close", g.troubled(g.spoken(g.close)))
	mux.HandleFunc("POST /v3/refund/domestic/refunds", g.troubled(g.spoken(g.refund)))
	mux.HandleFunc("GET /v3/refund/domestic/refunds/{id}", g.troubled(g.spoken(g.queryRefund)))
	mux.HandleFunc("GET /v3/bill/tradebill", g.troubled(g.spoken(g.bill)))
	mux.HandleFunc("GET /v3/billdownload/file", g.troubled(g.download))
	mux.HandleFunc("/cashier/{token}", g.troubled(g.cashier))
	return mux
}

// newID is an id of the gateway's own: 28 digits, as transaction_id has.
func (g *Gateway) newID(begin string, at time.Time) string {
	g.sequence++
	random, _ := rand.Int(rand.Reader, big.NewInt(1e10)) // never fails: the program ends first
	return fmt.Sprintf("%s%s%010d%0*d", begin, at.In(beijing).Format("20060102"), random, 10-len(begin), g.sequence)
}
