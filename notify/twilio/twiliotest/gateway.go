package twiliotest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Config is what a Gateway is made of.
type Config struct {
	// Spec is Twilio's OpenAPI document (twilio_api_v2010.json), as PublishedSpec fetches it; nil validates nothing against it.
	Spec []byte
	// Keeps is what is kept, and told again, of a message's text: smart encoding, the sentence of trial accounts and redaction change
	// it. nil keeps all of it.
	Keeps func(body string) string
	// PageSize bounds how many messages are listed at once. Default 1000, as Twilio's.
	PageSize int
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Credentials are those of its one account.
type Credentials struct {
	// AccountSID and AuthToken authenticate requests, as do APIKey and APISecret; the token also signs status callbacks.
	AccountSID, AuthToken string
	APIKey, APISecret     string
	// MessagingService and Number are the account's senders, besides any name.
	MessagingService, Number string
}

// Message is one that the gateway took.
type Message struct {
	SID string
	// From or MessagingServiceSID is the sender, as it was asked for.
	From, MessagingServiceSID string
	// Body is its text as it was handed over.
	To, Body, StatusCallback string
	// Status is the furthest that was told of it.
	Status    string
	Segments  int
	CreatedAt time.Time
}

// Gateway is the stand-in. Open one, Close it.
type Gateway struct {
	config      Config
	credentials Credentials
	spec        *spec
	address     string
	life        context.Context
	end         context.CancelFunc
	running     sync.WaitGroup
	callbacks   *http.Client

	mu       sync.Mutex
	server   *http.Server // nil while it is down
	messages []Message
	calls    int
	faults   Faults
	refused  map[string]int
	reports  Reports
	tellings []Telling
	complain []string
}

// Open starts it on a free port of 127.0.0.1.
func Open(c Config) (*Gateway, error) {
	if c.PageSize == 0 {
		c.PageSize = 1000
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	g := &Gateway{
		config: c,
		credentials: Credentials{
			AccountSID: "AC" + digits(), AuthToken: digits(), APIKey: "SK" + digits(), APISecret: digits(),
			MessagingService: "MG" + digits(), Number: "+15005550006",
		},
		callbacks: &http.Client{Transport: &http.Transport{}, Timeout: callbackBound}, refused: map[string]int{},
	}
	if c.Spec != nil {
		var err error
		if g.spec, err = readSpec(c.Spec); err != nil {
			return nil, err
		}
	}
	g.life, g.end = context.WithCancel(context.Background())
	if err := g.listen("127.0.0.1:0"); err != nil {
		g.end()
		return nil, err
	}
	return g, nil
}

func (g *Gateway) listen(address string) error {
	listener, err := new(net.ListenConfig).Listen(g.life, "tcp", address)
	if err != nil {
		return fmt.Errorf("twiliotest: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2010-04-01/Accounts/{account}/Messages.json", g.create)
	mux.HandleFunc("GET /2010-04-01/Accounts/{account}/Messages.json", g.list)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	g.mu.Lock()
	g.server, g.address = server, listener.Addr().String()
	g.mu.Unlock()
	g.running.Go(func() { _ = server.Serve(listener) })
	return nil
}

// SetDown lets it refuse connections, after those it has were cut, or take them again, at the same address.
func (g *Gateway) SetDown(down bool) error {
	g.mu.Lock()
	server, address := g.server, g.address
	if down {
		g.server = nil
	}
	g.mu.Unlock()
	switch {
	case down && server != nil:
		return server.Close()
	case !down && server == nil:
		return g.listen(address)
	}
	return nil
}

// Close stops it, and what it still would tell.
func (g *Gateway) Close() error {
	g.end()
	err := g.SetDown(true)
	g.running.Wait()
	g.callbacks.CloseIdleConnections()
	return err
}

// URL is the API's origin.
func (g *Gateway) URL() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return "http://" + g.address
}

// Credentials are those of its one account.
func (g *Gateway) Credentials() Credentials { return g.credentials }

// Messages are those it took, the oldest first.
func (g *Gateway) Messages() []Message {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.messages)
}

// MessagesTo is Messages for one number.
func (g *Gateway) MessagesTo(number string) []Message {
	return slices.DeleteFunc(g.Messages(), func(m Message) bool { return m.To != number })
}

// Calls counts the requests to create a message, whatever came of them.
func (g *Gateway) Calls() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls
}

// Complaints are what of requests and answers does not keep Twilio's OpenAPI document.
func (g *Gateway) Complaints() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.complain)
}

// digits are the 32 hexadecimal ones of a SID or secret.
func digits() string {
	random := make([]byte, 16)
	_, _ = rand.Read(random)
	return hex.EncodeToString(random)
}
