package store_test

import (
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/ticketing"
)

// refundPlants are those of plants that have to do with tickets given back.
var refundPlants = map[string]string{
	"a ticket is void because a refund gave it back or a dispute was lost":                          "UPDATE tickets SET state = 'VOID' WHERE id = (SELECT min(id) FROM tickets WHERE state = 'VALID')",
	"a refund of tickets is what was paid for them, less its fee":                                   "UPDATE refunds SET fee = fee + 1 WHERE request IS NOT NULL",
	"tickets that were given back are on sale again":                                                "UPDATE holds SET returned = 0",
	"an order is being refunded while money is owed for its tickets, and only then":                 "UPDATE orders SET state = 'REFUNDED' WHERE state = 'REFUNDING'",
	"tickets are refunded with the money that paid the order, and no other":                         "UPDATE refunds SET request = NULL, fingerprint = NULL, reason = 'late', fee = 0 WHERE request IS NOT NULL",
	"refunds due is exactly what is owed for tickets, refund fees what was kept of them":            "DELETE FROM ledger_entries WHERE account = 'refund_fees'",
	"sales and fees are what was paid for tickets that were not given back, and the fees of orders": "DELETE FROM ledger_entries WHERE account LIKE 'organiser:%' AND amount > 0",
}

// back asks for tickets to be given back, for what they are quoted; none means all.
func (s *scene) back(orderID string, tickets ...string) ticketing.RefundRequest {
	s.Helper()
	if len(tickets) == 0 {
		tickets = nil
	}
	quote := must(s.QuoteRefund(s.Context(), orderID, tickets))(s)
	id := encryption.NewNumber()
	return ticketing.RefundRequest{ID: id, OrderID: orderID, Request: "request " + id, Fingerprint: "f", TicketIDs: tickets, Expected: quote.Amount}
}

// gives has tickets taken back.
func (s *scene) gives(orderID string, tickets ...string) ticketing.Refund {
	s.Helper()
	answer := must(s.RequestRefund(s.Context(), s.back(orderID, tickets...)))(s)
	if answer.Refusal != nil {
		s.Fatalf("refused: %+v", answer.Refusal)
	}
	return answer.Refund
}

// settles lets the gateway give the money back.
func (s *scene) settles(r ticketing.Refund) {
	s.Helper()
	if err := s.FinishRefund(s.Context(), outcome(r.ID, ticketing.RefundSucceeded, "")); err != nil {
		s.Fatal(err)
	}
}

// fails lets it fail for good.
func (s *scene) fails(r ticketing.Refund) {
	s.Helper()
	if err := s.FinishRefund(s.Context(), outcome(r.ID, ticketing.RefundFailed, "account closed")); err != nil {
		s.Fatal(err)
	}
}

// wantSoundSoFar checks every invariant while something is under way.
func (s *scene) wantSoundSoFar() {
	s.Helper()
	for _, v := range must(s.Audit(s.Context()))(s) {
		s.Error(v)
	}
}

func (s *scene) wantRefusal(r ticketing.RefundRequest, code ticketing.Code) {
	s.Helper()
	answer := must(s.RequestRefund(s.Context(), r))(s)
	if answer.Refusal == nil || answer.Refusal.Code != code {
		s.Errorf("answer %+v, want %s", answer, code)
	}
}

func TestTicketsGoBackOneByOne(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order, attempt := s.paid(2, 1) // 2 × 105.00, 205.00, a fee of 2.00
	s.wantFree(18, 19)
	first := s.gives(order, order+"-001", order+"-003")
	if first.State != ticketing.RefundPending || first.Amount.Amount != 9450+18450 || first.Fee != 1050+2050 || first.Reason != ticketing.RefundRequested ||
		!reflect.DeepEqual(first.TicketIDs, []string{order + "-001", order + "-003"}) || first.AttemptID != attempt.ID || first.Captured != attempt.Amount {
		t.Errorf("%+v", first)
	}
	// At once, before any gateway has heard of it.
	s.wantFree(19, 20)
	s.wantState(order, ticketing.OrderRefunding)
	s.wantLedger(map[string]int64{"gateway:sandbox": 41700, "organiser:organiser:sales": -10500, "fees": -200, "refund_fees": -3100, "refunds_due": -27900})
	s.wantSoundSoFar()
	now := s.order(order)
	for i, want := range []ticketing.TicketState{ticketing.TicketVoid, ticketing.TicketValid, ticketing.TicketVoid} {
		if now.Tickets[i].State != want || (now.Tickets[i].RefundID == first.ID) != (want == ticketing.TicketVoid) {
			t.Errorf("ticket %+v, want %s", now.Tickets[i], want)
		}
	}
	if now.PaidAt == nil || time.Since(*now.PaidAt) > time.Minute || !reflect.DeepEqual(now.Refunds, []ticketing.Refund{first}) {
		t.Errorf("%+v", now)
	}
	// Another one, while the first is under way.
	second := s.gives(order)
	s.wantFree(20, 20)
	s.settles(first)
	s.wantState(order, ticketing.OrderRefunding)
	s.settles(second)
	s.wantState(order, ticketing.OrderRefunded)
	s.wantLedger(map[string]int64{"gateway:sandbox": 4350, "fees": -200, "refund_fees": -4150})
	s.wantKinds(order, ticketing.EventHeld, ticketing.EventAttemptStarted, ticketing.EventPaymentReceived, ticketing.EventPaid,
		ticketing.EventRefundRequested, ticketing.EventRefundRequested, ticketing.EventRefundSettled, ticketing.EventRefundSettled)
	if a := s.order(order).Attempts[0]; a.State != ticketing.AttemptAccepted {
		t.Errorf("the payment is %s", a.State)
	}
	s.wantSound()
	s.wantRefusal(ticketing.RefundRequest{ID: "R0000001", OrderID: order, Request: "again", Fingerprint: "f"}, ticketing.CodeNotRefundable)
}

