package store_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestEveryVerdictIsCarriedOutOnce(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		prepare func(s *scene, order string, attempt ticketing.PaymentAttempt)
		verdict ticketing.Verdict
		reason  ticketing.RejectReason
		order   ticketing.OrderState
		last    ticketing.OrderEventKind
		free    int
		entries map[string]int64
	}{
		{
			"paid in time", func(s *scene, _ string, a ticketing.PaymentAttempt) { s.captured(a) },
			ticketing.VerdictAccept, "", ticketing.OrderPaid, ticketing.EventPaid, 18,
			map[string]int64{"gateway:sandbox": 21200, "organiser:organiser:sales": -21000, "fees": -200},
		},
		{
			"nothing captured", func(s *scene, _ string, a ticketing.PaymentAttempt) { s.record(fact(a, ticketing.PaymentUnknown)) },
			ticketing.VerdictNone, "", ticketing.OrderPending, ticketing.EventAttemptStarted, 18, nil,
		},
		{
			"hazard 8: another amount", func(s *scene, _ string, a ticketing.PaymentAttempt) {
				f := fact(a, ticketing.PaymentPaid)
				f.Captured.Amount--
				s.record(f)
			}, ticketing.VerdictReject, ticketing.RejectAmount, ticketing.OrderPending, ticketing.EventPaymentRejected, 18,
			map[string]int64{"gateway:sandbox": 21199, "suspense": -21199},
		},
		{
			"hazard 8: another currency", func(s *scene, _ string, a ticketing.PaymentAttempt) {
				f := fact(a, ticketing.PaymentPaid)
				f.Captured.Currency = "JPY"
				s.record(f)
			}, ticketing.VerdictReject, ticketing.RejectAmount, ticketing.OrderPending, ticketing.EventPaymentRejected, 18,
			map[string]int64{"gateway:sandbox": 21200, "suspense": -21200},
		},
		{
			"hazard 9: after expiry", func(s *scene, order string, a ticketing.PaymentAttempt) {
				s.expired(order)
				s.captured(a)
			}, ticketing.VerdictReject, ticketing.RejectLate, ticketing.OrderExpired, ticketing.EventLatePayment, 20,
			map[string]int64{"gateway:sandbox": 21200, "suspense": -21200},
		},
		{
			"hazard 11: a second payment", func(s *scene, order string, a ticketing.PaymentAttempt) {
				other := s.started(order)
				s.captured(other)
				must(s.Settle(s.Context(), other.ID))(s)
				s.captured(a)
			}, ticketing.VerdictReject, ticketing.RejectDouble, ticketing.OrderPaid, ticketing.EventPaymentRejected, 18,
			map[string]int64{"gateway:sandbox": 42400, "organiser:organiser:sales": -21000, "fees": -200, "suspense": -21200},
		},
		{
			"hazard 23: the stock is lost", func(s *scene, order string, a ticketing.PaymentAttempt) {
				s.captured(a)
				s.execute("UPDATE holds SET state = 'RELEASED'; ")
				s.execute("UPDATE stock SET held = 0, free = capacity")
			}, ticketing.VerdictReject, ticketing.RejectStockLost, ticketing.OrderFailed, ticketing.EventFailed, 20,
			map[string]int64{"gateway:sandbox": 21200, "suspense": -21200},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			order := s.held(2)
			attempt := s.started(order)
			test.prepare(s, order, attempt)
			first := must(s.Settle(t.Context(), attempt.ID))(t)
			if first.Verdict != test.verdict || first.Reason != test.reason || first.Order != test.order || first.OrderID != order {
				t.Errorf("settled %+v", first)
			}
			inParallel(10, func(int) {
				if again := must(s.Settle(t.Context(), attempt.ID))(t); again != first {
					t.Errorf("settled again %+v, want %+v", again, first)
				}
			})
			s.wantState(order, test.order)
			s.wantFree(test.free)
			events := must(s.OrderEvents(t.Context(), order, 0))(t)
			if last := events[len(events)-1]; last.Kind != test.last || last.State != test.order {
				t.Errorf("last entry %+v", last)
			}
			s.wantLedger(test.entries)
			s.refundAll()
			s.wantSound()
		})
	}
}

// wantLedger checks the balance of every account.
func (s *scene) wantLedger(want map[string]int64) {
	s.Helper()
	rows, err := s.connect().Query(s.Context(), "SELECT account, sum(amount)::bigint FROM ledger_entries GROUP BY 1 HAVING sum(amount) <> 0")
	if err != nil {
		s.Fatal(err)
	}
	defer rows.Close()
	have := map[string]int64{}
	for rows.Next() {
		var (
			account string
			balance int64
		)
		if err := rows.Scan(&account, &balance); err != nil {
			s.Fatal(err)
		}
		have[account] = balance
		if want[account] != balance {
			s.Errorf("%s is at %d, want %d", account, balance, want[account])
		}
	}
	if len(have) != len(want) {
		s.Errorf("ledger %v, want %v", have, want)
	}
}

