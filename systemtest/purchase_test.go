package systemtest

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/systemtest/stack"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/workflows"
)

func TestAPaidOrderHasTicketsAndCostsFewHistoryEvents(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	order := s.Buy(stack.Want{Quantity: 2})
	require.Equal(t, ticketing.OrderPending, order.State)
	require.Equal(t, ticketing.Money{Amount: 20000, Currency: "CNY"}, order.Total)
	require.Equal(t, 2, s.Stock("show-1-1").Held)
	s.Pay(s.Attempt(order))
	paid := s.Await(order, ticketing.OrderPaid, soon)
	require.Len(t, paid.Tickets, 2)
	require.NotEqual(t, paid.Tickets[0].Code, paid.Tickets[1].Code)
	require.Equal(t, stack.Stock{Capacity: 100, Free: 98, Sold: 2}, s.Stock("show-1-1"))
	require.Equal(t, []ticketing.OrderEventKind{
		ticketing.EventHeld, ticketing.EventAttemptStarted, ticketing.EventPaymentReceived, ticketing.EventPaid,
	}, s.Timeline(order))
	s.Ended(order.ID, soon)
	s.Record("purchase-paid", workflows.PurchaseID(order.ID))
	require.LessOrEqual(t, len(s.History(workflows.PurchaseID(order.ID))), 16)
}

func TestAnUnpaidHoldIsBackWithinASecondOfItsDeadline(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{Events: []ticketing.Event{stack.Show("show", 3*time.Second, 5)}})
	order := s.Buy(stack.Want{})
	s.Attempt(order)
	s.Await(order, ticketing.OrderExpired, soon)
	late := s.Int(`SELECT (extract(epoch FROM e.at - o.pay_by) * 1000)::int FROM order_events e JOIN orders o ON o.id = e.order_id
		WHERE o.id = $1 AND e.kind = 'expired'`, order.ID)
	require.Positive(t, late)
	require.Less(t, late, 1000, "milliseconds after the deadline")
	require.Equal(t, stack.Stock{Capacity: 5, Free: 5}, s.Stock("show-1-1"))
	s.Ended(order.ID, soon)
	s.Record("purchase-expired", workflows.PurchaseID(order.ID))
	require.LessOrEqual(t, len(s.History(workflows.PurchaseID(order.ID))), 22)
}

func TestACancelledOrderGivesItsStockBackAtOnce(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	order := s.Buy(stack.Want{})
	number := s.Attempt(order)
	answer := s.Cancel(order)
	require.Equal(t, http.StatusOK, answer.Status, "%s", answer.Body)
	require.Equal(t, ticketing.OrderCancelled, s.Order(order).State)
	require.Zero(t, s.Stock("show-1-1").Held)
	require.Error(t, s.Gateway.Pay(t.Context(), number), "the attempt was closed at the gateway")
	again := s.Cancel(order)
	require.Contains(t, []int{http.StatusOK, http.StatusConflict}, again.Status)
	_, refused := s.TryPay(order, sandbox.MethodWallet)
	require.Equal(t, ticketing.CodeOrderClosed, refused.Problem.Code)
	s.Ended(order.ID, soon)
	s.Record("purchase-cancelled", workflows.PurchaseID(order.ID))
}

func TestDeclinedThenPaidByASecondAttempt(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	order := s.Buy(stack.Want{})
	declined := s.Attempt(order)
	require.NoError(t, s.Gateway.Decline(t.Context(), declined))
	stack.Eventually(t, soon, "the decline is known", func() bool {
		return s.Order(order).Attempts[0].State == ticketing.AttemptDeclined
	})
	require.Equal(t, ticketing.OrderPending, s.Order(order).State, "the hold goes on")
	s.Pay(s.Attempt(order))
	paid := s.Await(order, ticketing.OrderPaid, soon)
	require.Len(t, paid.Attempts, 2)
	require.Len(t, paid.Tickets, 1)
	s.Ended(order.ID, soon)
}

func TestSwitchingTheMethodKeepsTheHoldAndClosesTheOldAttempt(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	order := s.Buy(stack.Want{})
	first := s.Attempt(order)
	second, answer := s.TryPay(order, sandbox.MethodQR)
	require.Equal(t, http.StatusCreated, answer.Status, "%s", answer.Body)
	require.NotEqual(t, first, second)
	require.Error(t, s.Gateway.Pay(t.Context(), first))
	s.Pay(second)
	s.Await(order, ticketing.OrderPaid, soon)
	s.Ended(order.ID, soon)
}

