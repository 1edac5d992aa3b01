package unionpaytest

import (
	"context"
	"io"
	"maps"
	"net/http"
	"strings"
)

// notify signs a callback and delivers it until it is answered with status 200. The caller holds the lock.
func (g *Gateway) notify(address string, message map[string]string) {
	sign(message, g.signer)
	g.deliver(address, escaped(message))
}

func (g *Gateway) deliver(address, body string) {
	g.busy.Go(func() {
		for sent := 0; ; sent++ {
			err := g.post(g.stopped, address, body)
			if err == nil || sent == len(g.config.Retry) {
				if err != nil {
					g.config.Log.Warn("callback given up", "url", address, "error", err)
				}
				return
			}
			if !g.pause(g.config.Retry[sent]) {
				return
			}
		}
	})
}

// post sends a callback once.
func (g *Gateway) post(ctx context.Context, address, body string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
	request.Header.Set("User-Agent", "Java/1.8")
	response, err := g.courier.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 4<<10))
	if response.StatusCode != http.StatusOK {
		return refusal{response.Status, "not acknowledged"}
	}
	return nil
}

// Callback is a request to a merchant, not sent.
type Callback struct {
	Header http.Header
	Body   []byte
}

// Forge says that a number was paid, with whatever a change makes of the message, signed by anybody (nil: by the gateway). It returns the
// callback, and false if the number is not known.
func (g *Gateway) Forge(number string, by *Identity, before, after func(message map[string]string)) (Callback, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.byNumber(number)
	if p == nil {
		return Callback{}, false
	}
	now := g.config.Now()
	paid := *p
	if paid.QueryID == "" {
		paid.Code, paid.Captured, paid.Currency, paid.Paid = codeDone, paid.Amount, "156", now
		paid.QueryID, paid.settleDate = g.newID(now), settleDate(now)
	}
	message := maps.Clone(g.paidMessage(&paid))
	if before != nil {
		before(message)
	}
	if by == nil {
		by = g.signer
	}
	sign(message, by)
	if after != nil {
		after(message)
	}
	return Callback{
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded;charset=UTF-8"}, "User-Agent": {"Java/1.8"}},
		Body:   []byte(escaped(message)),
	}, true
}

// Repeat delivers the callback about a payment once more. It returns false if nothing was paid.
func (g *Gateway) Repeat(number string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.byNumber(number)
	if p == nil || p.QueryID == "" {
		return false
	}
	g.notify(p.NotifyURL, g.paidMessage(p))
	return true
}
