package stripetest

import "net/http"

// Faults are what goes wrong, until other faults are set.
type Faults struct {
	// Down ends every connection, Hang accepts and never answers, Cut does what it is asked and then ends the connection.
	Down, Hang, Cut bool
	// Status answers with this HTTP status and a page, and does nothing.
	Status int
	// Failures is how many POSTs Stripe itself fails at, with status 500; it repeats that to their idempotency keys. FailAfter fails
	// after the work was done, not before.
	Failures  int
	FailAfter bool
	// RateLimited, Locked and InUse answer programs with these passing refusals, which are not kept.
	RateLimited, Locked, InUse bool
	// LowBalance refuses refunds: our balance is too low. Stripe repeats that to the idempotency key. WaitForBalance makes them
	// instead, pending until Settle.
	LowBalance, WaitForBalance bool
	// TruncateBill has lists of balance transactions say that there is more, and have none.
	TruncateBill bool
}

// SetFaults replaces the faults.
func (g *Gateway) SetFaults(f Faults) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = f
	close(g.restored)
	g.restored = make(chan struct{})
}

// busyNow refuses for a while. The caller holds the lock.
func (g *Gateway) busyNow() *refusal {
	switch {
	case g.faults.RateLimited:
		return &refusal{
			Status: http.StatusTooManyRequests, Type: "invalid_request_error", Code: "rate_limit",
			Message: "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
		}
	case g.faults.Locked:
		return &refusal{
			Status: http.StatusTooManyRequests, Type: "invalid_request_error", Code: "lock_timeout",
			Message: "This object cannot be accessed right now because another API request or Stripe process is currently accessing it.",
		}
	case g.faults.InUse:
		return &refusal{
			Status: http.StatusConflict, Type: "idempotency_error", Code: "idempotency_key_in_use",
			Message: "There is currently another in-progress request using this idempotent key.",
		}
	}
	return nil
}

// Asked counts the requests of programs that were understood, by "METHOD /path" with {id} for ids.
func (g *Gateway) Asked(pattern string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked[pattern]
}
