package systemtest

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/systemtest/stack"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestHazard23StockLostAfterPaymentEndsInAFullRefund(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{Events: []ticketing.Event{stack.Show("show", time.Minute, 5)}})
	order := s.Buy(stack.Want{Quantity: 2})
	number := s.Attempt(order)
	// What no code of ours does: somebody takes the stock away while the buyer pays.
	tx, err := s.DB.Begin()
	require.NoError(t, err)
	_, err = tx.Exec("UPDATE holds SET state = 'RELEASED' WHERE order_id = $1", order.ID)
	require.NoError(t, err)
	_, err = tx.Exec("UPDATE stock SET free = free + held, held = 0")
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
	s.Pay(number)
	s.Await(order, ticketing.OrderFailed, soon)
	s.EndedID(s.Late(number), soon)
	now := s.Order(order)
	require.Empty(t, now.Tickets)
	require.Len(t, now.Refunds, 1)
	require.Equal(t, ticketing.RefundSucceeded, now.Refunds[0].State)
	require.Equal(t, order.Total, now.Refunds[0].Amount)
	require.Contains(t, s.Timeline(order), ticketing.EventFailed, "the buyer is told")
	require.Equal(t, stack.Stock{Capacity: 5, Free: 5}, s.Stock("show-1-1"))
	s.Ended(order.ID, soon)
}

func TestHazard10CancelAndPaymentAtOnceHaveOneOutcome(t *testing.T) {
	const races = 12
	s := stack.New(t, servers(t), stack.Options{})
	var (
		all  sync.WaitGroup
		said [races]int
	)
	orders := make([]stack.Order, races)
	for i := range races {
		orders[i] = s.Buy(stack.Want{Email: fmt.Sprintf("buyer%d@example.com", i)})
		number := s.Attempt(orders[i])
		start := make(chan struct{})
		all.Go(func() {
			<-start
			<-time.After(time.Duration(i) * 10 * time.Millisecond) // ever later, so that each of the two is the faster one
			_ = s.Gateway.Pay(context.Background(), number)        // refused where cancel closed it first
		})
		all.Go(func() {
			<-start
			answer, err := s.Request(context.Background(), http.MethodPost, "/api/v1/orders/"+orders[i].ID+"/cancel", orders[i].Token, "", nil)
			if err == nil {
				said[i] = answer.Status
			}
		})
		close(start)
	}
	all.Wait()
	paid := 0
	for i, order := range orders {
		s.Ended(order.ID, soon)
		now := s.Order(order)
		captured := s.Int("SELECT count(*) FROM payment_attempts WHERE order_id = $1 AND captured_amount IS NOT NULL", order.ID)
		switch now.State {
		case ticketing.OrderPaid:
			paid++
			require.Equal(t, 1, captured)
			require.Len(t, now.Tickets, 1)
		case ticketing.OrderCancelled:
			require.Zero(t, captured, "close was asked before the stock was given back")
			require.Empty(t, now.Tickets)
		default:
			t.Errorf("order %s is %s", order.ID, now.State)
		}
		require.Contains(t, []int{http.StatusOK, http.StatusConflict}, said[i])
	}
	t.Logf("%d of %d were paid, the others cancelled", paid, races)
	require.Equal(t, paid, s.Stock("show-1-1").Sold)
	require.Zero(t, s.Stock("show-1-1").Held)
}
