package systemtest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/systemtest/stack"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/workflows"
)

// billing is a stack and the day of the sandbox gateway's calendar on which its test happens.
type billing struct {
	*stack.Stack
	day ticketing.BillDay
}

// newBilling makes a stack at a moment that leaves the test time before midnight.
func newBilling(t *testing.T, o stack.Options) billing {
	t.Helper()
	s := stack.New(t, servers(t), o)
	stack.Eventually(t, 3*time.Minute, "midnight is over", func() bool {
		return time.Until(ticketing.DayOf(time.Now(), time.UTC).Until) > 2*time.Minute
	})
	return billing{s, ticketing.DayOf(time.Now(), time.UTC)}
}

// paid buys a ticket and returns the number of its payment.
func (s billing) paid() (stack.Order, string) {
	s.T.Helper()
	order := s.Buy(stack.Want{Email: encryption.NewNumber() + "@example.com"})
	number := s.Attempt(order)
	s.Pay(number)
	s.Await(order, ticketing.OrderPaid, soon)
	s.Ended(order.ID, soon)
	return order, number
}

func (s billing) reconcile(day ticketing.BillDay) string {
	s.T.Helper()
	return s.Says("reconcile", "-provider", sandbox.Name, "-day", day.Date)
}

// cases are those in a state, as kind and reference, sorted.
func (s billing) cases(state ticketing.CaseState) []string {
	s.T.Helper()
	all, err := s.Store.Cases(context.Background(), ticketing.CaseFilter{Resolved: true})
	require.NoError(s.T, err)
	found := []string{}
	for _, c := range all {
		if c.State == state {
			found = append(found, fmt.Sprintf("%s %s", c.Kind, c.Reference))
		}
	}
	slices.Sort(found)
	return found
}

func TestHazard27EveryDifferenceIsOneCaseHoweverOftenTheDayIsCompared(t *testing.T) {
	s := newBilling(t, stack.Options{})
	numbers := make([]string, 6)
	for i := range numbers {
		_, numbers[i] = s.paid()
	}
	stranger := encryption.NewNumber()
	about := func(kind, number string) string { return kind + " payment:" + number }
	// The next day's bill is known, so that what is missing on this one is not thought late at the end of a day.
	steps := []struct {
		name   string
		faults gateway.Faults
		open   []string
	}{
		{"no bill", gateway.Faults{WholeBill: gateway.BillMissing}, []string{"bill_missing bill"}},
		{"half a bill", gateway.Faults{WholeBill: gateway.BillTruncated}, []string{"bill_missing bill", "bill_truncated bill"}},
		{"an empty bill", gateway.Faults{WholeBill: gateway.BillEmpty}, []string{"bill_empty bill"}},
		{"wrong lines", gateway.Faults{Bill: map[string]gateway.BillFault{
			numbers[0]: gateway.LineShort, numbers[1]: gateway.LineAmount, numbers[2]: gateway.LineCurrency,
			numbers[3]: gateway.LineFee, numbers[4]: gateway.LineDuplicate, stranger: gateway.LineLong,
		}}, []string{
			about("bill_short", numbers[0]), about("bill_amount", numbers[1]), about("bill_currency", numbers[2]),
			about("bill_fee", numbers[3]), about("bill_duplicate", numbers[4]), about("bill_long", stranger),
		}},
		{"half a bill once a whole one is known", gateway.Faults{WholeBill: gateway.BillTruncated}, []string{
			about("bill_short", numbers[0]), about("bill_amount", numbers[1]), about("bill_currency", numbers[2]),
			about("bill_fee", numbers[3]), about("bill_duplicate", numbers[4]), about("bill_long", stranger), "bill_truncated bill",
		}},
	}
	s.reconcile(s.day.Next())
	for _, step := range steps {
		faults(t, s.Stack, step.faults)
		slices.Sort(step.open)
		for range 2 {
			s.reconcile(s.day)
			require.Equal(t, step.open, s.cases(ticketing.CaseOpen), step.name)
		}
	}
	for _, kind := range []string{"bill_short", "bill_amount", "bill_currency", "bill_fee", "bill_duplicate", "bill_long"} {
		require.Contains(t, s.Says("cases"), kind)
		stack.Eventually(t, soon, "the metrics count "+kind, func() bool {
			return containsLine(s.Metrics(), `boxoffice_open_cases{kind="`+kind+`"} 1`)
		})
	}
	require.Zero(t, s.Int("SELECT count(*) FROM payment_attempts WHERE id = $1", stranger), "the gateway itself does not know it")
	// What is put right closes its case; nothing was counted twice.
	faults(t, s.Stack, gateway.Faults{})
	require.Contains(t, s.reconcile(s.day), "6 of 6 lines agree, 0 payments recorded, 0 open cases")
	require.Empty(t, s.cases(ticketing.CaseOpen))
	require.Len(t, s.cases(ticketing.CaseResolved), 9)
	require.Equal(t, 6, s.Int("SELECT count(*) FROM ledger_transfers WHERE kind = 'gateway_fee'"))
	require.Equal(t, 6*60, s.Int("SELECT sum(amount) FROM ledger_entries WHERE account = 'gateway_fees'"), "0.6 % of 100.00 each")
	s.Record("reconciliation-agrees", workflows.ReconciliationID(sandbox.Name, s.day.Date))
}