// delivered notes that a workflow has acknowledged an attempt's money.
func (s *scene) delivered(attemptID string) {
	s.Helper()
	if err := s.MarkDelivered(s.Context(), attemptID); err != nil {
		s.Fatal(err)
	}
}

// refundAll gives every rejected payment back, as the late-payment saga does.
func (s *scene) refundAll() {
	s.Helper()
	for _, owed := range must(s.UndeliveredPayments(s.Context(), 0, 100))(s) {
		s.delivered(owed.ID)
		if settled := must(s.Settle(s.Context(), owed.ID))(s); settled.Verdict != ticketing.VerdictReject {
			continue
		}
		refund := must(s.StartRefund(s.Context(), owed.ID))(s)
		if err := s.FinishRefund(s.Context(), outcome(refund.ID, ticketing.RefundSucceeded, "")); err != nil {
			s.Fatal(err)
		}
	}
}

func TestHazard11OfTwoPaymentsAtOnceOneIsAccepted(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for range 10 {
		order := s.held(1)
		attempts := []ticketing.PaymentAttempt{s.started(order), s.started(order), s.started(order)}
		var accepted, double atomic.Int32
		inParallel(2*len(attempts), func(i int) {
			a := attempts[i%len(attempts)]
			s.captured(a)
			settled := must(s.Settle(t.Context(), a.ID))(t)
			if i >= len(attempts) {
				return
			}
			switch {
			case settled.Verdict == ticketing.VerdictAccept:
				accepted.Add(1)
			case settled.Reason == ticketing.RejectDouble:
				double.Add(1)
			default:
				t.Errorf("%+v", settled)
			}
		})
		if accepted.Load() != 1 || double.Load() != 2 {
			t.Errorf("%d accepted, %d rejected as double", accepted.Load(), double.Load())
		}
	}
	s.refundAll()
	s.wantSound()
}

func TestHazard10PaymentAndReleaseHaveOneOutcome(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Event("show", 200))
	for range 30 {
		order := s.held(2)
		attempt := s.started(order)
		var released ticketing.OrderState
		var settled ticketing.Settlement
		inParallel(2, func(i int) {
			if i == 0 {
				released = must(s.Release(t.Context(), order, ticketing.OrderExpired))(t)
				return
			}
			s.captured(attempt)
			settled = must(s.Settle(t.Context(), attempt.ID))(t)
		})
		final := s.order(order).State
		paid := final == ticketing.OrderPaid
		if !paid && final != ticketing.OrderExpired || released != final ||
			paid != (settled.Verdict == ticketing.VerdictAccept) || !paid && settled.Reason != ticketing.RejectLate {
			t.Errorf("order %s, released %s, settled %+v", final, released, settled)
		}
	}
	s.refundAll()
	s.wantSound()
}

func TestReleaseJudgesCapturedMoneyFirst(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.held(2)
	wrong, right := s.started(order), s.started(order)
	f := fact(wrong, ticketing.PaymentPaid)
	f.Captured.Amount++
	s.record(f)
	s.captured(right) // and nobody settles it
	if state := must(s.Release(t.Context(), order, ticketing.OrderExpired))(t); state != ticketing.OrderPaid {
		t.Errorf("released: %s", state)
	}
	s.wantFree(18)
	s.refundAll()
	s.wantSound()
}

func TestHazard26MoneyNobodyAskedForIsKept(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	stranger := ticketing.PaymentFact{
		Provider: "sandbox", AttemptID: "SOMEBODYELSES1", GatewayID: "G1", State: ticketing.PaymentPaid,
		Captured: ticketing.Money{Amount: 900, Currency: "CNY"}, At: time.Now(),
	}
	inParallel(10, func(int) { s.record(stranger) })
	settled := must(s.Settle(t.Context(), stranger.AttemptID))(t)
	want := ticketing.Settlement{
		Verdict: ticketing.VerdictReject, Reason: ticketing.RejectUnknownOrder,
		Provider: "sandbox", AttemptID: stranger.AttemptID, GatewayID: "G1",
	}
	if settled != want {
		t.Errorf("settled %+v", settled)
	}
	s.wantLedger(map[string]int64{"gateway:sandbox": 900, "suspense": -900})
	wantIDs(t, must(s.UndeliveredPayments(t.Context(), 0, 10))(t), stranger.AttemptID)
	s.delivered(stranger.AttemptID)
	wantIDs(t, must(s.UndeliveredPayments(t.Context(), 0, 10))(t))
	s.execute("UPDATE payment_attempts SET delivered_at = delivered_at - interval '1 minute'")
	wantIDs(t, must(s.UndeliveredPayments(t.Context(), 0, 10))(t), stranger.AttemptID)
	if retaken := must(s.Retake(t.Context(), stranger.AttemptID))(t); retaken {
		t.Error("took stock for nobody")
	}
	refund := must(s.StartRefund(t.Context(), stranger.AttemptID))(t)
	if refund.Amount != stranger.Captured || refund.Captured != stranger.Captured || refund.GatewayID != "G1" || refund.OrderID != "" {
		t.Errorf("refund %+v", refund)
	}
	wantIDs(t, must(s.UndeliveredPayments(t.Context(), 0, 10))(t))
	if err := s.FinishRefund(t.Context(), outcome(refund.ID, ticketing.RefundSucceeded, "")); err != nil {
		t.Fatal(err)
	}
	s.wantLedger(nil)
	// News of numbers we never gave out mean nothing without money.
	stranger.AttemptID, stranger.State, stranger.Captured = "UNKNOWN2", ticketing.PaymentClosed, ticketing.Money{}
	s.record(stranger)
	_, err := s.Settle(t.Context(), "UNKNOWN2")
	wantCode(t, err, ticketing.CodeNotFound)
	s.wantSound()
}

