package ticketing_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/ticketing"
)

// payable are the facts of an attempt that was paid in time and as asked.
func payable(change func(*ticketing.SettlementFacts)) ticketing.SettlementFacts {
	f := ticketing.SettlementFacts{
		Order: ticketing.OrderPending, Attempt: ticketing.AttemptPending, Payment: ticketing.PaymentPaid,
		Asked: cny(1000), Captured: cny(1000), StockHeld: true,
	}
	change(&f)
	return f
}

func TestJudgePayment(t *testing.T) {
	type facts = ticketing.SettlementFacts
	tests := []struct {
		name    string
		facts   facts
		verdict ticketing.Verdict
		reason  ticketing.RejectReason
	}{
		{"paid in time", payable(func(*facts) {}), ticketing.VerdictAccept, ""},
		{"paid before we heard that it was created", payable(func(f *facts) { f.Attempt = ticketing.AttemptCreated }), ticketing.VerdictAccept, ""},
		{"paid after the gateway said declined", payable(func(f *facts) { f.Attempt = ticketing.AttemptDeclined }), ticketing.VerdictAccept, ""},
		{"paid after the gateway said closed", payable(func(f *facts) { f.Attempt = ticketing.AttemptClosed }), ticketing.VerdictAccept, ""},
		{"paid during a review", payable(func(f *facts) { f.Order = ticketing.OrderAwaitingReview }), ticketing.VerdictAccept, ""},
		{"pending", payable(func(f *facts) { f.Payment = ticketing.PaymentPending }), ticketing.VerdictNone, ""},
		{"unknown", payable(func(f *facts) { f.Payment = ticketing.PaymentUnknown }), ticketing.VerdictNone, ""},
		{"declined", payable(func(f *facts) { f.Payment = ticketing.PaymentDeclined }), ticketing.VerdictNone, ""},
		{"closed", payable(func(f *facts) { f.Payment = ticketing.PaymentClosed }), ticketing.VerdictNone, ""},
		{"too little", payable(func(f *facts) { f.Captured.Amount = 999 }), ticketing.VerdictReject, ticketing.RejectAmount},
		{"too much", payable(func(f *facts) { f.Captured.Amount = 1001 }), ticketing.VerdictReject, ticketing.RejectAmount},
		{"other currency", payable(func(f *facts) { f.Captured.Currency = "JPY" }), ticketing.VerdictReject, ticketing.RejectAmount},
		{"wrong amount, and late", payable(func(f *facts) { f.Captured.Amount, f.Order = 1, ticketing.OrderExpired }), ticketing.VerdictReject, ticketing.RejectAmount},
		{"another one pays", payable(func(f *facts) { f.OtherAccepted, f.Order = true, ticketing.OrderPaid }), ticketing.VerdictReject, ticketing.RejectDouble},
		{"after expiry", payable(func(f *facts) { f.Order = ticketing.OrderExpired }), ticketing.VerdictReject, ticketing.RejectLate},
		{"after cancellation", payable(func(f *facts) { f.Order = ticketing.OrderCancelled }), ticketing.VerdictReject, ticketing.RejectLate},
		{"the stock is gone", payable(func(f *facts) { f.StockHeld = false }), ticketing.VerdictReject, ticketing.RejectStockLost},
		{"accepted before", payable(func(f *facts) { f.Attempt, f.Order = ticketing.AttemptAccepted, ticketing.OrderPaid }), ticketing.VerdictAccept, ""},
		{"accepted before, whatever came since", payable(func(f *facts) { f.Attempt, f.Payment = ticketing.AttemptAccepted, ticketing.PaymentClosed }), ticketing.VerdictAccept, ""},
		{"rejected before", payable(func(f *facts) { f.Attempt, f.RejectedFor = ticketing.AttemptRejected, ticketing.RejectDouble }), ticketing.VerdictReject, ticketing.RejectDouble},
		{"refunded before", payable(func(f *facts) { f.Attempt, f.RejectedFor = ticketing.AttemptRefunded, ticketing.RejectLate }), ticketing.VerdictReject, ticketing.RejectLate},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if verdict, reason := ticketing.JudgePayment(test.facts); verdict != test.verdict || reason != test.reason {
				t.Errorf("%s %q, want %s %q", verdict, reason, test.verdict, test.reason)
			}
		})
	}
}

func TestOnlyMoneyAsAskedForHeldStockIsAccepted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		money := rapid.Custom(func(t *rapid.T) ticketing.Money {
			return ticketing.Money{Amount: rapid.Int64Range(1, 3).Draw(t, "amount"), Currency: rapid.SampledFrom([]string{"CNY", "JPY"}).Draw(t, "currency")}
		})
		f := ticketing.SettlementFacts{
			Order: rapid.SampledFrom(orderStates).Draw(t, "order"),
			Attempt: rapid.SampledFrom([]ticketing.AttemptState{
				ticketing.AttemptCreated, ticketing.AttemptPending, ticketing.AttemptDeclined, ticketing.AttemptClosed,
			}).Draw(t, "attempt"),
			Payment: rapid.SampledFrom([]ticketing.PaymentState{
				ticketing.PaymentPending, ticketing.PaymentUnknown, ticketing.PaymentPaid, ticketing.PaymentDeclined, ticketing.PaymentClosed,
			}).Draw(t, "payment"),
			Asked: money.Draw(t, "asked"), Captured: money.Draw(t, "captured"),
			OtherAccepted: rapid.Bool().Draw(t, "other"), StockHeld: rapid.Bool().Draw(t, "held"),
		}
		verdict, reason := ticketing.JudgePayment(f)
		sound := f.Payment == ticketing.PaymentPaid && f.Asked == f.Captured && !f.OtherAccepted && f.StockHeld && f.Order.HoldsStock()
		if (verdict == ticketing.VerdictAccept) != sound {
			t.Fatalf("%s for %+v", verdict, f)
		}
		if (verdict == ticketing.VerdictReject) != (reason != "") {
			t.Fatalf("%s because of %q", verdict, reason)
		}
		if f.Payment == ticketing.PaymentPaid && verdict == ticketing.VerdictNone {
			t.Fatalf("captured money without a verdict: %+v", f)
		}
	})
}
