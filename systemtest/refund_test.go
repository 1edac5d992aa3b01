package systemtest

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/systemtest/stack"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/workflows"
)

func fen(amount int64) ticketing.Money { return ticketing.Money{Amount: amount, Currency: "CNY"} }

// bought is a paid order of n tickets whose purchase has ended.
func bought(t *testing.T, s *stack.Stack, n int) stack.Order {
	t.Helper()
	order := s.Buy(stack.Want{Quantity: n})
	s.Pay(s.Attempt(order))
	paid := s.Await(order, ticketing.OrderPaid, soon)
	require.Len(t, paid.Tickets, n)
	s.Ended(order.ID, soon)
	return paid
}

// available is what buyers are told is free.
func available(t *testing.T, s *stack.Stack) int {
	t.Helper()
	a, err := s.Request(t.Context(), http.MethodGet, "/api/v1/sessions/show-1/availability", "", "", nil)
	require.NoError(t, err)
	var answer struct {
		TicketTypes []struct{ Available int } `json:"ticket_types"`
	}
	require.NoError(t, json.Unmarshal(a.Body, &answer))
	return answer.TicketTypes[0].Available
}

func TestATicketOfThreeGoesBackThenTheRest(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	order := bought(t, s, 3)
	one := s.GiveBack(order, order.Tickets[1].ID)
	accepted := time.Now()
	require.Equal(t, fen(9000), one.Amount)
	require.Equal(t, fen(1000), one.Fee)
	require.Equal(t, stack.Stock{Capacity: 100, Free: 98, Sold: 2}, s.Stock("show-1-1"), "before any gateway has answered")
	stack.Eventually(t, time.Second-time.Since(accepted), "buyers see it", func() bool { return available(t, s) == 98 })
	part := s.Await(order, ticketing.OrderPartiallyRefunded, soon)
	require.Equal(t, ticketing.TicketVoid, part.Tickets[1].State)
	require.Equal(t, one.ID, part.Tickets[1].RefundID)
	require.Equal(t, ticketing.TicketValid, part.Tickets[0].State)
	s.EndedID(workflows.RefundID(one.ID), soon)
	s.Record("refund-settled", workflows.RefundID(one.ID))
	events := s.History(workflows.RefundID(one.ID))
	bound := 14
	for _, event := range events {
		t.Log(event.GetEventType())
		if event.GetWorkflowExecutionSignaledEventAttributes() != nil {
			bound += 4 // the gateway's callback, and a look at it where it comes while something else is under way
		}
	}
	require.LessOrEqual(t, len(events), bound)
	require.Equal(t, 1, s.RefundCalls(one))

	rest := s.GiveBack(order)
	require.Equal(t, fen(18000), rest.Amount)
	s.Await(order, ticketing.OrderRefunded, soon)
	require.Equal(t, stack.Stock{Capacity: 100, Free: 100}, s.Stock("show-1-1"))
	require.Equal(t, []ticketing.OrderEventKind{
		ticketing.EventHeld, ticketing.EventAttemptStarted, ticketing.EventPaymentReceived, ticketing.EventPaid,
		ticketing.EventRefundRequested, ticketing.EventRefundSettled, ticketing.EventRefundRequested, ticketing.EventRefundSettled,
	}, s.Timeline(order))
	s.EndedID(workflows.RefundID(rest.ID), soon)
	next := s.BuyOnceFree(stack.Want{Email: "next@example.com", Quantity: 10}, time.Second)
	s.Cancel(next)
	s.Ended(next.ID, soon)
}

func TestACancelledEventGivesEverythingBack(t *testing.T) {
	event := stack.Show("show", time.Minute, 100)
	event.OrderFee, event.Refunds = 250, nil
	s := stack.New(t, servers(t), stack.Options{Events: []ticketing.Event{event}})
	order := bought(t, s, 2)
	refused, err := s.TryRefund(t.Context(), order, rand.Text(), fen(20000))
	require.NoError(t, err)
	require.Equal(t, ticketing.CodeNotRefundable, refused.Problem.Code)
	require.NoError(t, s.Store.MoveEvent(t.Context(), "show", ticketing.EventCancelled, "tester", "a test"))
	r := s.GiveBack(order)
	require.Equal(t, fen(20250), r.Amount)
	s.Await(order, ticketing.OrderRefunded, soon)
	s.EndedID(workflows.RefundID(r.ID), soon)
}

func TestEqualRequestsAreOneRefund(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	order := bought(t, s, 3)
	key, amount := rand.Text(), s.Quote(order)
	answers := make([]stack.Answer, 20)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			var err error
			answers[i], err = s.TryRefund(t.Context(), order, key, amount)
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	first := s.DecodeRefund(answers[0])
	for _, a := range answers {
		require.Equal(t, first.ID, s.DecodeRefund(a).ID)
	}
	done := s.Await(order, ticketing.OrderRefunded, soon)
	require.Len(t, done.Refunds, 1)
	require.Equal(t, 1, s.RefundCalls(first))
	s.EndedID(workflows.RefundID(first.ID), soon)
}

