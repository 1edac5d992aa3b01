package wechatpaytest

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

func eventID() string {
	h := strings.ToLower(hexText(32))
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// event encrypts what a callback carries.
func (g *Gateway) event(kind, id, original string, content map[string]any) []byte {
	plain := encoded(content)
	nonce := hexText(12)
	block, _ := aes.NewCipher([]byte(g.credentials.APIv3Key)) // 32 bytes
	gcm, _ := cipher.NewGCM(block)
	sealed := gcm.Seal(nil, []byte(nonce), plain, []byte(original))
	return encoded(map[string]any{
		"id": id, "create_time": g.config.Now().In(beijing).Format(time.RFC3339), "resource_type": "encrypt-resource",
		"event_type": kind, "summary": kind,
		"resource": map[string]string{
			"original_type": original, "algorithm": "AEAD_AES_256_GCM", "ciphertext": base64.StdEncoding.EncodeToString(sealed),
			"associated_data": original, "nonce": nonce,
		},
	})
}

// encoded is JSON of what a program made. It panics on what JSON cannot say, such as a change of a Forgery to a func.
func encoded(what map[string]any) []byte {
	content, err := json.Marshal(what)
	if err != nil {
		panic("wechatpaytest: " + err.Error())
	}
	return content
}

// deliver sends a callback until it is acknowledged. The caller holds the lock.
func (g *Gateway) deliver(address string, body []byte) {
	g.busy.Go(func() {
		for sent := 0; ; sent++ {
			err := g.post(g.stopped, address, body)
			if err == nil {
				return
			}
			if sent == len(g.config.Retry) {
				g.config.Log.Warn("callback given up", "url", address, "error", err)
				return
			}
			select {
			case <-g.stopped.Done():
				return
			case <-time.After(g.config.Retry[sent]):
			}
		}
	})
}

// post sends a callback once, signed anew each time.
func (g *Gateway) post(ctx context.Context, address string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	g.mu.Lock()
	by := g.signer
	g.mu.Unlock()
	request.Header = callbackHeader(by, body, g.config.Now())
	response, err := g.courier.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	if err != nil {
		return err
	}
	var said struct {
		Code string `json:"code"`
	}
	switch {
	case response.StatusCode == http.StatusNoContent:
		return nil
	case response.StatusCode != http.StatusOK:
		return errors.New(response.Status)
	case len(answer) > 0 && (json.Unmarshal(answer, &said) != nil || said.Code != "SUCCESS"):
		return errors.New("not acknowledged")
	}
	return nil
}

func callbackHeader(by *Identity, body []byte, at time.Time) http.Header {
	h := seal(by, body, at)
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "Mozilla/4.0")
	return h
}

// Callback is a request to a merchant, not sent.
type Callback struct {
	Header http.Header
	Body   []byte
}

// Forgery is how a callback differs from a genuine one; the zero value changes nothing.
type Forgery struct {
	By      *Identity                     // signs instead of the gateway
	At      time.Time                     // when it is signed
	Event   string                        // its type; default TRANSACTION.SUCCESS
	Content func(content map[string]any)  // changes what is encrypted
	Open    func(envelope map[string]any) // changes what is not, before it is signed
	Probe   bool                          // signs as the gateway's probes are signed
}

// Forge says that a number was paid, with whatever a forgery makes of it. It returns false if the number is not known.
func (g *Gateway) Forge(number string, f Forgery) (Callback, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.payments[number]
	if p == nil {
		return Callback{}, false
	}
	paid := *p
	now := g.config.Now()
	if paid.TransactionID == "" {
		paid.State, paid.Captured, paid.Paid, paid.TransactionID, paid.eventID = "SUCCESS", paid.Amount, now, g.newID("4200", now), eventID()
	}
	content := g.told(&paid)
	if f.Content != nil {
		f.Content(content)
	}
	if f.Event == "" {
		f.Event = "TRANSACTION.SUCCESS"
	}
	body := g.event(f.Event, paid.eventID, "transaction", content)
	if f.Open != nil {
		var envelope map[string]any
		_ = json.Unmarshal(body, &envelope) // it was made above
		f.Open(envelope)
		body = encoded(envelope)
	}
	if f.By == nil {
		f.By = g.signer
	}
	if f.At.IsZero() {
		f.At = now
	}
	header := callbackHeader(f.By, body, f.At)
	if f.Probe {
		header.Set("Wechatpay-Signature", "WECHATPAY/SIGNTEST/"+header.Get("Wechatpay-Signature")[19:])
	}
	return Callback{Header: header, Body: body}, true
}

// Repeat delivers the callback about a payment once more. It returns false if nothing was paid.
func (g *Gateway) Repeat(number string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.payments[number]
	if p == nil || p.TransactionID == "" {
		return false
	}
	g.deliver(p.NotifyURL, g.event("TRANSACTION.SUCCESS", p.eventID, "transaction", g.told(p)))
	return true
}
