package store_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// life is a random life of a few orders: anything may happen at any moment, and every step may be repeated.
type life struct {
	*scene
	holds    []ticketing.HoldRequest
	attempts []ticketing.PaymentAttempt
	refunds  []string
	// said is what the gateway last said of an attempt: its captures are final.
	paid map[string]ticketing.Money
}

func TestAnyInterleavingKeepsEveryInvariant(t *testing.T) {
	t.Parallel()
	l := newLife(newScene(t, storetest.Event("show", 6, 4)))
	l.live(t, map[string]func(*rapid.T){"refill": l.refill})
}

func newLife(s *scene) *life { return &life{scene: s, paid: map[string]ticketing.Money{}} }

// live lets happen whatever may, and what is given besides or instead, and brings it to its end.
func (l *life) live(t *testing.T, besides map[string]func(*rapid.T)) {
	steps := map[string]func(*rapid.T){
		"hold":    l.hold,
		"release": l.release,
		"start":   l.start,
		"fact":    l.fact,
		"settle":  l.settle,
		"retake":  l.retake,
		"refund":  l.startRefund,
		"give":    l.give,
		"finish":  l.finishRefund,
		"":        l.sound,
	}
	maps.Copy(steps, besides)
	rapid.Check(t, func(rt *rapid.T) {
		l.holds, l.attempts, l.refunds = nil, nil, nil
		rt.Repeat(steps)
		l.end(rt)
	})
}

