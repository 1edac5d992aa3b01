package sandbox

import (
	"time"

	"github.com/boxoffice/boxoffice/ticketing"
)

// The states of a payment in the gateway's own words.
const (
	Pending    = "pending"
	Processing = "processing" // the gateway itself does not know yet
	Paid       = "paid"
	Declined   = "declined"
	Closed     = "closed"
)

// The states of a refund in the gateway's own words.
const (
	RefundPending   = "pending"
	RefundSucceeded = "succeeded"
	RefundFailed    = "failed"
)

// Order asks the gateway to collect money.
type Order struct {
	Number      string          `json:"number"`
	Amount      ticketing.Money `json:"amount"`
	Method      string          `json:"method"`
	Description string          `json:"description"`
	Language    string          `json:"language"`
	ExpiresAt   time.Time       `json:"expires_at"`
	NotifyURL   string          `json:"notify_url"`
	ReturnURL   string          `json:"return_url"`
}

// Payment is what the gateway says of a payment.
type Payment struct {
	ID       string          `json:"id"`
	Merchant string          `json:"merchant"`
	Number   string          `json:"number"`
	State    string          `json:"state"`
	Amount   ticketing.Money `json:"amount"`
	// Captured is present when State is Paid.
	Captured *ticketing.Money `json:"captured,omitempty"`
	PayURL   string           `json:"pay_url,omitempty"`
	QR       string           `json:"qr,omitempty"`
	At       time.Time        `json:"at"`
}

// RefundOrder asks the gateway to give money back.
type RefundOrder struct {
	ID     string          `json:"id"`
	Number string          `json:"number"`
	Amount ticketing.Money `json:"amount"`
	Reason string          `json:"reason"`
}

// Refund is what the gateway says of a refund.
type Refund struct {
	ID        string          `json:"id"`
	GatewayID string          `json:"gateway_id"`
	Merchant  string          `json:"merchant"`
	Number    string          `json:"number"`
	State     string          `json:"state"`
	Amount    ticketing.Money `json:"amount"`
	Reason    string          `json:"reason,omitempty"`
	At        time.Time       `json:"at"`
}

// The states of a dispute in the gateway's own words.
const (
	DisputeOpen = "open"
	DisputeWon  = "won"
	DisputeLost = "lost"
)

// Dispute is what the gateway says of a payer's claim to have their money back.
type Dispute struct {
	ID        string          `json:"id"`
	Merchant  string          `json:"merchant"`
	Number    string          `json:"number"`
	PaymentID string          `json:"payment_id"`
	State     string          `json:"state"`
	Amount    ticketing.Money `json:"amount"`
	// Fee is what the merchant is charged for it.
	Fee    ticketing.Money `json:"fee"`
	Reason string          `json:"reason"`
	At     time.Time       `json:"at"`
}

// Bill is a page of the movements of a day.
type Bill struct {
	// Total counts the day's movements so far; the page begins at the one asked for.
	Total     int        `json:"total"`
	Movements []Movement `json:"movements"`
}

// The kinds of movements.
const (
	KindPayment = "payment"
	KindRefund  = "refund"
	KindDispute = "dispute" // money withheld, or given back to the merchant who won
)

// Movement is a line of the gateway's bill; what leaves the merchant is negative.
type Movement struct {
	Kind      string `json:"kind"`
	GatewayID string `json:"gateway_id"`
	Merchant  string `json:"merchant"`
	Number    string `json:"number"`
	// RefundID is the id of the refund, or of the dispute.
	RefundID string          `json:"refund_id,omitempty"`
	Amount   ticketing.Money `json:"amount"`
	// Fee is what the gateway kept for itself.
	Fee ticketing.Money `json:"fee,omitzero"`
	At  time.Time       `json:"at"`
}

// Notice is the body of a callback: exactly one of Payment, Refund and Dispute is present.
type Notice struct {
	EventID  string    `json:"event_id"`
	Merchant string    `json:"merchant"`
	Payment  *Payment  `json:"payment,omitempty"`
	Refund   *Refund   `json:"refund,omitempty"`
	Dispute  *Dispute  `json:"dispute,omitempty"`
	At       time.Time `json:"at"`
}

// The codes of failures that mean something to a merchant beyond their status.
const (
	CodeInvalid  = "invalid"  // 400: never acceptable as it is
	CodeUnsigned = "unsigned" // 401: signature, merchant, clock or nonce
	CodeUnknown  = "unknown"  // 404: no such payment or refund
	// CodeLowBalance is 402: the merchant's balance does not suffice for the refund now.
	CodeLowBalance = "balance_too_low"
)

// Failure is the body of an error.
type Failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}
