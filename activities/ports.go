package activities

import (
	"context"
	"time"

	"github.com/boxoffice/boxoffice/ticketing"
)

// Store is what the steps need of the database. Every method is one
// transaction and idempotent: repeated with the same arguments, it returns
// what it did the first time.
//
// Business refusals come back in the result, or as *ticketing.Error; any other
// error is a fault of the database and worth another try.
type Store interface {
	// Hold takes stock for an order, or records why not.
	Hold(ctx context.Context, request ticketing.HoldRequest) (ticketing.HoldResult, error)
	// ConfirmFree gives the buyer an order that costs nothing; it returns where the order is then.
	ConfirmFree(ctx context.Context, orderID string) (ticketing.OrderState, error)
	// Release gives the stock of an unpaid order back and closes it as state, which is OrderExpired
	// or OrderCancelled. It returns where the order is then: OrderPaid if payment was faster.
	Release(ctx context.Context, orderID string, state ticketing.OrderState) (ticketing.OrderState, error)
	// RecordPayment stores a fact about an attempt. A later fact never takes a captured payment
	// back. A captured payment no attempt of ours asked for is kept as a rejected attempt of its own.
	RecordPayment(ctx context.Context, fact ticketing.PaymentFact) error
	// Settle judges an attempt by the stored facts (ticketing.JudgePayment) and carries the verdict
	// out: accepted, the order is paid, its tickets issued and the ledger written; rejected, the
	// money is booked as owed back.
	Settle(ctx context.Context, attemptID string) (ticketing.Settlement, error)
	// OpenAttempts lists the attempts of an order the gateway may still capture money for, and those
	// it has captured money for that nobody has judged yet.
	OpenAttempts(ctx context.Context, orderID string) ([]ticketing.PaymentAttempt, error)
	// WatchedAttempts lists the attempts of an order that were closed or left open without
	// captured money: those a gateway may still surprise us with.
	WatchedAttempts(ctx context.Context, orderID string) ([]ticketing.PaymentAttempt, error)
	// Retake takes the same stock again for money that came too late, if it is free and the event
	// still sells, and pays the order with it. It reports whether it did.
	Retake(ctx context.Context, attemptID string) (bool, error)
	// StartRefund stores the refund of everything a rejected attempt captured, before it is sent.
	StartRefund(ctx context.Context, attemptID string) (ticketing.Refund, error)
	// RequestRefund takes tickets back: they are void and on sale again, and the refund is stored, before
	// any gateway hears of it.
	RequestRefund(ctx context.Context, request ticketing.RefundRequest) (ticketing.RefundAnswer, error)
	// Refund finds a refund as it is now.
	Refund(ctx context.Context, refundID string) (ticketing.Refund, error)
	// FinishRefund records what a gateway said of a refund. Success is final; RefundPending notes that
	// the gateway has it.
	FinishRefund(ctx context.Context, fact ticketing.RefundFact) error
	// FlagAttention notes on the order's timeline that a step keeps failing (or no longer does).
	FlagAttention(ctx context.Context, orderID, step string, needed bool) error
	// UndeliveredPayments lists, oldest first, the attempts whose captured money no workflow has
	// acknowledged for longer than age, and money that came to nothing a minute after its delivery.
	UndeliveredPayments(ctx context.Context, age time.Duration, limit int) ([]ticketing.PaymentAttempt, error)
	// MarkDelivered notes that workflows have acknowledged the captured money of attempts.
	MarkDelivered(ctx context.Context, attemptIDs ...string) error
	// AttemptsToAsk lists open attempts of live orders that are due to be asked about at their
	// gateway, and notes that they were: the first time 5 s after they began, then at growing
	// intervals of at most a minute.
	AttemptsToAsk(ctx context.Context, limit int) ([]ticketing.PaymentAttempt, error)
}

// Deliverer brings captured money to the workflow that waits for it, or to a late-payment saga.
type Deliverer interface {
	DeliverPayment(ctx context.Context, attempt ticketing.PaymentAttempt) error
}
