package store_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestStartAttemptOnceWhileTheOrderIsUnpaid(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.held(1)
	ask := ticketing.PaymentAttempt{ID: encryption.NewNumber(), OrderID: order, Provider: "sandbox", Method: "sandbox_qr"}
	attempts := make([]ticketing.PaymentAttempt, 10)
	inParallel(len(attempts), func(i int) { attempts[i] = must(s.StartAttempt(t.Context(), ask))(t).PaymentAttempt })
	o := s.order(order)
	for _, a := range attempts {
		if !reflect.DeepEqual(a, attempts[0]) || a.State != ticketing.AttemptCreated || a.Amount != o.Total || !a.ExpiresAt.Equal(o.PayBy) || a.Method != "sandbox_qr" {
			t.Errorf("started %+v", a)
		}
	}
	s.wantKinds(order, ticketing.EventHeld, ticketing.EventAttemptStarted)

	start := func(orderID string) error {
		_, err := s.StartAttempt(t.Context(), ticketing.PaymentAttempt{ID: encryption.NewNumber(), OrderID: orderID, Provider: "sandbox", Method: "x"})
		return err
	}
	paid, _ := s.paid(1)
	expired, due := s.held(1), request(1)
	s.expired(expired)
	due.PayBy = time.Now().Add(-time.Second)
	must(s.Hold(t.Context(), due))(t)
	wantCode(t, start(encryption.NewNumber()), ticketing.CodeNotFound)
	wantCode(t, start(paid), ticketing.CodeAlreadyPaid)
	wantCode(t, start(expired), ticketing.CodeOrderClosed)
	wantCode(t, start(due.OrderID), ticketing.CodeOrderClosed)
	other := ask
	other.OrderID = paid
	_, err := s.StartAttempt(t.Context(), other)
	wantCode(t, err, ticketing.CodeConflict)
	// What was stored before the order closed is still answered.
	s.expired(order)
	if again := must(s.StartAttempt(t.Context(), ask))(t).PaymentAttempt; !reflect.DeepEqual(again, attempts[0]) {
		t.Errorf("again %+v", again)
	}
}

func TestAStartedAttemptKnowsTheOthersThatMayStillBePaidAndThereAreNotTooMany(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.held(1)
	open, closed := s.started(order), s.started(order)
	s.record(fact(closed, ticketing.PaymentClosed))
	s.started(s.held(1))
	ask := ticketing.PaymentAttempt{ID: encryption.NewNumber(), OrderID: order, Provider: "sandbox", Method: "x"}
	started := must(s.StartAttempt(t.Context(), ask))(t)
	wantIDs(t, started.Others, open.ID)
	if o := s.order(order); started.SessionID != o.SessionID || started.Language != o.Buyer.Language {
		t.Errorf("started %+v of %+v", started, o)
	}
	for range ticketing.MaxAttempts - 3 {
		s.started(order)
	}
	ask.ID = encryption.NewNumber()
	_, err := s.StartAttempt(t.Context(), ask)
	wantCode(t, err, ticketing.CodeLimitExceeded)
	if n := len(s.order(order).Attempts); n != ticketing.MaxAttempts {
		t.Errorf("%d attempts", n)
	}
}

func TestHazard04ACallbackMayComeBeforeTheCreateCallReturns(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.held(1)
	attempt := must(s.StartAttempt(t.Context(), ticketing.PaymentAttempt{
		ID: encryption.NewNumber(), OrderID: order, Provider: "sandbox", Method: "x",
	}))(t).PaymentAttempt
	s.captured(attempt)
	must(s.Settle(t.Context(), attempt.ID))(t)
	if err := s.AttemptOpened(t.Context(), attempt.ID, ticketing.OpenedAttempt{
		GatewayID: "G-" + attempt.ID, PayURL: "https://pay.example/2", QR: "qr", PayForm: map[string]string{"sign": "é&=\""},
	}); err != nil {
		t.Fatal(err)
	}
	if a := s.order(order).Attempts[0]; a.State != ticketing.AttemptAccepted || a.PayURL != "https://pay.example/2" || a.QR != "qr" || a.PayForm["sign"] != "é&=\"" {
		t.Errorf("attempt %+v", a)
	}
	wantCode(t, s.AttemptOpened(t.Context(), "nothing", ticketing.OpenedAttempt{}), ticketing.CodeNotFound)
	s.wantSound()
}

func TestOpenAndWatchedAttempts(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.held(1)
	open, closed, declined, captured := s.started(order), s.started(order), s.started(order), s.started(order)
	s.record(fact(closed, ticketing.PaymentClosed))
	s.record(fact(declined, ticketing.PaymentDeclined))
	s.record(fact(captured, ticketing.PaymentClosed))
	s.captured(captured)
	wantIDs(t, must(s.OpenAttempts(t.Context(), order))(t), open.ID, captured.ID)
	wantIDs(t, must(s.WatchedAttempts(t.Context(), order))(t), open.ID, closed.ID)
	must(s.Settle(t.Context(), captured.ID))(t)
	wantIDs(t, must(s.OpenAttempts(t.Context(), order))(t), open.ID)
}

