package store_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/ticketing"
)

func payment(eventID string, f ticketing.PaymentFact) ticketing.Callback {
	return ticketing.Callback{
		Provider: f.Provider, EventID: eventID, Payment: &f,
		Header: map[string][]string{"Signature": {"canary-signature"}}, Body: []byte(`{"payer":"canary-payer"}`),
	}
}

func TestHazard01ACallbackDeliveredFiftyTimesAtOnceHasOneEffect(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.held(2, 1)
	attempt := s.started(order)
	callback := payment("E1", fact(attempt, ticketing.PaymentPaid))
	var first, accepted atomic.Int32
	inParallel(50, func(int) {
		kept := must(s.KeepCallback(t.Context(), callback))(t)
		if kept.First {
			first.Add(1)
		}
		if kept.Attempt.ID != attempt.ID {
			t.Errorf("kept %+v", kept)
		}
		if !kept.Handled {
			if must(s.Settle(t.Context(), attempt.ID))(t).Verdict == ticketing.VerdictAccept {
				accepted.Add(1)
			}
		}
	})
	if first.Load() != 1 || accepted.Load() == 0 {
		t.Errorf("%d times first, %d times accepted", first.Load(), accepted.Load())
	}
	kept := must(s.KeepCallback(t.Context(), callback))(t)
	if kept.First || !kept.Handled || kept.Order != ticketing.OrderPaid || kept.Attempt.State != ticketing.AttemptAccepted {
		t.Errorf("kept %+v", kept)
	}
	s.wantKinds(order, ticketing.EventHeld, ticketing.EventAttemptStarted, ticketing.EventPaymentReceived, ticketing.EventPaid)
	var deliveries, rows int
	s.query("SELECT deliveries, (SELECT count(*) FROM callbacks) FROM callbacks", &deliveries, &rows)
	if deliveries != 51 || rows != 1 {
		t.Errorf("%d deliveries in %d rows", deliveries, rows)
	}
	s.wantSound()
}

func TestCallbacksOfOneMomentAndSeveralEventsDoNotDeadlock(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for range 5 {
		order := s.held(1)
		attempts := []ticketing.PaymentAttempt{s.started(order), s.started(order)}
		inParallel(24, func(i int) {
			a := attempts[i%2]
			state := []ticketing.PaymentState{ticketing.PaymentPaid, ticketing.PaymentClosed, ticketing.PaymentPending}[i%3]
			kept := must(s.KeepCallback(t.Context(), payment(a.ID+string(state), fact(a, state))))(t)
			if !kept.Handled {
				must(s.Settle(t.Context(), a.ID))(t)
			}
		})
	}
	s.refundAll()
	s.wantSound()
}

func TestACallbackWithoutMoneyIsHandledAtOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.held(1)
	attempt := s.started(order)
	for _, state := range []ticketing.PaymentState{ticketing.PaymentPending, ticketing.PaymentDeclined, ticketing.PaymentClosed} {
		kept := must(s.KeepCallback(t.Context(), payment("E-"+string(state), fact(attempt, state))))(t)
		if !kept.First || !kept.Handled || kept.Order != ticketing.OrderPending {
			t.Errorf("%s: kept %+v", state, kept)
		}
	}
	s.wantKinds(order, ticketing.EventHeld, ticketing.EventAttemptStarted, ticketing.EventAttemptDeclined)
	if c := must(s.Counts(t.Context()))(t); c.UndeliveredPayments != 0 || c.OpenHolds != 1 || c.HeldTickets != 1 {
		t.Errorf("counts %+v", c)
	}
}

func TestHazard26ACallbackForAnUnknownNumberIsKeptAndDelivered(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := ticketing.PaymentFact{
		Provider: "sandbox", AttemptID: "UNKNOWN1", GatewayID: "G1", State: ticketing.PaymentPaid,
		Captured: ticketing.Money{Amount: 500, Currency: "CNY"},
	}
	for i, first := range []bool{true, false} {
		kept := must(s.KeepCallback(t.Context(), payment("E1", f)))(t)
		if kept.First != first || kept.Handled || kept.Attempt.ID != "UNKNOWN1" || kept.Attempt.OrderID != "" ||
			kept.Attempt.GatewayID != "G1" || kept.Attempt.State != ticketing.AttemptRejected {
			t.Errorf("delivery %d: kept %+v", i+1, kept)
		}
	}
	if c := must(s.Counts(t.Context()))(t); c.UndeliveredPayments != 1 || c.LateMoney != 1 || c.AwaitingRefund["CNY"] != 500 || c.OldestUndelivered <= 0 {
		t.Errorf("counts %+v", c)
	}
	s.refundAll()
	if kept := must(s.KeepCallback(t.Context(), payment("E1", f)))(t); !kept.Handled {
		t.Errorf("after the refund: kept %+v", kept)
	}
	// A number unknown to us without money means nothing.
	f.AttemptID, f.State, f.Captured = "UNKNOWN2", ticketing.PaymentClosed, ticketing.Money{}
	if kept := must(s.KeepCallback(t.Context(), payment("E2", f)))(t); !kept.First || !kept.Handled || kept.Attempt.ID != "" {
		t.Errorf("kept %+v", kept)
	}
	s.wantSound()
}

