package sandbox

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/boxoffice/boxoffice/payment"
)

// ParseCallback implements payment.Provider.
func (p *Provider) ParseCallback(header http.Header, body []byte, now time.Time) (payment.Notice, error) {
	timestamp := header.Get(HeaderTimestamp)
	if !p.signed(header.Get(HeaderSignature), timestamp, body) {
		return payment.Notice{}, fmt.Errorf("sandbox: %w", payment.ErrSignature)
	}
	if !Fresh(timestamp, now) {
		return payment.Notice{}, fmt.Errorf("sandbox: timestamp %s is stale: %w", timestamp, payment.ErrSignature)
	}
	var notice Notice
	// The decoder refuses duplicate keys and text that is not UTF-8 by itself.
	if err := json.Unmarshal(body, &notice, json.RejectUnknownMembers(true)); err != nil {
		return payment.Notice{}, fmt.Errorf("sandbox: %w: %w", payment.ErrMalformed, err)
	}
	if notice.Merchant != p.config.Merchant {
		return payment.Notice{}, fmt.Errorf("sandbox: merchant %q: %w", notice.Merchant, payment.ErrWrongMerchant)
	}
	return p.read(notice)
}

// signed says whether any of the signatures was made with any of our keys. Every pair is compared,
// so that the time tells nothing.
func (p *Provider) signed(signatures, timestamp string, body []byte) bool {
	const most = 4 // of a rotation there are two
	valid := false
	for i, signature := range strings.Split(signatures, ",") {
		value, ok := strings.CutPrefix(strings.TrimSpace(signature), "v1=")
		if !ok || i >= most {
			continue
		}
		for _, key := range p.config.CallbackKeys {
			if Equal(value, CallbackSignature(key, timestamp, body)) {
				valid = true
			}
		}
	}
	return valid
}

func (p *Provider) read(n Notice) (payment.Notice, error) {
	notice := payment.Notice{Provider: Name, EventID: n.EventID}
	malformed := func(what string) (payment.Notice, error) {
		return payment.Notice{}, fmt.Errorf("sandbox: %s: %w", what, payment.ErrMalformed)
	}
	var err error
	switch {
	case n.EventID == "" || len(n.EventID) > 128:
		return malformed("event id")
	case !n.single():
		return malformed("not exactly one of payment, refund and dispute")
	case n.Payment != nil:
		if n.Payment.Merchant != n.Merchant {
			return malformed("payment of another merchant")
		}
		notice.Kind = payment.NoticePayment
		notice.Payment, err = status(*n.Payment)
	case n.Dispute != nil:
		if n.Dispute.Merchant != n.Merchant {
			return malformed("dispute of another merchant")
		}
		notice.Kind = payment.NoticeDispute
		notice.Dispute, err = disputeOf(*n.Dispute)
	default:
		if n.Refund.Merchant != n.Merchant {
			return malformed("refund of another merchant")
		}
		notice.Kind = payment.NoticeRefund
		notice.Refund, err = refundStatus(*n.Refund)
	}
	if err != nil {
		return payment.Notice{}, err
	}
	return notice, nil
}

// single says whether a notice is about exactly one thing.
func (n Notice) single() bool {
	about := 0
	for _, present := range []bool{n.Payment != nil, n.Refund != nil, n.Dispute != nil} {
		if present {
			about++
		}
	}
	return about == 1
}

// Acknowledge implements payment.Provider.
func (p *Provider) Acknowledge() (status int, contentType string, body []byte) {
	return http.StatusOK, "application/json", []byte(Received)
}
