package ticketing

import "time"

// RefundState is where a refund stands.
type RefundState string

// The states of a refund.
const (
	RefundPending   RefundState = "PENDING"   // stored, perhaps sent; asked for until final
	RefundSucceeded RefundState = "SUCCEEDED" // the gateway gave the money back
	RefundFailed    RefundState = "FAILED"    // the gateway will not; a person settles it
)

// RefundReason says why money goes back: a RejectReason for money that did not pay its order, or one of these.
type RefundReason string

// The reasons for giving tickets back.
const (
	RefundRequested RefundReason = "requested" // the buyer asked for it
	RefundCalledOff RefundReason = "event"     // the organiser called the event off or changed it: free
)

// OfTickets says whether tickets go back, and not money that paid for none.
func (r RefundReason) OfTickets() bool { return r == RefundRequested || r == RefundCalledOff }

// Refund is money on its way back to a payer.
type Refund struct {
	// ID is the number the gateway knows it by; stored before the first call, reused by every retry.
	ID        string `json:"id"`
	AttemptID string `json:"attempt_id"`
	OrderID   string `json:"order_id"`
	Provider  string `json:"provider"`
	GatewayID string `json:"gateway_id"` // of the payment
	Amount    Money  `json:"amount"`
	// Fee is kept of what was paid for the tickets, in minor units of Amount's currency.
	Fee int64 `json:"fee,omitempty"`
	// TicketIDs are the tickets that go back; none for money that did not pay its order.
	TicketIDs []string     `json:"ticket_ids,omitempty"`
	Captured  Money        `json:"captured"` // by the payment in all
	State     RefundState  `json:"state"`
	Reason    RefundReason `json:"reason"`
	CreatedAt time.Time    `json:"created_at"`
	SettledAt *time.Time   `json:"settled_at,omitempty"`
}

// RefundRequest asks for tickets to be given back. It is idempotent by Request.
type RefundRequest struct {
	// ID is the number of the refund, should this be the first time that it is asked for.
	ID      string
	OrderID string
	// Request names the buyer's intent: asked again, it is the same refund.
	Request string
	// Fingerprint is a hash of what was asked: the same Request with another one is a reused key.
	Fingerprint string
	// TicketIDs are the tickets that go back; nil means all that are valid.
	TicketIDs []string
	// Expected is what the buyer was told would go back.
	Expected Money
}

// RefundAnswer is the answer to a RefundRequest, the same however often it is asked.
type RefundAnswer struct {
	Refund Refund
	// Refusal says why there is no refund; nil if there is one.
	Refusal *Refusal
}
