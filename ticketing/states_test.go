package ticketing_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/ticketing"
)

var orderStates = []ticketing.OrderState{
	ticketing.OrderPending, ticketing.OrderAwaitingReview, ticketing.OrderPaid, ticketing.OrderRefused, ticketing.OrderCancelled,
	ticketing.OrderExpired, ticketing.OrderFailed, ticketing.OrderRefunding, ticketing.OrderPartiallyRefunded, ticketing.OrderRefunded,
	ticketing.OrderExchanged,
}

func TestOrderMovesAreThoseOfTheMachine(t *testing.T) {
	moves := map[[2]ticketing.OrderState]bool{}
	for _, move := range ticketing.OrderMoves() {
		if moves[move] {
			t.Errorf("%v is listed twice", move)
		}
		moves[move] = true
	}
	for _, from := range orderStates {
		for _, to := range orderStates {
			if from.CanMoveTo(to) != moves[[2]ticketing.OrderState{from, to}] {
				t.Errorf("%s → %s: CanMoveTo says %v", from, to, from.CanMoveTo(to))
			}
		}
	}
	if ticketing.OrderState("NONSENSE").CanMoveTo(ticketing.OrderPaid) {
		t.Error("a state that does not exist can move")
	}
}

func TestNothingLeadsBackFromTheEnd(t *testing.T) {
	for _, end := range []ticketing.OrderState{
		ticketing.OrderRefused, ticketing.OrderFailed, ticketing.OrderRefunded, ticketing.OrderExchanged,
	} {
		for _, to := range orderStates {
			if end.CanMoveTo(to) {
				t.Errorf("%s → %s", end, to)
			}
		}
	}
}

func TestAPaidOrderNeverBecomesUnpaid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		state, paid := ticketing.OrderPending, false
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			next := rapid.SampledFrom(orderStates).Draw(t, "next")
			if !state.CanMoveTo(next) {
				continue
			}
			state = next
			paid = paid || state == ticketing.OrderPaid
			if paid && (state.HoldsStock() || state == ticketing.OrderExpired || state == ticketing.OrderCancelled || state == ticketing.OrderFailed) {
				t.Fatalf("a paid order went to %s", state)
			}
		}
	})
}

func TestEventMoves(t *testing.T) {
	states := []ticketing.EventState{
		ticketing.EventDraft, ticketing.EventOnSale, ticketing.EventPaused, ticketing.EventEnded, ticketing.EventCancelled, ticketing.EventPostponed,
	}
	legal := []string{
		"DRAFT ON_SALE", "DRAFT CANCELLED",
		"ON_SALE PAUSED", "ON_SALE ENDED", "ON_SALE CANCELLED", "ON_SALE POSTPONED",
		"PAUSED ON_SALE", "PAUSED ENDED", "PAUSED CANCELLED", "PAUSED POSTPONED",
		"POSTPONED ON_SALE", "POSTPONED CANCELLED",
	}
	for _, from := range states {
		for _, to := range states {
			if want := slices.Contains(legal, fmt.Sprintf("%s %s", from, to)); from.CanMoveTo(to) != want {
				t.Errorf("%s → %s: want %v", from, to, want)
			}
		}
	}
}

func TestRefusalsKeepTheirErrors(t *testing.T) {
	e := ticketing.FieldErrorf(ticketing.CodeSoldOut, "/lines/0/quantity", "only %d left", 3)
	refusal, ok := ticketing.RefusalOf(fmt.Errorf("hold: %w", e))
	if !ok || *refusal.Err() != *e {
		t.Errorf("refusal %+v of %v", refusal, e)
	}
	if _, ok := ticketing.RefusalOf(errors.New("the disk is full")); ok {
		t.Error("a fault became a refusal")
	}
	if ticketing.CodeOf(nil) != "" {
		t.Error("no error has a code")
	}
}

func TestTextFallsBackToEnglish(t *testing.T) {
	text := ticketing.Text{"en": "Hall", "zh-CN": "大厅"}
	if text.In("zh-CN") != "大厅" || text.In("fr") != "Hall" {
		t.Errorf("%v", text)
	}
}
