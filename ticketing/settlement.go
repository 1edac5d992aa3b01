package ticketing

import "time"

// PaymentState is what a gateway says of a payment.
type PaymentState string

// The states of a payment at a gateway.
const (
	PaymentPending  PaymentState = "pending"  // waits for the payer
	PaymentUnknown  PaymentState = "unknown"  // in process; may become paid or not: neither release nor confirm
	PaymentPaid     PaymentState = "paid"     // captured
	PaymentDeclined PaymentState = "declined" // this try failed; nothing captured, and nothing can be
	PaymentClosed   PaymentState = "closed"   // can no longer be paid
)

// Final says whether the gateway can no longer capture money for the payment, or has.
func (s PaymentState) Final() bool {
	return s == PaymentPaid || s == PaymentDeclined || s == PaymentClosed
}

// PaymentFact is what a gateway verifiably said of an attempt, by callback or when asked.
type PaymentFact struct {
	Provider string
	// AttemptID is the number we gave the gateway.
	AttemptID string
	// GatewayID is the gateway's own id of the payment.
	GatewayID string
	State     PaymentState
	// Captured is what was taken; zero unless State is PaymentPaid.
	Captured Money
	At       time.Time
}

// RejectReason says why captured money does not pay its order.
type RejectReason string

// The reasons for rejecting captured money.
const (
	RejectLate         RejectReason = "late"          // the hold was over
	RejectDouble       RejectReason = "double"        // another attempt already pays the order
	RejectAmount       RejectReason = "amount"        // not the amount or currency asked for
	RejectStockLost    RejectReason = "stock_lost"    // paid in time, but the stock cannot be confirmed
	RejectUnknownOrder RejectReason = "unknown_order" // no such attempt here
)

// Verdict is what captured money means for its order.
type Verdict string

// The verdicts.
const (
	VerdictNone   Verdict = "none"   // nothing captured: nothing to decide
	VerdictAccept Verdict = "accept" // pays the order
	VerdictReject Verdict = "reject" // must go back, or take the stock again
)

// SettlementFacts are the stored facts by which an attempt is judged.
type SettlementFacts struct {
	Order   OrderState
	Attempt AttemptState
	Payment PaymentState
	Asked   Money
	// Captured is what the gateway took.
	Captured Money
	// OtherAccepted says whether another attempt already pays the order.
	OtherAccepted bool
	// StockHeld says whether the order's stock is still set aside in full.
	StockHeld bool
	// RejectedFor is the reason given before, when the attempt is already rejected.
	RejectedFor RejectReason
}

// JudgePayment decides what an attempt's captured money means. It is the one
// place that does: callbacks, polls, the last look and the late-payment saga all end here.
func JudgePayment(f SettlementFacts) (Verdict, RejectReason) {
	switch f.Attempt {
	case AttemptAccepted:
		return VerdictAccept, ""
	case AttemptRejected, AttemptRefunded:
		return VerdictReject, f.RejectedFor
	case AttemptCreated, AttemptPending, AttemptDeclined, AttemptClosed: // not judged yet
	}
	if f.Payment != PaymentPaid {
		return VerdictNone, ""
	}
	switch {
	case f.Captured != f.Asked:
		return VerdictReject, RejectAmount
	case f.OtherAccepted:
		return VerdictReject, RejectDouble
	case !f.Order.HoldsStock():
		return VerdictReject, RejectLate
	case !f.StockHeld:
		return VerdictReject, RejectStockLost
	}
	return VerdictAccept, ""
}

// Settlement is the outcome of judging one attempt.
type Settlement struct {
	Verdict Verdict
	Reason  RejectReason
	// OrderID is empty for money no order asked for.
	OrderID string
	Order   OrderState
	// Provider, AttemptID and GatewayID identify the money.
	Provider  string
	AttemptID string
	GatewayID string
	// OpenAttempts counts the order's other attempts that may still be paid.
	OpenAttempts int
}