func TestHazard03OpenAttemptsAreAskedAboutAtGrowingIntervals(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.held(1)
	attempt := s.started(order)
	wantIDs(t, must(s.AttemptsToAsk(t.Context(), 10))(t)) // 5 s have not passed
	ago := func(column string) (seconds float64) {
		s.query("SELECT round(extract(epoch FROM ask_at - "+column+")) FROM payment_attempts", &seconds)
		return seconds
	}
	if first := ago("created_at"); first != 5 {
		t.Errorf("first asked about after %v s", first)
	}
	for _, next := range []float64{10, 20, 40, 60, 60} {
		s.execute("UPDATE payment_attempts SET ask_at = now()")
		seen := make([][]ticketing.PaymentAttempt, 8)
		inParallel(len(seen), func(i int) { seen[i] = must(s.AttemptsToAsk(t.Context(), 10))(t) })
		var all []ticketing.PaymentAttempt
		for _, some := range seen {
			all = append(all, some...)
		}
		wantIDs(t, all, attempt.ID)
		if after := ago("clock_timestamp()"); after != next {
			t.Errorf("next asked about after %v s, want %v", after, next)
		}
	}
	s.execute("UPDATE payment_attempts SET ask_at = now()")
	s.expired(order)
	wantIDs(t, must(s.AttemptsToAsk(t.Context(), 10))(t)) // the purchase itself watches it now
}

func TestHazard02FactsInAnyOrderEndTheSame(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	orders := [][]ticketing.PaymentState{
		{ticketing.PaymentPaid, ticketing.PaymentClosed, ticketing.PaymentPending},
		{ticketing.PaymentClosed, ticketing.PaymentPaid, ticketing.PaymentDeclined},
		{ticketing.PaymentDeclined, ticketing.PaymentPending, ticketing.PaymentPaid},
		{ticketing.PaymentUnknown, ticketing.PaymentPaid, ticketing.PaymentUnknown},
		{ticketing.PaymentPaid, ticketing.PaymentPaid, ticketing.PaymentPaid},
	}
	for _, states := range orders {
		order := s.held(1)
		attempt := s.started(order)
		for _, state := range states {
			s.record(fact(attempt, state))
		}
		if settled := must(s.Settle(t.Context(), attempt.ID))(t); settled.Verdict != ticketing.VerdictAccept {
			t.Errorf("%v: %+v", states, settled)
		}
		for _, state := range states {
			s.record(fact(attempt, state))
		}
		s.wantState(order, ticketing.OrderPaid)
	}
	s.wantSound()
}

func TestOnlyTheFirstCaptureCounts(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.held(1)
	attempt := s.started(order)
	s.captured(attempt)
	other := fact(attempt, ticketing.PaymentPaid)
	other.Captured.Amount, other.GatewayID = 1, "another"
	s.record(other)
	if settled := must(s.Settle(t.Context(), attempt.ID))(t); settled.Verdict != ticketing.VerdictAccept || settled.GatewayID != "G-"+attempt.ID {
		t.Errorf("%+v", settled)
	}
	nothing := fact(attempt, ticketing.PaymentPaid)
	nothing.Captured.Amount = 0
	wantCode(t, s.RecordPayment(t.Context(), nothing), ticketing.CodeInvalid)
	stranger := fact(attempt, ticketing.PaymentPaid)
	stranger.Provider = "stranger"
	wantCode(t, s.RecordPayment(t.Context(), stranger), ticketing.CodeConflict)
	s.wantSound()
}

func TestAPaymentWithoutAGatewayIDIsKnownByItsNumber(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.held(1)
	attempt := must(s.StartAttempt(t.Context(), ticketing.PaymentAttempt{
		ID: encryption.NewNumber(), OrderID: order, Provider: "sandbox", Method: "x",
	}))(t).PaymentAttempt
	paid := fact(attempt, ticketing.PaymentPaid)
	paid.GatewayID = ""
	s.record(paid)
	if settled := must(s.Settle(t.Context(), attempt.ID))(t); settled.GatewayID != attempt.ID {
		t.Errorf("gateway id %q, want %q", settled.GatewayID, attempt.ID)
	}
}

func TestAttentionIsNotedOncePerChange(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.held(1)
	for _, needed := range []bool{false, true, true, false, false, true} {
		if err := s.FlagAttention(t.Context(), order, "release the stock", needed); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.FlagAttention(t.Context(), order, "another step", false); err != nil {
		t.Fatal(err)
	}
	s.wantKinds(order, ticketing.EventHeld, ticketing.EventNeedsAttention, ticketing.EventNeedsAttention, ticketing.EventNeedsAttention)
	last := must(s.OrderEvents(t.Context(), order, 3))(t)
	if len(last) != 1 || last[0].Detail["needed"] != true || last[0].Detail["step"] != "release the stock" || last[0].State != ticketing.OrderPending {
		t.Errorf("last %+v", last)
	}
	wantCode(t, s.FlagAttention(t.Context(), encryption.NewNumber(), "x", true), ticketing.CodeNotFound)
}

func (s *scene) record(f ticketing.PaymentFact) {
	s.Helper()
	if err := s.RecordPayment(s.Context(), f); err != nil {
		s.Fatal(err)
	}
}

func wantIDs(t testing.TB, attempts []ticketing.PaymentAttempt, ids ...string) {
	t.Helper()
	have := map[string]bool{}
	for _, a := range attempts {
		have[a.ID] = true
	}
	if len(attempts) != len(ids) {
		t.Errorf("%d attempts, want %d", len(attempts), len(ids))
	}
	for _, id := range ids {
		if !have[id] {
			t.Errorf("attempt %s is missing", id)
		}
	}
}
