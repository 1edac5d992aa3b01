package activities_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/ticketing"
)

// oneLook is a round that ends after the sweep has looked, once unless the machine is slow.
const oneLook = time.Nanosecond

func (s *scene) sweeps() {
	s.Helper()
	done[struct{}](s, s.payments.Sweep, oneLook)
}

// sweeping starts a long round; the function it returns stops the worker and gives the round's error.
func (s *scene) sweeping() (stop func() error) {
	s.Helper()
	stopped := make(chan struct{})
	s.SetWorkerStopChannel(stopped)
	ended := make(chan error, 1)
	go func() {
		_, err := s.ExecuteActivity(s.payments.Sweep, time.Hour)
		ended <- err
	}()
	var once sync.Once
	stop = func() error {
		once.Do(func() { close(stopped) })
		select {
		case err := <-ended:
			ended <- err
			return err
		case <-time.After(20 * time.Second):
			return errors.New("the sweep does not stop")
		}
	}
	s.Cleanup(func() { _ = stop() })
	return stop
}

// kept is an attempt whose callback was kept, but not judged, an age ago.
func (s *scene) kept(age time.Duration) ticketing.PaymentAttempt {
	s.Helper()
	attempt := s.opened(s.held())
	result, err := s.store.KeepCallback(s.Context(), ticketing.Callback{
		Provider: attempt.Provider, EventID: "event-" + attempt.ID, Body: []byte("{}"), Payment: &ticketing.PaymentFact{
			Provider: attempt.Provider, AttemptID: attempt.ID, GatewayID: attempt.GatewayID,
			State: ticketing.PaymentPaid, Captured: attempt.Amount, At: time.Now(),
		},
	})
	require.NoError(s, err)
	require.False(s, result.Handled)
	s.execute("UPDATE payment_attempts SET captured_at = captured_at - $2::interval WHERE id = $1", attempt.ID, age)
	return attempt
}

// due is an open attempt whose turn to be asked about has come.
func (s *scene) due() ticketing.PaymentAttempt {
	s.Helper()
	attempt := s.opened(s.held())
	s.execute("UPDATE payment_attempts SET ask_at = now() WHERE id = $1", attempt.ID)
	return attempt
}

func (s *scene) wantNoDelivery() {
	s.Helper()
	require.Empty(s, s.delivered.arrived)
}

func TestHazard25TheSweepDeliversWhatWasKeptTooLong(t *testing.T) {
	s := newScene(t)
	old, fresh := s.kept(6*time.Second), s.kept(0)
	s.sweeps()
	delivered := s.next()
	require.Equal(t, old.ID, delivered.ID)
	require.Equal(t, old.OrderID, delivered.OrderID)
	require.Equal(t, old.GatewayID, delivered.GatewayID)
	require.Zero(t, s.delivered.tries(fresh), "its own delivery may still be under way")
	tries := s.delivered.tries(old)
	require.Equal(t, tries, s.count("swept_payments_total", "kept"))

	s.sweeps()
	require.Equal(t, tries, s.delivered.tries(old), "what a workflow has acknowledged is delivered no more")
}

// TestAVerdictItsWorkflowForgotIsDeliveredAgain: the verdict was stored by a workflow task whose
// completion was lost, and with it the workflow's memory of it.
func TestAVerdictItsWorkflowForgotIsDeliveredAgain(t *testing.T) {
	s := newScene(t)
	attempt := s.kept(6 * time.Second)
	settled := done[ticketing.Settlement](s, s.purchase.Settle, attempt.ID)
	require.Equal(t, ticketing.VerdictAccept, settled.Verdict)
	s.sweeps()
	require.Equal(t, attempt.ID, s.next().ID)
	s.wantNoDelivery()
}

func TestTheSweepFindsAPaymentNobodyToldOf(t *testing.T) {
	s := newScene(t)
	paid, open, early := s.due(), s.due(), s.opened(s.held())
	s.pay(paid)
	s.pay(early)
	s.sweeps()
	delivered := s.next()
	require.Equal(t, paid.ID, delivered.ID)
	require.Equal(t, paid.GatewayID, delivered.GatewayID)
	s.wantNoDelivery()
	require.Equal(t, 1, s.count("swept_payments_total", "lost"))
	require.Equal(t, 1, s.calls("query", open.ID))
	require.Zero(t, s.calls("query", early.ID), "its time has not come")
	require.Equal(t, ticketing.AttemptPending, s.attempt(open).State)
	settled := done[ticketing.Settlement](s, s.purchase.Settle, paid.ID)
	require.Equal(t, ticketing.VerdictAccept, settled.Verdict, "the gateway's answer was recorded before the delivery")

	s.sweeps()
	require.Equal(t, 1, s.calls("query", open.ID), "asked at growing intervals")
}

func TestTheSweepRecordsADeclinedPayment(t *testing.T) {
	s := newScene(t)
	attempt := s.due()
	require.NoError(t, s.control.Decline(t.Context(), attempt.ID))
	s.sweeps()
	require.Equal(t, ticketing.AttemptDeclined, s.attempt(attempt).State)
	s.wantNoDelivery()
}