func TestHazard21OfTwoRefundsOfATicketOneIsRefused(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	order := bought(t, s, 2)
	amount := s.Quote(order, order.Tickets[0].ID)
	answers := make([]stack.Answer, 8)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			var err error
			if answers[i], err = s.TryRefund(t.Context(), order, rand.Text(), amount, order.Tickets[0].ID); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	taken := 0
	for _, a := range answers {
		if a.Status == http.StatusCreated {
			taken++
			continue
		}
		require.Equal(t, http.StatusConflict, a.Status, "%s", a.Body)
		require.Equal(t, ticketing.CodeConflict, a.Problem.Code)
	}
	require.Equal(t, 1, taken)
	done := s.Await(order, ticketing.OrderPartiallyRefunded, soon)
	require.Len(t, done.Refunds, 1)
	s.EndedID(workflows.RefundID(done.Refunds[0].ID), soon)
}

// took is how long after it was asked for the gateway's money was known to be back.
func took(t *testing.T, s *stack.Stack, order stack.Order) time.Duration {
	t.Helper()
	done := s.Await(order, ticketing.OrderRefunded, long)
	return done.Refunds[0].SettledAt.Sub(done.Refunds[0].CreatedAt)
}

func TestARefundIsSettledByCallback(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	order := bought(t, s, 1)
	faults(t, s, gateway.Faults{RefundPending: 4000})
	r := s.GiveBack(order)
	after := took(t, s, order)
	t.Logf("a refund the gateway took 4 s for was settled after %s", after)
	require.Greater(t, after, 3900*time.Millisecond)
	require.Less(t, after, 5500*time.Millisecond, "asked about after 1, 3 and 7 s: it was the callback")
	require.Contains(t, s.Timeline(order), ticketing.EventRefundSent)
	began := time.Now()
	s.EndedID(workflows.RefundID(r.ID), soon)
	require.Less(t, time.Since(began), 1500*time.Millisecond, "the callback woke the workflow")
	s.Record("refund-woken-by-callback", workflows.RefundID(r.ID))
}

func TestARefundWhoseCallbackIsLostIsFoundByAsking(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	order := bought(t, s, 1)
	before := s.Int("SELECT count(*) FROM callbacks")
	faults(t, s, gateway.Faults{RefundPending: 4000, Lose: true})
	r := s.GiveBack(order)
	after := took(t, s, order)
	t.Logf("a refund whose callback was lost was found after %s", after)
	require.Greater(t, after, 5*time.Second)
	require.Less(t, after, 9*time.Second, "asked about after 1, 3 and 7 s")
	require.Equal(t, before, s.Int("SELECT count(*) FROM callbacks"))
	s.EndedID(workflows.RefundID(r.ID), soon)
	s.Record("refund-found-by-asking", workflows.RefundID(r.ID))
	require.Equal(t, 1, s.RefundCalls(r))
}

func TestHazard19ARefundOfTicketsWhoseAnswerIsLostIsSentOnce(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	order := bought(t, s, 2)
	faults(t, s, gateway.Faults{FailAfter: []string{"refund"}, Lose: true})
	r := s.GiveBack(order)
	s.Await(order, ticketing.OrderRefunded, long)
	require.Equal(t, 1, s.RefundCalls(r), "after an unknown answer it was asked about, not sent again")
	s.EndedID(workflows.RefundID(r.ID), soon)
}

func TestHazard19ABalanceTooLowIsWaitedFor(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	order := bought(t, s, 2)
	faults(t, s, gateway.Faults{LowBalance: true})
	r := s.GiveBack(order)
	stack.Eventually(t, soon, "it was tried again", func() bool { return s.RefundCalls(r) >= 4 })
	require.Equal(t, ticketing.RefundPending, s.Order(order).Refunds[0].State, "too low is not failed")
	require.Equal(t, ticketing.OrderRefunding, s.Order(order).State)
	require.Equal(t, 100, s.Stock("show-1-1").Free, "the tickets are on sale again meanwhile")
	faults(t, s, gateway.Faults{})
	s.Await(order, ticketing.OrderRefunded, long)
	s.EndedID(workflows.RefundID(r.ID), soon)
	s.Record("refund-balance-too-low", workflows.RefundID(r.ID))
	books, err := s.Gateway.Books(t.Context())
	require.NoError(t, err)
	require.Len(t, books.Refunds, 1)
	require.Equal(t, r.ID, books.Refunds[0].ID, "always under the same id")
}

func TestHazard18AWorkerKilledWhileTheGatewayRefundsGivesTheMoneyBackOnce(t *testing.T) {
	t.Parallel()
	s := stack.New(t, servers(t), stack.Options{Split: true})
	order := bought(t, s, 2)
	faults(t, s, gateway.Faults{LateAnswer: map[string]int{"refund": 3000}, Lose: true})
	r := s.GiveBack(order)
	stack.Eventually(t, soon, "the gateway has given the money back", func() bool {
		books, err := s.Gateway.Books(t.Context())
		return err == nil && len(books.Refunds) == 1
	})
	s.Worker.Kill() // it never heard the answer
	require.Equal(t, ticketing.OrderRefunding, s.Order(order).State)
	faults(t, s, gateway.Faults{})
	s.Restart(s.Worker)
	s.Await(order, ticketing.OrderRefunded, long)
	require.Equal(t, 1, s.RefundCalls(r))
	s.EndedID(workflows.RefundID(r.ID), soon)
	s.Record("refund-worker-killed", workflows.RefundID(r.ID))
}

