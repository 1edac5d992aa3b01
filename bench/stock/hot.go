package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/boxoffice/boxoffice/bench/figures"
)

// hotBar is what holds have to reach of what pgbench does at its best.
const hotBar = 0.8

var (
	hotBuyers  = []int{1, 8, 64, 256}
	hotClients = []int{1, 2, 4, 8, 16}
)

// hotResult is what was measured of a ticket type that everybody wants.
type hotResult struct {
	turns   int
	window  time.Duration
	holds   map[int][]round   // by buyers
	pgbench map[int][]float64 // holds a second, by clients
}

// best is what pgbench did at its best number of clients in a turn.
func (r hotResult) best(turn int) float64 {
	best := 0.0
	for _, rates := range r.pgbench {
		best = max(best, rates[turn])
	}
	return best
}

// measureHot lets everybody hold one ticket of the same ticket type.
func measureHot(ctx context.Context, s *scene, o options) (fmt.Stringer, error) {
	hot, err := s.sell(ctx, "")
	if err != nil {
		return nil, err
	}
	script, err := s.writeScript(ctx, hot)
	if err != nil {
		return nil, err
	}
	r := hotResult{turns: o.turns, window: o.window, holds: map[int][]round{}, pgbench: map[int][]float64{}}
	type contender struct{ buyers, clients int }
	var contenders []contender
	for _, n := range hotClients {
		contenders = append(contenders, contender{clients: n})
	}
	for _, n := range hotBuyers {
		contenders = append(contenders, contender{buyers: n})
	}
	for turn := range o.turns {
		for _, c := range turns(contenders, turn) {
			if c.clients > 0 {
				rate, err := s.pgbench(ctx, script, c.clients, o.settle+o.window)
				if err != nil {
					return nil, err
				}
				r.pgbench[c.clients] = append(r.pgbench[c.clients], rate)
				fmt.Fprintf(os.Stderr, "hot, turn %d, pgbench, %3d clients %7.0f holds/s\n", turn+1, c.clients, rate)
				continue
			}
			all := crowd{buyers: c.buyers, ask: hot.one, settle: o.settle, window: o.window}
			one, err := all.buy(ctx, s)
			if err != nil {
				return nil, err
			}
			r.holds[c.buyers] = append(r.holds[c.buyers], one)
			fmt.Fprintf(os.Stderr, "hot, turn %d, %3d buyers %7.0f holds/s   p50 %6.1f ms p99 %7.1f ms\n", turn+1, c.buyers, one.perSecond(), one.p50(), one.p99())
		}
	}
	return r, nil
}

// String is the results as Markdown.
func (r hotResult) String() string {
	w := &strings.Builder{}
	fmt.Fprintf(w, "%d turns of %s each; median (least–most).\n\n", r.turns, r.window)
	fmt.Fprintf(w, "| buyers | holds/s | p50 ms | p99 ms | × pgbench at its best (bar: ≥ %.1f) |\n|---:|---:|---:|---:|---:|\n", hotBar)
	for _, buyers := range hotBuyers {
		all := r.holds[buyers]
		ratios := make([]float64, len(all))
		for turn := range all {
			ratios[turn] = all[turn].perSecond() / r.best(turn)
		}
		fmt.Fprintf(w, "| %d | %s | %s | %s | %s |\n", buyers, figures.Spread(all, "%.0f", round.perSecond),
			figures.Spread(all, "%.1f", round.p50), figures.Spread(all, "%.1f", round.p99), figures.Ratio(ratios))
	}
	fmt.Fprintf(w, "\n| pgbench's clients | holds/s |\n|---:|---:|\n")
	for _, clients := range slices.Sorted(slices.Values(hotClients)) {
		fmt.Fprintf(w, "| %d | %s |\n", clients, figures.Spread(r.pgbench[clients], "%.0f", func(x float64) float64 { return x }))
	}
	return w.String()
}
