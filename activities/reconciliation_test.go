package activities_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/activities"
	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/ticketing"
)

// billing is a scene with the steps that compare bills, and the date of the gateway's calendar.
type billing struct {
	*scene
	bills *activities.Reconciliation
	date  string
}

func newBilling(t *testing.T) *billing {
	t.Helper()
	s := newScene(t)
	b := &billing{scene: s, date: ticketing.DayOf(time.Now(), time.UTC).Date, bills: &activities.Reconciliation{
		Store: s.store, Gateways: s.payments.Gateways, Log: slog.New(slog.DiscardHandler),
		Terms: map[string]ticketing.FeeTerms{sandbox.Name: {BasisPoints: 60}},
	}}
	s.RegisterActivity(b.bills)
	return b
}

func (s *billing) takes() activities.TakenBill {
	s.Helper()
	return done[activities.TakenBill](s.scene, s.bills.TakeBill, sandbox.Name, s.date)
}

func (s *billing) compares(state ticketing.BillState) ticketing.ReconciliationReport {
	s.Helper()
	return done[ticketing.ReconciliationReport](s.scene, s.bills.CompareBill, sandbox.Name, s.date, state)
}

// sold is a payment that was captured and judged.
func (s *billing) sold() ticketing.PaymentAttempt {
	s.Helper()
	attempt := s.opened(s.held())
	s.pay(attempt)
	status, err := s.provider.Query(s.Context(), attempt.ID)
	require.NoError(s, err)
	require.NoError(s, s.store.RecordPayment(s.Context(), ticketing.PaymentFact{
		Provider: sandbox.Name, AttemptID: attempt.ID, GatewayID: status.GatewayID, State: status.State, Captured: status.Captured, At: status.At,
	}))
	settled, err := s.store.Settle(s.Context(), attempt.ID)
	require.NoError(s, err)
	require.Equal(s, ticketing.VerdictAccept, settled.Verdict)
	return attempt
}

func TestABillIsTakenAndCompared(t *testing.T) {
	s := newBilling(t)
	attempt := s.sold()
	taken := s.takes()
	require.Equal(t, activities.TakenBill{State: ticketing.BillComplete, Lines: 1}, taken)
	report := s.compares(taken.State)
	require.Equal(t, 1, report.Matched)
	require.Zero(t, report.OpenCases)
	s.faults(gateway.Faults{Bill: map[string]gateway.BillFault{attempt.ID: gateway.LineFee}})
	require.Equal(t, 1, s.compares(s.takes().State).Differences[ticketing.DifferenceFee], "as we know what was agreed")
}

func TestABillThatCannotBeComparedIsNoError(t *testing.T) {
	s := newBilling(t)
	s.sold()
	for state, f := range map[ticketing.BillState]gateway.Faults{
		ticketing.BillMissing:   {WholeBill: gateway.BillMissing},
		ticketing.BillTruncated: {WholeBill: gateway.BillTruncated},
	} {
		s.faults(f)
		taken := s.takes()
		require.Equal(t, state, taken.State)
		require.NotEmpty(t, taken.Reason)
		s.compares(state)
	}
	s.faults(gateway.Faults{Down: []string{"bill"}})
	require.Equal(t, ticketing.BillMissing, s.takes().State, "who is down has no bill now")
	cases, err := s.store.Cases(t.Context(), ticketing.CaseFilter{})
	require.NoError(t, err)
	require.Len(t, cases, 2)
}

