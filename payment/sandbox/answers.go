package sandbox

import (
	"fmt"
	"net/http"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

// meaning says what a failure means for the caller. Only the gateway's own words are believed: a
// proxy's 404 does not make a payment unknown, and a request refused because our clock or key is
// wrong is refused until somebody mends it, not for good.
func meaning(status int, code string) error {
	switch {
	case status == http.StatusNotFound && code == CodeUnknown:
		return payment.ErrNotFound
	case status == http.StatusBadRequest && code == CodeInvalid, status == http.StatusConflict && code != "":
		return payment.ErrRejected
	case status == http.StatusPaymentRequired && code == CodeLowBalance:
		return payment.ErrLowBalance
	default:
		return payment.ErrUnavailable
	}
}

// status translates what the gateway says of a payment.
func status(p Payment) (payment.Status, error) {
	states := map[string]payment.State{
		Pending: payment.StatePending, Processing: payment.StateUnknown, Paid: payment.StatePaid,
		Declined: payment.StateDeclined, Closed: payment.StateClosed,
	}
	state, ok := states[p.State]
	if !ok {
		return payment.Status{}, fmt.Errorf("sandbox: payment state %q: %w", p.State, payment.ErrMalformed)
	}
	if p.Number == "" || p.ID == "" || p.At.IsZero() {
		return payment.Status{}, fmt.Errorf("sandbox: payment without number, id or time: %w", payment.ErrMalformed)
	}
	s := payment.Status{Number: p.Number, GatewayID: p.ID, State: state, At: p.At}
	if (state == payment.StatePaid) != (p.Captured != nil) {
		return payment.Status{}, fmt.Errorf("sandbox: payment is %s with captured %v: %w", p.State, p.Captured, payment.ErrMalformed)
	}
	if p.Captured != nil {
		if p.Captured.Amount <= 0 || !ticketing.ValidCurrency(p.Captured.Currency) {
			return payment.Status{}, fmt.Errorf("sandbox: captured %s: %w", *p.Captured, payment.ErrMalformed)
		}
		s.Captured = *p.Captured
	}
	return s, nil
}

func refundStatus(r Refund) (payment.RefundStatus, error) {
	states := map[string]payment.RefundState{
		RefundPending: payment.RefundPending, RefundSucceeded: payment.RefundSucceeded, RefundFailed: payment.RefundFailed,
	}
	state, ok := states[r.State]
	if !ok {
		return payment.RefundStatus{}, fmt.Errorf("sandbox: refund state %q: %w", r.State, payment.ErrMalformed)
	}
	if r.ID == "" || r.Number == "" || r.GatewayID == "" || r.At.IsZero() {
		return payment.RefundStatus{}, fmt.Errorf("sandbox: refund without id, number or time: %w", payment.ErrMalformed)
	}
	return payment.RefundStatus{ID: r.ID, GatewayID: r.GatewayID, State: state, Reason: r.Reason, At: r.At}, nil
}

// disputeOf translates what the gateway says of a dispute.
func disputeOf(d Dispute) (payment.Dispute, error) {
	states := map[string]payment.DisputeState{
		DisputeOpen: payment.DisputeOpen, DisputeWon: payment.DisputeWon, DisputeLost: payment.DisputeLost,
	}
	state, ok := states[d.State]
	if !ok {
		return payment.Dispute{}, fmt.Errorf("sandbox: dispute state %q: %w", d.State, payment.ErrMalformed)
	}
	if d.ID == "" || d.Number == "" || d.PaymentID == "" || d.At.IsZero() {
		return payment.Dispute{}, fmt.Errorf("sandbox: dispute without id, number, payment or time: %w", payment.ErrMalformed)
	}
	for _, m := range []ticketing.Money{d.Amount, d.Fee} {
		if m.Amount < 0 || !ticketing.ValidCurrency(m.Currency) {
			return payment.Dispute{}, fmt.Errorf("sandbox: dispute over %s: %w", m, payment.ErrMalformed)
		}
	}
	if d.Amount.Amount == 0 {
		return payment.Dispute{}, fmt.Errorf("sandbox: dispute over nothing: %w", payment.ErrMalformed)
	}
	return payment.Dispute{
		ID: d.ID, Number: d.Number, GatewayID: d.PaymentID, State: state, Amount: d.Amount, Fee: d.Fee, Reason: d.Reason, At: d.At,
	}, nil
}
