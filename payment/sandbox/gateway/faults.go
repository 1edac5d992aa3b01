package gateway

import "time"

// Faults are the switches that make the gateway misbehave. The zero value behaves.
type Faults struct {
	// Slow delays operations, by name, by milliseconds. The names are create, query, close, refund,
	// query_refund and bill; "*" is all of them.
	Slow map[string]int `json:"slow_ms,omitempty"`
	// Down makes operations answer 503 without doing anything.
	Down []string `json:"down,omitempty"`
	// Hang makes operations never answer.
	Hang []string `json:"hang,omitempty"`
	// FailAfter makes operations answer 500 after they were done, Cut close the connection instead.
	FailAfter []string `json:"fail_after,omitempty"`
	Cut       []string `json:"cut,omitempty"`
	// Duplicate sends every callback that many times more, all at once.
	Duplicate int `json:"duplicate,omitempty"`
	// Lose sends no callbacks at all.
	Lose bool `json:"lose,omitempty"`
	// Reorder holds callbacks back until that many wait, then sends them in reverse.
	Reorder int `json:"reorder,omitempty"`
	// CaptureAmount and CaptureCurrency are captured instead of what was asked for.
	CaptureAmount   int64  `json:"capture_amount,omitempty"`
	CaptureCurrency string `json:"capture_currency,omitempty"`
	// RefundFails makes new refunds fail for good; LowBalance refuses them for now.
	RefundFails bool `json:"refund_fails,omitempty"`
	LowBalance  bool `json:"low_balance,omitempty"`
}

// Forgery names a callback the gateway sends that nobody should believe.
type Forgery string

// The forgeries.
const (
	ForgeSignature Forgery = "signature" // says paid, signed with another key
	ForgeTampered  Forgery = "tampered"  // signed, then altered
	ForgeStale     Forgery = "stale"     // signed an hour ago
	ForgeMerchant  Forgery = "merchant"  // validly signed, for another merchant
	ForgeMalformed Forgery = "malformed" // validly signed nonsense
)

// Forgeries lists every forgery.
var Forgeries = []Forgery{ForgeSignature, ForgeTampered, ForgeStale, ForgeMerchant, ForgeMalformed}

func named(operations []string, operation string) bool {
	for _, o := range operations {
		if o == operation || o == "*" {
			return true
		}
	}
	return false
}

func (f Faults) delay(operation string) time.Duration {
	ms, ok := f.Slow[operation]
	if !ok {
		ms = f.Slow["*"]
	}
	return time.Duration(ms) * time.Millisecond
}
