package wechatpay

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/boxoffice/boxoffice/payment"
)

type refundAmount struct {
	Refund   int64  `json:"refund"`
	Total    int64  `json:"total"`
	Currency string `json:"currency,omitempty"`
}

type newRefund struct {
	Number    string       `json:"out_trade_no"`
	ID        string       `json:"out_refund_no"`
	Reason    string       `json:"reason,omitempty"`
	NotifyURL string       `json:"notify_url,omitempty"`
	Amount    refundAmount `json:"amount"`
}

// refunded is what answers and callbacks say of a refund; they name its state differently.
type refunded struct {
	Merchant     string       `json:"mchid"` // in callbacks
	Number       string       `json:"out_trade_no"`
	ID           string       `json:"out_refund_no"`
	GatewayID    string       `json:"refund_id"`
	Status       string       `json:"status"`
	RefundStatus string       `json:"refund_status"`
	Created      string       `json:"create_time"`
	Success      string       `json:"success_time"`
	Amount       refundAmount `json:"amount"`
}

func (r *refunded) status(said string) (payment.RefundStatus, error) {
	s := payment.RefundStatus{ID: r.ID, GatewayID: r.GatewayID}
	if r.GatewayID == "" || len(r.GatewayID) > 64 {
		return payment.RefundStatus{}, fmt.Errorf("refund_id %.80q", r.GatewayID)
	}
	at := r.Created
	switch said {
	case "SUCCESS":
		s.State, at = payment.RefundSucceeded, r.Success
	case "PROCESSING":
		s.State = payment.RefundPending
	case "CLOSED", "ABNORMAL":
		s.State, s.Reason = payment.RefundFailed, said
	default:
		return payment.RefundStatus{}, fmt.Errorf("status %.40q", said)
	}
	if at == "" && s.State != payment.RefundSucceeded {
		return s, nil // callbacks say when only of a success
	}
	parsed, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return payment.RefundStatus{}, fmt.Errorf("time: %w", err)
	}
	s.At = parsed.UTC()
	return s, nil
}

// Refund implements payment.Provider.
func (p *Provider) Refund(ctx context.Context, refund payment.Refund) (payment.RefundStatus, error) {
	refuse := func(format string, args ...any) (payment.RefundStatus, error) {
		return payment.RefundStatus{}, fmt.Errorf("wechatpay: "+format+": %w", append(args, payment.ErrRejected)...)
	}
	switch {
	case !numberShape.MatchString(refund.ID):
		return refuse("refund id %q", refund.ID)
	case !numberShape.MatchString(refund.Number):
		return refuse("number %q", refund.Number)
	case !p.Accepts(refund.Amount.Currency) || refund.Total.Currency != refund.Amount.Currency:
		return refuse("no refunds in %q of %q", refund.Amount.Currency, refund.Total.Currency)
	case refund.Amount.Amount <= 0 || refund.Total.Amount > maxAmount || refund.Amount.Amount > refund.Total.Amount:
		return refuse("refund of %d of %d", refund.Amount.Amount, refund.Total.Amount)
	}
	asked := newRefund{
		Number: refund.Number, ID: refund.ID, NotifyURL: p.config.RefundNotifyURL,
		Amount: refundAmount{Refund: refund.Amount.Amount, Total: refund.Total.Amount, Currency: refund.Amount.Currency},
	}
	if strings.TrimSpace(refund.Reason) != "" {
		reason := []rune(plain(refund.Reason))
		asked.Reason = string(reason[:min(len(reason), 26)]) // the gateway takes 80 bytes
	}
	var r refunded
	if err := p.call(ctx, http.MethodPost, "/v3/refund/domestic/refunds", asked, &r); err != nil {
		return payment.RefundStatus{}, err
	}
	return p.told(&r, refund)
}

// QueryRefund implements payment.Provider.
func (p *Provider) QueryRefund(ctx context.Context, refund payment.Refund) (payment.RefundStatus, error) {
	if !numberShape.MatchString(refund.ID) {
		return payment.RefundStatus{}, fmt.Errorf("wechatpay: refund id %q: %w", refund.ID, payment.ErrNotFound)
	}
	var r refunded
	if err := p.call(ctx, http.MethodGet, "/v3/refund/domestic/refunds/"+refund.ID, nil, &r); err != nil {
		return payment.RefundStatus{}, err
	}
	return p.told(&r, refund)
}

// told reads an answer about a refund, which must be about the one that was asked for.
func (p *Provider) told(r *refunded, refund payment.Refund) (payment.RefundStatus, error) {
	if r.ID != refund.ID || r.Number != refund.Number || r.Amount.Refund != refund.Amount.Amount {
		return payment.RefundStatus{}, fmt.Errorf("wechatpay: asked about refund %s of %d of %s, answered about %.40q of %d of %.40q: %w",
			refund.ID, refund.Amount.Amount, refund.Number, r.ID, r.Amount.Refund, r.Number, payment.ErrUnavailable)
	}
	s, err := r.status(r.Status)
	if err != nil {
		return payment.RefundStatus{}, fmt.Errorf("wechatpay: refund %s: %w: %w", refund.ID, payment.ErrUnavailable, err)
	}
	return s, nil
}
