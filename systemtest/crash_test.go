package systemtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/systemtest/stack"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/workflows"
)

func TestHazard35AKilledProcessLeavesHoldsThatStillExpireOnTime(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{Events: []ticketing.Event{stack.Show("show", 5*time.Second, 5)}})
	order := s.Buy(stack.Want{})
	// The buyer has the answer before the engine has the step: a kill in between costs a task's time-out.
	stack.Eventually(t, soon, "the hold is in the history", func() bool { return len(s.History(workflows.PurchaseID(order.ID))) >= 6 })
	s.Run.Kill()
	s.Restart(s.Run)
	s.Await(order, ticketing.OrderExpired, soon)
	late := s.Int(`SELECT (extract(epoch FROM e.at - o.pay_by) * 1000)::int FROM order_events e JOIN orders o ON o.id = e.order_id
		WHERE o.id = $1 AND e.kind = 'expired'`, order.ID)
	for _, event := range s.History(workflows.PurchaseID(order.ID)) {
		t.Log(event.GetEventTime().AsTime().Format(time.StampMilli), event.GetEventType())
	}
	require.Less(t, late, 1000, "milliseconds after the deadline")
	s.Ended(order.ID, soon)
}

func TestHazard18AWorkerKilledAtRandomMomentsLosesNothing(t *testing.T) {
	t.Parallel()
	const buyers, rounds = 24, 10
	s := stack.New(t, servers(t), stack.Options{
		Split: true, Env: []string{"BOXOFFICE_PAYMENT_GRACE=1s"},
		Events: []ticketing.Event{stack.Show("show", 12*time.Second, 1000)},
	})
	ctx, stop := context.WithCancel(t.Context())
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		made []stack.Order
	)
	for i := range buyers {
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				order, ok := tryToBuy(ctx, s, fmt.Sprintf("buyer-%d-%d", i, n))
				if ok {
					mu.Lock()
					made = append(made, order)
					mu.Unlock()
				}
			}
		})
	}
	for range rounds {
		before := s.Int("SELECT count(*) FROM orders")
		stack.Eventually(t, long, "the worker is at work", func() bool { return s.Int("SELECT count(*) FROM orders") > before })
		time.Sleep(time.Duration(rand.IntN(600)) * time.Millisecond) // a random moment is the point
		s.Worker.Kill()
		s.Restart(s.Worker)
	}
	stop()
	all.Wait()
	require.NotEmpty(t, made)
	settled(t, s, made)
}

// tryToBuy is a buyer who asks, pays and does not wait for anything.
func tryToBuy(ctx context.Context, s *stack.Stack, key string) (stack.Order, bool) {
	a, err := s.Submit(ctx, stack.Want{Key: key})
	if err != nil || a.Status != http.StatusCreated && a.Status != http.StatusAccepted {
		return stack.Order{}, false
	}
	order := s.Decode(a)
	paying, err := s.Request(ctx, http.MethodPost, "/api/v1/orders/"+order.ID+"/payments", order.Token, "",
		map[string]string{"method": sandbox.MethodWallet})
	if err == nil && paying.Status == http.StatusCreated {
		_ = s.Gateway.Pay(ctx, s.AttemptID(paying))
	}
	return order, true
}

// settled waits until every order has come to an end, each with a ticket, its money back, or a clear no.
func settled(t *testing.T, s *stack.Stack, orders []stack.Order) {
	t.Helper()
	stack.Eventually(t, 2*long, "no order is left open", func() bool {
		return s.Int("SELECT count(*) FROM orders WHERE state = 'PENDING'") == 0 &&
			s.Int("SELECT count(*) FROM payment_attempts WHERE captured_amount IS NOT NULL AND state NOT IN ('ACCEPTED', 'REFUNDED')") == 0
	})
	paid := 0
	for _, order := range orders {
		s.Ended(order.ID, long)
		if s.Int("SELECT count(*) FROM orders WHERE id = $1 AND state = 'PAID'", order.ID) == 1 {
			paid++
		}
	}
	t.Logf("%d orders, %d of them paid", len(orders), paid)
	require.Positive(t, paid)
}

func TestHazard25CallbacksWhileTemporalIsDownAreKeptAndDeliveredLater(t *testing.T) {
	t.Parallel()
	own := ownServers(t)
	s := stack.New(t, own, stack.Options{})
	order := s.Buy(stack.Want{})
	number := s.Attempt(order)
	own.Engine.Kill()
	s.Pay(number)
	stack.Eventually(t, long, "the callback was kept and acknowledged", func() bool {
		books, err := s.Gateway.Books(t.Context())
		return err == nil && books.Undelivered == 0 && s.Int("SELECT count(*) FROM payment_attempts WHERE captured_amount IS NOT NULL AND delivered_at IS NULL") == 1
	})
	require.NoError(t, own.RestartEngine())
	s.Await(order, ticketing.OrderPaid, long)
	s.Ended(order.ID, long)
}

