package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/boxoffice/boxoffice/bench/figures"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
)

// holdPace is at least how long after one hold the next is made, so that each is news of its own.
const holdPace = 500 * time.Millisecond

// questionsBar is how many times as many questions the database may be asked for many viewers as for one: the same, but
// for what the clock makes of it.
const questionsBar = 1.2

var viewerCounts = []int{1, 100, 1000}

// showing is what sending a stream to some viewers took in one turn.
type showing struct {
	viewers   int
	elapsed   time.Duration
	questions int64
	cpu       time.Duration
	delays    []time.Duration // sorted
}

func (x showing) questionsPerSecond() float64 { return float64(x.questions) / x.elapsed.Seconds() }

func (x showing) cpuPerMinute() float64 { return figures.Milliseconds(x.cpu) / x.elapsed.Minutes() }

func (x showing) cpuPerViewer() float64 { return x.cpuPerMinute() / float64(x.viewers) }

func (x showing) delay(q float64) float64 {
	return figures.Milliseconds(figures.Quantile(x.delays, q))
}

// streamResult is what was measured of streams.
type streamResult struct {
	turns    int
	watch    time.Duration
	showings map[string]map[int][]showing // by channel and viewers
}

func measureStreams(ctx context.Context, s *scene, o options) (result, error) {
	r := streamResult{turns: o.turns, watch: o.watch, showings: map[string]map[int][]showing{}}
	for _, c := range channels {
		r.showings[c.name] = map[int][]showing{}
		for turn := range o.turns {
			for _, viewers := range turns(viewerCounts, turn) {
				one, err := s.show(ctx, c, viewers, o)
				if err != nil {
					return nil, fmt.Errorf("%s, %d viewers: %w", c.name, viewers, err)
				}
				r.showings[c.name][viewers] = append(r.showings[c.name][viewers], one)
				fmt.Fprintf(os.Stderr, "streams, turn %d, %-12s %4d viewers   %4.1f questions/s   %6.1f ms CPU a minute   delay p50 %4.0f p99 %4.0f most %4.0f ms\n",
					turn+1, c.name, viewers, one.questionsPerSecond(), one.cpuPerMinute(), one.delay(.5), one.delay(.99), one.delay(1))
			}
		}
	}
	return r, nil
}

// show lets viewers watch a session of their own, of which somebody takes a ticket now and then. The server is a new one:
// that viewers have gone an old one notices only with its next heartbeat.
func (s *scene) show(ctx context.Context, c channel, viewers int, o options) (showing, error) {
	session, err := s.sell(ctx, c.category)
	if err != nil {
		return showing{}, err
	}
	next, first := session.one, 0
	if c.category != "" {
		next, first = session.oneAfterTheOther(c.category)
	}
	server, err := s.startServer(ctx)
	if err != nil {
		return showing{}, err
	}
	defer func() { _ = server.stop() }()
	all, err := seat(ctx, c, server.url+"/api/v1/sessions/"+session.session+"/"+c.path, first, viewers)
	if err != nil {
		return showing{}, err
	}
	defer all.end()
	time.Sleep(o.settle)
	before, err := server.used()
	if err != nil {
		return showing{}, err
	}
	var committed []time.Time
	for time.Since(before.at) < o.watch {
		result, err := s.Hold(ctx, next())
		if err != nil || result.Refusal != nil {
			return showing{}, fmt.Errorf("held %+v: %w", result.Refusal, err)
		}
		committed = append(committed, time.Now())
		time.Sleep(holdPace + rand.N(holdPace))
	}
	delays, err := all.delays(committed)
	if err != nil {
		return showing{}, err
	}
	after, err := server.used()
	slices.Sort(delays)
	return showing{viewers, after.at.Sub(before.at), after.questions - before.questions, after.cpu - before.cpu, delays}, err
}

// oneAfterTheOther asks for the seats of a category from the first on.
func (t tickets) oneAfterTheOther(category string) (next func() ticketing.HoldRequest, first int) {
	plan := seating.NewPlan(arenaMap())
	first = plan.Words()[plan.WordsOf(category)[0]].First
	seat := first
	return func() ticketing.HoldRequest {
		seat++
		return t.ask(1, plan.ID(seat-1))
	}, first
}

// String is the results as Markdown.
func (r streamResult) String() string {
	w := &strings.Builder{}
	fmt.Fprintf(w, "%d turns of %s each; median (least–most).\n\n", r.turns, r.watch)
	fmt.Fprintf(w, "| stream | viewers | questions/s | × one viewer's (bar: ≤ %.1f) | CPU ms/min | CPU ms/min and viewer | × one viewer's | delay p50 ms | p99 | most |\n", questionsBar)
	fmt.Fprintln(w, "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
	for _, c := range channels {
		alone := r.showings[c.name][viewerCounts[0]]
		for _, viewers := range viewerCounts {
			all := r.showings[c.name][viewers]
			ratios := func(value func(showing) float64) string { return figures.Ratio(beside(all, alone, value)) }
			delay := func(q float64) string {
				return figures.Spread(all, "%.0f", func(x showing) float64 { return x.delay(q) })
			}
			fmt.Fprintf(w, "| %s | %d | %s | %s | %s | %s | %s | %s | %s | %s |\n", c.name, viewers,
				figures.Spread(all, "%.1f", showing.questionsPerSecond), ratios(showing.questionsPerSecond),
				figures.Spread(all, "%.0f", showing.cpuPerMinute), figures.Spread(all, "%.1f", showing.cpuPerViewer), ratios(showing.cpuPerViewer),
				delay(.5), delay(.99), delay(1))
		}
	}
	return w.String()
}

// beside is a value as a multiple of another's, turn by turn.
func beside(all, others []showing, value func(showing) float64) []float64 {
	ratios := make([]float64, len(all))
	for turn := range all {
		ratios[turn] = value(all[turn]) / value(others[turn])
	}
	return ratios
}

// missed names every stream for which the database is asked more when more people watch.
func (r streamResult) missed() []string {
	var missed []string
	for _, c := range channels {
		for _, viewers := range viewerCounts {
			all := beside(r.showings[c.name][viewers], r.showings[c.name][viewerCounts[0]], showing.questionsPerSecond)
			if of := figures.Median(all, func(x float64) float64 { return x }); of > questionsBar {
				missed = append(missed, fmt.Sprintf("%s: %d viewers ask %.2f × as much as one, the bar is %.2f", c.name, viewers, of, questionsBar))
			}
		}
	}
	return missed
}