func TestOnlyWhatTheGatewaySaysWasPaidIsRecorded(t *testing.T) {
	s := newBilling(t)
	order := func(number string) {
		_, err := s.provider.Create(t.Context(), payment.Order{
			Number: number, Amount: ticketing.Money{Amount: 500, Currency: "CNY"}, Description: "Nobody's order", Language: "en",
			ExpiresAt: time.Now().Add(time.Minute), NotifyURL: "http://127.0.0.1:9/callbacks", ReturnURL: "http://shop.example/orders/1",
		}, sandbox.MethodCard)
		require.NoError(t, err)
	}
	paid, unpaid, invented, foreign := encryption.NewNumber(), encryption.NewNumber(), encryption.NewNumber(), "SHOP2-00001"
	order(paid)
	order(unpaid)
	require.NoError(t, s.control.Pay(t.Context(), paid))
	var movements []ticketing.Movement
	for _, number := range []string{paid, unpaid, invented, foreign} {
		movements = append(movements, ticketing.Movement{MovementKey: ticketing.MovementKey{Kind: ticketing.MovementPayment, Reference: number}})
	}
	s.faults(gateway.Faults{Down: []string{"query"}})
	_, err := step[int](s.scene, s.bills.RecordUnbooked, sandbox.Name, movements)
	require.Error(t, err, "who does not answer is asked again")
	s.faults(gateway.Faults{})
	require.Equal(t, 1, done[int](s.scene, s.bills.RecordUnbooked, sandbox.Name, movements))
	require.Zero(t, s.calls("query", foreign), "not a number of ours")
	kept, err := s.store.UndeliveredPayments(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Len(t, kept, 1, "for the sweep, which brings it to a saga")
	require.Equal(t, paid, kept[0].ID)
	require.Equal(t, ticketing.AttemptRejected, kept[0].State)
}

func TestBillsNeedTheirGateway(t *testing.T) {
	s := newBilling(t)
	_, err := step[activities.TakenBill](s.scene, s.bills.TakeBill, "elsewhere", s.date)
	require.ErrorContains(t, err, `no gateway "elsewhere" is configured`)
	_, err = step[ticketing.ReconciliationReport](s.scene, s.bills.CompareBill, "elsewhere", s.date, ticketing.BillComplete)
	require.ErrorContains(t, err, `no gateway "elsewhere" is configured`)
	_, err = step[int](s.scene, s.bills.RecordUnbooked, "elsewhere", nil)
	require.ErrorContains(t, err, `no gateway "elsewhere" is configured`)
	_, err = step[activities.TakenBill](s.scene, s.bills.TakeBill, sandbox.Name, "yesterday")
	require.ErrorContains(t, err, "not a date")
}

// inBeijing is a gateway whose day begins at midnight in Beijing, and that notes which day it was asked for.
type inBeijing struct {
	payment.Provider
	zone  *time.Location
	asked time.Time
	lines []payment.BillLine
}

func (p *inBeijing) Calendar() *time.Location { return p.zone }

func (p *inBeijing) Bill(_ context.Context, day time.Time) ([]payment.BillLine, error) {
	p.asked = day
	return p.lines, nil
}

func TestHazard29ABillIsAskedForByTheGatewaysOwnDate(t *testing.T) {
	s := newBilling(t)
	number := encryption.NewNumber()
	amount := func(minor int64) ticketing.Money { return ticketing.Money{Amount: minor, Currency: "CNY"} }
	provider := &inBeijing{Provider: s.provider, zone: time.FixedZone("UTC+8", 8*60*60), lines: []payment.BillLine{
		{Kind: payment.NoticePayment, Number: number, GatewayID: "G1", Amount: amount(500), Fee: amount(3)},
		{Kind: payment.NoticeRefund, Number: number, RefundID: "R1", Amount: amount(-100)},
		{Kind: payment.NoticeDispute, Number: number, RefundID: "D1", Amount: amount(-400), Fee: amount(15)},
		{Kind: payment.NoticeDispute, Number: number, RefundID: "D1", Amount: amount(400)},
	}}
	var err error
	s.bills.Gateways, err = payment.NewRegistry(provider)
	require.NoError(t, err)
	require.Equal(t, 4, done[activities.TakenBill](s.scene, s.bills.TakeBill, sandbox.Name, "2026-11-20").Lines)
	for _, zone := range []*time.Location{time.UTC, provider.zone} {
		require.Equal(t, "2026-11-20", provider.asked.In(zone).Format(time.DateOnly))
	}
	done[ticketing.ReconciliationReport](s.scene, s.bills.CompareBill, sandbox.Name, "2026-11-20", ticketing.BillComplete)
	cases, err := s.store.Cases(t.Context(), ticketing.CaseFilter{})
	require.NoError(t, err)
	var about []string
	for _, c := range cases {
		require.Equal(t, ticketing.DifferenceLong.Case(), c.Kind)
		about = append(about, c.Reference)
	}
	require.ElementsMatch(t, []string{"payment:" + number, "refund:R1", "dispute:sandbox/D1", "dispute_won:sandbox/D1"}, about)
}
