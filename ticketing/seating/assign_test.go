package seating_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/ticketing/seating"
)

func name(s string) seating.Text { return seating.Text{"en": s, "zh-CN": s} }

// hall draws a map with seats of two categories, aisles, seats for few, and sometimes a row of several words.
func hall(t *rapid.T) *seating.Plan {
	m := seating.Map{
		ID: "hall", Version: 1, Name: name("hall"), Best: seating.Point{X: 300, Y: 200},
		Categories: []seating.Category{{"a", name("a")}, {"b", name("b")}},
	}
	section := seating.Section{ID: "s", Name: name("s")}
	for r := range rapid.IntRange(1, 4).Draw(t, "rows") {
		row := seating.Row{Label: strconv.Itoa(r + 1)}
		length := rapid.OneOf(rapid.IntRange(1, 12), rapid.IntRange(60, 130)).Draw(t, "length")
		for i := range length {
			row.Seats = append(row.Seats, seating.Seat{
				Label: strconv.Itoa(i + 1), At: seating.Point{X: 50 * i, Y: 90 * r},
				Category:   rapid.SampledFrom([]string{"a", "a", "a", "a", "a", "a", "b"}).Draw(t, "category"),
				Aisle:      rapid.IntRange(0, 9).Draw(t, "aisle") == 0,
				Restricted: rapid.IntRange(0, 9).Draw(t, "restricted") == 0,
			})
		}
		section.Rows = append(section.Rows, row)
	}
	m.Sections = []seating.Section{section}
	return seating.NewPlan(m)
}

// someTaken takes seats of a hall by chance.
func someTaken(t *rapid.T, p *seating.Plan) seating.Bits {
	taken := p.AllFree()
	often := rapid.IntRange(0, 10).Draw(t, "often")
	for seat := range p.Seats() {
		if rapid.IntRange(0, 9).Draw(t, "taken") < often {
			p.Take(taken, []int{seat})
		}
	}
	return taken
}

// oracle knows the rules in the plainest form.
type oracle struct {
	*seating.Plan
	taken seating.Bits
}

// free says whether the seat exists, is of the category, and nobody has it.
func (o oracle) free(seat int, category string) bool {
	return seat >= 0 && seat < o.Seats() && o.Seat(seat).Category == category && o.Free(o.taken, seat)
}

// neighbours says whether two seats, one number apart, stand side by side.
func (o oracle) neighbours(seat, next int) bool {
	if seat < 0 || next >= o.Seats() || o.Seat(seat).Aisle {
		return false
	}
	return o.Seat(seat).At.Y == o.Seat(next).At.Y // rows of these halls are straight
}

func (o oracle) windows(category string, n int) [][]int {
	var all [][]int
	for first := range o.Seats() {
		var seats []int
		for seat := first; len(seats) < n && o.free(seat, category) && (seat == first || o.neighbours(seat-1, seat)); seat++ {
			seats = append(seats, seat)
		}
		if len(seats) == n {
			all = append(all, seats)
		}
	}
	return all
}

// orphans counts the seats left alone beside a window that were not alone before.
func (o oracle) orphans(seats []int, category string) int {
	after := slices.Clone(o.taken)
	o.Take(after, seats)
	then := oracle{o.Plan, after}
	alone := func(seat int) bool {
		return then.free(seat, category) &&
			(!then.neighbours(seat-1, seat) || !then.free(seat-1, category)) && (!then.neighbours(seat, seat+1) || !then.free(seat+1, category))
	}
	count := 0
	if before := seats[0] - 1; o.neighbours(before, seats[0]) && alone(before) {
		count++
	}
	if after := seats[len(seats)-1] + 1; o.neighbours(after-1, after) && alone(after) {
		count++
	}
	return count
}

func (o oracle) special(seats []int) int {
	count := 0
	for _, seat := range seats {
		if o.Seat(seat).Restricted {
			count++
		}
	}
	return count
}

func distance(p *seating.Plan, seats []int, to seating.Point) int {
	sum := 0
	for _, seat := range seats {
		at := p.Seat(seat).At
		sum += (at.X-to.X)*(at.X-to.X) + (at.Y-to.Y)*(at.Y-to.Y)
	}
	return sum
}

// ranked is how good a window is; the lesser is the better.
func (o oracle) ranked(seats []int, category string) [3]int {
	return [3]int{o.special(seats), o.orphans(seats, category), distance(o.Plan, seats, o.Map.Best)}
}

func least(all [][]int, rank func([]int) [3]int) [3]int {
	best := rank(all[0])
	for _, seats := range all[1:] {
		if r := rank(seats); slices.Compare(r[:], best[:]) < 0 {
			best = r
		}
	}
	return best
}

func TestBestSeatsAreTheBestOfAllThatAreTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := hall(t)
		o := oracle{p, someTaken(t, p)}
		n := rapid.IntRange(1, 6).Draw(t, "n")
		best, windows := p.Best(o.taken, "a", n), o.windows("a", n)
		if len(windows) == 0 {
			if best != nil {
				t.Fatalf("%v although no %d are together", best, n)
			}
			return
		}
		if !slices.ContainsFunc(windows, func(w []int) bool { return slices.Equal(w, best) }) {
			t.Fatalf("%v are not %d free seats side by side", best, n)
		}
		rank := func(seats []int) [3]int { return o.ranked(seats, "a") }
		if have, want := rank(best), least(windows, rank); have != want {
			t.Fatalf("%v rank %v, others %v", best, have, want)
		}
	})
}