func TestSoldOutIsAClearAnswer(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{Events: []ticketing.Event{stack.Show("show", time.Minute, 1)}})
	order := s.Buy(stack.Want{})
	answer, err := s.Submit(t.Context(), stack.Want{Email: "second@example.com"})
	require.NoError(t, err)
	require.Equal(t, http.StatusConflict, answer.Status)
	require.Equal(t, ticketing.CodeSoldOut, answer.Problem.Code)
	require.Equal(t, "application/problem+json", answer.Header.Get("Content-Type"))
	s.Cancel(order)
	s.Ended(order.ID, soon)
}

func TestAPurchaseTheDatabaseRefusesEndsAtOnce(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{Events: []ticketing.Event{stack.Show("show", time.Minute, 1)}})
	taken := s.Buy(stack.Want{})
	// Past the cache, as when another instance was faster.
	id := encryption.NewNumber()
	run, err := s.Engine.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: workflows.PurchaseID(id), TaskQueue: workflows.PurchaseQueue,
	}, workflows.Purchase, workflows.PurchaseInput{Hold: ticketing.HoldRequest{
		OrderID: id, EventID: "show", SessionID: "show-1", Fingerprint: "f",
		Lines: []ticketing.Ask{{TicketTypeID: "show-1-1", Quantity: 1}},
		Buyer: ticketing.Buyer{Name: "Bea Buyer", Email: "bea@example.com", Language: "en"},
	}})
	require.NoError(t, err)
	var result workflows.PurchaseResult
	require.NoError(t, run.Get(t.Context(), &result))
	require.Equal(t, ticketing.OrderRefused, result.State)
	require.Equal(t, ticketing.CodeSoldOut, result.Refusal.Code)
	s.Record("purchase-refused", workflows.PurchaseID(id))
	s.Cancel(taken)
	s.Ended(taken.ID, soon)
}

func TestHazard32AHundredEqualSubmitsAreOneOrder(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	var (
		all sync.WaitGroup
		mu  sync.Mutex
		ids = map[string]int{}
		bad []string
	)
	for range 100 {
		all.Go(func() {
			answer, err := s.Submit(t.Context(), stack.Want{Key: "the-same-intent", Quantity: 2})
			mu.Lock()
			defer mu.Unlock()
			if err != nil || answer.Status != http.StatusCreated {
				bad = append(bad, fmt.Sprint(err, answer.Status, string(answer.Body)))
				return
			}
			ids[string(stripped(answer.Body))]++
		})
	}
	all.Wait()
	require.Empty(t, bad)
	require.Len(t, ids, 1, "the same answer to all")
	require.Equal(t, 1, s.Int("SELECT count(*) FROM orders"))
	require.Equal(t, 2, s.Stock("show-1-1").Held)

	other, err := s.Submit(t.Context(), stack.Want{Key: "the-same-intent", Quantity: 3})
	require.NoError(t, err)
	require.Equal(t, http.StatusUnprocessableEntity, other.Status)
	require.Equal(t, ticketing.CodeKeyReused, other.Problem.Code)
}

func TestHazard01FiftyEqualCallbacksHaveOneEffect(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	require.NoError(t, s.Gateway.SetFaults(t.Context(), gateway.Faults{Duplicate: 50}))
	order := s.Buy(stack.Want{Quantity: 3})
	s.Pay(s.Attempt(order))
	s.Await(order, ticketing.OrderPaid, soon)
	stack.Eventually(t, long, "every callback was acknowledged", func() bool {
		books, err := s.Gateway.Books(t.Context())
		return err == nil && books.Undelivered == 0 && s.Int("SELECT coalesce(sum(deliveries), 0) FROM callbacks") >= 51
	})
	require.Len(t, s.Order(order).Tickets, 3)
	require.Equal(t, 1, s.Int("SELECT count(*) FROM callbacks"))
	require.Equal(t, 1, s.Int("SELECT count(*) FROM ledger_transfers"))
	s.Ended(order.ID, soon)
}

func TestHazard05CallbacksNobodySignedChangeNothing(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	order := s.Buy(stack.Want{})
	number := s.Attempt(order)
	for _, how := range gateway.Forgeries {
		status, err := s.Gateway.Forge(t.Context(), number, how)
		require.NoError(t, err)
		require.GreaterOrEqual(t, status, 400, how)
		require.Less(t, status, 500, how)
	}
	require.Equal(t, ticketing.OrderPending, s.Order(order).State)
	require.Zero(t, s.Int("SELECT count(*) FROM callbacks"))
	require.Equal(t, len(gateway.Forgeries), s.Int("SELECT sum(count) FROM refused_callbacks"), "each was counted")
	s.Pay(number)
	s.Await(order, ticketing.OrderPaid, soon)
	s.Ended(order.ID, soon)
}
