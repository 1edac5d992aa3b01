package api_test

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/api"
	"github.com/boxoffice/boxoffice/ticketing"
)

// onOrder is a limiter that allows everything and says when it is asked, in the midst of an order.
type onOrder func()

func (asked onOrder) Allow(netip.Addr, time.Time) (time.Duration, bool) {
	asked()
	return 0, true
}

// onDelivery is a courier that says when it is under way.
type onDelivery struct {
	api.Deliverer
	underWay func()
}

func (d onDelivery) DeliverPayment(ctx context.Context, attempt ticketing.PaymentAttempt) error {
	d.underWay()
	return d.Deliverer.DeliverPayment(ctx, attempt)
}

// TestAProcessIsBusyWhileBuyersWaitForIt: with an order, with the beginning of a payment, and with captured money; and not for those
// who only look.
func TestAProcessIsBusyWhileBuyersWaitForIt(t *testing.T) {
	load := api.NearlyBusy()
	var busy sync.Map // bool by what was under way
	note := func(what string) func() { return func() { busy.Store(what, load.Busy()) } }
	w := newWorld(t, func(c *api.Config) {
		c.Load = load
		c.Limiter = onOrder(note("order"))
		c.Deliverer = onDelivery{c.Deliverer, note("captured money")}
	})
	w.gateway.createFn = func(int) error {
		note("payment")()
		return nil
	}
	o := w.order(keyed(1))
	require.False(t, load.Busy(), "after the order")
	number := w.attempt(o, "sandbox_card")
	require.False(t, load.Busy(), "after the beginning of a payment")
	require.Equal(t, http.StatusOK, w.callback("good", testCallback{EventID: "E1", Number: number, Paid: true, Amount: o.Total}).status)
	require.Eventually(t, func() bool { return !load.Busy() }, 10*time.Second, time.Millisecond, "after the callback and its delivery")
	require.Equal(t, "PAID", w.read(o).State)
	for _, what := range []string{"order", "payment", "captured money"} {
		during, _ := busy.Load(what)
		require.Equal(t, true, during, what)
	}
}
