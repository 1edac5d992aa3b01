package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/ticketing"
)

// disputed is a notice about a dispute of an attempt's money.
func disputed(event string, a ticketing.PaymentAttempt, state ticketing.DisputeState) ticketing.Callback {
	return ticketing.Callback{
		Provider: "sandbox", EventID: event, Header: map[string][]string{}, Body: []byte("{}"),
		Dispute: &ticketing.DisputeFact{
			ID: "D-" + a.ID, AttemptID: a.ID, GatewayID: "G-" + a.ID, State: state, Amount: a.Amount,
			Fee: ticketing.Money{Amount: 1500, Currency: a.Amount.Currency}, Reason: "fraudulent", At: time.Now(),
		},
	}
}

func (s *scene) hears(c ticketing.Callback) ticketing.KeptCallback {
	s.Helper()
	kept := must(s.KeepCallback(s.Context(), c))(s)
	if !kept.Handled {
		s.Errorf("nothing is to be delivered of a dispute: %+v", kept)
	}
	return kept
}

func (s *scene) wantTickets(order string, states ...ticketing.TicketState) {
	s.Helper()
	var have []ticketing.TicketState
	for _, ticket := range s.order(order).Tickets {
		have = append(have, ticket.State)
	}
	if !slices.Equal(have, states) {
		s.Errorf("tickets %v, want %v", have, states)
	}
}

func (s *scene) wantDisputeCase(state ticketing.CaseState, attempt ticketing.PaymentAttempt) {
	s.Helper()
	cases := must(s.Cases(s.Context(), ticketing.CaseFilter{Kind: ticketing.CaseDispute, Resolved: true}))(s)
	if len(cases) != 1 || cases[0].State != state || cases[0].Reference != "sandbox/D-"+attempt.ID || cases[0].AttemptID != attempt.ID {
		s.Errorf("cases %+v", cases)
	}
}

func TestHazard33ADisputeFreezesTheTicketsUntilItIsWon(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order, attempt := s.paid(2)
	total := attempt.Amount.Amount
	inParallel(8, func(int) { s.hears(disputed("E1", attempt, ticketing.DisputeOpen)) })
	s.wantTickets(order, ticketing.TicketFrozen, ticketing.TicketFrozen)
	s.wantState(order, ticketing.OrderPaid)
	s.wantLedger(map[string]int64{
		"gateway:sandbox": -1500, "gateway_fees": 1500, "disputes": total, "fees": -200, "organiser:organiser:sales": 200 - total,
	})
	s.wantDisputeCase(ticketing.CaseOpen, attempt)
	s.wantSound()
	for range 3 {
		s.hears(disputed("E2", attempt, ticketing.DisputeWon))
		s.hears(disputed("E1", attempt, ticketing.DisputeOpen)) // late, and once more
	}
	s.hears(disputed("E3", attempt, ticketing.DisputeLost)) // what was decided stays so
	s.wantTickets(order, ticketing.TicketValid, ticketing.TicketValid)
	s.wantLedger(map[string]int64{
		"gateway:sandbox": total - 1500, "gateway_fees": 1500, "fees": -200, "organiser:organiser:sales": 200 - total,
	})
	s.wantDisputeCase(ticketing.CaseResolved, attempt)
	s.wantKinds(order, ticketing.EventHeld, ticketing.EventAttemptStarted, ticketing.EventPaymentReceived, ticketing.EventPaid,
		ticketing.EventDisputeOpened, ticketing.EventDisputeWon)
	s.wantSound()
}

func TestHazard33ADisputeThatIsLostVoidsTheTicketsAndBooksTheLoss(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order, attempt := s.paid(1, 1)
	s.hears(disputed("E2", attempt, ticketing.DisputeLost)) // out of order: nobody told us of the beginning
	s.hears(disputed("E1", attempt, ticketing.DisputeOpen))
	s.wantTickets(order, ticketing.TicketVoid, ticketing.TicketVoid)
	s.wantState(order, ticketing.OrderRefunded)
	total := attempt.Amount.Amount
	s.wantLedger(map[string]int64{
		"gateway:sandbox": -1500, "gateway_fees": 1500, "disputes_lost": total, "fees": -200, "organiser:organiser:sales": 200 - total,
	})
	s.wantDisputeCase(ticketing.CaseResolved, attempt)
	s.wantKinds(order, ticketing.EventHeld, ticketing.EventAttemptStarted, ticketing.EventPaymentReceived, ticketing.EventPaid,
		ticketing.EventDisputeOpened, ticketing.EventDisputeLost)
	s.wantFree(20, 20)
	s.wantSound()
}

func TestStockOfASessionThatHasBegunIsNotSoldAgain(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	_, attempt := s.paid(2)
	s.hears(disputed("E1", attempt, ticketing.DisputeOpen))
	s.withoutTriggers("UPDATE sessions SET starts_at = now() - interval '1 hour'")
	s.hears(disputed("E2", attempt, ticketing.DisputeLost))
	s.wantFree(18, 20)
	s.wantSound()
}

func TestADisputeIsFoundByTheGatewaysNumberToo(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order, attempt := s.paid(1)
	c := disputed("E1", attempt, ticketing.DisputeOpen)
	c.Dispute.AttemptID = ""
	if kept := s.hears(c); kept.Attempt.OrderID != order || kept.Order != ticketing.OrderPaid {
		t.Errorf("kept %+v", kept)
	}
	s.wantTickets(order, ticketing.TicketFrozen)
	s.wantSound()
}

