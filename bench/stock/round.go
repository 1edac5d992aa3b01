package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/boxoffice/boxoffice/bench/figures"
	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/ticketing"
)

// round is what a number of buyers did in one turn.
type round struct {
	answers int // holds and refusals
	refused int
	elapsed time.Duration
	waits   []time.Duration // sorted
}

func (r round) perSecond() float64 { return float64(r.answers) / r.elapsed.Seconds() }

func (r round) refusedShare() float64 { return 100 * float64(r.refused) / float64(max(1, r.answers)) }

func (r round) p50() float64 { return figures.Milliseconds(figures.Quantile(r.waits, .5)) }

func (r round) p99() float64 { return figures.Milliseconds(figures.Quantile(r.waits, .99)) }

// answered is when an answer came, after how long.
type answered struct {
	at      time.Time
	wait    time.Duration
	refused bool
}

// crowd is buyers who each ask for the next tickets as soon as they have the answer to what they asked before.
type crowd struct {
	buyers int
	ask    func() ticketing.HoldRequest
	// refusal is the code that an order may be refused with. Anything else is a failure.
	refusal ticketing.Code
	// settle is for how long, or for how many answers, it does not count yet; window for how long or for how many it does.
	settle, window       time.Duration
	settleFor, windowFor int64
}

// buy lets them buy of a store.
func (c crowd) buy(ctx context.Context, db *store.Store) (round, error) {
	return c.each(ctx, func(ctx context.Context) (bool, error) {
		result, err := db.Hold(ctx, c.ask())
		if err == nil && result.Refusal != nil && result.Refusal.Code != c.refusal {
			err = fmt.Errorf("refused: %+v", *result.Refusal)
		}
		return result.Refusal != nil, err
	})
}

// each lets every one of them take, again and again.
func (c crowd) each(ctx context.Context, take func(context.Context) (refused bool, err error)) (round, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		running sync.WaitGroup
		asked   atomic.Int64
		all     = make([][]answered, c.buyers)
		begun   = time.Now()
		ends    = begun.Add(c.settle + c.window)
	)
	over := func() bool {
		if c.windowFor > 0 {
			return asked.Add(1) > c.settleFor+c.windowFor
		}
		return !time.Now().Before(ends)
	}
	for buyer := range c.buyers {
		running.Go(func() {
			for ctx.Err() == nil && !over() {
				from := time.Now()
				refused, err := take(ctx)
				if err != nil {
					cancel(fmt.Errorf("%d buyers: %w", c.buyers, err))
					return
				}
				at := time.Now()
				all[buyer] = append(all[buyer], answered{at, at.Sub(from), refused})
			}
		})
	}
	running.Wait()
	if err := context.Cause(ctx); err != nil {
		return round{}, err
	}
	return c.count(slices.Concat(all...), begun, ends)
}

// count picks the answers that count.
func (c crowd) count(answers []answered, begun, ends time.Time) (round, error) {
	slices.SortFunc(answers, func(a, b answered) int { return a.at.Compare(b.at) })
	from := begun.Add(c.settle)
	if c.windowFor > 0 {
		from, ends = answers[c.settleFor].at, answers[len(answers)-1].at
	}
	r := round{elapsed: ends.Sub(from)}
	for _, a := range answers {
		if a.at.Before(from) || a.at.After(ends) {
			continue
		}
		r.answers++
		r.waits = append(r.waits, a.wait)
		if a.refused {
			r.refused++
		}
	}
	if r.answers == 0 {
		return r, fmt.Errorf("%d buyers: not one answer in %s", c.buyers, c.window)
	}
	slices.Sort(r.waits)
	return r, nil
}

// turns is the order in which so many have their turn: this one, and every second time the opposite one.
func turns[T any](all []T, turn int) []T {
	order := slices.Clone(all)
	if turn%2 == 1 {
		slices.Reverse(order)
	}
	return order
}
