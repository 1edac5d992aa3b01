package activities_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/activities"
	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/ticketing"
)

func (s *scene) closes(orderID string) activities.AttemptReport {
	s.Helper()
	return done[activities.AttemptReport](s, s.purchase.CloseAttempts, orderID)
}

func TestClosingForbidsAnAttemptAtItsGateway(t *testing.T) {
	s := newScene(t)
	attempt := s.opened(s.held())
	require.Equal(t, activities.AttemptReport{Watched: 1}, s.closes(attempt.OrderID), "closed, and still watched")
	require.Equal(t, ticketing.AttemptClosed, s.attempt(attempt).State)
	require.Error(t, s.control.Pay(t.Context(), attempt.ID), "the gateway takes no money for it any more")
	require.Equal(t, activities.AttemptReport{Watched: 1}, s.closes(attempt.OrderID))
	require.Equal(t, 1, s.calls("close", attempt.ID), "what is closed is not asked about again")
}

func TestClosingFindsThePayerWasFaster(t *testing.T) {
	s := newScene(t)
	attempt := s.opened(s.held())
	s.pay(attempt)
	want := activities.AttemptReport{Captured: []string{attempt.ID}}
	require.Equal(t, want, s.closes(attempt.OrderID))
	require.Equal(t, want, s.closes(attempt.OrderID), "the same until somebody has judged it")
	settled := done[ticketing.Settlement](s, s.purchase.Settle, attempt.ID)
	require.Equal(t, ticketing.VerdictAccept, settled.Verdict, "what the gateway answered was recorded")
	require.Equal(t, activities.AttemptReport{}, s.closes(attempt.OrderID))
}

func TestClosingADeclinedAttemptLeavesNothingToWatch(t *testing.T) {
	s := newScene(t)
	attempt := s.opened(s.held())
	require.NoError(t, s.control.Decline(t.Context(), attempt.ID))
	require.Equal(t, activities.AttemptReport{}, s.closes(attempt.OrderID))
	require.Equal(t, ticketing.AttemptDeclined, s.attempt(attempt).State)
}

func TestAPaymentBeingProcessedIsUnknown(t *testing.T) {
	s := newScene(t)
	attempt := s.opened(s.held())
	require.NoError(t, s.control.Process(t.Context(), attempt.ID, time.Hour))
	require.Equal(t, activities.AttemptReport{Unknown: 1, Watched: 1}, s.closes(attempt.OrderID))
	require.Equal(t, ticketing.AttemptPending, s.attempt(attempt).State)
}

func TestAnAttemptTheGatewayNeverHeardOfIsOnlyWatched(t *testing.T) {
	s := newScene(t)
	attempt := s.started(s.held(), sandbox.Name)
	require.Equal(t, activities.AttemptReport{Watched: 1}, s.closes(attempt.OrderID))
	require.Equal(t, 1, s.calls("close", attempt.ID))
	require.Equal(t, ticketing.AttemptCreated, s.attempt(attempt).State, "our request may still be on its way")
}

func TestAGatewayThatDoesNotAnswerIsUnreachable(t *testing.T) {
	const bound = 300 * time.Millisecond
	for name, breakIt := range map[string]func(s *scene){
		"answers 503":   func(s *scene) { s.faults(gateway.Faults{Down: []string{"close"}}) },
		"never answers": func(s *scene) { s.faults(gateway.Faults{Hang: []string{"close"}}) },
		"answer lost":   func(s *scene) { s.faults(gateway.Faults{Cut: []string{"close"}}) },
		"gone":          func(s *scene) { require.NoError(s, s.gateway.Close()) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, func(c *sandbox.Config) { c.Timeout = bound })
			attempt := s.opened(s.held())
			breakIt(s)
			began := time.Now()
			require.Equal(t, activities.AttemptReport{Unreachable: 1, Watched: 1}, s.closes(attempt.OrderID))
			require.Less(t, time.Since(began), 20*bound, "it gives up in time")
			require.Equal(t, ticketing.AttemptPending, s.attempt(attempt).State, "nothing was learnt")
		})
	}
}

