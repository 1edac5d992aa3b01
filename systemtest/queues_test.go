package systemtest

import (
	"crypto/rand"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/systemtest/stack"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/workflows"
)

// TestEachModuleWorksOnWhileTheOthersAreDown: with a worker for each task queue, what one does needs none of the others, and what waited for
// one is done when it is back.
func TestEachModuleWorksOnWhileTheOthersAreDown(t *testing.T) {
	t.Parallel()
	s := stack.New(t, servers(t), stack.Options{PerQueue: true})
	purchases, payments, notifications := s.Workers[workflows.PurchaseQueue], s.Workers[workflows.PaymentQueue], s.Workers[workflows.NotificationQueue]
	notifications.Kill()
	payments.Kill()
	order := bought1(t, s, stack.Want{Quantity: 2})
	s.Ended(order.ID, soon)
	awaitMessages(t, s, order, soon, "paid by mail WAITING")

	purchases.Kill()
	s.Restart(notifications)
	awaitMessages(t, s, order, long, "paid by mail SENT")
	key, amount := rand.Text(), s.Quote(order)
	a, err := s.TryRefund(t.Context(), order, key, amount)
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, a.Status, "nobody gives money back: %s", a.Body)
	s.Restart(payments)
	s.Await(order, ticketing.OrderRefunded, long)
	s.Restart(purchases)
	require.Equal(t, ticketing.OrderPending, s.Buy(stack.Want{}).State)
}
