package activities_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"golang.org/x/sync/errgroup"

	"github.com/boxoffice/boxoffice/activities"
	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/notify/inbox"
	"github.com/boxoffice/boxoffice/notify/wording"
	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// BenchmarkTellingBuyers is all that is done to tell the buyer of a paid order by mail: on a real database, with the real words, into
// the local inbox. cpu-µs/op is the time of processors in this process, without the database's.
func BenchmarkTellingBuyers(b *testing.B) {
	s := storetest.Open(b)
	storetest.Seed(b, s, storetest.Event("show", b.N))
	var buyers errgroup.Group
	buyers.SetLimit(8)
	for range b.N {
		buyers.Go(func() error { return buys(b.Context(), s) })
	}
	require.NoError(b, buyers.Wait())

	words, err := wording.New()
	require.NoError(b, err)
	folder, err := inbox.Open(b.TempDir())
	require.NoError(b, err)
	all := make(chan struct{})
	mail := &counted{Sender: folder.Sender(ticketing.ChannelMail), all: all}
	mail.left.Store(int64(b.N))
	n := &activities.Notifications{
		Outbox: s, Words: words, Log: slog.New(slog.DiscardHandler),
		Routes: map[ticketing.Channel]activities.Route{ticketing.ChannelMail: {Sender: mail, Concurrency: 8}},
		OrderURLs: func(id string) (string, string) {
			return "https://shop.example/" + id, "https://shop.example/" + id + "#secret"
		},
	}
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(n.Log))
	env := suite.NewTestActivityEnvironment()
	env.SetTestTimeout(10 * time.Minute)
	env.RegisterActivity(n)
	env.SetWorkerStopChannel(all)

	b.ReportAllocs()
	b.ResetTimer()
	before := processorTime(b)
	_, err = env.ExecuteActivity(n.Tell, time.Hour, 0)
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
	require.NoError(b, err)
}

// buys takes an order for one ticket from nothing to paid.
func buys(ctx context.Context, s *store.Store) error {
	r := request()
	r.Buyer.Email = encryption.NewNumber() + "@example.com"
	if _, err := s.Hold(ctx, r); err != nil {
		return err
	}
	attempt, err := s.StartAttempt(ctx, ticketing.PaymentAttempt{
		ID: encryption.NewNumber(), OrderID: r.OrderID, Provider: sandbox.Name, Method: sandbox.MethodCard,
	})
	if err != nil {
		return err
	}
	if err := s.RecordPayment(ctx, ticketing.PaymentFact{
		Provider: sandbox.Name, AttemptID: attempt.ID, GatewayID: "G-" + attempt.ID, State: ticketing.PaymentPaid, Captured: attempt.Amount,
	}); err != nil {
		return err
	}
	_, err = s.Settle(ctx, attempt.ID)
	return err
}

// counted is a local inbox that says when it has all it is to get.
type counted struct {
	*inbox.Sender

	left atomic.Int64
	all  chan struct{}
}

func (c *counted) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	receipt, err := c.Sender.Send(ctx, m)
	if c.left.Add(-1) == 0 {
		close(c.all)
	}
	return receipt, err
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
