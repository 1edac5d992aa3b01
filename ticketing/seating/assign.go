package seating

import (
	"math/rand/v2"
	"slices"
)

// rank orders the places for a group; the lesser is the better. First come seats that everybody may be given, then
// places that leave no seat alone, then those nearest to the best seat of the hall.
type rank struct {
	special int
	orphans int
	cost    int64
}

func (r rank) better(than rank) bool {
	switch {
	case r.special != than.special:
		return r.special < than.special
	case r.orphans != than.orphans:
		return r.orphans < than.orphans
	}
	return r.cost < than.cost
}

// nearer is better for those who have already chosen a place: cost is the distance to it.
func (r rank) nearer(than rank) bool {
	return r.cost < than.cost || r.cost == than.cost && r.better(than)
}

// Best returns the best n seats of a category that are free and stand side by side, in order, or nil if there are no
// n together. It takes places for wheelchairs, seats beside them and seats with a restricted view only where
// there are no others, and leaves a single seat between taken ones only where that is unavoidable.
func (p *Plan) Best(taken Bits, category string, n int) []int {
	return p.together(p.freeRuns(taken, category), n, p.cost, rank.better)
}

// cost is how far a seat is from the best one.
func (p *Plan) cost(seat int) int64 { return p.seats[seat].cost }

// distance is how far a seat is from a point.
func (p *Plan) distance(from Point) func(seat int) int64 {
	return func(seat int) int64 { return squared(p.seats[seat].At, from) }
}

// together returns those n seats of one of the runs that rank before all others.
func (p *Plan) together(runs []span, n int, cost func(seat int) int64, before func(a, b rank) bool) []int {
	var (
		first = -1
		best  rank
	)
	p.windows(runs, n, cost, func(at int, r rank) {
		if first < 0 || before(r, best) {
			first, best = at, r
		}
	})
	if first < 0 {
		return nil
	}
	return seatsFrom(first, n)
}

// windows visits every n seats side by side in runs.
func (p *Plan) windows(runs []span, n int, cost func(seat int) int64, visit func(first int, r rank)) {
	if n < 1 {
		return
	}
	for _, run := range runs {
		var r rank
		for i := range run.count {
			seat := run.first + i
			r.cost += cost(seat)
			r.special += p.specialty(seat)
			if i >= n {
				r.cost -= cost(seat - n)
				r.special -= p.specialty(seat - n)
			}
			if i < n-1 {
				continue
			}
			r.orphans = 0
			if i-n+1 == 1 {
				r.orphans++
			}
			if run.count-i-1 == 1 {
				r.orphans++
			}
			visit(seat-n+1, r)
		}
	}
}

func (p *Plan) specialty(seat int) int {
	if p.seats[seat].special() {
		return 1
	}
	return 0
}

func seatsFrom(first, n int) []int {
	seats := make([]int, n)
	for i := range seats {
		seats[i] = first + i
	}
	return seats
}

// Random returns n seats of a category that are free and stand side by side, chosen by chance among all that are
// as good by the first two rules of Best, or nil if there are no n together.
func (p *Plan) Random(taken Bits, category string, n int, chance *rand.Rand) []int {
	var (
		firsts []int
		best   rank
	)
	p.windows(p.freeRuns(taken, category), n, func(int) int64 { return 0 }, func(at int, r rank) {
		if len(firsts) > 0 && best.better(r) {
			return
		}
		if r.better(best) {
			firsts = firsts[:0]
		}
		firsts, best = append(firsts, at), r
	})
	if len(firsts) == 0 {
		return nil
	}
	return seatsFrom(firsts[chance.IntN(len(firsts))], n)
}

// Apart returns n free seats of a category, in order, in as few groups as can be, each of them as Best would choose
// it; nil if not so many are free. Those who can sit together do.
func (p *Plan) Apart(taken Bits, category string, n int) []int {
	taken = slices.Clone(taken)
	var all []int
	for left := n - len(all); left > 0; left = n - len(all) {
		longest := 0
		runs := p.freeRuns(taken, category)
		for _, run := range runs {
			longest = max(longest, run.count)
		}
		if longest == 0 {
			return nil
		}
		group := p.together(runs, min(left, longest), p.cost, rank.better)
		p.Take(taken, group)
		all = append(all, group...)
	}
	slices.Sort(all)
	return all
}

// Instead returns free seats to take instead of chosen ones, some of which are gone: as many, of the same category, as
// near as can be. Who chose seats side by side gets such seats wherever there are any; who did not keeps
// those that are free and gets the nearest for each of the others. It returns nil if not enough are free.
func (p *Plan) Instead(taken Bits, category string, chosen []int) []int {
	chosen = slices.Sorted(slices.Values(chosen))
	if p.sideBySide(category, chosen) {
		if seats := p.together(p.freeRuns(taken, category), len(chosen), p.distance(p.middle(chosen)), rank.nearer); seats != nil {
			return seats
		}
	}
	return p.replace(taken, category, chosen)
}

// replace keeps the chosen seats that are free and finds the nearest for each of the others.
func (p *Plan) replace(taken Bits, category string, chosen []int) []int {
	taken = slices.Clone(taken)
	var seats, lost []int
	for _, seat := range chosen {
		if p.Free(taken, seat) {
			seats = append(seats, seat)
		} else {
			lost = append(lost, seat)
		}
	}
	p.Take(taken, seats)
	for _, gone := range lost {
		near := p.together(p.freeRuns(taken, category), 1, p.distance(p.seats[gone].At), rank.nearer)
		if near == nil {
			return nil
		}
		p.Take(taken, near)
		seats = append(seats, near...)
	}
	slices.Sort(seats)
	return seats
}

// sideBySide says whether seats, in ascending order, stand so.
func (p *Plan) sideBySide(category string, seats []int) bool {
	if len(seats) == 0 || p.of[category] == nil {
		return false
	}
	first, last := seats[0], seats[len(seats)-1]
	if last-first != len(seats)-1 {
		return false
	}
	return slices.ContainsFunc(p.of[category].stretches, func(s span) bool {
		return first >= s.first && last < s.first+s.count
	})
}

// middle is the point in the middle of seats.
func (p *Plan) middle(seats []int) Point {
	var m Point
	for _, seat := range seats {
		m.X += p.seats[seat].At.X
		m.Y += p.seats[seat].At.Y
	}
	return Point{m.X / len(seats), m.Y / len(seats)}
}
