package store_test

import (
	"reflect"
	"sync/atomic"
	"testing"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/ticketing"
)

// late makes an expired order with rejected money.
func (s *scene) late() (string, ticketing.PaymentAttempt) {
	s.Helper()
	order := s.held(1)
	attempt := s.started(order)
	s.expired(order)
	s.captured(attempt)
	must(s.Settle(s.Context(), attempt.ID))(s)
	return order, attempt
}

// paidLate lets an order expire, and its money come after what happens meanwhile.
func (s *scene) paidLate(r ticketing.HoldRequest, meanwhile func()) ticketing.PaymentAttempt {
	s.Helper()
	order := s.heldAs(r)
	attempt := s.started(order.ID)
	s.expired(order.ID)
	meanwhile()
	s.captured(attempt)
	must(s.Settle(s.Context(), attempt.ID))(s)
	s.delivered(attempt.ID)
	return attempt
}

// takenAgain says whether late money gets what it was for after all; else it goes back.
func (s *scene) takenAgain(late ticketing.PaymentAttempt) bool {
	s.Helper()
	if must(s.Retake(s.Context(), late.ID))(s) {
		return true
	}
	s.settles(must(s.StartRefund(s.Context(), late.ID))(s))
	return false
}

func TestHazard19ARefundKeepsItsIDUntilItIsFinal(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order, attempt := s.late()
	refunds := make([]ticketing.Refund, 10)
	inParallel(len(refunds), func(i int) { refunds[i] = must(s.StartRefund(t.Context(), attempt.ID))(t) })
	for _, r := range refunds {
		if !reflect.DeepEqual(r, refunds[0]) || r.State != ticketing.RefundPending || r.Amount != attempt.Amount || r.Captured != attempt.Amount ||
			r.Reason != ticketing.RefundReason(ticketing.RejectLate) || r.OrderID != order || r.GatewayID != "G-"+attempt.ID || r.Provider != "sandbox" {
			t.Errorf("refund %+v", r)
		}
	}
	id := refunds[0].ID
	finish := func(state ticketing.RefundState) {
		t.Helper()
		inParallel(5, func(int) {
			if err := s.FinishRefund(t.Context(), outcome(id, state, "balance too low")); err != nil {
				t.Error(err)
			}
		})
	}
	finish(ticketing.RefundPending)
	finish(ticketing.RefundFailed)
	s.wantLedger(map[string]int64{"gateway:sandbox": attempt.Amount.Amount, "suspense": -attempt.Amount.Amount})
	if c := must(s.Counts(t.Context()))(t); c.FailedRefunds != 1 || c.PendingRefunds != 0 {
		t.Errorf("counts %+v", c)
	}
	// The late-payment saga asks with the same refund, whatever became of it before.
	if again := must(s.StartRefund(t.Context(), attempt.ID))(t); again.ID != id || again.State != ticketing.RefundFailed {
		t.Errorf("again %+v", again)
	}
	failed := must(s.Cases(t.Context(), ticketing.CaseFilter{}))(t)
	if len(failed) != 1 || failed[0].Kind != ticketing.CaseRefundFailed || failed[0].RefundID != id || failed[0].OrderID != order ||
		failed[0].Detail["reason"] != "balance too low" {
		t.Errorf("cases %+v", failed)
	}
	finish(ticketing.RefundSucceeded)
	finish(ticketing.RefundFailed)
	if left := must(s.Cases(t.Context(), ticketing.CaseFilter{}))(t); len(left) != 0 {
		t.Errorf("cases %+v", left)
	}
	if again := must(s.StartRefund(t.Context(), attempt.ID))(t); again.ID != id || again.State != ticketing.RefundSucceeded {
		t.Errorf("again %+v", again)
	}
	s.wantLedger(nil)
	s.wantState(order, ticketing.OrderExpired)
	s.wantKinds(order, ticketing.EventHeld, ticketing.EventAttemptStarted, ticketing.EventExpired, ticketing.EventPaymentReceived,
		ticketing.EventLatePayment, ticketing.EventRefundStarted, ticketing.EventRefundSent, ticketing.EventRefundFailed, ticketing.EventRefundSettled)
	if settled := must(s.Settle(t.Context(), attempt.ID))(t); settled.Verdict != ticketing.VerdictReject || settled.Reason != ticketing.RejectLate {
		t.Errorf("settled %+v", settled)
	}
	s.wantSound()
}

func TestOnlyMoneyThatIsOwedBackIsRefunded(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	_, accepted := s.paid(1)
	open := s.started(s.held(1))
	for _, attempt := range []ticketing.PaymentAttempt{accepted, open} {
		_, err := s.StartRefund(t.Context(), attempt.ID)
		wantCode(t, err, ticketing.CodeIllegalTransition)
		if must(s.Retake(t.Context(), attempt.ID))(t) != (attempt.ID == accepted.ID) {
			t.Error("retake of an attempt that was not rejected")
		}
	}
	_, err := s.StartRefund(t.Context(), encryption.NewNumber())
	wantCode(t, err, ticketing.CodeNotFound)
	_, err = s.Retake(t.Context(), encryption.NewNumber())
	wantCode(t, err, ticketing.CodeNotFound)
	wantCode(t, s.FinishRefund(t.Context(), outcome(encryption.NewNumber(), ticketing.RefundSucceeded, "")), ticketing.CodeNotFound)
}

// The store itself refunds in full only; the bound is the database's and holds for whatever comes later.
func TestHazard21ParallelPartialRefundsNeverExceedTheCapture(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	_, attempt := s.late() // 107.00 CNY
	const part = 3000
	insert := "INSERT INTO refunds (id, attempt_id, amount, currency, state, reason) VALUES ($1, $2, $3, $4, 'PENDING', 'test')"
	var stored, refused atomic.Int32
	inParallel(8, func(int) {
		conn := s.connect()
		_, err := conn.Exec(t.Context(), insert, encryption.NewNumber(), attempt.ID, part, "CNY")
		switch {
		case err == nil:
			stored.Add(1)
		case constraintOf(err) == "refunds_within_captured":
			refused.Add(1)
		default:
			t.Error(err)
		}
	})
	if want := int32(attempt.Amount.Amount / part); stored.Load() != want || refused.Load() != 8-want {
		t.Errorf("%d stored, %d refused, want %d stored", stored.Load(), refused.Load(), want)
	}
	conn := s.connect()
	_, err := conn.Exec(t.Context(), insert, encryption.NewNumber(), attempt.ID, 1, "JPY")
	if constraintOf(err) != "refunds_within_captured" {
		t.Errorf("a refund in another currency: %v", err)
	}
	// A failed refund gives its share free, and cannot take it back once that is used.
	var failed string
	if err := conn.QueryRow(t.Context(), "UPDATE refunds SET state = 'FAILED' WHERE id = (SELECT min(id) FROM refunds) RETURNING id").Scan(&failed); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), insert, encryption.NewNumber(), attempt.ID, part, "CNY"); err != nil {
		t.Errorf("after a failure: %v", err)
	}
	_, err = conn.Exec(t.Context(), "UPDATE refunds SET state = 'SUCCEEDED', settled_at = now() WHERE id = $1", failed)
	if constraintOf(err) != "refunds_within_captured" {
		t.Errorf("a failed refund came back: %v", err)
	}
}
