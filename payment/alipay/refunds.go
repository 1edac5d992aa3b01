package alipay

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/smartwalle/alipay/v3"

	"github.com/boxoffice/boxoffice/payment"
)

// Refund implements payment.Provider. The gateway knows a refund by its payment and our id together; repeating it needs the
// same amount, and moves no money.
func (p *Provider) Refund(ctx context.Context, refund payment.Refund) (payment.RefundStatus, error) {
	refuse := func(format string, args ...any) (payment.RefundStatus, error) {
		return payment.RefundStatus{}, fmt.Errorf("alipay: "+format+": %w", append(args, payment.ErrRejected)...)
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
	question := alipay.TradeRefund{
		OutTradeNo: refund.Number, OutRequestNo: refund.ID, RefundAmount: yuan(refund.Amount.Amount), RefundReason: plain(refund.Reason),
	}
	var a struct {
		answer

		Number string `json:"out_trade_no"`
		ID     string `json:"trade_no"`
		Moved  string `json:"fund_change"`
	}
	err := p.call(ctx, question, &a)
	switch {
	case errors.Is(err, payment.ErrNotFound): // a refund needs a payment: that there is none stays true
		return payment.RefundStatus{}, fmt.Errorf("%w: %v", payment.ErrRejected, err) //nolint:errorlint // see above
	case err != nil:
		return payment.RefundStatus{}, err
	case a.Number != refund.Number || a.ID == "" || len(a.ID) > 64:
		return payment.RefundStatus{}, fmt.Errorf("alipay: asked for a refund of %s, answered about %.80q: %w", refund.Number, a.Number, payment.ErrUnavailable)
	case a.Moved == "Y":
		return payment.RefundStatus{ID: refund.ID, GatewayID: a.ID, State: payment.RefundSucceeded, At: p.config.Now().UTC()}, nil
	}
	// The request was understood, which is not a success: either it was made before, or it is not made yet.
	s, err := p.QueryRefund(ctx, refund)
	if errors.Is(err, payment.ErrNotFound) {
		return payment.RefundStatus{ID: refund.ID, GatewayID: a.ID, State: payment.RefundPending}, nil
	}
	return s, err
}

// QueryRefund implements payment.Provider. ErrNotFound means that it was not received, or failed: the gateway says the same of
// both, and the same refund may be sent again.
func (p *Provider) QueryRefund(ctx context.Context, refund payment.Refund) (payment.RefundStatus, error) {
	if !numberShape.MatchString(refund.ID) || !numberShape.MatchString(refund.Number) {
		return payment.RefundStatus{}, fmt.Errorf("alipay: refund %q of %q: %w", refund.ID, refund.Number, payment.ErrNotFound)
	}
	question := alipay.TradeFastPayRefundQuery{
		OutTradeNo: refund.Number, OutRequestNo: refund.ID, QueryOptions: []string{"gmt_refund_pay"},
	}
	var a struct {
		answer

		Number string `json:"out_trade_no"`
		Trade  string `json:"trade_no"`
		ID     string `json:"out_request_no"`
		Amount string `json:"refund_amount"`
		State  string `json:"refund_status"`
		Paid   string `json:"gmt_refund_pay"`
	}
	if err := p.call(ctx, question, &a); err != nil {
		return payment.RefundStatus{}, err
	}
	s := payment.RefundStatus{ID: refund.ID, GatewayID: a.Trade}
	switch a.State {
	case "":
		return payment.RefundStatus{}, fmt.Errorf("alipay: refund %s of %s: %w", refund.ID, refund.Number, payment.ErrNotFound)
	case "REFUND_SUCCESS":
		s.State = payment.RefundSucceeded
	case "REFUND_PROCESSING":
		s.State = payment.RefundPending
	case "REFUND_FAIL":
		s.State, s.Reason = payment.RefundFailed, a.State
	default:
		return payment.RefundStatus{}, fmt.Errorf("alipay: refund %s: refund_status %.40q: %w", refund.ID, a.State, payment.ErrUnavailable)
	}
	if amount, err := fen(a.Amount); err != nil || amount != refund.Amount.Amount || a.ID != refund.ID || a.Number != refund.Number {
		return payment.RefundStatus{}, fmt.Errorf("alipay: asked about refund %s of %s of %s, answered about %.80q of %.40q of %.80q: %w",
			refund.ID, yuan(refund.Amount.Amount), refund.Number, a.ID, a.Amount, a.Number, payment.ErrUnavailable)
	}
	if strings.TrimSpace(a.Paid) != "" {
		at, err := moment(a.Paid)
		if err != nil {
			return payment.RefundStatus{}, fmt.Errorf("alipay: refund %s: %w: %w", refund.ID, payment.ErrUnavailable, err)
		}
		s.At = at
	}
	return s, nil
}