func TestAGatewayThatIsNotConfiguredIsUnreachable(t *testing.T) {
	s := newScene(t)
	attempt := s.started(s.held(), "elsewhere")
	require.Equal(t, activities.AttemptReport{Unreachable: 1, Watched: 1}, s.closes(attempt.OrderID))
}

// together lets calls to close through only when as many as wanted are under way at once.
type together struct {
	http.RoundTripper
	want int
	all  chan struct{}

	mu      sync.Mutex
	waiting int
}

func (r *together) RoundTrip(request *http.Request) (*http.Response, error) {
	if strings.HasSuffix(request.URL.Path, "/close") {
		r.mu.Lock()
		if r.waiting++; r.waiting == r.want {
			close(r.all)
		}
		r.mu.Unlock()
		select {
		case <-r.all:
		case <-request.Context().Done():
			return nil, errors.New("the others never came")
		}
	}
	return r.RoundTripper.RoundTrip(request)
}

func TestEveryAttemptIsAskedAboutAtOnce(t *testing.T) {
	s := newScene(t, func(c *sandbox.Config) {
		c.HTTPClient.Transport = &together{RoundTripper: c.HTTPClient.Transport, want: 3, all: make(chan struct{})}
	})
	order := s.held()
	paid, first, second := s.opened(order), s.opened(order), s.opened(order)
	s.pay(paid)
	require.Equal(t, activities.AttemptReport{Captured: []string{paid.ID}, Watched: 2}, s.closes(order))
	undelivered, err := s.store.UndeliveredPayments(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Empty(t, undelivered, "the purchase that asked knows")
	require.Equal(t, ticketing.AttemptClosed, s.attempt(first).State)
	require.Equal(t, ticketing.AttemptClosed, s.attempt(second).State)
}

func TestAFaultOfTheDatabaseIsNoAnswer(t *testing.T) {
	s := newScene(t)
	attempt := s.opened(s.held())
	s.store.Close()
	for name, what := range map[string]any{"close": s.purchase.CloseAttempts, "look again": s.purchase.LookAgain} {
		_, err := step[activities.AttemptReport](s, what, attempt.OrderID)
		require.Error(t, err, name)
	}
	require.Zero(t, s.calls("close", attempt.ID))
}

func TestTheLastLookFindsMoneyForAClosedAttempt(t *testing.T) {
	s := newScene(t)
	order := s.held()
	quiet, late := s.opened(order), s.opened(order)
	require.Equal(t, activities.AttemptReport{Watched: 2}, s.closes(order))
	look := func() activities.AttemptReport {
		return done[activities.AttemptReport](s, s.purchase.LookAgain, order)
	}
	require.Equal(t, activities.AttemptReport{}, look())
	released := done[ticketing.OrderState](s, s.purchase.Release, order, ticketing.OrderExpired)
	require.Equal(t, ticketing.OrderExpired, released)

	require.NoError(t, s.control.PayLate(t.Context(), late.ID, 0))
	s.eventually(func(ctx context.Context) bool {
		status, err := s.provider.Query(ctx, late.ID)
		return err == nil && status.State == ticketing.PaymentPaid
	})
	require.Equal(t, activities.AttemptReport{Captured: []string{late.ID}}, look())
	require.Equal(t, 1, s.calls("close", late.ID), "a look asks, it forbids nothing")
	require.GreaterOrEqual(t, s.calls("query", quiet.ID), 2)

	settled := done[ticketing.Settlement](s, s.purchase.Settle, late.ID)
	require.Equal(t, ticketing.VerdictReject, settled.Verdict)
	require.Equal(t, ticketing.RejectLate, settled.Reason)
	require.True(t, done[bool](s, s.payments.Retake, late.ID), "the stock is free")
	require.Equal(t, 1, s.count("late_payments_total", "retaken"))
	require.Equal(t, 1, s.count("settlements_total", "late", string(ticketing.VerdictReject)))
}

// eventually asks again until it is so.
func (s *scene) eventually(so func(context.Context) bool) {
	s.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(20 * time.Second); !so(s.Context()); <-again.C {
		if time.Now().After(deadline) {
			s.Fatal("it did not happen in time")
		}
	}
}
