package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/boxoffice/boxoffice/bench/figures"
)

// The bar: what boxoffice has to reach beside the others, from barFrom buyers on.
const (
	overNaive = 3.0
	ofBare    = 0.6
	barFrom   = 16
)

// results is everything one run has measured.
type results struct {
	options options
	started time.Time
	names   []string
	rounds  map[string]map[int][]round // by contender and number of buyers
	history map[string][]history
	sold    map[string]int
	audit   string
	again   int64 // requests the product asked to repeat
	// postgres names the version of the database server.
	postgres string
}

// play gives every contender its turns, in one order and then in the opposite one, so that a busy minute of the machine
// hits all of them, and what one leaves behind for the database to clean up is not always met by the same other.
func (r *results) play(ctx context.Context, s *stack, contenders []contender) error {
	r.rounds, r.history, r.sold = map[string]map[int][]round{}, map[string][]history{}, map[string]int{}
	clients := map[string]client.Client{}
	for _, namespace := range []string{productNamespace, rivalNamespace} {
		c, err := dial(s, namespace)
		if err != nil {
			return err
		}
		defer c.Close()
		clients[namespace] = c
	}
	contenders = slices.DeleteFunc(contenders, func(c contender) bool { return !strings.Contains(c.name(), r.options.contains) })
	for _, c := range contenders {
		r.names = append(r.names, c.name())
		r.rounds[c.name()] = map[int][]round{}
	}
	for _, c := range contenders { // connections, plans and caches are warm before the first turn
		warm, err := measure(ctx, c, s, 8, 0, r.options.settle)
		if err != nil {
			return err
		}
		r.sold[c.name()] += warm.total
	}
	for _, buyers := range r.options.buyers {
		for turn := range r.options.rounds {
			order := slices.Clone(contenders)
			if turn%2 == 1 {
				slices.Reverse(order)
			}
			for _, c := range order {
				one, err := measure(ctx, c, s, buyers, r.options.settle, r.options.window)
				if err != nil {
					return err
				}
				r.rounds[c.name()][buyers] = append(r.rounds[c.name()][buyers], one)
				r.sold[c.name()] += one.total
				fmt.Fprintf(os.Stderr, "%3d buyers, turn %d, %-11s %7.1f /s   hold p50 %6.1f ms p99 %7.1f ms   %5.1f ms CPU + %.1f later + %.1f driver  [%s]\n",
					buyers, turn+1, c.name(), one.perSecond(), figures.Milliseconds(one.quantile(.5)), figures.Milliseconds(one.quantile(.99)),
					figures.Milliseconds(one.servers()), figures.Milliseconds(one.later()), figures.Milliseconds(one.driver()), one.shares())
				for _, id := range one.samples {
					h, err := readHistory(ctx, clients[c.namespace()], id)
					if err != nil {
						return err
					}
					r.history[c.name()] = append(r.history[c.name()], h)
				}
			}
		}
	}
	return r.agree(ctx, contenders)
}

// agree compares what buyers bought with what the books say.
func (r *results) agree(ctx context.Context, contenders []contender) error {
	var wrong []error
	for _, c := range contenders {
		booked, err := c.sold(ctx)
		if err != nil {
			return err
		}
		if booked >= 0 && booked != r.sold[c.name()] {
			wrong = append(wrong, fmt.Errorf("%s: buyers completed %d purchases, its books say %d", c.name(), r.sold[c.name()], booked))
		}
	}
	return errors.Join(wrong...)
}

// check audits the product's database.
func (r *results) check(ctx context.Context, s *stack) error {
	books, err := s.gateway.Books(ctx)
	if err != nil {
		return err
	}
	captured := 0
	for _, p := range books.Payments {
		if p.Captured != nil {
			captured++
		}
	}
	sold := 0
	for name, n := range r.sold {
		if name != (&bare{}).name() {
			sold += n
		}
	}
	if captured != sold {
		return fmt.Errorf("the gateway captured %d payments, buyers completed %d purchases", captured, sold)
	}
	out, err := s.role("audit")
	if err != nil {
		return fmt.Errorf("boxoffice audit: %w\n%s", err, out)
	}
	r.audit = strings.TrimSpace(string(out))
	return nil
}

// ratios are what the product did in each turn as a multiple of what another contender did in the same turn.
func (r *results) ratios(other string, buyers int) []float64 {
	ours, theirs := r.rounds[(&product{}).name()][buyers], r.rounds[other][buyers]
	var all []float64
	for i := range min(len(ours), len(theirs)) {
		all = append(all, ours[i].perSecond()/theirs[i].perSecond())
	}
	return all
}

// bar returns an error for every number of buyers at which the median misses the bar.
func (r *results) bar() error {
	var missed []error
	for _, buyers := range r.options.buyers {
		if buyers < barFrom {
			continue
		}
		for other, least := range map[string]float64{(&naive{}).name(): overNaive, (&bare{}).name(): ofBare} {
			all := r.ratios(other, buyers)
			if middle := figures.Median(all, func(x float64) float64 { return x }); len(all) > 0 && middle < least {
				missed = append(missed, fmt.Errorf("%d buyers: %.2f of the %s, the bar is %.2f", buyers, middle, other, least))
			}
		}
	}
	return errors.Join(missed...)
}
