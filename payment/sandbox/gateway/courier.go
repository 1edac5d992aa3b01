package gateway

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/boxoffice/boxoffice/payment/sandbox"
)

// courier delivers callbacks until they are acknowledged.
type courier struct {
	g      *Gateway
	client *http.Client
	held   []*delivery // waiting to be sent out of order; guarded by the gateway's lock
}

func newCourier(g *Gateway) *courier {
	return &courier{g: g, client: &http.Client{
		Transport: manyConnections(), Timeout: 15 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// manyConnections keeps as many connections to one host as parallel calls need.
func manyConnections() *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, 512
	return transport
}

// record commits a change together with the callback that tells of it, and
// begins to deliver it: what happened and the duty to tell cannot part. The
// caller holds the lock.
func (g *Gateway) record(c change, url string, n sandbox.Notice) error {
	n.EventID, n.Merchant, n.At = "SE"+rand.Text(), g.config.Merchant, g.now()
	body, err := json.Marshal(n)
	if err != nil {
		return err
	}
	if g.faults.Lose {
		return g.ledger.commit(c)
	}
	d := &delivery{EventID: n.EventID, URL: url, Body: body}
	c.delivery = d
	if err := g.ledger.commit(c); err != nil {
		return err
	}
	if g.faults.Reorder == 0 {
		g.courier.send(d, g.faults.Duplicate)
		return nil
	}
	g.courier.held = append(g.courier.held, d)
	if len(g.courier.held) >= g.faults.Reorder {
		g.courier.letGo()
	}
	return nil
}

// letGo sends what was held back, last first. The caller holds the lock.
func (c *courier) letGo() {
	held := c.held
	c.held = nil
	if len(held) == 0 {
		return
	}
	copies := c.g.faults.Duplicate
	c.g.busy.Go(func() {
		// One after the other: sent at once, they would arrive in whatever order.
		for _, d := range slices.Backward(held) {
			for range copies {
				c.attempt(d)
			}
			if c.attempt(d) {
				c.forget(d)
				continue
			}
			d.sent = 1
			c.send(d, 0)
		}
	})
}

// send delivers a callback in the background, with a number of copies beside it.
func (c *courier) send(d *delivery, copies int) {
	c.g.busy.Go(func() { c.deliver(d) })
	for range copies {
		c.g.busy.Go(func() { c.attempt(d) })
	}
}

// deliver repeats a callback until it is acknowledged or patience ends.
func (c *courier) deliver(d *delivery) {
	for ; d.sent < c.g.config.Deliveries; d.sent++ {
		if d.sent > 0 {
			pause := time.NewTimer(c.g.config.Retry[min(d.sent, len(c.g.config.Retry))-1])
			select {
			case <-c.g.ctx.Done():
				pause.Stop()
				return // it is in the ledger and goes on with the next start
			case <-pause.C:
			}
		}
		if c.attempt(d) {
			break
		}
		if c.g.ctx.Err() != nil {
			return
		}
	}
	if d.sent == c.g.config.Deliveries {
		c.g.log.Error("callback given up", "event_id", d.EventID, "url", d.URL, "deliveries", d.sent)
	}
	c.forget(d)
}

func (c *courier) forget(d *delivery) {
	c.g.mu.Lock()
	defer c.g.mu.Unlock()
	c.g.ledger.forget(d)
}

// attempt delivers once, unless the switches lose it, and says whether it was acknowledged.
func (c *courier) attempt(d *delivery) bool {
	c.g.mu.Lock()
	lost := c.g.toLose > 0
	if lost {
		c.g.toLose--
	}
	at := c.g.now()
	c.g.mu.Unlock()
	if lost {
		return false
	}
	response, err := c.post(c.g.ctx, d.URL, d.Body, c.sign(d.Body, at))
	if err != nil {
		if c.g.ctx.Err() == nil {
			c.g.log.Warn("callback not delivered", "event_id", d.EventID, "url", d.URL, "error", err)
		}
		return false
	}
	if response.status != http.StatusOK || response.body != sandbox.Received {
		c.g.log.Warn("callback not acknowledged", "event_id", d.EventID, "url", d.URL, "status", response.status)
		return false
	}
	return true
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

type response struct {
	status int
	body   string
}

// post sends a callback once. Of the answer it reads only a little.
func (c *courier) post(ctx context.Context, url string, body []byte, header http.Header) (response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return response{}, err
	}
	request.Header = header
	answered, err := c.client.Do(request)
	if err != nil {
		return response{}, err
	}
	defer answered.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answered.Body, 4<<10))
	return response{answered.StatusCode, string(text)}, err
}