func TestHazard27AMovementAtTheEndOfADayWaitsForTheNextBill(t *testing.T) {
	s := newBilling(t, stack.Options{})
	_, number := s.paid()
	yesterday := s.day.Previous()
	// As if our clock had said ten to midnight when the gateway's said ten past.
	_, err := s.DB.Exec(fmt.Sprintf("SET session_replication_role = replica; UPDATE ledger_transfers SET at = '%s'; RESET session_replication_role",
		yesterday.Until.Add(-10*time.Minute).Format(time.RFC3339)))
	require.NoError(t, err)
	s.reconcile(yesterday)
	require.Equal(t, []string{"bill_late payment:" + number}, s.cases(ticketing.CaseOpen))
	s.reconcile(s.day)
	require.Empty(t, s.cases(ticketing.CaseOpen))
	require.Equal(t, []string{"bill_late payment:" + number}, s.cases(ticketing.CaseResolved))
	s.reconcile(yesterday)
	require.Empty(t, s.cases(ticketing.CaseOpen))
}

// direct is the gateway's merchant beside the product: what it asks for, the product knows nothing of.
func (s billing) direct() *sandbox.Provider {
	s.T.Helper()
	provider, err := sandbox.New(sandbox.Config{
		URL: s.Setting("BOXOFFICE_SANDBOX_URL"), Merchant: s.Setting("BOXOFFICE_SANDBOX_MERCHANT"),
		Key: s.Setting("BOXOFFICE_SANDBOX_KEY"), CallbackKeys: []string{s.Setting("BOXOFFICE_SANDBOX_CALLBACK_KEY")},
	})
	require.NoError(s.T, err)
	return provider
}

func TestMoneyThatOnlyTheBillTellsOfGoesBack(t *testing.T) {
	t.Parallel()
	s := newBilling(t, stack.Options{})
	faults(t, s.Stack, gateway.Faults{Lose: true}) // no callback tells of it
	number := encryption.NewNumber()
	_, err := s.direct().Create(t.Context(), payment.Order{
		Number: number, Amount: ticketing.Money{Amount: 4200, Currency: "CNY"}, Description: "Nobody's order", Language: "en",
		ExpiresAt: time.Now().Add(10 * time.Minute), NotifyURL: s.URL + "/api/v1/callbacks/sandbox", ReturnURL: s.URL,
	}, sandbox.MethodCard)
	require.NoError(t, err)
	s.Pay(number)
	require.Contains(t, s.reconcile(s.day), "1 payments recorded")
	s.EndedID(s.Late(number), long)
	require.Equal(t, 4200, s.Int("SELECT sum(amount) FROM refunds WHERE attempt_id = $1 AND state = 'SUCCEEDED'", number))
	calls, err := s.Gateway.Calls(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, calls["refund"])
	s.Record("reconciliation-unknown-payment", workflows.ReconciliationID(sandbox.Name, s.day.Date))
	// The refund is on the bill, too: both agree with our books now.
	require.Contains(t, s.reconcile(s.day), "2 of 2 lines agree, 0 payments recorded, 0 open cases")
	require.Equal(t, []string{"bill_long payment:" + number}, s.cases(ticketing.CaseResolved))
}

