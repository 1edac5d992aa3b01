package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/boxoffice/boxoffice/payment/sandbox"
)

// Control is a client of the control API, for tests, benchmarks and demonstrations.
type Control struct {
	// Now is the clock of the signatures, for gateways whose own clock was moved. Default time.Now.
	Now func() time.Time

	url, merchant, key string
	client             *http.Client
}

// NewControl makes a client of the gateway at an origin, with the merchant's own key.
func NewControl(origin, merchant, key string) *Control {
	return &Control{
		Now: time.Now, url: strings.TrimSuffix(origin, "/"), merchant: merchant, key: key,
		client: &http.Client{Transport: manyConnections(), Timeout: 30 * time.Second},
	}
}

// Close lets go of idle connections.
func (c *Control) Close() { c.client.CloseIdleConnections() }

// Pay pays as the payer would; the callback is on its way when it returns.
func (c *Control) Pay(ctx context.Context, number string) error { return c.step(ctx, number, "pay", 0) }

// Decline declines the payment for good.
func (c *Control) Decline(ctx context.Context, number string) error {
	return c.step(ctx, number, "decline", 0)
}

// PayLate captures the money after a while, even if the payment is closed by then or already.
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

// SettleRefund makes a refund that failed succeed, as a person at the gateway would.
func (c *Control) SettleRefund(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodPost, "/control/refunds/"+url.PathEscape(id)+"/settle", nil, nil)
}

// Dispute disputes a payment, as its payer's bank would; DecideDispute lets the merchant win or lose it.
func (c *Control) Dispute(ctx context.Context, number string) error {
	return c.call(ctx, http.MethodPost, "/control/payments/"+url.PathEscape(number)+"/dispute/open", nil, nil)
}

// DecideDispute decides the dispute of a payment.
func (c *Control) DecideDispute(ctx context.Context, number string, won bool) error {
	how := "lose"
	if won {
		how = "win"
	}
	return c.call(ctx, http.MethodPost, "/control/payments/"+url.PathEscape(number)+"/dispute/"+how, nil, nil)
}

// SetFaults sets the switches; the zero Faults make the gateway behave.
func (c *Control) SetFaults(ctx context.Context, f Faults) error {
	return c.call(ctx, http.MethodPut, "/control/faults", f, nil)
}

// Faults returns the switches as they are set.
func (c *Control) Faults(ctx context.Context) (Faults, error) {
	var f Faults
	err := c.call(ctx, http.MethodGet, "/control/faults", nil, &f)
	return f, err
}

// Reset puts every switch back and begins to count calls anew. What was paid stays paid.
func (c *Control) Reset(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, "/control/reset", nil, nil)
}

// Calls counts the merchant's requests by operation, and by operation/number or operation/refund id.
func (c *Control) Calls(ctx context.Context) (map[string]int, error) {
	var calls map[string]int
	err := c.call(ctx, http.MethodGet, "/control/calls", nil, &calls)
	return calls, err
}

// Books returns the gateway's own ledger, whole: our ledger must agree with it.
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
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	sandbox.SignRequest(request, c.merchant, c.key, body, c.Now())
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