func TestRandomSeatsAreTogetherAndLeaveNoSeatAloneWhereAvoidable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := hall(t)
		o := oracle{p, someTaken(t, p)}
		n := rapid.IntRange(1, 6).Draw(t, "n")
		windows := o.windows("a", n)
		rank := func(seats []int) [3]int { return [3]int{o.special(seats), o.orphans(seats, "a")} }
		for seed := range uint64(5) {
			seats := p.Random(o.taken, "a", n, rand.New(rand.NewPCG(seed, 1)))
			if len(windows) == 0 {
				if seats != nil {
					t.Fatalf("%v although no %d are together", seats, n)
				}
				continue
			}
			if !slices.ContainsFunc(windows, func(w []int) bool { return slices.Equal(w, seats) }) || rank(seats) != least(windows, rank) {
				t.Fatalf("%v rank %v, others %v", seats, rank(seats), least(windows, rank))
			}
		}
	})
}

// parts counts the groups seats fall into.
func (o oracle) parts(seats []int) int {
	parts := 0
	for i, seat := range seats {
		if i == 0 || seats[i-1] != seat-1 || !o.neighbours(seat-1, seat) {
			parts++
		}
	}
	return parts
}

func TestThoseApartAreInAsFewGroupsAsCanBe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := hall(t)
		o := oracle{p, someTaken(t, p)}
		n := rapid.IntRange(1, 8).Draw(t, "n")
		seats := p.Apart(o.taken, "a", n)
		if p.CountFree(o.taken, "a") < n {
			if seats != nil {
				t.Fatalf("%v of fewer than %d free seats", seats, n)
			}
			return
		}
		if len(slices.Compact(slices.Clone(seats))) != n || !slices.IsSorted(seats) {
			t.Fatalf("%v are not %d seats", seats, n)
		}
		for _, seat := range seats {
			if !o.free(seat, "a") {
				t.Fatalf("seat %d is not free", seat)
			}
		}
		// The fewest groups: as many of the longest runs as are needed.
		var runs []int
		for first := 0; first < p.Seats(); first++ {
			length := 0
			for o.free(first+length, "a") && (length == 0 || o.neighbours(first+length-1, first+length)) {
				length++
			}
			if length > 0 {
				runs = append(runs, length)
				first += length - 1
			}
		}
		slices.Sort(runs)
		fewest, left := 0, n
		for i := len(runs) - 1; left > 0; i-- {
			fewest, left = fewest+1, left-runs[i]
		}
		if have := o.parts(seats); have != fewest {
			t.Fatalf("%v are %d groups instead of %d", seats, have, fewest)
		}
	})
}

func TestInsteadOfLostSeatsComeTheNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := hall(t)
		o := oracle{p, p.AllFree()}
		n := rapid.IntRange(1, 4).Draw(t, "n")
		chosen := p.Best(o.taken, "a", n)
		o.taken = someTaken(t, p)
		seats := p.Instead(o.taken, "a", chosen)
		if chosen == nil {
			return
		}
		for _, seat := range seats {
			if !o.free(seat, "a") {
				t.Fatalf("seat %d is not free", seat)
			}
		}
		windows := o.windows("a", n)
		switch {
		case len(windows) > 0:
			middle := p.Seat(chosen[0]).At
			middle.X += 25 * (n - 1)
			near := func(seats []int) [3]int { return [3]int{distance(p, seats, middle)} }
			if near(seats) != least(windows, near) || o.parts(seats) != 1 {
				t.Fatalf("instead of %v: %v", chosen, seats)
			}
		case p.CountFree(o.taken, "a") < n:
			if seats != nil {
				t.Fatalf("%v of fewer than %d free seats", seats, n)
			}
		default:
			if len(seats) != n {
				t.Fatalf("instead of %v: %v", chosen, seats)
			}
			for _, seat := range chosen {
				if o.Free(o.taken, seat) && !slices.Contains(seats, seat) {
					t.Fatalf("seat %d was free and is lost: %v", seat, seats)
				}
			}
		}
	})
}

func TestAMapSellsOutInGroupsWithoutASeatTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := hall(t)
		taken, sold := p.AllFree(), map[int]bool{}
		for p.CountFree(taken, "a") > 0 {
			n := min(rapid.IntRange(1, 5).Draw(t, "n"), p.CountFree(taken, "a"))
			seats := p.Best(taken, "a", n)
			if seats == nil {
				seats = p.Apart(taken, "a", n)
			}
			for _, seat := range seats {
				if sold[seat] {
					t.Fatalf("seat %d twice", seat)
				}
				sold[seat] = true
			}
			p.Take(taken, seats)
		}
		if len(sold) != p.Count("a") {
			t.Fatalf("%d of %d sold", len(sold), p.Count("a"))
		}
	})
}

func TestSeatsAreWhereTheirBitsAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := hall(t)
		next := 0
		for _, word := range p.Words() {
			if word.First != next || word.Count < 1 || word.Count > seating.WordSeats || word.Mask() < 0 {
				t.Fatalf("%+v after seat %d", word, next)
			}
			next += word.Count
		}
		if next != p.Seats() {
			t.Fatalf("words for %d of %d seats", next, p.Seats())
		}
		for seat := range p.Seats() {
			found, ok := p.Find(p.ID(seat))
			if !ok || found != seat || p.At(p.Position(seat)) != seat || !slices.Contains(p.WordsOf(p.Seat(seat).Category), p.Position(seat).Word) {
				t.Fatalf("seat %d is %q, found as %d", seat, p.ID(seat), found)
			}
		}
	})
}
