package payment

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/boxoffice/boxoffice/ticketing"
)

// Errors an adapter wraps, so that callers can tell what to do next.
var (
	// ErrUnavailable: the gateway did not answer or answered that it cannot now. What it did is
	// unknown; ask again with the same number.
	ErrUnavailable = errors.New("gateway unavailable")
	// ErrRejected: the gateway understood and refused for good. Asking again changes nothing.
	ErrRejected = errors.New("gateway rejected the request")
	// ErrLowBalance: our balance at the gateway is too low for the refund. It was not made; the same
	// refund id succeeds once the balance suffices.
	ErrLowBalance = errors.New("balance at the gateway too low")
	// ErrTruncatedBill: the bill ends early or its totals disagree. It may be whole when it is asked for again.
	ErrTruncatedBill = errors.New("bill truncated")
	// ErrNotFound: the gateway knows no such payment or refund, or has no bill of that day yet.
	ErrNotFound = errors.New("not known to the gateway")
	// ErrSignature: a callback that the gateway did not sign, or not for us, or too long ago.
	ErrSignature = errors.New("callback signature refused")
	// ErrMalformed: a callback whose signature holds but whose content cannot be read.
	ErrMalformed = errors.New("callback malformed")
	// ErrWrongMerchant: a validly signed callback meant for another merchant.
	ErrWrongMerchant = errors.New("callback for another merchant")
)

// State is what a gateway says of a payment.
type State = ticketing.PaymentState

// The states of a payment at a gateway.
const (
	StatePending  = ticketing.PaymentPending
	StateUnknown  = ticketing.PaymentUnknown
	StatePaid     = ticketing.PaymentPaid
	StateDeclined = ticketing.PaymentDeclined
	StateClosed   = ticketing.PaymentClosed
)

// Order is what a gateway is asked to collect.
type Order struct {
	// Number identifies the attempt at the gateway: 8 to 32 characters of [0-9A-Z], stored before this call.
	Number string
	Amount ticketing.Money
	// Description is shown to the payer; no personal data.
	Description string
	// Language is the BCP 47 tag of the payer.
	Language string
	// ExpiresAt is when the gateway itself must stop taking the money.
	ExpiresAt time.Time
	// NotifyURL receives callbacks; ReturnURL is where the payer's browser goes afterwards.
	NotifyURL string
	ReturnURL string
	// PayerIP is the address of the payer's device, which some gateways check; empty if unknown.
	PayerIP string
}

// Checkout is where the payer goes: a page, the content of a QR code, or a form to be posted.
type Checkout struct {
	PayURL string
	QR     string
	// Form is what the payer's browser has to POST to PayURL, for gateways whose page takes no plain link.
	Form map[string]string
	// GatewayID is the gateway's own id of the payment, if it already has one.
	GatewayID string
}

// Status is what a gateway says of a payment now.
type Status struct {
	Number    string
	GatewayID string
	State     State
	// Captured is what was really taken; zero unless State is StatePaid.
	Captured ticketing.Money
	// At is when the gateway says it happened.
	At time.Time
}

// RefundState is what a gateway says of a refund.
type RefundState string

// The states of a refund at a gateway.
const (
	RefundPending   RefundState = "pending"
	RefundSucceeded RefundState = "succeeded"
	RefundFailed    RefundState = "failed"
)

// Refund is what a gateway is asked to give back.
type Refund struct {
	// ID identifies the refund at the gateway; stored before this call and reused by every retry.
	ID string
	// Number and GatewayID identify the payment.
	Number    string
	GatewayID string
	// Amount goes back; Total is what the payment captured.
	Amount ticketing.Money
	Total  ticketing.Money
	Reason string
}

// RefundStatus is what a gateway says of a refund now.
type RefundStatus struct {
	ID        string
	GatewayID string
	State     RefundState
	// Reason says why a refund failed, in the gateway's words.
	Reason string
	At     time.Time
}

// NoticeKind says what a callback is about.
type NoticeKind string

