package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/ticketing"
)

// billing is a scene with the books of a day, in a zone in which it is noon now: no test runs over midnight.
type billing struct {
	*scene
	day   ticketing.BillDay
	terms *ticketing.FeeTerms
}

func newBilling(t *testing.T) *billing {
	t.Helper()
	now := time.Now().UTC()
	sinceMidnight := now.Sub(now.Truncate(24 * time.Hour))
	noonHere := time.FixedZone("noon", int((12*time.Hour - sinceMidnight).Seconds()))
	return &billing{scene: newScene(t), day: ticketing.DayOf(now, noonHere)}
}

// line is the line an attempt's payment makes on a bill, with a fee.
func line(a ticketing.PaymentAttempt, fee int64) ticketing.Movement {
	return ticketing.Movement{
		MovementKey: ticketing.MovementKey{Kind: ticketing.MovementPayment, Reference: a.ID}, AttemptID: a.ID, GatewayID: "G-" + a.ID,
		Amount: a.Amount, Fee: ticketing.Money{Amount: fee, Currency: a.Amount.Currency}, At: time.Now(),
	}
}

func refundLine(r ticketing.Refund) ticketing.Movement {
	return ticketing.Movement{
		MovementKey: ticketing.MovementKey{Kind: ticketing.MovementRefund, Reference: r.ID}, AttemptID: r.AttemptID,
		Amount: ticketing.Money{Amount: -r.Amount.Amount, Currency: r.Amount.Currency}, At: time.Now(),
	}
}

// refunded makes an order whose late money went back.
func (s *billing) refunded() (ticketing.PaymentAttempt, ticketing.Refund) {
	s.Helper()
	_, attempt := s.late()
	refund := must(s.StartRefund(s.Context(), attempt.ID))(s)
	if err := s.FinishRefund(s.Context(), outcome(refund.ID, ticketing.RefundSucceeded, "")); err != nil {
		s.Fatal(err)
	}
	return attempt, refund
}

// compare keeps a complete bill and compares it.
func (s *billing) compare(day ticketing.BillDay, lines ...ticketing.Movement) ticketing.ReconciliationReport {
	s.Helper()
	if err := s.KeepBill(s.Context(), "sandbox", day, time.Now(), lines); err != nil {
		s.Fatal(err)
	}
	return must(s.Reconcile(s.Context(), "sandbox", day, ticketing.BillComplete, s.terms))(s)
}

// wantCases checks every case there is, as kind, reference and state, in any order.
func (s *billing) wantCases(want ...string) {
	s.Helper()
	have := []string{}
	for _, c := range must(s.Cases(s.Context(), ticketing.CaseFilter{Resolved: true}))(s) {
		have = append(have, fmt.Sprintf("%s %s %s", c.Kind, c.Reference, c.State))
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		s.Errorf("cases\n%q, want\n%q", have, want)
	}
}

func TestABillThatAgreesBooksItsFeesOnce(t *testing.T) {
	t.Parallel()
	s := newBilling(t)
	s.terms = &ticketing.FeeTerms{BasisPoints: 60}
	_, paid := s.paid(1)
	late, refund := s.refunded()
	fee := s.terms.Fee(paid.Amount).Amount
	for range 3 {
		report := s.compare(s.day, line(paid, fee), line(late, fee), refundLine(refund))
		if report.Lines != 3 || report.Matched != 3 || report.OpenCases != 0 || len(report.Unbooked) != 0 {
			t.Errorf("report %+v", report)
		}
	}
	s.wantCases()
	s.wantLedger(map[string]int64{
		"gateway:sandbox": paid.Amount.Amount - 2*fee, "gateway_fees": 2 * fee,
		"fees": -200, "organiser:organiser:sales": 200 - paid.Amount.Amount,
	})
	s.wantSound()
}