func TestPartOfAnOrderStaysValid(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order, _ := s.paid(3)
	s.settles(s.gives(order, order+"-002"))
	s.wantState(order, ticketing.OrderPartiallyRefunded)
	s.settles(s.gives(order, order+"-001"))
	s.wantState(order, ticketing.OrderPartiallyRefunded)
	s.wantSound()
	s.settles(s.gives(order))
	s.wantState(order, ticketing.OrderRefunded)
	s.wantSound()
}

func TestARefundIsOneHoweverOftenItIsRequested(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order, _ := s.paid(2)
	request := s.back(order)
	answers := make([]ticketing.RefundAnswer, 10)
	inParallel(len(answers), func(i int) {
		r := request
		r.ID = encryption.NewNumber() // another second, another number
		answers[i] = must(s.RequestRefund(t.Context(), r))(t)
	})
	for _, a := range answers {
		if !reflect.DeepEqual(a, answers[0]) || a.Refusal != nil {
			t.Errorf("%+v, then %+v", answers[0], a)
		}
	}
	s.settles(answers[0].Refund)
	if a := must(s.RequestRefund(t.Context(), request))(t); a.Refund.ID != answers[0].Refund.ID || a.Refund.State != ticketing.RefundSucceeded {
		t.Errorf("later %+v", a)
	}
	known, fingerprint, err := s.RefundOfRequest(t.Context(), order, request.Request)
	if err != nil || known.ID != answers[0].Refund.ID || fingerprint != "f" {
		t.Errorf("%+v, %q, %v", known, fingerprint, err)
	}
	other := request
	other.Fingerprint = "g"
	s.wantRefusal(other, ticketing.CodeKeyReused)
	_, _, err = s.RefundOfRequest(t.Context(), order, "other")
	wantCode(t, err, ticketing.CodeNotFound)
	s.wantSound()
}

func TestHazard21OfParallelRefundsOfATicketOneIsTaken(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order, _ := s.paid(3)
	var taken, refused atomic.Int32
	requests := make([]ticketing.RefundRequest, 12)
	for i := range requests {
		// Each wants one of the three, or all.
		if i%4 == 3 {
			requests[i] = s.back(order)
		} else {
			requests[i] = s.back(order, fmt.Sprintf("%s-%03d", order, i%4+1))
		}
	}
	inParallel(len(requests), func(i int) {
		answer := must(s.RequestRefund(t.Context(), requests[i]))(t)
		switch {
		case answer.Refusal == nil:
			taken.Add(1)
		case answer.Refusal.Code == ticketing.CodeConflict, answer.Refusal.Code == ticketing.CodePriceChanged, answer.Refusal.Code == ticketing.CodeNotRefundable:
			refused.Add(1)
		default:
			t.Errorf("%+v", answer.Refusal)
		}
	})
	if n := taken.Load(); n != 1 && n != 3 || n+refused.Load() != 12 {
		t.Errorf("%d taken, %d refused", n, refused.Load())
	}
	s.wantFree(20)
	s.wantSoundSoFar()
}

