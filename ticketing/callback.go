package ticketing

// Callback is a message of a gateway whose signature, merchant and freshness were verified.
type Callback struct {
	Provider string
	// EventID is unique per provider: the same event delivered again has the same id.
	EventID string
	// Exactly one of Payment, Refund, Dispute and Other says what it is about.
	Payment *PaymentFact
	Refund  *RefundFact
	Dispute *DisputeFact
	// Other is genuine, but about nothing that moves money here: it is only kept.
	Other bool
	// Header and Body are the message as it came; they rest encrypted.
	Header map[string][]string
	Body   []byte
}

// RefundFact is what a gateway verifiably said of a refund.
type RefundFact struct {
	ID string
	// GatewayID is the gateway's own id of the refund; empty where it did not say it.
	GatewayID string
	// State may be RefundPending: the gateway has it, and is not done.
	State RefundState
	// Reason says why it failed, in the gateway's words.
	Reason string
}

// KeptCallback is what a caller needs to know of a callback that is safe in the inbox.
type KeptCallback struct {
	// First is false for an event that was delivered before.
	First bool
	// Handled says that nothing is left to do but to acknowledge. Otherwise Attempt has
	// captured money that no workflow has taken care of yet: deliver it.
	Handled bool
	// Attempt is what the callback is about; zero for refunds, and when nothing was captured for a
	// number unknown to us. Without OrderID it is money that no order of ours asked for.
	Attempt PaymentAttempt
	// Order is the state of the attempt's order; empty without one.
	Order OrderState
	// Refund is what the callback is about; zero for others, and for a refund unknown to us.
	Refund Refund
}
