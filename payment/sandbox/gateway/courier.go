package gateway

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/ticketing"
)

// courier delivers callbacks until they are acknowledged.
type courier struct {
	g      *Gateway
	client *http.Client
	held   []*delivery // waiting to be sent out of order; guarded by the gateway's lock
	// acknowledged counts callbacks that were answered as they should be.
	acknowledged atomic.Int64
}

func newCourier(g *Gateway) *courier {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 256
	return &courier{g: g, client: &http.Client{Transport: transport, Timeout: 15 * time.Second}}
}

// notifyPayment tells the merchant what became of a payment.
func (g *Gateway) notifyPayment(p *Payment) error {
	told := p.Payment
	told.PayURL, told.QR = "", ""
	return g.notify(p.Order.NotifyURL, sandbox.Notice{Payment: &told})
}

// notify stores a callback and begins to deliver it. The caller holds the lock.
func (g *Gateway) notify(url string, n sandbox.Notice) error {
	n.EventID, n.Merchant, n.At = "SE"+rand.Text(), g.config.Merchant, g.now()
	body, err := json.Marshal(n)
	if err != nil {
		return err
	}
	if g.faults.Lose {
		return nil
	}
	d := &delivery{EventID: n.EventID, URL: url, Body: body}
	if err := g.ledger.putDelivery(d); err != nil {
		return err
	}
	if g.faults.Reorder > 0 {
		g.courier.held = append(g.courier.held, d)
		if len(g.courier.held) >= g.faults.Reorder {
			g.courier.letGo()
		}
		return nil
	}
	g.courier.send(d, g.faults.Duplicate)
	return nil
}

// letGo sends what was held back, last first.
func (c *courier) letGo() {
	for i := len(c.held) - 1; i >= 0; i-- {
		c.send(c.held[i], c.g.faults.Duplicate)
	}
	c.held = nil
}

// send delivers a callback in the background, with a number of copies beside it.
func (c *courier) send(d *delivery, copies int) {
	c.g.busy.Go(func() { c.deliver(d) })
	for range copies {
		c.g.busy.Go(func() { c.post(d.URL, d.Body, c.sign(d.Body, c.g.now())) })
	}
}

func (c *courier) deliver(d *delivery) {
	for ; d.Sent < c.g.config.Deliveries; d.Sent++ {
		if d.Sent > 0 {
			pause := time.NewTimer(c.g.config.Retry[min(d.Sent, len(c.g.config.Retry))-1])
			select {
			case <-c.g.ctx.Done():
				pause.Stop()
				return // it is in the ledger and goes on with the next start
			case <-pause.C:
			}
		}
		if c.post(d.URL, d.Body, c.sign(d.Body, c.g.now())) {
			c.acknowledged.Add(1)
			break
		}
		if c.g.ctx.Err() != nil {
			return
		}
	}
	c.g.mu.Lock()
	defer c.g.mu.Unlock()
	if err := c.g.ledger.dropDelivery(d); err != nil {
		c.g.log.Error("cannot forget a callback", "event_id", d.EventID, "error", err)
	}
}

// sign signs a body with every key; that is how keys are rotated.
func (c *courier) sign(body []byte, at time.Time) http.Header {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	signatures := make([]string, len(c.g.config.CallbackKeys))
	for i, key := range c.g.config.CallbackKeys {
		signatures[i] = "v1=" + sandbox.CallbackSignature(key, timestamp, body)
	}
	return http.Header{
		"Content-Type":          {"application/json"},
		sandbox.HeaderTimestamp: {timestamp},
		sandbox.HeaderSignature: {strings.Join(signatures, ",")},
	}
}

// post sends one callback and says whether it was acknowledged.
func (c *courier) post(url string, body []byte, header http.Header) bool {
	request, err := http.NewRequestWithContext(c.g.ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return false
	}
	request.Header = header
	response, err := c.client.Do(request)
	if err != nil {
		if c.g.ctx.Err() == nil {
			c.g.log.Warn("callback not delivered", "url", url, "error", err)
		}
		return false
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	if err != nil || response.StatusCode != http.StatusOK || string(answer) != sandbox.Received {
		c.g.log.Warn("callback not acknowledged", "url", url, "status", response.StatusCode)
		return false
	}
	return true
}

// forge sends a callback nobody should believe, about a payment the gateway knows, and returns the
// status it was answered with.
func (g *Gateway) forge(ctx context.Context, number string, how Forgery) (int, error) {
	g.mu.Lock()
	p, err := g.find(number)
	if err != nil {
		g.mu.Unlock()
		return 0, err
	}
	told, url := p.Payment, p.Order.NotifyURL
	g.mu.Unlock()
	told.State, told.PayURL, told.QR = sandbox.Paid, "", ""
	told.Captured = &ticketing.Money{Amount: told.Amount.Amount, Currency: told.Amount.Currency}
	n := sandbox.Notice{EventID: "SE" + rand.Text(), Merchant: g.config.Merchant, Payment: &told, At: g.now()}
	if how == ForgeMerchant {
		n.Merchant, told.Merchant = "another-merchant", "another-merchant"
	}
	body, err := json.Marshal(n)
	if err != nil {
		return 0, err
	}
	if how == ForgeMalformed {
		body = append([]byte(`{"event_id":"twice",`), body[1:]...)
	}
	at := g.now()
	if how == ForgeStale {
		at = at.Add(-time.Hour)
	}
	header := g.courier.sign(body, at)
	switch how {
	case ForgeSignature:
		header.Set(sandbox.HeaderSignature, "v1="+sandbox.CallbackSignature("some other key", header.Get(sandbox.HeaderTimestamp), body))
	case ForgeTampered:
		body = bytes.Replace(body, []byte(`"captured":{"amount":`), []byte(`"captured":{"amount":1`), 1)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header = header
	response, err := g.courier.client.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}