// TestHazard18AVerdictItsWorkflowForgotStillReachesIt: the step that judged the payment was done and stored, the
// workflow's task in which it was done was not. Long before the deadline the purchase knows that it is paid.
func TestHazard18AVerdictItsWorkflowForgotStillReachesIt(t *testing.T) {
	t.Parallel()
	own := ownServers(t)
	s := stack.New(t, own, stack.Options{})
	order := s.Buy(stack.Want{})
	number := s.Attempt(order)
	own.Engine.Kill()
	s.Pay(number)
	stack.Eventually(t, long, "the callback was kept", func() bool { return s.Int("SELECT count(*) FROM callbacks") == 1 })
	settled, err := s.Store.Settle(t.Context(), number)
	require.NoError(t, err)
	require.Equal(t, ticketing.VerdictAccept, settled.Verdict)
	require.NoError(t, own.RestartEngine())
	s.Ended(order.ID, long)
	s.Await(order, ticketing.OrderPaid, soon)
	stack.Eventually(t, soon, "it is noted as delivered", func() bool {
		return s.Int("SELECT count(*) FROM payment_attempts WHERE delivered_at IS NULL") == 0
	})
}

func TestHazard24WhileTheDatabaseIsDownNothingIsAcknowledgedAndLaterThereIsOneEntry(t *testing.T) {
	t.Parallel()
	own := ownServers(t)
	s := stack.New(t, own, stack.Options{})
	order := s.Buy(stack.Want{})
	number := s.Attempt(order)
	own.Postgres.Kill()
	s.Pay(number)
	books, err := s.Gateway.Books(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, books.Undelivered)
	require.NoError(t, own.RestartPostgres())
	s.Await(order, ticketing.OrderPaid, long)
	require.Equal(t, 1, s.Int("SELECT count(*) FROM ledger_transfers"))
	s.Ended(order.ID, long)
}

func TestAStepThatKeepsFailingAsksForAPersonAndTakesItBack(t *testing.T) {
	t.Parallel()
	s := stack.New(t, servers(t), stack.Options{Events: []ticketing.Event{stack.Show("show", 2*time.Second, 5)}})
	order := s.Buy(stack.Want{})
	// The database refuses what the release needs: a fault no retry can mend.
	_, err := s.DB.Exec("ALTER TABLE stock ADD CONSTRAINT broken CHECK (held > 0) NOT VALID")
	require.NoError(t, err)
	id := workflows.PurchaseID(order.ID)
	stack.Eventually(t, 2*long, "the purchase asks for a person", func() bool { return s.Attention(id) })
	require.Contains(t, s.Details(id), "release the stock")
	require.Regexp(t, `boxoffice_step_retries_total\{step="Release"\} [1-9]`, s.Metrics())
	_, err = s.DB.Exec("ALTER TABLE stock DROP CONSTRAINT broken")
	require.NoError(t, err)
	require.NoError(t, s.Engine.SignalWorkflow(t.Context(), id, "", workflows.SignalRetry, nil))
	s.Await(order, ticketing.OrderExpired, soon)
	s.Ended(order.ID, soon)
	require.False(t, s.Attention(id))
	s.Record("purchase-needed-attention", id)
}

func TestAPaymentWhileNoWorkerIsAliveIsSignalledAndJudgedLater(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{Split: true})
	order := s.Buy(stack.Want{})
	number := s.Attempt(order)
	s.Worker.Kill()
	s.Pay(number)
	stack.Eventually(t, soon, "the callback was acknowledged", func() bool {
		books, err := s.Gateway.Books(t.Context())
		return err == nil && books.Undelivered == 0
	})
	require.Equal(t, ticketing.OrderPending, s.Order(order).State)
	s.Restart(s.Worker)
	s.Await(order, ticketing.OrderPaid, long)
	s.Ended(order.ID, soon)
	s.Record("purchase-paid-by-signal", workflows.PurchaseID(order.ID))
}

func TestHazard04ACallbackBeforeOurCreateReturnedIsApplied(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	order := s.Buy(stack.Want{})
	faults(t, s, gateway.Faults{LateAnswer: map[string]int{"create": 1500}})
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _ = s.Request(context.Background(), http.MethodPost, "/api/v1/orders/"+order.ID+"/payments", order.Token, "",
			map[string]string{"method": sandbox.MethodWallet})
	}()
	var number string
	stack.Eventually(t, soon, "the gateway has the payment", func() bool {
		books, err := s.Gateway.Books(t.Context())
		if err != nil || len(books.Payments) == 0 {
			return false
		}
		number = books.Payments[0].Number
		return true
	})
	s.Pay(number)
	s.Await(order, ticketing.OrderPaid, soon)
	<-answered
	require.Len(t, s.Order(order).Tickets, 1)
	s.Ended(order.ID, soon)
}
