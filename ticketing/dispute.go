package ticketing

import "time"

// DisputeState is where a dispute stands.
type DisputeState string

// The states of a dispute.
const (
	DisputeOpen DisputeState = "OPEN" // the money is withheld until it is decided
	DisputeWon  DisputeState = "WON"  // the money is ours again
	DisputeLost DisputeState = "LOST" // the payer keeps the money
)

// DisputeID is our id of a dispute: gateways number theirs as they like.
func DisputeID(provider, id string) string { return provider + "/" + id }

// DisputeFact is what a gateway verifiably said of a dispute.
type DisputeFact struct {
	// ID is the gateway's own.
	ID string
	// AttemptID and GatewayID identify the payment; AttemptID is empty where the gateway does not say it.
	AttemptID string
	GatewayID string
	State     DisputeState
	// Amount is withheld, Fee is what the gateway charges us for the dispute, if anything.
	Amount Money
	Fee    Money
	// Reason is the bank's, in the gateway's words.
	Reason string
	At     time.Time
}
