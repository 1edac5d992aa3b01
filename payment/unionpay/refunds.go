package unionpay

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/boxoffice/boxoffice/payment"
)

// Refund implements payment.Provider. The gateway accepts a refund at once and says later that it was made.
//
// It has two quicker ways to give money back, cancelling on the same settlement day (31) and reversing what nobody knows the
// outcome of (99). Both give all of it back or nothing, and neither may be used after a refund: one way is safer than three.
func (p *Provider) Refund(ctx context.Context, refund payment.Refund) (payment.RefundStatus, error) {
	refuse := func(format string, args ...any) (payment.RefundStatus, error) {
		return payment.RefundStatus{}, fmt.Errorf("unionpay: refund "+refund.ID+": "+format+": %w", append(args, payment.ErrRejected)...)
	}
	sent, err := txnTime(refund.ID, p.config.Now())
	if err != nil {
		return payment.RefundStatus{}, err
	}
	switch {
	case !numberShape.MatchString(refund.ID) || !numberShape.MatchString(refund.Number):
		return refuse("of %q", refund.Number)
	case !p.Accepts(refund.Amount.Currency):
		return refuse("in %q", refund.Amount.Currency)
	case refund.Amount.Amount <= 0 || refund.Amount.Amount > maxAmount:
		return refuse("amount %d", refund.Amount.Amount)
	}
	if refund.GatewayID == "" { // a refund names the payment by the gateway's id
		paid, err := p.Query(ctx, refund.Number)
		if errors.Is(err, payment.ErrNotFound) || err == nil && paid.State != payment.StatePaid {
			return refuse("%s is not paid (%s)", refund.Number, paid.State)
		}
		if err != nil {
			return payment.RefundStatus{}, err
		}
		refund.GatewayID = paid.GatewayID
	}
	f := p.message(refund.ID, sent, "04", "00")
	f["bizType"] = "000201"
	f["channelType"] = "07"
	f["txnAmt"] = strconv.FormatInt(refund.Amount.Amount, 10)
	f["origQryId"] = refund.GatewayID
	f["backUrl"] = p.config.RefundNotifyURL
	f["reqReserved"] = refund.Number // the bill tells it, but not whose payment it was
	answer, err := p.call(ctx, p.config.Timeout, maxAnswer, p.config.URL+"/gateway/api/backTransReq.do", f)
	if err != nil {
		return payment.RefundStatus{}, err
	}
	if err := about(answer, f); err != nil {
		return payment.RefundStatus{}, err
	}
	code := answer["respCode"]
	switch {
	case code == codeDuplicate: // sent before: what became of it?
		return p.repeated(ctx, refund)
	case !succeeded(code) && !undecided(code):
		reason := meaning(code)
		if errors.Is(reason, payment.ErrNotFound) { // the payment, not the refund
			reason = payment.ErrRejected
		}
		return payment.RefundStatus{}, fmt.Errorf("unionpay: refund %s: %s %s: %w", refund.ID, code, answer["respMsg"], reason)
	}
	// Accepted, or not even that is sure: QueryRefund tells.
	return payment.RefundStatus{ID: refund.ID, GatewayID: answer["queryId"], State: payment.RefundPending, At: p.config.Now().UTC()}, nil
}

// repeated is a refund that the gateway says it knows. It may have been asked to make another one under this id.
func (p *Provider) repeated(ctx context.Context, refund payment.Refund) (payment.RefundStatus, error) {
	known, err := p.QueryRefund(ctx, refund)
	if errors.Is(err, payment.ErrNotFound) { // it says both: nobody knows what it did
		err = fmt.Errorf("unionpay: refund %s is known and is not: %w", refund.ID, payment.ErrUnavailable)
	}
	return known, err
}

// QueryRefund implements payment.Provider. It returns ErrRejected if the id stands for other terms than these.
func (p *Provider) QueryRefund(ctx context.Context, refund payment.Refund) (payment.RefundStatus, error) {
	f, err := p.query(ctx, refund.ID)
	if err != nil {
		return payment.RefundStatus{}, err
	}
	if f["txnType"] != "04" || f["txnAmt"] != strconv.FormatInt(refund.Amount.Amount, 10) ||
		f["origQryId"] != "" && refund.GatewayID != "" && f["origQryId"] != refund.GatewayID {
		return payment.RefundStatus{}, fmt.Errorf("unionpay: refund %s is a transaction of type %q over %q of %q: %w",
			refund.ID, f["txnType"], f["txnAmt"], f["origQryId"], payment.ErrRejected)
	}
	r, err := refundStatus(f, f["origRespCode"], f["origRespMsg"])
	if err != nil {
		return payment.RefundStatus{}, fmt.Errorf("unionpay: refund %s: %w: %w", refund.ID, payment.ErrUnavailable, err)
	}
	return r, nil
}