func TestARefundWhileNoWorkerIsAliveIsCarriedOutLater(t *testing.T) {
	t.Parallel()
	s := stack.New(t, servers(t), stack.Options{Split: true})
	order := bought(t, s, 2)
	s.Worker.Kill()
	key, amount := rand.Text(), s.Quote(order)
	a, err := s.TryRefund(t.Context(), order, key, amount)
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, a.Status, "%s", a.Body)
	require.Equal(t, ticketing.OrderPaid, s.Order(order).State, "nothing is taken back that nobody has seen to")
	s.Restart(s.Worker)
	done := s.Await(order, ticketing.OrderRefunded, long)
	again, err := s.TryRefund(t.Context(), order, key, amount)
	require.NoError(t, err)
	require.Equal(t, done.Refunds[0].ID, s.DecodeRefund(again).ID)
	require.Equal(t, 1, s.RefundCalls(done.Refunds[0]))
	s.EndedID(workflows.RefundID(done.Refunds[0].ID), soon)
}

func TestHazard20ARefundOfTicketsThatFailsForGoodStaysOwed(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	order := bought(t, s, 2)
	faults(t, s, gateway.Faults{RefundFails: true})
	r := s.GiveBack(order, order.Tickets[0].ID)
	id := workflows.RefundID(r.ID)
	stack.Eventually(t, soon, "the saga asks for a person", func() bool { return s.Attention(id) })
	require.Contains(t, s.Details(id), "Needs attention")
	now := s.Order(order)
	require.Equal(t, ticketing.OrderRefunding, now.State)
	require.Equal(t, ticketing.RefundFailed, now.Refunds[0].State)
	require.Contains(t, s.Timeline(order), ticketing.EventRefundFailed)
	require.Equal(t, 1, s.Int("SELECT count(*) FROM cases WHERE kind = 'refund_failed' AND state = 'OPEN' AND refund_id = $1", r.ID))
	// The person settles it at the gateway, and tells the saga to look again.
	faults(t, s, gateway.Faults{})
	require.NoError(t, s.Gateway.SettleRefund(t.Context(), r.ID))
	require.NoError(t, s.Engine.SignalWorkflow(t.Context(), id, "", workflows.SignalRetry, nil))
	s.Await(order, ticketing.OrderPartiallyRefunded, soon)
	s.EndedID(id, soon)
	s.Record("refund-failed", id)
	require.False(t, s.Attention(id), "and takes it back")
	require.Zero(t, s.Int("SELECT count(*) FROM cases WHERE state = 'OPEN'"))
}

func TestHazard22ARefundAfterTheGatewaysWindowIsAManualCase(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	order := bought(t, s, 1)
	faults(t, s, gateway.Faults{RefundWindow: 1})
	r := s.GiveBack(order)
	id := workflows.RefundID(r.ID)
	stack.Eventually(t, soon, "the saga asks for a person", func() bool { return s.Attention(id) })
	open, err := s.Store.Cases(t.Context(), ticketing.CaseFilter{})
	require.NoError(t, err)
	require.Len(t, open, 1)
	require.Contains(t, open[0].Detail["reason"], "too old to be refunded")
	faults(t, s, gateway.Faults{}) // the gateway makes an exception
	require.NoError(t, s.Engine.SignalWorkflow(t.Context(), id, "", workflows.SignalRetry, nil))
	s.Await(order, ticketing.OrderRefunded, soon)
	s.EndedID(id, soon)
}

func TestHazard02TheRefundsCallbackMayOvertakeThePayments(t *testing.T) {
	t.Parallel()
	s := stack.New(t, servers(t), stack.Options{})
	faults(t, s, gateway.Faults{Reorder: 2}) // holds the payment's callback back until the refund's is there
	order := s.Buy(stack.Want{})
	s.Pay(s.Attempt(order))
	paid := s.Await(order, ticketing.OrderPaid, 20*time.Second) // found by asking
	r := s.GiveBack(paid)
	done := s.Await(order, ticketing.OrderRefunded, soon)
	stack.Eventually(t, soon, "both callbacks were delivered, the refund's first", func() bool { return s.Int("SELECT count(*) FROM callbacks") == 2 })
	require.Equal(t, 1, s.Int("SELECT count(*) FROM callbacks WHERE kind = 'refund' AND id = (SELECT min(id) FROM callbacks)"))
	require.Equal(t, ticketing.OrderRefunded, s.Order(order).State, "never back from there")
	require.Len(t, done.Refunds, 1)
	s.EndedID(workflows.RefundID(r.ID), soon)
	s.Ended(order.ID, soon)
}