func TestHazard27EachDifferenceIsOneCaseHoweverOftenItIsFound(t *testing.T) {
	t.Parallel()
	s := newBilling(t)
	s.terms = &ticketing.FeeTerms{BasisPoints: 60}
	payments := make([]ticketing.PaymentAttempt, 5)
	for i := range payments {
		_, payments[i] = s.paid(1)
	}
	fee := s.terms.Fee(payments[0].Amount).Amount
	short, amount, currency, dear, twice := payments[0], line(payments[1], fee), line(payments[2], 0), line(payments[3], fee+1), line(payments[4], fee)
	amount.Amount.Amount++
	currency.Amount.Currency, currency.Fee = "EUR", ticketing.Money{}
	unknown := line(ticketing.PaymentAttempt{ID: encryption.NewNumber(), Amount: ticketing.Money{Amount: 500, Currency: "CNY"}}, 3)
	stray := refundLine(ticketing.Refund{ID: encryption.NewNumber(), Amount: ticketing.Money{Amount: 5, Currency: "CNY"}})
	lines := []ticketing.Movement{amount, currency, dear, twice, twice, unknown, stray}
	want := []string{
		"bill_short payment:" + short.ID + " OPEN", "bill_amount payment:" + amount.Reference + " OPEN",
		"bill_currency payment:" + currency.Reference + " OPEN", "bill_fee payment:" + dear.Reference + " OPEN",
		"bill_duplicate payment:" + twice.Reference + " OPEN", "bill_long payment:" + unknown.Reference + " OPEN",
		"bill_long refund:" + stray.Reference + " OPEN",
	}
	first := s.compare(s.day, lines...)
	if first.Lines != 7 || first.Matched != 1 || first.OpenCases != 7 || len(first.Unbooked) != 1 || first.Unbooked[0].Reference != unknown.Reference {
		t.Errorf("report %+v", first)
	}
	s.wantCases(want...)
	slices.Reverse(lines)
	inParallel(4, func(int) {
		must(s.Reconcile(t.Context(), "sandbox", s.day, ticketing.BillComplete, s.terms))(t)
	})
	if again := s.compare(s.day, lines...); again.OpenCases != 7 {
		t.Errorf("report %+v", again)
	}
	s.wantCases(want...)
	var fees, transfers int64
	s.query("SELECT coalesce(sum(amount), 0) FROM ledger_entries WHERE account = 'gateway_fees'", &fees)
	s.query("SELECT count(*) FROM ledger_transfers WHERE kind = 'gateway_fee'", &transfers)
	if fees != fee || transfers != 1 {
		t.Errorf("%d of fees in %d transfers: what agrees has its fee booked once", fees, transfers)
	}
	// A fee that somebody accepted is booked the next time.
	for _, c := range must(s.Cases(t.Context(), ticketing.CaseFilter{Kind: "bill_fee"}))(t) {
		must(s.ResolveCase(t.Context(), c.ID, "the gateway rounds up"))(t)
	}
	s.compare(s.day, lines...)
	if s.query("SELECT coalesce(sum(amount), 0) FROM ledger_entries WHERE account = 'gateway_fees'", &fees); fees != 2*fee+1 {
		t.Errorf("%d of fees", fees)
	}
	for _, c := range must(s.Cases(t.Context(), ticketing.CaseFilter{Kind: "bill_amount"}))(t) {
		billed, ok := c.Detail["billed"].(map[string]any)
		if !ok || billed["amount"] != float64(amount.Amount.Amount) || c.OrderID == "" || c.AttemptID != amount.Reference || c.Day != s.day.Date {
			t.Errorf("case %+v", c)
		}
	}
	s.wantSound()
}

func TestADifferenceThatVanishedClosesItsCaseAndComesBackInTheSame(t *testing.T) {
	t.Parallel()
	s := newBilling(t)
	_, a := s.paid(1)
	_, b := s.paid(1)
	s.compare(s.day, line(a, 0))
	s.wantCases("bill_short payment:" + b.ID + " OPEN")
	s.compare(s.day, line(a, 0), line(b, 0))
	s.wantCases("bill_short payment:" + b.ID + " RESOLVED")
	s.compare(s.day, line(b, 0))
	s.wantCases("bill_short payment:"+b.ID+" RESOLVED", "bill_short payment:"+a.ID+" OPEN")
	s.compare(s.day, line(a, 0))
	s.wantCases("bill_short payment:"+b.ID+" OPEN", "bill_short payment:"+a.ID+" RESOLVED")
	s.wantSound()
}