func TestUndeliveredPaymentsWaitForTheirAge(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.held(1)
	attempt := s.started(order)
	s.captured(attempt)
	wantIDs(t, must(s.UndeliveredPayments(t.Context(), time.Minute, 10))(t))
	wantIDs(t, must(s.UndeliveredPayments(t.Context(), 0, 10))(t), attempt.ID)
	must(s.Settle(t.Context(), attempt.ID))(t)
	wantIDs(t, must(s.UndeliveredPayments(t.Context(), 0, 10))(t), attempt.ID) // its workflow may have forgotten the verdict
	s.delivered(attempt.ID)
	wantIDs(t, must(s.UndeliveredPayments(t.Context(), 0, 10))(t))
	s.delivered(s.started(s.held(1)).ID) // without money: nothing to deliver, nothing to note
	_, err := s.Settle(t.Context(), encryption.NewNumber())
	wantCode(t, err, ticketing.CodeNotFound)
}

func TestHazard09LateMoneyTakesTheSameStockAgain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		prepare func(s *scene)
		retaken bool
	}{
		{"free again", func(*scene) {}, true},
		{"sold meanwhile", func(s *scene) { s.held(0, 5) }, false},
		{"the event is paused", func(s *scene) { s.execute("UPDATE events SET state = 'PAUSED'") }, false},
		{"the sale is over", func(s *scene) { s.execute("UPDATE ticket_types SET sale_until = now() WHERE id = 'show-t2'") }, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, storetest.Event("show", 5, 5))
			order := s.held(2, 1)
			attempt := s.started(order)
			s.expired(order)
			s.captured(attempt)
			must(s.Settle(t.Context(), attempt.ID))(t)
			test.prepare(s)
			inParallel(5, func(int) {
				if retaken := must(s.Retake(t.Context(), attempt.ID))(t); retaken != test.retaken {
					t.Errorf("retaken %v", retaken)
				}
			})
			if test.retaken {
				s.wantState(order, ticketing.OrderPaid)
				s.wantLedger(map[string]int64{"gateway:sandbox": 41700, "organiser:organiser:sales": -41500, "fees": -200})
				_, err := s.StartRefund(t.Context(), attempt.ID)
				wantCode(t, err, ticketing.CodeIllegalTransition)
				s.wantKinds(order, ticketing.EventHeld, ticketing.EventAttemptStarted, ticketing.EventExpired,
					ticketing.EventPaymentReceived, ticketing.EventLatePayment, ticketing.EventRetaken, ticketing.EventPaid)
			} else {
				s.wantState(order, ticketing.OrderExpired)
				s.refundAll()
			}
			s.wantSound()
		})
	}
}

func TestHazard09ExactlyOneOfRetakeAndRefund(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for range 20 {
		order := s.held(1)
		attempt := s.started(order)
		s.expired(order)
		s.captured(attempt)
		must(s.Settle(t.Context(), attempt.ID))(t)
		var (
			retaken bool
			refund  error
		)
		inParallel(2, func(i int) {
			if i == 0 {
				retaken = must(s.Retake(t.Context(), attempt.ID))(t)
			} else {
				_, refund = s.StartRefund(t.Context(), attempt.ID)
			}
		})
		if retaken == (refund == nil) {
			t.Errorf("retaken %v, refund %v", retaken, refund)
		}
		if !retaken {
			r := must(s.StartRefund(t.Context(), attempt.ID))(t)
			if err := s.FinishRefund(t.Context(), outcome(r.ID, ticketing.RefundSucceeded, "")); err != nil {
				t.Fatal(err)
			}
			if must(s.Retake(t.Context(), attempt.ID))(t) {
				t.Error("retaken after the refund")
			}
		}
	}
	s.wantSound()
}
