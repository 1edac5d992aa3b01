package systemtest

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/systemtest/stack"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestARushOfTwoThousandBuyersSellsExactlyAHundredTickets(t *testing.T) {
	const buyers, tickets = 2000, 100
	s := stack.New(t, servers(t), stack.Options{Events: []ticketing.Event{stack.Show("show", 5*time.Minute, tickets)}})
	var (
		all     sync.WaitGroup
		sold    atomic.Int64
		soldOut atomic.Int64
		other   sync.Map
		gate    = make(chan struct{})
		mu      sync.Mutex
		orders  []stack.Order
	)
	for i := range buyers {
		all.Go(func() {
			<-gate
			a, err := s.Submit(t.Context(), stack.Want{Email: fmt.Sprintf("buyer%d@example.com", i)})
			switch {
			case err != nil:
				other.Store(i, err.Error())
			case a.Status == http.StatusConflict && a.Problem.Code == ticketing.CodeSoldOut:
				soldOut.Add(1)
			case a.Status == http.StatusCreated:
				order := s.Decode(a)
				mu.Lock()
				orders = append(orders, order)
				mu.Unlock()
				paying, err := s.Request(t.Context(), http.MethodPost, "/api/v1/orders/"+order.ID+"/payments", order.Token, "",
					map[string]string{"method": sandbox.MethodWallet})
				if err != nil || paying.Status != http.StatusCreated {
					other.Store(i, fmt.Sprint(err, paying.Status, string(paying.Body)))
					return
				}
				if err := s.Gateway.Pay(t.Context(), s.AttemptID(paying)); err != nil {
					other.Store(i, err.Error())
					return
				}
				sold.Add(1)
			default:
				other.Store(i, fmt.Sprint(a.Status, string(a.Body)))
			}
		})
	}
	began := time.Now()
	close(gate)
	all.Wait()
	t.Logf("%d buyers were answered in %s", buyers, time.Since(began).Round(time.Millisecond))
	other.Range(func(buyer, what any) bool {
		t.Errorf("buyer %v got neither a ticket nor a clear no: %v", buyer, what)
		return true
	})
	require.EqualValues(t, tickets, sold.Load())
	require.EqualValues(t, buyers-tickets, soldOut.Load())
	for _, order := range orders {
		s.Await(order, ticketing.OrderPaid, long)
		s.Ended(order.ID, soon)
	}
	require.Equal(t, stack.Stock{Capacity: tickets, Sold: tickets}, s.Stock("show-1-1"))
	require.Equal(t, tickets, s.Int("SELECT count(*) FROM tickets"))

	var started int64
	stack.Eventually(t, soon, "the purchases can be counted", func() bool {
		count, err := s.Engine.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: "WorkflowType = 'Purchase'"})
		if err != nil {
			return false
		}
		started = count.GetCount()
		return started >= tickets
	})
	t.Logf("%d workflows were started", started)
	require.Less(t, started, int64(buyers/2), "once it is known to be sold out, nothing is started")
}
