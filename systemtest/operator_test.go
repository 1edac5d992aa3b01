package systemtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/boxoffice/boxoffice/systemtest/stack"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/workflows"
)

func TestOperatorsFindPurchasesAndReadWhatTheyWaitFor(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	order := s.Buy(stack.Want{Quantity: 2})
	number := s.Attempt(order)
	id := workflows.PurchaseID(order.ID)
	require.Contains(t, s.Details(id), "Waiting for the payment until")
	find := func(query string) int {
		list, err := s.Engine.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: query})
		require.NoError(t, err)
		return len(list.GetExecutions())
	}
	waiting := "EventId = 'show' AND OrderState = 'PENDING' AND Amount = 20000 AND Organiser = 'Quay Concerts' AND NeedsAttention IS NULL"
	stack.Eventually(t, soon, "the waiting purchase is listed", func() bool { return find(waiting) == 1 })
	var timers, summaries int
	for _, event := range s.History(id) {
		if event.GetEventType() == enumspb.EVENT_TYPE_TIMER_STARTED {
			timers++
		}
		if event.GetUserMetadata().GetSummary() != nil {
			summaries++
		}
	}
	require.Equal(t, 1, timers)
	require.GreaterOrEqual(t, summaries, 2, "the start and the timer say what they are")
	s.Pay(number)
	s.Await(order, ticketing.OrderPaid, soon)
	s.Ended(order.ID, soon)
	stack.Eventually(t, soon, "the paid purchase is listed", func() bool {
		return find("OrderState = 'PAID' AND Provider = 'sandbox'") == 1 && find(waiting) == 0
	})
}

func TestMetricsCountWhatMatters(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{Events: []ticketing.Event{stack.Show("show", time.Minute, 2)}})
	order := s.Buy(stack.Want{})
	s.Pay(s.Attempt(order))
	s.Await(order, ticketing.OrderPaid, soon)
	held := s.Buy(stack.Want{Email: "second@example.com"})
	for _, line := range []string{
		`boxoffice_holds_total{code="",state="PENDING"} 2`,
		`boxoffice_settlements_total{reason="",verdict="accept"} 1`,
		`boxoffice_open_holds 1`,
	} {
		stack.Eventually(t, soon, "/metrics has "+line, func() bool {
			return containsLine(s.Metrics(), line)
		})
	}
	s.Cancel(held)
	s.Ended(order.ID, soon)
	s.Ended(held.ID, soon)
}
