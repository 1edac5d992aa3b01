package stripe

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

// read says what an event is about. Its object is a picture of the moment the event was made, in the API version of the webhook
// endpoint. What is read of it has been the same in every version.
func (p *Provider) read(e event) (payment.Notice, error) {
	notice := payment.Notice{Provider: p.config.Name, EventID: e.ID, Kind: payment.NoticeOther}
	var err error
	switch e.Type {
	case "checkout.session.completed", "checkout.session.async_payment_succeeded",
		"checkout.session.async_payment_failed", "checkout.session.expired":
		err = readSession(e, &notice)
	case "refund.created", "refund.updated", "refund.failed", "charge.refund.updated":
		err = readRefund(e, &notice)
	case "charge.dispute.created", "charge.dispute.updated", "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated", "charge.dispute.closed":
		err = readDispute(e, &notice)
	}
	if err != nil {
		return payment.Notice{}, err
	}
	return notice, nil
}

// reference is an object named by its id, or shown whole.
type reference string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (r *reference) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	switch d.PeekKind() {
	case '{':
		var whole struct {
			ID string `json:"id"`
		}
		err := json.UnmarshalDecode(d, &whole)
		*r = reference(whole.ID)
		return err
	default:
		var id *string
		err := json.UnmarshalDecode(d, &id)
		if id != nil {
			*r = reference(*id)
		}
		return err
	}
}

type sessionObject struct {
	Object        string            `json:"object"`
	Mode          string            `json:"mode"`
	Reference     string            `json:"client_reference_id"`
	Metadata      map[string]string `json:"metadata"`
	PaymentIntent reference         `json:"payment_intent"`
	Status        string            `json:"status"`
	PaymentStatus string            `json:"payment_status"`
	AmountTotal   int64             `json:"amount_total"`
	Currency      string            `json:"currency"`
}

func readSession(e event, notice *payment.Notice) error {
	var s sessionObject
	if err := json.Unmarshal(e.Data.Object, &s); err != nil {
		return err
	}
	if s.Object != "checkout.session" {
		return fmt.Errorf("a %q instead of a session", s.Object)
	}
	if s.Mode != "payment" || s.Reference == "" || s.Metadata[metaNumber] != s.Reference || !numberShape.MatchString(s.Reference) {
		return nil // another shop's on the same account: its money is none of ours
	}
	notice.Kind = payment.NoticePayment
	notice.Payment = payment.Status{Number: s.Reference, GatewayID: string(s.PaymentIntent), At: moment(e.Created)}
	switch {
	case s.PaymentStatus == "paid":
		return readCaptured(s, &notice.Payment)
	case s.PaymentStatus != "unpaid":
		return fmt.Errorf("payment status %q", s.PaymentStatus)
	case e.Type == "checkout.session.completed": // its method takes time to tell
		notice.Payment.State = payment.StateUnknown
	case e.Type == "checkout.session.async_payment_failed":
		notice.Payment.State = payment.StateDeclined
	case e.Type == "checkout.session.expired":
		notice.Payment.State = payment.StateClosed
	default:
		return fmt.Errorf("%s, but unpaid", e.Type)
	}
	return nil
}

func readCaptured(s sessionObject, paid *payment.Status) (err error) {
	if !intentShape.MatchString(string(s.PaymentIntent)) {
		return fmt.Errorf("paid, payment intent %q", s.PaymentIntent)
	}
	if paid.Captured, err = fromStripe(s.AmountTotal, s.Currency); err != nil {
		return err
	}
	if paid.Captured.Amount <= 0 {
		return fmt.Errorf("paid, but %s", paid.Captured)
	}
	paid.State = payment.StatePaid
	return nil
}

type refundObject struct {
	Object        string            `json:"object"`
	ID            string            `json:"id"`
	Metadata      map[string]string `json:"metadata"`
	Status        string            `json:"status"`
	PendingReason string            `json:"pending_reason"`
	FailureReason string            `json:"failure_reason"`
}