func TestTheDayBeforeIsComparedEveryDay(t *testing.T) {
	s := newBilling(t, stack.Options{})
	schedule := s.Engine.ScheduleClient().GetHandle(t.Context(), "reconciliation/sandbox")
	described, err := schedule.Describe(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, described.Info.NextActionTimes)
	require.Equal(t, "10:30", described.Info.NextActionTimes[0].UTC().Format("15:04"))
	require.NoError(t, schedule.Trigger(t.Context(), client.ScheduleTriggerOptions{}))
	yesterday := workflows.ReconciliationID(sandbox.Name, s.day.Previous().Date)
	s.EndedID(yesterday, soon)
	stack.Eventually(t, soon, "the daily run is listed", func() bool {
		list, err := s.Engine.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: "WorkflowType = 'DailyReconciliation' AND ExecutionStatus = 'Completed'"})
		require.NoError(t, err)
		if len(list.GetExecutions()) != 1 {
			return false
		}
		s.Record("reconciliation-daily", list.GetExecutions()[0].GetExecution().GetWorkflowId())
		return true
	})
	require.Empty(t, s.cases(ticketing.CaseOpen), "nothing was sold yesterday")
}

func TestHazard33ADisputeFreezesTheTicketsUntilItIsDecided(t *testing.T) {
	s := newBilling(t, stack.Options{})
	won, first := s.paid()
	lost, second := s.paid()
	tickets := func(order stack.Order, state ticketing.TicketState) {
		t.Helper()
		stack.Eventually(t, soon, fmt.Sprintf("the tickets are %s", state), func() bool {
			now := s.Order(order)
			return len(now.Tickets) == 1 && now.Tickets[0].State == state
		})
	}
	for order, number := range map[*stack.Order]string{&won: first, &lost: second} {
		require.NoError(t, s.Gateway.Dispute(t.Context(), number))
		tickets(*order, ticketing.TicketFrozen)
		require.Equal(t, ticketing.OrderPaid, s.Order(*order).State)
	}
	require.Len(t, s.cases(ticketing.CaseOpen), 2)
	require.NoError(t, s.Gateway.DecideDispute(t.Context(), first, true))
	require.NoError(t, s.Gateway.DecideDispute(t.Context(), second, false))
	tickets(won, ticketing.TicketValid)
	tickets(lost, ticketing.TicketVoid)
	require.Equal(t, ticketing.OrderPaid, s.Order(won).State)
	require.Equal(t, ticketing.OrderRefunded, s.Order(lost).State)
	require.Contains(t, s.Timeline(lost), ticketing.EventDisputeLost)
	require.Empty(t, s.cases(ticketing.CaseOpen))
	require.Equal(t, 10000, s.Int("SELECT sum(amount) FROM ledger_entries WHERE account = 'disputes_lost'"))
	require.Zero(t, s.Int("SELECT sum(amount) FROM ledger_entries WHERE account = 'disputes'"))
	// Two payments, two disputes and one that was won; the fees were told by the notices.
	require.Contains(t, s.reconcile(s.day), "5 of 5 lines agree")
	require.Equal(t, 2*1500+2*60, s.Int("SELECT sum(amount) FROM ledger_entries WHERE account = 'gateway_fees'"))
	a, err := s.Request(t.Context(), http.MethodGet, "/api/v1/orders/"+lost.ID, lost.Token, "", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, a.Status)
}
