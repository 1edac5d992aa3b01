package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/boxoffice/boxoffice/bench/figures"
)

// hotBar is what holds have to reach of what pgbench does at its best, from hotBarFrom buyers on: fewer cannot use what
// is left of the processors and the disk while one waits for its answer.
const (
	hotBar     = 0.8
	hotBarFrom = 8
)

var (
	hotBuyers  = []int{1, 8, 64, 256}
	hotClients = []int{1, 2, 4, 8, 16}
)

// hotContender is either buyers, whose holds share transactions or do not, or clients of pgbench.
type hotContender struct {
	buyers, clients int
	alone           bool
}

func (c hotContender) name() string {
	switch {
	case c.clients > 0:
		return fmt.Sprintf("pgbench, %d clients", c.clients)
	case c.alone:
		return fmt.Sprintf("%d buyers, each on their own", c.buyers)
	default:
		return fmt.Sprintf("%d buyers", c.buyers)
	}
}

// hotResult is what was measured of a ticket type that everybody wants.
type hotResult struct {
	turns  int
	window time.Duration
	rounds map[hotContender][]round
}

// rate is how many holds a second there were in a turn.
func (r hotResult) rate(c hotContender, turn int) float64 { return r.rounds[c][turn].perSecond() }

// best is what pgbench did at its best number of clients in a turn.
func (r hotResult) best(turn int) float64 {
	best := 0.0
	for _, clients := range hotClients {
		best = max(best, r.rate(hotContender{clients: clients}, turn))
	}
	return best
}

// ofBest is what a contender did as a multiple of that, turn by turn.
func (r hotResult) ofBest(c hotContender) []float64 {
	ratios := make([]float64, r.turns)
	for turn := range ratios {
		ratios[turn] = r.rate(c, turn) / r.best(turn)
	}
	return ratios
}

// measureHot lets everybody hold one ticket of the same ticket type.
func measureHot(ctx context.Context, s *scene, o options) (result, error) {
	hot, err := s.sell(ctx, "")
	if err != nil {
		return nil, err
	}
	script, err := s.writeScript(ctx, hot)
	if err != nil {
		return nil, err
	}
	var contenders []hotContender
	for _, n := range hotClients {
		contenders = append(contenders, hotContender{clients: n})
	}
	for _, n := range hotBuyers {
		contenders = append(contenders, hotContender{buyers: n}, hotContender{buyers: n, alone: true})
	}
	r := hotResult{turns: o.turns, window: o.window, rounds: map[hotContender][]round{}}
	for turn := range o.turns {
		for _, c := range turns(contenders, turn) {
			one, err := s.hot(ctx, c, hot, script, o)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name(), err)
			}
			r.rounds[c] = append(r.rounds[c], one)
			fmt.Fprintf(os.Stderr, "hot, turn %d, %-28s %7.0f holds/s", turn+1, c.name(), one.perSecond())
			if c.buyers > 0 {
				fmt.Fprintf(os.Stderr, "   p50 %6.1f ms p99 %7.1f ms", one.p50(), one.p99())
			}
			fmt.Fprintln(os.Stderr)
		}
	}
	return r, nil
}

// hot lets one contender have its turn.
func (s *scene) hot(ctx context.Context, c hotContender, hot tickets, script script, o options) (round, error) {
	if c.clients > 0 {
		return s.pgbench(ctx, script, c.clients, o.settle+o.window)
	}
	db := s.Store
	if c.alone {
		db = s.alone
	}
	return crowd{buyers: c.buyers, ask: hot.one, settle: o.settle, window: o.window}.buy(ctx, db)
}

// String is the results as Markdown.
func (r hotResult) String() string {
	w := &strings.Builder{}
	fmt.Fprintf(w, "%d turns of %s each; median (least–most). The bar, from %d buyers on, is ≥ %.1f × pgbench at its best.\n\n", r.turns, r.window, hotBarFrom, hotBar)
	fmt.Fprintln(w, "| buyers | holds/s | p50 ms | p99 ms | × pgbench at its best | each on their own: holds/s | p50 ms | p99 ms | × pgbench at its best |")
	fmt.Fprintln(w, "|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
	for _, buyers := range hotBuyers {
		fmt.Fprintf(w, "| %d |", buyers)
		for _, alone := range []bool{false, true} {
			c := hotContender{buyers: buyers, alone: alone}
			all := r.rounds[c]
			fmt.Fprintf(w, " %s | %s | %s | %s |", figures.Spread(all, "%.0f", round.perSecond),
				figures.Spread(all, "%.1f", round.p50), figures.Spread(all, "%.1f", round.p99), figures.Ratio(r.ofBest(c)))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "\n| pgbench's clients | holds/s |\n|---:|---:|\n")
	for _, clients := range hotClients {
		fmt.Fprintf(w, "| %d | %s |\n", clients, figures.Spread(r.rounds[hotContender{clients: clients}], "%.0f", round.perSecond))
	}
	return w.String()
}

// missed names every number of buyers that missed the bar.
func (r hotResult) missed() []string {
	var missed []string
	for _, buyers := range hotBuyers {
		all := r.ofBest(hotContender{buyers: buyers})
		if of := figures.Median(all, func(x float64) float64 { return x }); buyers >= hotBarFrom && of < hotBar {
			missed = append(missed, fmt.Sprintf("%d buyers hold %.2f × what pgbench does, the bar is %.2f", buyers, of, hotBar))
		}
	}
	return missed
}