func TestWhatAPersonHasSettledStaysSo(t *testing.T) {
	t.Parallel()
	s := newBilling(t)
	_, a := s.paid(1)
	_, b := s.paid(1)
	s.compare(s.day, line(a, 0))
	open := must(s.Cases(t.Context(), ticketing.CaseFilter{Provider: "sandbox"}))(t)
	if len(open) != 1 || open[0].AttemptID != b.ID || open[0].State != ticketing.CaseOpen {
		t.Fatalf("cases %+v", open)
	}
	_, err := s.ResolveCase(t.Context(), open[0].ID, "  ")
	wantCode(t, err, ticketing.CodeInvalid)
	_, err = s.ResolveCase(t.Context(), encryption.NewNumber(), "found it")
	wantCode(t, err, ticketing.CodeNotFound)
	for range 2 {
		resolved := must(s.ResolveCase(t.Context(), open[0].ID, "the gateway has put it right by hand"))(t)
		if resolved.State != ticketing.CaseResolved || resolved.Resolution != ticketing.ResolvedByPerson || resolved.ResolvedAt == nil {
			t.Errorf("resolved %+v", resolved)
		}
	}
	_, err = s.ResolveCase(t.Context(), open[0].ID, "otherwise")
	wantCode(t, err, ticketing.CodeConflict)
	if report := s.compare(s.day, line(a, 0)); report.OpenCases != 0 || report.Differences[ticketing.DifferenceShort] != 1 {
		t.Errorf("report %+v", report)
	}
	if left := must(s.Cases(t.Context(), ticketing.CaseFilter{}))(t); len(left) != 0 {
		t.Errorf("cases %+v", left)
	}
	s.wantSound()
}

// booked moves what was booked of a payment or a refund to another time, as if it had been then.
func (s *billing) booked(reference string, at time.Time) {
	s.Helper()
	s.withoutTriggers("UPDATE ledger_transfers SET at = $2 WHERE reference = $1", reference, at)
}

func TestHazard27AMovementAtTheEndOfTheDayMayBeOnTheNextBill(t *testing.T) {
	t.Parallel()
	s := newBilling(t)
	_, noon := s.paid(1)
	_, evening := s.paid(1)
	_, night := s.paid(1)
	yesterday := s.day.Previous()
	s.booked(noon.ID, yesterday.From.Add(12*time.Hour))
	s.booked(evening.ID, yesterday.Until.Add(-time.Hour))
	s.booked(night.ID, yesterday.Until.Add(-time.Second))
	s.compare(yesterday, line(noon, 0))
	s.wantCases("bill_late payment:"+evening.ID+" OPEN", "bill_late payment:"+night.ID+" OPEN")
	// The next day's bill has one of the two: the other one is short from now on.
	s.compare(s.day, line(evening, 0))
	s.wantCases("bill_late payment:"+evening.ID+" RESOLVED", "bill_late payment:"+night.ID+" RESOLVED", "bill_short payment:"+night.ID+" OPEN")
	s.compare(yesterday, line(noon, 0))
	s.wantCases("bill_late payment:"+evening.ID+" RESOLVED", "bill_late payment:"+night.ID+" RESOLVED", "bill_short payment:"+night.ID+" OPEN")
	s.wantSound()
}

func TestMoneyBookedAfterMidnightIsOnTheBillOfTheDayBefore(t *testing.T) {
	t.Parallel()
	s := newBilling(t)
	_, paid := s.paid(1) // the gateway says it was yesterday; we heard of it today
	s.compare(s.day)
	s.wantCases("bill_empty bill OPEN")
	s.compare(s.day.Previous(), line(paid, 0))
	s.compare(s.day)
	s.wantCases("bill_empty bill RESOLVED")
	s.wantSound()
}

func TestHazard27BillsThatCannotBeComparedAreOneCaseEach(t *testing.T) {
	t.Parallel()
	s := newBilling(t)
	trouble := func(state ticketing.BillState) ticketing.ReconciliationReport {
		t.Helper()
		return must(s.Reconcile(t.Context(), "sandbox", s.day, state, nil))(t)
	}
	trouble(ticketing.BillMissing)
	s.wantCases() // nothing was booked, and nothing is billed
	_, paid := s.paid(1)
	for range 2 {
		trouble(ticketing.BillMissing)
		if report := trouble(ticketing.BillTruncated); report.OpenCases != 2 {
			t.Errorf("report %+v", report)
		}
	}
	s.wantCases("bill_missing bill OPEN", "bill_truncated bill OPEN")
	s.compare(s.day)
	s.wantCases("bill_missing bill RESOLVED", "bill_truncated bill RESOLVED", "bill_empty bill OPEN")
	s.compare(s.day, line(paid, 0))
	s.wantCases("bill_missing bill RESOLVED", "bill_truncated bill RESOLVED", "bill_empty bill RESOLVED")
	trouble(ticketing.BillMissing) // the gateway keeps its bills for a while only
	s.wantCases("bill_missing bill RESOLVED", "bill_truncated bill RESOLVED", "bill_empty bill RESOLVED")
	s.wantSound()
}