func TestALaterEventOfJudgedMoneyIsHandledAtOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	_, attempt := s.paid(1)
	if kept := must(s.KeepCallback(t.Context(), payment("LATER", fact(attempt, ticketing.PaymentPaid))))(t); !kept.First || !kept.Handled {
		t.Errorf("kept %+v", kept)
	}
	s.wantSound()
}

func TestARefundCallbackIsRecordedAtOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.held(1)
	attempt := s.started(order)
	s.expired(order)
	s.captured(attempt)
	must(s.Settle(t.Context(), attempt.ID))(t)
	refund := must(s.StartRefund(t.Context(), attempt.ID))(t)
	news := func(event string, state ticketing.RefundState) ticketing.Callback {
		return ticketing.Callback{
			Provider: "sandbox", EventID: event, Body: []byte("{}"), Refund: &ticketing.RefundFact{ID: refund.ID, State: state, Reason: "x"},
		}
	}
	inParallel(10, func(i int) {
		state := []ticketing.RefundState{ticketing.RefundPending, ticketing.RefundSucceeded}[i%2]
		if kept := must(s.KeepCallback(t.Context(), news("R-"+string(state), state)))(t); !kept.Handled {
			t.Errorf("kept %+v", kept)
		}
	})
	must(s.KeepCallback(t.Context(), news("R-late", ticketing.RefundFailed)))(t)
	if o := s.order(order); len(o.Refunds) != 1 || o.Refunds[0].State != ticketing.RefundSucceeded || o.Attempts[0].State != ticketing.AttemptRefunded {
		t.Errorf("refunds %+v of attempts %+v", o.Refunds, o.Attempts)
	}
	// Hazard 2: a refund we know nothing of is kept all the same.
	unknown := news("R-unknown", ticketing.RefundSucceeded)
	unknown.Refund.ID = "UNKNOWNREFUND"
	if kept := must(s.KeepCallback(t.Context(), unknown))(t); !kept.First || !kept.Handled {
		t.Errorf("kept %+v", kept)
	}
	s.wantSound()
}

func TestCallbacksThatSayNothingAreRefused(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := ticketing.PaymentFact{Provider: "sandbox", AttemptID: "X", State: ticketing.PaymentPaid}
	for name, callback := range map[string]ticketing.Callback{
		"about nothing":  {Provider: "sandbox", EventID: "E"},
		"without an id":  payment("", ticketing.PaymentFact{Provider: "sandbox", AttemptID: "X", State: ticketing.PaymentClosed}),
		"without amount": payment("E", f),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.KeepCallback(t.Context(), callback)
			wantCode(t, err, ticketing.CodeInvalid)
		})
	}
}

func TestRefusedCallbacksAreCountedInBoundedSpace(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	inParallel(20, func(int) {
		for _, reason := range []string{"signature", strings.Repeat("界", 100), "broken\xff"} {
			if err := s.CountRefusedCallback(t.Context(), "sandbox", reason); err != nil {
				t.Error(err)
			}
		}
	})
	counts := must(s.Counts(t.Context()))(t).RefusedCallbacks
	if len(counts) != 3 || counts["signature"] != 20 || counts["unreadable"] != 20 || counts[strings.Repeat("界", 64)] != 20 {
		t.Errorf("refused %v", counts)
	}
	var rows int
	s.query("SELECT count(*) FROM refused_callbacks", &rows)
	if rows > 6 { // an hour may end in between
		t.Errorf("%d rows", rows)
	}
	if s.order(s.held(1)).UpdatedAt.After(time.Now().Add(time.Minute)) {
		t.Error("the database's clock is far from ours")
	}
}
