package api

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/ticketing"
)

// campus is where everybody comes from.
var campus = netip.MustParseAddr("192.0.2.1")

func TestGoodTriesWaitForTheirTurnAndAreNeverRefused(t *testing.T) {
	g := newGuesses()
	var underway, most atomic.Int64
	var once sync.Once
	full, release := make(chan struct{}), make(chan struct{})
	look := func() error {
		n := underway.Add(1)
		defer underway.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if n == guessesBurst {
			once.Do(func() { close(full) })
		}
		<-release
		return nil
	}
	var all sync.WaitGroup
	refused := make(chan error, 60)
	for range cap(refused) {
		all.Go(func() { refused <- g.try(t.Context(), campus, "no", look, func(error) bool { return false }) })
	}
	<-full
	close(release)
	all.Wait()
	for range cap(refused) {
		require.NoError(t, <-refused)
	}
	require.EqualValues(t, guessesBurst, most.Load())
	require.Empty(t, g.underway)
}

func TestGuessesAtOnceAreNoMoreThanGuessesInARow(t *testing.T) {
	g := newGuesses()
	bad := errors.New("no good")
	var looked atomic.Int64
	var all sync.WaitGroup
	answers := make(chan error, 60)
	for range cap(answers) {
		all.Go(func() {
			answers <- g.try(t.Context(), campus, "too many", func() error { looked.Add(1); return bad }, func(err error) bool { return err == bad }) //nolint:errorlint // this very one
		})
	}
	all.Wait()
	for range cap(answers) {
		if err := <-answers; !errors.Is(err, bad) {
			require.Equal(t, codeRateLimited, ticketing.CodeOf(err))
		}
	}
	require.InDelta(t, guessesBurst, looked.Load(), 1)
	require.Empty(t, g.underway)
	other := netip.MustParseAddr("192.0.2.2")
	require.NoError(t, g.try(t.Context(), other, "too many", func() error { return nil }, func(error) bool { return false }))
}

func TestWhoWaitsForATurnGivesUpInTime(t *testing.T) {
	g := newGuesses()
	release, full := make(chan struct{}), make(chan struct{})
	var begun atomic.Int64
	var all sync.WaitGroup
	for range guessesBurst {
		all.Go(func() {
			_ = g.try(t.Context(), campus, "no", func() error {
				if begun.Add(1) == guessesBurst {
					close(full)
				}
				<-release
				return nil
			}, func(error) bool { return false })
		})
	}
	<-full
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := g.try(ctx, campus, "no", func() error { t.Error("it was no turn"); return nil }, func(error) bool { return false })
	require.Equal(t, codeUnavailable, ticketing.CodeOf(err))
	close(release)
	all.Wait()
}