func TestALineThatNamesThePaymentByTheGatewaysNumberOnlyIsFound(t *testing.T) {
	t.Parallel()
	s := newBilling(t)
	_, paid := s.paid(1)
	unnamed := line(paid, 0)
	unnamed.Reference, unnamed.AttemptID = "", ""
	strange := unnamed
	strange.GatewayID = "G-strange"
	s.compare(s.day, unnamed, strange)
	s.wantCases("bill_long payment:G-strange OPEN")
}

func TestAPaymentWeDidNotKnowOfIsBookedLater(t *testing.T) {
	t.Parallel()
	s := newBilling(t)
	attempt := s.started(s.held(1))
	report := s.compare(s.day, line(attempt, 7))
	if len(report.Unbooked) != 1 || report.Unbooked[0].AttemptID != attempt.ID {
		t.Fatalf("report %+v", report)
	}
	s.wantCases("bill_long payment:" + attempt.ID + " OPEN")
	s.captured(attempt)
	must(s.Settle(t.Context(), attempt.ID))(t)
	if report = must(s.Reconcile(t.Context(), "sandbox", s.day, ticketing.BillComplete, nil))(t); report.Matched != 1 {
		t.Errorf("report %+v", report)
	}
	s.wantCases("bill_long payment:" + attempt.ID + " RESOLVED")
	s.wantSound()
}

// billed keeps and compares a bill of the day on which everything was booked that was, with a fee on each line.
func (s *scene) billed() {
	s.Helper()
	rows, err := s.connect().Query(s.Context(), `SELECT k.movement_kind, t.reference, e.amount, e.currency, t.at
		FROM ledger_transfers t JOIN movement_kinds k ON k.transfer_kind = t.kind
		JOIN ledger_entries e ON e.transfer_id = t.id AND e.account = 'gateway:sandbox'`)
	if err != nil {
		s.Fatal(err)
	}
	lines := must(pgx.CollectRows(rows, func(row pgx.CollectableRow) (ticketing.Movement, error) {
		m := ticketing.Movement{Fee: ticketing.Money{Amount: 3, Currency: "CNY"}}
		return m, row.Scan(&m.Kind, &m.Reference, &m.Amount.Amount, &m.Amount.Currency, &m.At)
	}))(s)
	day := ticketing.DayOf(time.Now(), time.UTC)
	if err := s.KeepBill(s.Context(), "sandbox", day, time.Now(), lines); err != nil {
		s.Fatal(err)
	}
	must(s.Reconcile(s.Context(), "sandbox", day, ticketing.BillComplete, nil))(s)
}

// billPlants are those of plants that have to do with bills.
var billPlants = map[string]string{
	"what is withheld because of disputes, and lost by them, is what the disputes say": `INSERT INTO disputes (id, provider, amount, currency, state)
		VALUES ('sandbox/D', 'sandbox', 5, 'CNY', 'OPEN')`,
	"tickets are frozen while their payment is disputed, and only then":                  "UPDATE tickets SET state = 'FROZEN' WHERE id = (SELECT min(id) FROM tickets WHERE state = 'VALID')",
	"a bill that was taken is compared":                                                  "UPDATE bills SET compared_at = NULL",
	"every line of a bill is in the ledger or has a case":                                "UPDATE bill_lines SET amount = amount + 1 WHERE kind = 'refund'",
	"what was booked on a day that was compared is on a bill or has a case":              "DELETE FROM bill_lines WHERE kind = 'refund'",
	"once bills are compared, no day is left out":                                        "UPDATE bills SET begins = begins - interval '9 days', ends = ends - interval '9 days'; UPDATE ledger_transfers SET at = at - interval '5 days'",
	"what gateways kept is booked as their bills say, or has a case":                     "UPDATE bill_lines SET fee = fee + 1 WHERE kind = 'refund'",
	"a gateway's account in the ledger is the sum of its bills, but for what has a case": "UPDATE bill_lines SET amount = amount + 1 WHERE kind = 'refund'",
}