func TestRefundsAreRefusedUnderTheLock(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order, attempt := s.paid(2)
	late := s.back(order)
	late.Expected.Amount++
	s.wantRefusal(late, ticketing.CodePriceChanged)
	strange := s.back(order)
	strange.TicketIDs = []string{"other"}
	s.wantRefusal(strange, ticketing.CodeInvalid)
	unknown := s.back(order)
	unknown.OrderID = encryption.NewNumber()
	s.wantRefusal(unknown, ticketing.CodeNotFound)
	_, err := s.QuoteRefund(t.Context(), s.held(1), nil)
	wantCode(t, err, ticketing.CodeNotRefundable)

	s.execute("UPDATE sessions SET starts_at = now() + interval '23 hours', changed_at = NULL")
	s.execute("ALTER TABLE sessions DISABLE TRIGGER sessions_changed; UPDATE sessions SET changed_at = NULL")
	_, err = s.QuoteRefund(t.Context(), order, nil)
	wantCode(t, err, ticketing.CodeNotRefundable)
	s.execute("UPDATE sessions SET starts_at = now() + interval '72 hours'")

	frozen := s.back(order)
	s.hears(disputed("D", attempt, ticketing.DisputeOpen))
	s.wantRefusal(frozen, ticketing.CodeNotRefundable)
	if refunds := s.order(order).Refunds; len(refunds) != 0 {
		t.Errorf("%+v", refunds)
	}
	s.wantFree(17)
}

func TestCalledOffAndChangedSessionsAreFree(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*scene){
		"cancelled": func(s *scene) {
			must(struct{}{}, s.MoveEvent(s.Context(), "show", ticketing.EventCancelled, "tester", "a test"))(s)
		},
		"postponed": func(s *scene) {
			must(struct{}{}, s.MoveEvent(s.Context(), "show", ticketing.EventPostponed, "tester", "a test"))(s)
		},
		"moved": func(s *scene) {
			s.execute("UPDATE sessions SET starts_at = starts_at + interval '1 day', ends_at = ends_at + interval '1 day'")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			order, _ := s.paid(2, 1)
			part := s.gives(order, order+"-001") // before: at a fee, and its share of the order's fee stays
			change(s)
			r := s.gives(order)
			if r.Amount.Amount != 31000+66+67 || r.Fee != 0 || r.Reason != ticketing.RefundCalledOff {
				t.Errorf("%+v", r)
			}
			s.settles(part)
			s.settles(r)
			s.wantState(order, ticketing.OrderRefunded)
			s.wantLedger(map[string]int64{"gateway:sandbox": 1050 + 67, "fees": -67, "refund_fees": -1050})
			s.wantSound()
		})
	}
}

func TestWhoeverBuysAfterTheChangeIsNotSetFree(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.execute("UPDATE sessions SET starts_at = starts_at + interval '1 day', ends_at = ends_at + interval '1 day'")
	order, _ := s.paid(1)
	if quote := must(s.QuoteRefund(t.Context(), order, nil))(t); quote.Free || quote.Fee != 1050 {
		t.Errorf("%+v", quote)
	}
}

