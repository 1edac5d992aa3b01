package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/boxoffice/boxoffice/bench/figures"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
)

// What buyers of the arena want: two seats of the category with the most seats, or two that are next to each other among
// popularRows of its rows.
const (
	seatCategory = "home"
	popularRows  = 150
	// Every turn is played in a session of its own, and so long that there are always seats left.
	seatSettle, seatWindow = 100, 1200
)

var seatBuyers = []int{1, 8, 64}

// seatContender is a way of asking for two tickets.
type seatContender struct {
	name, category string
	refusal        ticketing.Code
	ask            func(tickets) func() ticketing.HoldRequest
}

// seatContenders: the first is what the others are compared with.
func seatContenders() []seatContender {
	plan := seating.NewPlan(arenaMap())
	rows := plan.WordsOf(seatCategory)
	rows = rows[:popularRows]
	return []seatContender{
		{name: "no seats", ask: func(t tickets) func() ticketing.HoldRequest {
			return func() ticketing.HoldRequest { return t.ask(2) }
		}},
		{name: "the best two", category: seatCategory, ask: func(t tickets) func() ticketing.HoldRequest {
			return func() ticketing.HoldRequest { return t.ask(2) }
		}},
		{name: "two chosen", category: seatCategory, refusal: ticketing.CodeSeatTaken, ask: func(t tickets) func() ticketing.HoldRequest {
			return func() ticketing.HoldRequest {
				row := plan.Words()[rows[rand.IntN(len(rows))]]
				first := row.First + rand.IntN(row.Count-1)
				return t.ask(2, plan.IDs([]int{first, first + 1})...)
			}
		}},
	}
}

// seatResult is what was measured of holds of numbered seats.
type seatResult struct {
	turns  int
	names  []string
	seats  int
	rounds map[string]map[int][]round // by contender and buyers
}

func measureSeats(ctx context.Context, s *scene, o options) (result, error) {
	contenders := seatContenders()
	r := seatResult{turns: o.turns, seats: seating.NewPlan(arenaMap()).Seats(), rounds: map[string]map[int][]round{}}
	for _, c := range contenders {
		r.names = append(r.names, c.name)
		r.rounds[c.name] = map[int][]round{}
	}
	for _, buyers := range seatBuyers {
		for turn := range o.turns {
			for _, c := range turns(contenders, turn) {
				session, err := s.sell(ctx, c.category)
				if err != nil {
					return nil, err
				}
				all := crowd{buyers: buyers, ask: c.ask(session), refusal: c.refusal, settleFor: seatSettle, windowFor: seatWindow}
				one, err := all.buy(ctx, s.Store)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", c.name, err)
				}
				r.rounds[c.name][buyers] = append(r.rounds[c.name][buyers], one)
				fmt.Fprintf(os.Stderr, "seats, turn %d, %3d buyers, %-12s %7.0f answers/s   p50 %6.1f ms p99 %7.1f ms   %2.0f %% refused\n",
					turn+1, buyers, c.name, one.perSecond(), one.p50(), one.p99(), one.refusedShare())
			}
		}
	}
	return r, nil
}

// String is the results as Markdown.
func (r seatResult) String() string {
	w := &strings.Builder{}
	fmt.Fprintf(w, "%d turns of %d answers each, in a session of its own each time; median (least–most). %d seats.\n\n", r.turns, seatWindow, r.seats)
	fmt.Fprintln(w, "| buyers | two tickets | answers/s | p50 ms | p99 ms | refused % | × no seats |\n|---:|---|---:|---:|---:|---:|---:|")
	for _, buyers := range seatBuyers {
		plain := r.rounds[r.names[0]][buyers]
		for _, name := range r.names {
			all := r.rounds[name][buyers]
			ratios := make([]float64, len(all))
			for turn := range all {
				ratios[turn] = all[turn].perSecond() / plain[turn].perSecond()
			}
			fmt.Fprintf(w, "| %d | %s | %s | %s | %s | %s | %s |\n", buyers, name, figures.Spread(all, "%.0f", round.perSecond),
				figures.Spread(all, "%.1f", round.p50), figures.Spread(all, "%.1f", round.p99), figures.Spread(all, "%.0f", round.refusedShare), figures.Ratio(ratios))
		}
	}
	return w.String()
}

// missed implements [result]: nothing is promised here.
func (r seatResult) missed() []string { return nil }
