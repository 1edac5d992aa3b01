package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/boxoffice/boxoffice/payment/sandbox"
)

// Books is the gateway's own ledger, whole.
type Books struct {
	Payments []Payment `json:"payments"`
	Refunds  []Refund  `json:"refunds"`
	// Undelivered counts callbacks that were not acknowledged yet.
	Undelivered int `json:"undelivered"`
}

// steps are what a payer can do, by name.
func (g *Gateway) steps() map[string]func(number string, d time.Duration) error {
	return map[string]func(string, time.Duration) error{
		"pay":      func(number string, _ time.Duration) error { return g.pay(number) },
		"decline":  func(number string, _ time.Duration) error { return g.decline(number) },
		"pay-late": g.payLate,
		"process":  g.process,
	}
}

// controlRoutes are for tests and demonstrations; they are signed like the merchant's requests.
func (g *Gateway) controlRoutes(mux *http.ServeMux) {
	control := func(pattern string, run func(r *http.Request, body []byte) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			body, err := g.verified(w, r)
			if err != nil {
				answer(w, nil, err)
				return
			}
			out, err := run(r, body)
			answer(w, out, err)
		})
	}
	type nothing struct{}
	control("POST /control/payments/{number}/{step}", func(r *http.Request, _ []byte) (any, error) {
		step, ok := g.steps()[r.PathValue("step")]
		if !ok {
			return nil, refuse(http.StatusNotFound, "unknown", "no such step")
		}
		d, err := time.ParseDuration(r.URL.Query().Get("in"))
		if err != nil {
			return nil, refuse(http.StatusBadRequest, "invalid", "%s", err)
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		return nothing{}, step(r.PathValue("number"), d)
	})
	control("POST /control/payments/{number}/forge/{how}", func(r *http.Request, _ []byte) (any, error) {
		return g.forge(r.Context(), r.PathValue("number"), Forgery(r.PathValue("how")))
	})
	control("PUT /control/faults", func(_ *http.Request, body []byte) (any, error) {
		return decoded(body, func(f Faults) (nothing, error) {
			g.misbehave(f)
			return nothing{}, nil
		})
	})
	control("GET /control/calls", func(*http.Request, []byte) (any, error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		calls := make(map[string]int, len(g.calls))
		for name, n := range g.calls {
			calls[name] = n
		}
		return calls, nil
	})
	control("GET /control/books", func(*http.Request, []byte) (any, error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		books := Books{Undelivered: len(g.ledger.deliveries)}
		for _, p := range g.ledger.payments {
			books.Payments = append(books.Payments, *p)
		}
		for _, r := range g.ledger.refunds {
			books.Refunds = append(books.Refunds, *r)
		}
		return books, nil
	})
}

// misbehave sets the switches; callbacks that were held back for reordering go out.
func (g *Gateway) misbehave(f Faults) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = f
	if f.Reorder == 0 {
		g.courier.letGo()
	}
}

// Control is a client of the control API, for tests, benchmarks and demonstrations.
type Control struct {
	url, merchant, key string
	client             *http.Client
}

// NewControl makes a client of the gateway at an origin, with the merchant's own key.
func NewControl(origin, merchant, key string) *Control {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 256
	return &Control{url: origin, merchant: merchant, key: key, client: &http.Client{Transport: transport, Timeout: 30 * time.Second}}
}

// Pay pays as the payer would; the callback is on its way when it returns.
func (c *Control) Pay(ctx context.Context, number string) error { return c.step(ctx, number, "pay", 0) }

// Decline declines the payment for good.
func (c *Control) Decline(ctx context.Context, number string) error {
	return c.step(ctx, number, "decline", 0)
}

// PayLate captures the money after a while, whatever the state of the payment is by then.
func (c *Control) PayLate(ctx context.Context, number string, after time.Duration) error {
	return c.step(ctx, number, "pay-late", after)
}

// Process leaves the outcome unknown for a while, then captures the money.
func (c *Control) Process(ctx context.Context, number string, lasts time.Duration) error {
	return c.step(ctx, number, "process", lasts)
}

// Forge sends a callback nobody should believe; it returns the status it was answered with.
func (c *Control) Forge(ctx context.Context, number string, how Forgery) (status int, err error) {
	err = c.call(ctx, http.MethodPost, "/control/payments/"+url.PathEscape(number)+"/forge/"+string(how), nil, &status)
	return status, err
}

// SetFaults sets the switches; the zero Faults make the gateway behave.
func (c *Control) SetFaults(ctx context.Context, f Faults) error {
	return c.call(ctx, http.MethodPut, "/control/faults", f, nil)
}

// Calls counts the merchant's requests by operation, and by operation/number or operation/refund id.
func (c *Control) Calls(ctx context.Context) (map[string]int, error) {
	var calls map[string]int
	err := c.call(ctx, http.MethodGet, "/control/calls", nil, &calls)
	return calls, err
}

// Books returns the gateway's own ledger.
func (c *Control) Books(ctx context.Context) (Books, error) {
	var books Books
	err := c.call(ctx, http.MethodGet, "/control/books", nil, &books)
	return books, err
}

func (c *Control) step(ctx context.Context, number, step string, in time.Duration) error {
	return c.call(ctx, http.MethodPost, "/control/payments/"+url.PathEscape(number)+"/"+step+"?in="+in.String(), nil, nil)
}

func (c *Control) call(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	sandbox.SignRequest(request, c.merchant, c.key, body, time.Now())
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %d %s", method, path, response.StatusCode, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}
