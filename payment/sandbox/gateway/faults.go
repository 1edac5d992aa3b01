package gateway

import (
	"reflect"
	"slices"
	"time"

	"github.com/boxoffice/boxoffice/ticketing"
)

// operations are the names of the merchant's operations.
var operations = []string{"create", "query", "close", "refund", "query_refund", "bill"}

// Faults are the switches that make the gateway misbehave. The zero value behaves.
type Faults struct {
	// Slow delays operations, by name, by milliseconds. The names are create, query, close, refund,
	// query_refund and bill; "*" is all of them.
	Slow map[string]int `json:"slow_ms,omitempty"`
	// LateAnswer delays the answers of operations that were done already, by name, by milliseconds.
	LateAnswer map[string]int `json:"late_answer_ms,omitempty"`
	// Down makes operations answer 503 without doing anything.
	Down []string `json:"down,omitempty"`
	// Hang makes operations never answer.
	Hang []string `json:"hang,omitempty"`
	// FailAfter makes operations answer 500 after they were done, Cut close the connection instead.
	FailAfter []string `json:"fail_after,omitempty"`
	Cut       []string `json:"cut,omitempty"`
	// Duplicate sends every callback that many times more, all at once.
	Duplicate int `json:"duplicate,omitempty"`
	// Lose sends no callbacks at all, not even later.
	Lose bool `json:"lose,omitempty"`
	// LoseFirst loses that many deliveries; the courier repeats them as if nobody had answered.
	LoseFirst int `json:"lose_first,omitempty"`
	// Reorder holds callbacks back until that many wait, then sends them in reverse.
	Reorder int `json:"reorder,omitempty"`
	// Forge sends these forgeries beside every callback about a payment.
	Forge []Forgery `json:"forge,omitempty"`
	// CaptureAmount and CaptureCurrency are captured instead of what was asked for.
	CaptureAmount   int64  `json:"capture_amount,omitempty"`
	CaptureCurrency string `json:"capture_currency,omitempty"`
	// RefundPending leaves new refunds pending for that many milliseconds.
	RefundPending int `json:"refund_pending_ms,omitempty"`
	// RefundFails makes refunds fail for good; LowBalance refuses new ones for now.
	RefundFails bool `json:"refund_fails,omitempty"`
	LowBalance  bool `json:"low_balance,omitempty"`
	// RefundWindow refuses, for good, refunds later than that many milliseconds after the payment.
	RefundWindow int `json:"refund_window_ms,omitempty"`
	// Bill makes lines of the bill wrong, by the number of a payment or the id of a refund.
	Bill map[string]BillFault `json:"bill,omitempty"`
	// WholeBill makes all of it wrong.
	WholeBill BillFault `json:"whole_bill,omitempty"`
}

// check refuses switches that do not exist: a fault that never happens would prove nothing.
func (f Faults) check() error {
	named := slices.Concat(f.Down, f.Hang, f.FailAfter, f.Cut)
	for _, delays := range []map[string]int{f.Slow, f.LateAnswer} {
		for name, ms := range delays {
			named = append(named, name)
			if ms < 0 || ms > 60_000 {
				return invalid("slow_ms and late_answer_ms must be 0 to 60000")
			}
		}
	}
	for _, name := range named {
		if name != "*" && !slices.Contains(operations, name) {
			return invalid("no operation %q", name)
		}
	}
	for _, how := range f.Forge {
		if !slices.Contains(Forgeries, how) {
			return invalid("no forgery %q", how)
		}
	}
	switch {
	case f.Duplicate < 0 || f.Duplicate > 1000 || f.Reorder < 0 || f.LoseFirst < 0:
		return invalid("duplicate must be 0 to 1000, reorder and lose_first not negative")
	case f.CaptureAmount < 0 || f.CaptureAmount > mostAmount:
		return invalid("capture_amount must be 0 to %d", mostAmount)
	case f.CaptureCurrency != "" && !ticketing.ValidCurrency(f.CaptureCurrency):
		return invalid("capture_currency must be an ISO 4217 code")
	case f.RefundPending < 0 || f.RefundWindow < 0:
		return invalid("refund_pending_ms and refund_window_ms must not be negative")
	}
	return f.checkBill()
}

// none says whether the gateway behaves.
func (f Faults) none() bool {
	lists := len(f.Slow) + len(f.LateAnswer) + len(f.Down) + len(f.Hang) + len(f.FailAfter) + len(f.Cut) + len(f.Forge) + len(f.Bill)
	f.Slow, f.LateAnswer, f.Down, f.Hang, f.FailAfter, f.Cut, f.Forge, f.Bill = nil, nil, nil, nil, nil, nil, nil, nil
	return lists == 0 && reflect.ValueOf(f).IsZero()
}

// hits says whether an operation is among those a switch names.
func hits(named []string, operation string) bool {
	return slices.Contains(named, operation) || slices.Contains(named, "*")
}

// delay is how long an operation waits by a switch.
func delay(by map[string]int, operation string) time.Duration {
	ms, ok := by[operation]
	if !ok {
		ms = by["*"]
	}
	return time.Duration(ms) * time.Millisecond
}