func TestTheSweepGoesOnWithoutAGateway(t *testing.T) {
	s := newScene(t)
	kept, due, elsewhere := s.kept(time.Minute), s.due(), s.started(s.held(), "elsewhere")
	s.execute("UPDATE payment_attempts SET ask_at = now() WHERE id = $1", elsewhere.ID)
	s.faults(gateway.Faults{Down: []string{"*"}})
	s.sweeps()
	require.Equal(t, kept.ID, s.next().ID)
	require.Zero(t, s.delivered.tries(due)+s.delivered.tries(elsewhere))
	require.Equal(t, 1, s.calls("query", due.ID))
	require.Equal(t, ticketing.AttemptPending, s.attempt(due).State)
}

// journal keeps the log's lines.
type journal struct {
	mu    sync.Mutex
	lines strings.Builder
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines.Write(line)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines.String()
}

func TestADeliveryThatFailsHoldsUpNoOtherAndComesAgain(t *testing.T) {
	s := newScene(t)
	var lines journal
	s.payments.Log = slog.New(slog.NewTextHandler(&lines, nil))
	failing := s.kept(10 * time.Second)
	others := []string{s.kept(9 * time.Second).ID, s.kept(8 * time.Second).ID}
	var tries atomic.Int32
	s.delivered.before = func(a ticketing.PaymentAttempt) error {
		if a.ID == failing.ID && tries.Add(1) == 1 {
			return errors.New("no Temporal today")
		}
		return nil
	}
	stop := s.sweeping()
	require.ElementsMatch(t, others, []string{s.next().ID, s.next().ID}, "the oldest failed, the others arrived")
	require.Equal(t, failing.ID, s.next().ID, "what nobody acknowledged comes with the next look")
	require.Contains(t, lines.String(), "no Temporal today")
	require.Contains(t, lines.String(), failing.ID)
	require.NoError(t, stop())
}

func TestADeliveryThatHangsHoldsUpNoOther(t *testing.T) {
	s := newScene(t)
	hanging, paid := s.kept(10*time.Second), s.kept(9*time.Second)
	release := make(chan struct{})
	s.delivered.before = func(a ticketing.PaymentAttempt) error {
		if a.ID == hanging.ID {
			<-release
		}
		return nil
	}
	stop := s.sweeping()
	letGo := sync.OnceFunc(func() { close(release) })
	t.Cleanup(letGo) // before the sweep is waited for
	require.Equal(t, paid.ID, s.next().ID)
	letGo()
	require.Equal(t, hanging.ID, s.next().ID)
	require.NoError(t, stop())
}

func TestTheSweepAsksAboutManyAttemptsAtOnce(t *testing.T) {
	const many = 20 // more than are asked about at the same time
	s := newScene(t)
	want := make([]string, many)
	for i := range want {
		attempt := s.due()
		s.pay(attempt)
		want[i] = attempt.ID
	}
	s.sweeps()
	have := make([]string, many)
	for i := range have {
		have[i] = s.next().ID
	}
	require.ElementsMatch(t, want, have)
	s.wantNoDelivery()
}

func TestTheSweepReportsThatItIsAlive(t *testing.T) {
	s := newScene(t)
	var beats atomic.Int32
	s.SetOnActivityHeartbeatListener(func(*activity.Info, converter.EncodedValues) { beats.Add(1) })
	s.sweeps()
	require.Positive(t, beats.Load())
}

func TestTheSweepReturnsWhenItsWorkerStops(t *testing.T) {
	s := newScene(t)
	kept := s.kept(time.Minute)
	stop := s.sweeping()
	require.Equal(t, kept.ID, s.next().ID)
	require.NoError(t, stop(), "another worker begins the next round")
}

func TestTheSweepReturnsWhenItIsCancelled(t *testing.T) {
	s := newScene(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.SetWorkerOptions(worker.Options{BackgroundActivityContext: ctx})
	s.delivered.before = func(ticketing.PaymentAttempt) error { cancel(); return nil }
	s.kept(time.Minute)
	ended := make(chan error, 1)
	go func() {
		_, err := s.ExecuteActivity(s.payments.Sweep, time.Hour)
		ended <- err
	}()
	select {
	case err := <-ended:
		require.Error(t, err)
	case <-time.After(20 * time.Second):
		t.Fatal("the sweep goes on")
	}
}

func TestTheSweepFailsWithItsDatabase(t *testing.T) {
	s := newScene(t)
	s.store.Close()
	_, err := step[struct{}](s, s.payments.Sweep, time.Hour)
	require.Error(t, err, "so that Temporal tries it again, and tells")
}

func TestTheSweepOutlivesAGatewayThatHangs(t *testing.T) {
	s := newScene(t, func(c *sandbox.Config) { c.Timeout = 200 * time.Millisecond })
	due := s.due()
	s.faults(gateway.Faults{Hang: []string{"query"}})
	s.sweeps()
	s.wantNoDelivery()
	require.Equal(t, ticketing.AttemptPending, s.attempt(due).State, "a gateway that hangs is asked again later")
}