// end lets everything come to its end and checks every invariant with nothing under way.
func (l *life) end(t *rapid.T) {
	for _, r := range l.holds {
		must(l.Release(l.Context(), r.OrderID, ticketing.OrderExpired))(t)
	}
	for _, a := range l.attempts {
		l.delivered(a.ID)
		if must(l.Settle(l.Context(), a.ID))(t).Verdict != ticketing.VerdictReject || must(l.Retake(l.Context(), a.ID))(t) {
			continue
		}
		refund := must(l.StartRefund(l.Context(), a.ID))(t)
		if err := l.FinishRefund(l.Context(), outcome(refund.ID, ticketing.RefundSucceeded, "")); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range l.refunds {
		if err := l.FinishRefund(l.Context(), outcome(id, ticketing.RefundSucceeded, "")); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range must(l.AuditAfter(l.Context(), 0))(t) {
		t.Fatal(v)
	}
}

func any1[T any](t *rapid.T, from []T, label string) T {
	if len(from) == 0 {
		t.Skip("none yet")
	}
	return rapid.SampledFrom(from).Draw(t, label)
}

func (l *life) hold(t *rapid.T) {
	r := request(rapid.IntRange(1, 3).Draw(t, "first"), rapid.IntRange(0, 2).Draw(t, "second"))
	if len(l.holds) > 0 && rapid.Bool().Draw(t, "again") {
		r = any1(t, l.holds, "order")
	}
	result := must(l.Hold(l.Context(), r))(t)
	if result.Refusal == nil {
		l.holds = append(l.holds, r)
	} else if result.Refusal.Code != ticketing.CodeSoldOut {
		t.Fatalf("%+v", result.Refusal)
	}
}

func (l *life) release(t *rapid.T) {
	before := l.order(any1(t, l.holds, "order").OrderID)
	asked := rapid.SampledFrom([]ticketing.OrderState{ticketing.OrderExpired, ticketing.OrderCancelled}).Draw(t, "as")
	state := must(l.Release(l.Context(), before.ID, asked))(t)
	if after := l.order(before.ID).State; state != after || !before.State.HoldsStock() && state != before.State {
		t.Fatalf("%s released as %s: answered %s, is %s", before.State, asked, state, after)
	}
}

func (l *life) start(t *rapid.T) {
	attempt, err := l.StartAttempt(l.Context(), ticketing.PaymentAttempt{
		ID: encryption.NewNumber(), OrderID: any1(t, l.holds, "order").OrderID, Provider: "sandbox", Method: "x",
	})
	switch ticketing.CodeOf(err) {
	case ticketing.CodeOrderClosed, ticketing.CodeAlreadyPaid:
		t.Skip("too late")
	}
	l.attempts = append(l.attempts, must(attempt, err)(t).PaymentAttempt)
}

// fact lets the gateway say anything, but never two things of one capture.
func (l *life) fact(t *rapid.T) {
	f := fact(any1(t, l.attempts, "attempt"), rapid.SampledFrom([]ticketing.PaymentState{
		ticketing.PaymentPaid, ticketing.PaymentPaid, ticketing.PaymentPending, ticketing.PaymentUnknown,
		ticketing.PaymentDeclined, ticketing.PaymentClosed,
	}).Draw(t, "state"))
	if f.State == ticketing.PaymentPaid {
		if captured, ok := l.paid[f.AttemptID]; ok {
			f.Captured = captured
		} else if rapid.IntRange(0, 4).Draw(t, "wrong") == 0 {
			f.Captured.Amount++
		}
		l.paid[f.AttemptID] = f.Captured
	}
	if rapid.Bool().Draw(t, "by callback") {
		must(l.KeepCallback(l.Context(), payment(f.AttemptID+string(f.State), f)))(t)
		return
	}
	if err := l.RecordPayment(l.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func (l *life) settle(t *rapid.T) {
	attempt := any1(t, l.attempts, "attempt")
	settled := must(l.Settle(l.Context(), attempt.ID))(t)
	_, paid := l.paid[attempt.ID]
	if paid == (settled.Verdict == ticketing.VerdictNone) {
		t.Fatalf("captured %v: %+v", paid, settled)
	}
	if again := must(l.Settle(l.Context(), attempt.ID))(t); again != settled {
		t.Fatalf("settled %+v, then %+v", settled, again)
	}
}

func (l *life) retake(t *rapid.T) {
	attempt := any1(t, l.attempts, "attempt")
	retaken := must(l.Retake(l.Context(), attempt.ID))(t)
	// Its tickets may have been given back since.
	if retaken && !slices.Contains([]ticketing.OrderState{
		ticketing.OrderPaid, ticketing.OrderRefunding, ticketing.OrderPartiallyRefunded, ticketing.OrderRefunded,
	}, l.order(attempt.OrderID).State) {
		t.Fatal("retaken, but not paid")
	}
}

func (l *life) startRefund(t *rapid.T) {
	refund, err := l.StartRefund(l.Context(), any1(t, l.attempts, "attempt").ID)
	if ticketing.CodeOf(err) == ticketing.CodeIllegalTransition {
		t.Skip("nothing is owed")
	}
	l.refunds = append(l.refunds, must(refund, err)(t).ID)
}

// give asks for some tickets of an order to go back, twice.
func (l *life) give(t *rapid.T) {
	order := l.order(any1(t, l.holds, "order").OrderID)
	var tickets []string
	for _, ticket := range order.Tickets {
		if rapid.Bool().Draw(t, "this one") {
			tickets = append(tickets, ticket.ID)
		}
	}
	quote, err := l.QuoteRefund(l.Context(), order.ID, tickets)
	request := ticketing.RefundRequest{
		ID: encryption.NewNumber(), OrderID: order.ID, Request: encryption.NewNumber(), TicketIDs: tickets, Expected: quote.Amount,
	}
	answer := must(l.RequestRefund(l.Context(), request))(t)
	if (err != nil) != (answer.Refusal != nil) || err != nil && ticketing.CodeOf(err) != answer.Refusal.Code {
		t.Fatalf("quoted %+v, %v; answered %+v", quote, err, answer)
	}
	if again := must(l.RequestRefund(l.Context(), request))(t); err == nil && !reflect.DeepEqual(again, answer) {
		t.Fatalf("%+v, then %+v", answer, again)
	}
	if err == nil {
		l.refunds = append(l.refunds, answer.Refund.ID)
	}
}

func (l *life) finishRefund(t *rapid.T) {
	state := rapid.SampledFrom([]ticketing.RefundState{ticketing.RefundSucceeded, ticketing.RefundFailed, ticketing.RefundPending}).Draw(t, "state")
	if err := l.FinishRefund(l.Context(), outcome(any1(t, l.refunds, "refund"), state, "x")); err != nil {
		t.Fatal(err)
	}
}

// refill puts new tickets on sale, so that the orders of later runs find some.
func (l *life) refill(t *rapid.T) {
	l.execute("UPDATE stock SET capacity = capacity + 2, free = free + 2 WHERE free < 2")
}

// sound checks what holds at every moment, and after the money is seen to, everything.
func (l *life) sound(t *rapid.T) {
	for _, v := range must(l.Audit(l.Context()))(t) {
		t.Fatal(v)
	}
}