// The kinds of callbacks.
const (
	NoticePayment NoticeKind = "payment"
	NoticeRefund  NoticeKind = "refund"
	// NoticeDispute: the payer's bank took the money back, or wants to.
	NoticeDispute NoticeKind = "dispute"
	// NoticeOther is genuine, but about nothing that moves money here: kept and acknowledged.
	NoticeOther NoticeKind = "other"
)

// DisputeState is where a dispute stands.
type DisputeState string

// The states of a dispute.
const (
	DisputeOpen DisputeState = "open" // the money is withheld until it is decided
	DisputeWon  DisputeState = "won"  // the money is ours again
	DisputeLost DisputeState = "lost" // the payer keeps the money
)

// Dispute is a payer's claim, through their bank, to get captured money back.
type Dispute struct {
	ID string
	// Number and GatewayID identify the payment; Number may be empty where the gateway does not say it.
	Number    string
	GatewayID string
	State     DisputeState
	// Amount is what is withheld; Fee what the gateway charges us for the dispute, if anything.
	Amount ticketing.Money
	Fee    ticketing.Money
	// Reason is the bank's, in the gateway's words.
	Reason string
	At     time.Time
}

// Notice is a callback whose signature, merchant and freshness were verified.
type Notice struct {
	Provider string
	// EventID is unique per provider: the same event delivered again has the same id.
	EventID string
	Kind    NoticeKind
	Payment Status       // when Kind is NoticePayment
	Refund  RefundStatus // when Kind is NoticeRefund
	Dispute Dispute      // when Kind is NoticeDispute
}

// BillLine is one movement of money in a gateway's daily bill.
type BillLine struct {
	Kind      NoticeKind
	Number    string
	RefundID  string
	GatewayID string
	// Amount is positive for a payment, negative for a refund.
	Amount ticketing.Money
	// Fee is what the gateway kept of it for itself; negative when it gave a fee back, zero if the bill does not say.
	Fee ticketing.Money
	At  time.Time
}

// Provider is one payment gateway.
//
// Every call has its own time-out and returns an error wrapping ErrUnavailable, ErrRejected or
// ErrNotFound. Calls are idempotent by Number or refund ID: repeating one that already took effect
// returns what it did.
type Provider interface {
	// Name is the provider's name in URLs, ids and rows, such as "sandbox".
	Name() string
	// Methods lists the methods a buyer may choose at this gateway.
	Methods() []string
	// Accepts says whether the gateway collects a currency (ISO 4217).
	Accepts(currency string) bool
	// Create opens a payment. The gateway stops taking the money at order.ExpiresAt.
	Create(ctx context.Context, order Order, method string) (Checkout, error)
	// Query asks what became of a payment.
	Query(ctx context.Context, number string) (Status, error)
	// Close forbids the payment from now on. The answer decides: it may be StatePaid, if the payer
	// was faster, or StateUnknown. Closing what the gateway does not know returns ErrNotFound.
	Close(ctx context.Context, number string) (Status, error)
	// Refund gives money back. The error may also wrap ErrLowBalance.
	Refund(ctx context.Context, refund Refund) (RefundStatus, error)
	// QueryRefund asks what became of a refund.
	QueryRefund(ctx context.Context, refund Refund) (RefundStatus, error)
	// Bill lists the movements of one day of the gateway's calendar; day is a moment of it. Half a bill
	// would look like missing money: the error of one that ends early wraps ErrTruncatedBill.
	Bill(ctx context.Context, day time.Time) ([]BillLine, error)
	// ParseCallback verifies and reads a callback. It is pure apart from now: same input, same
	// answer. Errors wrap ErrSignature, ErrWrongMerchant or ErrMalformed.
	ParseCallback(header http.Header, body []byte, now time.Time) (Notice, error)
	// Acknowledge is the exact answer the gateway expects to a callback that was kept.
	Acknowledge() (status int, contentType string, body []byte)
}