func TestADisputeOfMoneyNobodyAskedForIsBookedAndACase(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	unknown := ticketing.PaymentAttempt{ID: encryption.NewNumber(), Amount: ticketing.Money{Amount: 900, Currency: "CNY"}}
	inParallel(8, func(int) { s.hears(disputed("E1", unknown, ticketing.DisputeOpen)) })
	s.wantLedger(map[string]int64{"gateway:sandbox": -2400, "gateway_fees": 1500, "disputes": 900})
	s.hears(disputed("E2", unknown, ticketing.DisputeWon))
	s.wantLedger(map[string]int64{"gateway:sandbox": -1500, "gateway_fees": 1500})
	if open := must(s.Cases(t.Context(), ticketing.CaseFilter{}))(t); len(open) != 0 {
		t.Errorf("cases %+v", open)
	}
}

func TestADisputeOfAnAttemptThatPaysNothingFreezesNoTickets(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.held(1)
	first, second := s.started(order), s.started(order)
	for _, attempt := range []ticketing.PaymentAttempt{first, second} {
		s.captured(attempt)
		must(s.Settle(t.Context(), attempt.ID))(t)
	}
	s.hears(disputed("E1", second, ticketing.DisputeOpen))
	s.wantTickets(order, ticketing.TicketValid)
	s.hears(disputed("E2", second, ticketing.DisputeLost))
	s.wantTickets(order, ticketing.TicketValid)
	s.wantState(order, ticketing.OrderPaid)
}

func TestOneOfTwoDisputesKeepsTheTicketsFrozen(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order, attempt := s.paid(1)
	part := func(event, id string, state ticketing.DisputeState) ticketing.Callback {
		c := disputed(event, attempt, state)
		c.Dispute.ID, c.Dispute.Amount.Amount = id, 100
		return c
	}
	s.hears(part("E1", "D1", ticketing.DisputeOpen))
	s.hears(part("E2", "D2", ticketing.DisputeOpen))
	s.hears(part("E3", "D1", ticketing.DisputeWon))
	s.wantTickets(order, ticketing.TicketFrozen)
	s.hears(part("E4", "D2", ticketing.DisputeWon))
	s.wantTickets(order, ticketing.TicketValid)
	s.wantSound()
}

func TestWhatADisputeChargesIsBookedOnceWhetherTheBillOrTheNoticeSaysSo(t *testing.T) {
	t.Parallel()
	s := newBilling(t)
	_, attempt := s.paid(1)
	c := disputed("E1", attempt, ticketing.DisputeOpen)
	s.hears(c)
	withheld := line(attempt, 1500)
	withheld.Kind, withheld.Reference = ticketing.MovementDispute, ticketing.DisputeID("sandbox", c.Dispute.ID)
	withheld.Amount.Amount = -withheld.Amount.Amount
	for range 2 {
		if report := s.compare(s.day, line(attempt, 3), withheld); report.Matched != 2 {
			t.Errorf("report %+v", report)
		}
	}
	s.wantCases("dispute sandbox/" + c.Dispute.ID + " OPEN")
	var fees int64
	s.query("SELECT sum(amount) FROM ledger_entries WHERE account = 'gateway_fees'", &fees)
	if fees != 1503 {
		t.Errorf("%d of fees", fees)
	}
	s.hears(disputed("E2", attempt, ticketing.DisputeWon))
	back := withheld
	back.Kind, back.Fee, back.Amount.Amount = ticketing.MovementDisputeWon, ticketing.Money{}, -withheld.Amount.Amount
	if report := s.compare(s.day, line(attempt, 3), withheld, back); report.Matched != 3 || report.OpenCases != 0 {
		t.Errorf("report %+v", report)
	}
	s.wantSound()
}

func TestNoticesAboutNothingThatMovesMoneyAreKept(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	other := ticketing.Callback{Provider: "sandbox", EventID: "E1", Other: true, Header: map[string][]string{}, Body: []byte("{}")}
	for i := range 3 {
		if kept := s.hears(other); kept.First != (i == 0) {
			t.Errorf("kept %+v", kept)
		}
	}
	for name, spoil := range map[string]func(*ticketing.Callback){
		"two things": func(c *ticketing.Callback) { c.Refund = &ticketing.RefundFact{} },
		"no id":      func(c *ticketing.Callback) { c.Dispute.ID = "" },
		"nothing":    func(c *ticketing.Callback) { c.Dispute.Amount.Amount = 0 },
		"currency":   func(c *ticketing.Callback) { c.Dispute.Amount.Currency = "yuan" },
		"fee":        func(c *ticketing.Callback) { c.Dispute.Fee.Amount = -1 },
		"state":      func(c *ticketing.Callback) { c.Dispute.State = "RUMOUR" },
	} {
		c := disputed("E2", ticketing.PaymentAttempt{ID: "A", Amount: ticketing.Money{Amount: 1, Currency: "CNY"}}, ticketing.DisputeOpen)
		spoil(&c)
		_, err := s.KeepCallback(t.Context(), c)
		if ticketing.CodeOf(err) != ticketing.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