func readRefund(e event, notice *payment.Notice) error {
	var r refundObject
	if err := json.Unmarshal(e.Data.Object, &r); err != nil {
		return err
	}
	if r.Object != "refund" || r.ID == "" || len(r.ID) > maxEventID {
		return fmt.Errorf("a %q instead of a refund", r.Object)
	}
	id := r.Metadata[metaRefund]
	if !numberShape.MatchString(id) {
		return nil // made by hand, or by another shop: the bill tells of it
	}
	notice.Kind = payment.NoticeRefund
	notice.Refund = payment.RefundStatus{ID: id, GatewayID: r.ID, At: moment(e.Created)}
	switch r.Status {
	case "succeeded":
		notice.Refund.State = payment.RefundSucceeded
	case "pending", "requires_action":
		notice.Refund.State, notice.Refund.Reason = payment.RefundPending, clip(r.PendingReason, maxReason)
	case "failed", "canceled":
		notice.Refund.State = payment.RefundFailed
		notice.Refund.Reason = clip(strings.TrimSpace(r.Status+" "+r.FailureReason), maxReason)
	default:
		return fmt.Errorf("refund status %q", r.Status)
	}
	return nil
}

type disputeObject struct {
	Object        string        `json:"object"`
	ID            string        `json:"id"`
	Amount        int64         `json:"amount"`
	Currency      string        `json:"currency"`
	Reason        string        `json:"reason"`
	Status        string        `json:"status"`
	PaymentIntent reference     `json:"payment_intent"`
	Movements     []disputeMove `json:"balance_transactions"`
}

// disputeMove is money that Stripe took for a dispute, or gave back.
type disputeMove struct {
	Fee      int64  `json:"fee"`
	Currency string `json:"currency"`
}

func readDispute(e event, notice *payment.Notice) (err error) {
	var d disputeObject
	if err := json.Unmarshal(e.Data.Object, &d); err != nil {
		return err
	}
	if d.Object != "dispute" || d.ID == "" || len(d.ID) > maxEventID {
		return fmt.Errorf("a %q instead of a dispute", d.Object)
	}
	states := map[string]payment.DisputeState{
		"needs_response": payment.DisputeOpen, "under_review": payment.DisputeOpen, "won": payment.DisputeWon, "lost": payment.DisputeLost,
	}
	state, moved := states[d.Status]
	switch {
	case strings.HasPrefix(d.Status, "warning_"), d.Status == "prevented":
		return nil // the bank only asks, or the claim was settled before it became one: no money is withheld
	case !moved:
		return fmt.Errorf("dispute status %q", d.Status)
	case d.PaymentIntent == "":
		return nil // of a charge made without a payment intent: not through us
	case !intentShape.MatchString(string(d.PaymentIntent)):
		return fmt.Errorf("dispute of %q", d.PaymentIntent)
	}
	notice.Kind = payment.NoticeDispute
	notice.Dispute = payment.Dispute{
		ID: d.ID, GatewayID: string(d.PaymentIntent), State: state, Reason: clip(d.Reason, maxReason), At: moment(e.Created),
	}
	if notice.Dispute.Amount, err = rounded(d.Amount, d.Currency); err != nil {
		return err
	}
	if notice.Dispute.Amount.Amount <= 0 {
		return errors.New("dispute of nothing")
	}
	notice.Dispute.Fee = disputeFee(d.Movements)
	return nil
}

// disputeFee is what Stripe charges for a dispute, in the currency of our balance. The bill tells of it, too: what cannot be told
// as one amount here is left to it, and the dispute is heard of.
func disputeFee(moves []disputeMove) ticketing.Money {
	var sum int64
	for _, move := range moves {
		if move.Currency != moves[0].Currency {
			return ticketing.Money{}
		}
		sum += move.Fee
	}
	if sum <= 0 { // none, or given back
		return ticketing.Money{}
	}
	return fee(sum, moves[0].Currency)
}
