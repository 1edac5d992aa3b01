package stripetest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// apiVersion is the version in which objects and events are shown.
const apiVersion = "2026-06-24.dahlia"

// endpoint is where events go, and with which secrets they are signed.
type endpoint struct {
	ID, URL string
	kinds   []string // none: all
	secrets []string
}

// event is something that happened, as it was then.
type event struct {
	id, kind string
	body     []byte
}

var endpointRules = rules{
	"url": {required: true, check: httpURL}, "enabled_events[]": {required: true, check: upTo(100)}, "description": {check: upTo(5000)},
	"api_version": {check: upTo(100)}, "metadata[*]": {}, "expand[]": {},
}

func (g *Gateway) createEndpoint(p params, _ string) (any, *refusal) {
	e := &endpoint{ID: g.newID("we"), URL: p["url"], secrets: []string{"whsec_" + random()}}
	if kinds := p.list("enabled_events"); !slices.Contains(kinds, "*") {
		e.kinds = kinds
	}
	g.endpoints = append(g.endpoints, e)
	return object{
		"id": e.ID, "object": "webhook_endpoint", "api_version": null(p["api_version"]), "application": nil, "created": g.now(),
		"description": null(p["description"]), "enabled_events": p.list("enabled_events"), "livemode": g.live, "metadata": copied(p.metadata("metadata")),
		"secret": e.secrets[0], "status": "enabled", "url": e.URL,
	}, nil
}

// happened keeps an event and sends it. The caller holds the lock.
func (g *Gateway) happened(kind string, about object) {
	e := &event{id: g.newID("evt"), kind: kind}
	e.body = encode(g.showEvent(e.id, kind, about))
	g.events = append(g.events, e)
	g.send(e)
}

func (g *Gateway) showEvent(id, kind string, about object) object {
	o := object{
		"id": id, "object": "event", "api_version": apiVersion, "created": g.now(), "livemode": g.live, "pending_webhooks": 1, "type": kind,
		"data": object{"object": about}, "request": object{"id": nil, "idempotency_key": nil},
	}
	if g.config.Account != "" {
		o["account"] = g.config.Account
	}
	return o
}

func (g *Gateway) send(e *event) {
	for _, to := range g.endpoints {
		if to.URL != "" && (to.kinds == nil || slices.Contains(to.kinds, e.kind)) {
			g.deliver(to, to.URL, e)
		}
	}
}

// deliver sends an event until it is answered with a status of 200 to 299, signed anew each time.
func (g *Gateway) deliver(to *endpoint, address string, e *event) {
	g.busy.Go(func() {
		for sent := 0; ; sent++ {
			g.mu.Lock()
			header := signature(g.now(), e.body, to.secrets...)
			g.mu.Unlock()
			err := g.post(address, header, e.body)
			if err == nil || sent == len(g.config.Retry) {
				if err != nil {
					g.config.Log.Warn("event given up", "url", address, "event", e.id, "type", e.kind, "error", err)
				}
				return
			}
			if !g.pause(g.config.Retry[sent]) {
				return
			}
		}
	})
}

// pause waits, unless the gateway ends.
func (g *Gateway) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-g.stopped.Done():
		return false
	}
}

func (g *Gateway) post(address, signed string, body []byte) error {
	ctx, cancel := context.WithTimeout(g.stopped, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header = eventHeader(signed)
	response, err := g.courier.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 4<<10))
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("not acknowledged: %s", response.Status)
	}
	return nil
}

func eventHeader(signed string) http.Header {
	return http.Header{
		"Content-Type": {"application/json; charset=utf-8"}, "User-Agent": {"Stripe/1.0 (+https://stripe.com/docs/webhooks)"},
		"Accept": {"*/*; q=0.5, application/xml"}, "Cache-Control": {"no-cache"}, "Stripe-Signature": {signed},
	}
}

// signature is what Stripe writes above an event: the second, and an HMAC of it and the body for each secret. Beside the
// scheme in use, v1, there is one that only test accounts have and nobody should believe, v0.
func signature(at int64, body []byte, secrets ...string) string {
	var header strings.Builder
	fmt.Fprintf(&header, "t=%d", at)
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(mac, "%d.%s", at, body)
		header.WriteString(",v1=" + hex.EncodeToString(mac.Sum(nil)))
	}
	header.WriteString(",v0=" + hex.EncodeToString(make([]byte, sha256.Size)))
	return header.String()
}

// Callback is a request to a merchant, not sent.
type Callback struct {
	Header http.Header
	Body   []byte
}

// Forgery is an event that says that a number was paid, although nobody paid it.
type Forgery struct {
	// Kind defaults to "checkout.session.completed".
	Kind string
	// Change alters the event before it is signed, Tamper its text afterwards.
	Change func(event map[string]any)
	Tamper func(body []byte) []byte
	// Secrets sign it; none: the merchant's. At is when; the zero value is now.
	Secrets []string
	At      time.Time
}

// Forge makes a forgery about a number. It returns false if the number is not known.
func (g *Gateway) Forge(number string, f Forgery) (Callback, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.byReference(number)
	if s == nil {
		return Callback{}, false
	}
	about := g.showSession(s, nil)
	if s.PaymentStatus != "paid" {
		about["status"], about["payment_status"], about["payment_intent"], about["url"] = "complete", "paid", g.newID("pi"), nil
	}
	if f.Kind == "" {
		f.Kind = "checkout.session.completed"
	}
	if f.At.IsZero() {
		f.At = g.config.Now()
	}
	if f.Secrets == nil {
		f.Secrets = g.endpoints[0].secrets
	}
	said := g.showEvent(g.newID("evt"), f.Kind, about)
	if f.Change != nil {
		f.Change(said)
	}
	body := encode(said)
	signed := signature(f.At.Unix(), body, f.Secrets...)
	if f.Tamper != nil {
		body = f.Tamper(body)
	}
	return Callback{Header: eventHeader(signed), Body: body}, true
}

// Events are the callbacks about everything of the kinds that has happened, in that order, signed now; all kinds if none is named.
func (g *Gateway) Events(kinds ...string) []Callback {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []Callback
	for _, e := range g.events {
		if len(kinds) == 0 || slices.Contains(kinds, e.kind) {
			all = append(all, Callback{Header: eventHeader(signature(g.now(), e.body, g.endpoints[0].secrets...)), Body: e.body})
		}
	}
	return all
}

// Resend sends every event that mentions a text once more, the newest first: Stripe promises neither once nor order.
func (g *Gateway) Resend(text string) (sent int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range slices.Backward(g.events) {
		if bytes.Contains(e.body, []byte(text)) {
			g.send(e)
			sent++
		}
	}
	return sent
}
