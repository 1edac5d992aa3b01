package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/boxoffice/boxoffice/ticketing"
)

// Task queues, one per module, so that each is scaled apart.
const (
	PurchaseQueue     = "purchase"     // purchases and their steps
	PaymentQueue      = "payment"      // late payments, refunds, the sweep
	NotificationQueue = "notification" // telling buyers
)

// Names of updates and signals. They are part of the contract with running workflows.
const (
	// UpdateHold waits for the outcome of the hold; sent with a fixed update id, so that asking
	// again costs nothing. Takes nothing, returns ticketing.HoldResult.
	UpdateHold = "hold"
	// UpdatePayment says that an attempt has captured money. Takes PaymentNotice, returns nothing: once
	// it is answered the money has been judged. The update id is the attempt id.
	UpdatePayment = "payment"
	// UpdateCancel asks to end the unpaid order. Takes nothing, returns CancelResult, which says
	// OrderPaid if the payment was faster.
	UpdateCancel = "cancel"
	// SignalPayment is UpdatePayment for when no worker answers in time. Carries PaymentNotice.
	SignalPayment = "payment-notice"
	// UpdateAccepted waits for the answer to a request to give tickets back; sent with a fixed update id
	// together with the start. Takes nothing, returns ticketing.RefundAnswer.
	UpdateAccepted = "accepted"
	// SignalRefund says that a gateway told us something of the refund. Carries nothing: it is a hint to look.
	SignalRefund = "refund-notice"
	// SignalRetry wakes a step that waits before trying again, sent by an operator.
	SignalRetry = "retry"
)

// Search attributes, by which operators find workflows.
var (
	OrderState = temporal.NewSearchAttributeKeyKeyword("OrderState")
	EventID    = temporal.NewSearchAttributeKeyKeyword("EventId")
	Organiser  = temporal.NewSearchAttributeKeyKeyword("Organiser")
	Provider   = temporal.NewSearchAttributeKeyKeyword("Provider")
	Amount     = temporal.NewSearchAttributeKeyInt64("Amount")
	// NeedsAttention is set once a step has failed for long; before, a workflow has none.
	NeedsAttention = temporal.NewSearchAttributeKeyBool("NeedsAttention")
)

// PurchaseID is the workflow id of an order's purchase.
func PurchaseID(orderID string) string { return "purchase/" + orderID }

// LatePaymentID is the workflow id of the saga for one payment that did not
// pay its order. It is made of what identifies the money, so that the same
// money never starts two.
func LatePaymentID(provider, gatewayID string) string {
	return "late-payment/" + provider + "/" + gatewayID
}

// RefundID is the workflow id of tickets that go back, made of the refund's own id.
func RefundID(refundID string) string { return "refund/" + refundID }

// SweepID is the workflow id of the payment sweep, of which there is one.
const SweepID = "payment-sweep"

// MessageDispatchID is the workflow id of the dispatch of messages, of which there is one.
const MessageDispatchID = "message-dispatch"

// PurchaseInput is everything a purchase needs to know from outside.
type PurchaseInput struct {
	Hold ticketing.HoldRequest // PayBy and At are set by the workflow
	// Organiser names the organiser for the operators' lists.
	Organiser string
	Policy    PurchasePolicy
}

// PurchasePolicy is how long a purchase waits for what. Zero fields mean the defaults.
type PurchasePolicy struct {
	// HoldFor is how long the buyer has to pay. Default 15 minutes.
	HoldFor time.Duration
	// CloseBound is how long after the deadline stock may stay held because a gateway cannot be
	// reached. Default 1 minute.
	CloseBound time.Duration
	// UnknownBound is how long after the deadline stock stays held while a gateway says that a
	// payment is being processed. Default 30 minutes.
	UnknownBound time.Duration
	// Grace is how long after the end a purchase lingers before its last look at the gateways.
	// Default 2 minutes.
	Grace time.Duration
}

// WithDefaults fills the zero fields.
func (p PurchasePolicy) WithDefaults() PurchasePolicy {
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	set(&p.HoldFor, 15*time.Minute)
	set(&p.CloseBound, time.Minute)
	set(&p.UnknownBound, 30*time.Minute)
	set(&p.Grace, 2*time.Minute)
	return p
}

// PurchaseResult is how a purchase ended.
type PurchaseResult struct {
	State   ticketing.OrderState
	Refusal *ticketing.Refusal
}

// PaymentNotice says that an attempt has captured money. It is a hint: the
// stored facts, not the notice, decide.
type PaymentNotice struct {
	AttemptID string
}

// CancelResult is where the order is after a request to cancel.
type CancelResult struct {
	State ticketing.OrderState
}

// LatePaymentInput names the money that did not pay its order.
type LatePaymentInput struct {
	Provider  string
	AttemptID string
}

// LatePaymentResult is what became of the money.
type LatePaymentResult struct {
	// Accepted says that it pays the order after all; otherwise it was refunded.
	Accepted bool
	RefundID string
	Refund   ticketing.RefundState
}

// RefundInput is everything a refund of tickets needs to know from outside.
type RefundInput struct {
	Request ticketing.RefundRequest
}

// RefundResult is what became of a request to give tickets back.
type RefundResult struct {
	// Refusal says why there is no refund; nil if there is one.
	Refusal  *ticketing.Refusal
	RefundID string
	State    ticketing.RefundState
}