func TestHazard20AFailedRefundOfTicketsStaysOwed(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order, _ := s.paid(2)
	r := s.gives(order, order+"-001")
	for range 2 {
		for _, fact := range []ticketing.RefundFact{outcome(r.ID, ticketing.RefundPending, ""), outcome(r.ID, ticketing.RefundFailed, "account closed")} {
			if err := s.FinishRefund(t.Context(), fact); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.wantState(order, ticketing.OrderRefunding)
	s.wantLedger(map[string]int64{"gateway:sandbox": 21200, "organiser:organiser:sales": -10500, "fees": -200, "refund_fees": -1050, "refunds_due": -9450})
	if open := must(s.Cases(t.Context(), ticketing.CaseFilter{}))(t); len(open) != 1 || open[0].RefundID != r.ID || open[0].OrderID != order {
		t.Errorf("cases %+v", open)
	}
	s.wantKinds(order, ticketing.EventHeld, ticketing.EventAttemptStarted, ticketing.EventPaymentReceived, ticketing.EventPaid,
		ticketing.EventRefundRequested, ticketing.EventRefundSent, ticketing.EventRefundFailed)
	s.wantSound()
	s.settles(r)
	s.wantState(order, ticketing.OrderPartiallyRefunded)
	s.wantSound()
}

func TestHazard02TheRefundsCallbackMayComeBeforeThePayments(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order, attempt := s.paid(1) // found by asking: its callback is still on the way
	r := s.gives(order)
	said := outcome(r.ID, ticketing.RefundSucceeded, "")
	tell := ticketing.Callback{Provider: "sandbox", EventID: "R", Refund: &said, Body: []byte("{}")}
	for i := range 3 {
		kept := must(s.KeepCallback(t.Context(), tell))(t)
		if kept.First != (i == 0) || kept.Refund.ID != r.ID || !kept.Handled {
			t.Errorf("%+v", kept)
		}
	}
	must(s.KeepCallback(t.Context(), payment("P", fact(attempt, ticketing.PaymentPaid))))(t)
	if settled := must(s.Settle(t.Context(), attempt.ID))(t); settled.Verdict != ticketing.VerdictAccept || settled.Order != ticketing.OrderRefunded {
		t.Errorf("%+v", settled)
	}
	if retaken := must(s.Retake(t.Context(), attempt.ID))(t); !retaken {
		t.Error("the money no longer pays its order")
	}
	s.wantState(order, ticketing.OrderRefunded)
	s.wantSound()
}

func TestDisputesAndRefundsOfOneOrder(t *testing.T) {
	t.Parallel()
	for _, decision := range []ticketing.DisputeState{ticketing.DisputeWon, ticketing.DisputeLost} {
		t.Run(string(decision), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			order, attempt := s.paid(2, 1)
			under := s.gives(order, order+"-001")
			s.hears(disputed("D1", attempt, ticketing.DisputeOpen))
			s.wantSoundSoFar()
			s.hears(disputed("D2", attempt, decision))
			s.wantState(order, ticketing.OrderRefunding)
			s.settles(under)
			if decision == ticketing.DisputeWon {
				s.wantState(order, ticketing.OrderPartiallyRefunded)
				s.wantFree(19, 19)
			} else {
				s.wantState(order, ticketing.OrderRefunded)
				s.wantFree(20, 20)
			}
			s.wantSound()
		})
	}
}

func TestTheDatabaseKeepsTheTermsAndVoidTickets(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order, _ := s.paid(2)
	r := s.gives(order, order+"-001")
	for constraint, sql := range map[string]string{
		"events_terms_stay":  "UPDATE events SET refund_policy = '[]'",
		"tickets_void_stay":  "UPDATE tickets SET state = 'VALID', refund_id = NULL",
		"tickets_refunded":   "UPDATE tickets SET refund_id = '" + r.ID + "' WHERE state = 'VALID'",
		"holds_returned":     "UPDATE holds SET returned = quantity + 1",
		"refunds_of_tickets": "UPDATE refunds SET request = NULL",
		"refunds_check":      "UPDATE refunds SET order_fee = amount + 1",
		"refunds_request":    `INSERT INTO refunds SELECT (jsonb_populate_record(r, jsonb_build_object('id', 'R0000001', 'amount', 1, 'fee', 0))).* FROM refunds r`,
	} {
		_, err := s.connect().Exec(t.Context(), sql)
		if constraintOf(err) != constraint {
			t.Errorf("%s: %v", constraint, err)
		}
	}
}

func TestTheJournalSaysWhatEveryEntryIsAbout(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order, attempt := s.paid(2)
	r := s.gives(order, order+"-001")
	s.settles(r)
	s.hears(disputed("D1", attempt, ticketing.DisputeOpen))
	s.billed()
	rows, err := s.connect().Query(t.Context(), `SELECT kind || ' ' || coalesce(gateway_number, '?') || ' ' || (refund_id IS NOT NULL)::text || ' '
		|| string_agg(account || ' ' || CASE WHEN debit > 0 THEN debit ELSE -credit END, ', ' ORDER BY account)
		FROM ledger_journal WHERE order_id = $1 AND attempt_id = $2 AND (debit > 0) <> (credit > 0) AND currency = 'CNY'
		GROUP BY transfer_id, kind, gateway_number, refund_id ORDER BY transfer_id`, order, attempt.ID)
	if err != nil {
		t.Fatal(err)
	}
	have := must(pgx.CollectRows(rows, pgx.RowTo[string]))(t)
	number, given := "G-"+attempt.ID, "R-"+r.ID
	want := map[string]bool{
		"payment_accepted " + number + " false fees -200, gateway:sandbox 21200, organiser:organiser:sales -21000":  true,
		"refund_requested " + given + " true organiser:organiser:sales 10500, refund_fees -1050, refunds_due -9450": true,
		"refund_settled " + given + " true gateway:sandbox -9450, refunds_due 9450":                                 true,
		"gateway_fee " + number + " false gateway:sandbox -3, gateway_fees 3":                                       true,
		"gateway_fee " + given + " true gateway:sandbox -3, gateway_fees 3":                                         true,
	}
	for _, line := range have {
		delete(want, line)
		t.Log(line)
	}
	if len(want) > 0 || len(have) < 7 {
		t.Errorf("missing %v", want)
	}
	var entries, listed int
	s.query("SELECT (SELECT count(*) FROM ledger_entries), (SELECT count(*) FROM ledger_journal)", &entries, &listed)
	if entries != listed {
		t.Errorf("%d entries, %d listed", entries, listed)
	}
}

func TestARefundThatNobodyKnows(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	_, err := s.Refund(t.Context(), "R0000001")
	if ticketing.CodeOf(err) != ticketing.CodeNotFound || errors.Is(err, pgx.ErrNoRows) {
		t.Error(err)
	}
}
