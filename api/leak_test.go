package api_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/boxoffice/boxoffice/api"
	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/store/storetest"
)

// TestNothingRunsOnAfterShutdown uses everything that starts goroutines and looks for what is left.
func TestNothingRunsOnAfterShutdown(t *testing.T) {
	database := storetest.Open(t)
	storetest.Seed(t, database, programme()...)
	gateways, err := payment.NewRegistry(newGateway("sandbox", "sandbox_card"))
	require.NoError(t, err)
	config := api.Config{
		Address: "127.0.0.1:0", PublicURL: "http://tickets.example", Store: database, Payments: gateways,
		Purchases: &inline{store: database, started: map[string]chan struct{}{}}, Deliverer: &courier{store: database}, Identity: storetest.Keyring(),
		Log: slog.New(slog.DiscardHandler),
	}
	before := goleak.IgnoreCurrent()
	w := newWorldOf(t, config)
	o := w.order(keyed(1))
	w.attempt(o, "sandbox_card")
	paid := w.order(keyed(2))
	callback := testCallback{EventID: "E1", Number: w.attempt(paid, "sandbox_card"), Paid: true, Amount: paid.Total}
	require.Equal(t, 200, w.callback("good", callback).status)
	for _, l := range []*listener{w.listen("/api/v1/sessions/hamlet-1/availability", ""), w.listen("/api/v1/orders/"+o.ID+"/events", o.Token)} {
		l.next()
	}
	w.client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	require.NoError(t, w.server.Shutdown(ctx))
	goleak.VerifyNone(t, before,
		// The process's clocks for Date headers and timestamps, and the database's own pool.
		goleak.IgnoreTopFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreTopFunction("time.Sleep"),
		goleak.IgnoreAnyFunction("github.com/jackc/pgx/v5/pgxpool.(*Pool).backgroundHealthCheck"),
		goleak.IgnoreAnyFunction("github.com/gofiber/fiber/v2/utils.StartTimeStampUpdater.func1.1"),
	)
}
