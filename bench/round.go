package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/boxoffice/boxoffice/bench/figures"
)

// purchaseBound is how long one purchase may take before the run is a failure.
const purchaseBound = 5 * time.Minute

// catchUpBound is how long what was put off may take once a round is over.
const catchUpBound = 5 * time.Minute

// round is what one contender did with a number of buyers in one window of time.
type round struct {
	buyers    int
	purchases int
	elapsed   time.Duration
	holds     []time.Duration // sorted
	// cpu is the time used in the window, after that used from the last purchase of the round until everything is quiet again.
	cpu, after usage
	// samples are workflows of purchases that ended in the window.
	samples []string
	// total counts every purchase of the round, in the window or not.
	total int
}

// perSecond is how many purchases were completed in a second.
func (r round) perSecond() float64 { return float64(r.purchases) / r.elapsed.Seconds() }

// servers is the CPU time of everything but this process for one purchase, driver that of this process.
func (r round) servers() time.Duration { return r.each(r.cpu.servers()) }

// later is the CPU time for one purchase of what the servers put off until the round was over, such as telling buyers.
func (r round) later() time.Duration  { return r.after.servers() / time.Duration(max(r.total, 1)) }
func (r round) driver() time.Duration { return r.each(r.cpu[partDriver]) }

func (r round) each(d time.Duration) time.Duration {
	if r.purchases == 0 {
		return 0
	}
	return d / time.Duration(r.purchases)
}

// quantile of the hold latencies, q in [0,1].
func (r round) quantile(q float64) time.Duration { return figures.Quantile(r.holds, q) }

// measure lets buyers buy one after another each, all at once: first until everything runs evenly, then for the
// window that counts, then until the last purchase begun has ended. Both take at least the given time, and until as
// many purchases were completed as there are buyers: where one purchase takes longer than that, less would catch a
// moment, not a pace.
func measure(ctx context.Context, c contender, s *stack, buyers int, settle, window time.Duration) (round, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		mu      sync.Mutex
		done    []purchase
		stop    = make(chan struct{})
		running sync.WaitGroup
	)
	for buyer := range buyers {
		running.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-ctx.Done():
					return
				default:
				}
				one, end := context.WithTimeout(ctx, purchaseBound)
				p, err := c.buy(one, buyer)
				end()
				if err != nil {
					cancel(fmt.Errorf("%s, %d buyers: %w", c.name(), buyers, err))
					return
				}
				mu.Lock()
				done = append(done, p)
				mu.Unlock()
			}
		})
	}
	completed := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(done)
	}
	until := func(least time.Duration, purchases int) {
		rest(ctx, least)
		for ctx.Err() == nil && completed() < purchases {
			rest(ctx, 50*time.Millisecond)
		}
	}
	until(settle, buyers)
	begun := time.Now()
	before := readCPU(s)
	until(window, completed()+buyers)
	ended := time.Now()
	used := readCPU(s).since(before)
	close(stop)
	running.Wait()
	busy := readCPU(s)
	err := catchUp(ctx, c)
	quiet(ctx, s)
	if err := errors.Join(err, context.Cause(ctx)); err != nil {
		return round{}, errors.Join(err, s.alive())
	}

	r := round{buyers: buyers, elapsed: ended.Sub(begun), cpu: used, after: readCPU(s).since(busy), total: len(done)}
	for _, p := range done {
		if p.ended.Before(begun) || p.ended.After(ended) {
			continue
		}
		r.purchases++
		r.holds = append(r.holds, p.hold)
		if len(r.samples) < samplesPerRound {
			r.samples = append(r.samples, p.workflow)
		}
	}
	if r.purchases == 0 {
		return r, fmt.Errorf("%s, %d buyers: not one purchase in %s", c.name(), buyers, window)
	}
	slices.Sort(r.holds)
	return r, nil
}

// catchUp waits until a contender has done what it put off.
func catchUp(ctx context.Context, c contender) error {
	ctx, end := context.WithTimeout(ctx, catchUpBound)
	defer end()
	for {
		done, err := c.caughtUp(ctx)
		if done || err != nil {
			return err
		}
		rest(ctx, 100*time.Millisecond)
	}
}

// quiet waits, for a bounded time, until the servers have done with what a round left them.
func quiet(ctx context.Context, s *stack) {
	const step, enough = 250 * time.Millisecond, 40 * time.Millisecond
	last := readCPU(s)
	for range 20 {
		rest(ctx, step)
		now := readCPU(s)
		if now.since(last).servers() < enough {
			return
		}
		last = now
	}
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
