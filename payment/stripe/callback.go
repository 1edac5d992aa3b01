package stripe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/boxoffice/boxoffice/payment"
)

// Events are the kinds of events our webhook endpoint must be subscribed to. Others are kept and mean nothing.
var Events = []string{
	"checkout.session.completed", "checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed",
	"checkout.session.expired",
	"refund.created", "refund.updated", "refund.failed", "charge.refund.updated",
	"charge.dispute.created", "charge.dispute.updated", "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated", "charge.dispute.closed",
}

const (
	// maxCallback bounds an event, in bytes; Stripe's have some thousand.
	maxCallback = 512 << 10
	// maxSignatures bounds how many signatures of a header are looked at; while a secret is being replaced there are two.
	maxSignatures = 8
	maxHeader     = 4 << 10
	maxEventID    = 128
)

// ParseCallback implements payment.Provider.
func (p *Provider) ParseCallback(header http.Header, body []byte, now time.Time) (payment.Notice, error) {
	if err := p.genuine(header, body, now); err != nil {
		return payment.Notice{}, fmt.Errorf("stripe: %w: %w", payment.ErrSignature, err)
	}
	// The decoder refuses duplicate keys and text that is not UTF-8 by itself.
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return payment.Notice{}, fmt.Errorf("stripe: %w: %w", payment.ErrMalformed, err)
	}
	switch {
	case e.Object != "event" || e.ID == "" || len(e.ID) > maxEventID || e.Created <= 0 || e.Type == "" || e.Livemode == nil:
		return payment.Notice{}, fmt.Errorf("stripe: %w: no event", payment.ErrMalformed)
	case *e.Livemode != p.live:
		return payment.Notice{}, fmt.Errorf("stripe: event %s, livemode %t: %w", e.ID, *e.Livemode, payment.ErrWrongMerchant)
	case e.Account != p.config.Account:
		return payment.Notice{}, fmt.Errorf("stripe: event %s of account %q: %w", e.ID, e.Account, payment.ErrWrongMerchant)
	}
	notice, err := p.read(e)
	if err != nil {
		return payment.Notice{}, fmt.Errorf("stripe: event %s: %w: %w", e.ID, payment.ErrMalformed, err)
	}
	return notice, nil
}

// genuine verifies the Stripe-Signature header: t=seconds,v1=hex[,v1=hex…], an HMAC of the seconds, a dot and the body. Every
// signature is compared with every secret, so that the time tells nothing.
func (p *Provider) genuine(header http.Header, body []byte, now time.Time) error {
	values := header.Values("Stripe-Signature")
	if len(values) != 1 || len(values[0]) > maxHeader || header.Get("Content-Encoding") != "" || len(body) > maxCallback {
		return errors.New("not exactly one signature header, or too long")
	}
	var signed string
	var signatures [][]byte
	for part := range strings.SplitSeq(values[0], ",") {
		name, value, pair := strings.Cut(part, "=")
		switch {
		case !pair || strings.Contains(value, "="):
			return errors.New("not a list of pairs")
		case name == "t" && signed == "":
			signed = value
		case name == "t":
			return errors.New("signed at two times")
		case name == "v1" && len(signatures) < maxSignatures:
			signature, err := hex.DecodeString(value)
			if err == nil {
				signatures = append(signatures, signature)
			}
		}
	}
	seconds, err := strconv.ParseInt(signed, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != signed {
		return errors.New("no time of signing")
	}
	matches := false
	for _, secret := range p.config.WebhookSecrets {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(signed + "."))
		mac.Write(body)
		expected := mac.Sum(nil)
		for _, signature := range signatures {
			matches = hmac.Equal(signature, expected) || matches
		}
	}
	if !matches {
		return errors.New("no signature of ours")
	}
	// In seconds: a moment far away would overflow a Duration.
	tolerance := int64(p.config.Tolerance / time.Second)
	if age := now.Unix() - seconds; age > tolerance || age < -tolerance {
		return fmt.Errorf("signed at %d, now it is %d", seconds, now.Unix())
	}
	return nil
}

// event is what is read of an event. Its object is read by its kind.
type event struct {
	ID       string `json:"id"`
	Object   string `json:"object"`
	Type     string `json:"type"`
	Created  int64  `json:"created"`
	Livemode *bool  `json:"livemode"`
	Account  string `json:"account"`
	Data     struct {
		Object jsontext.Value `json:"object"`
	} `json:"data"`
}

// Acknowledge implements payment.Provider: any answer with a status of 200 to 299 ends Stripe's repeats.
func (p *Provider) Acknowledge() (status int, contentType string, body []byte) {
	return http.StatusOK, "application/json", []byte(`{"received":true}`)
}
