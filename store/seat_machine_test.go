package store_test

import (
	"fmt"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
)

// seatedLife is a life of orders for numbered seats, assigned or chosen from a few that everybody wants, while the
// organiser keeps seats back and releases them.
type seatedLife struct{ *life }

func TestAnyInterleavingKeepsEverySeat(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	hall := storetest.Hall()
	hall.ID = "large"
	for i := range 60 {
		row := seating.Row{Label: strconv.Itoa(10 + i)}
		for j := range 12 {
			row.Seats = append(row.Seats, seating.Seat{
				Label: strconv.Itoa(j + 1), At: seating.Point{X: 50 * j, Y: 1000 + 100*i}, Category: []string{"front", "rear"}[i%2],
			})
		}
		hall.Sections[0].Rows = append(hall.Sections[0].Rows, row)
	}
	if err := s.ImportSeatMap(t.Context(), hall); err != nil {
		t.Fatal(err)
	}
	event := storetest.SeatedEvent("show", 5)
	event.Sessions[0].SeatMap.ID = "large"
	if err := s.SeedCatalogue(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	l := &seatedLife{newLife(s)}
	l.live(t, map[string]func(*rapid.T){"hold": l.hold, "block": l.block})
}

// seats draws seats of row 5, of which the first five are show-t1's and the others show-t2's.
func (l *seatedLife) seats(t *rapid.T, from, n int) []string {
	var ids []string
	first := rapid.IntRange(from, from+5-n).Draw(t, "first seat")
	for i := range n {
		ids = append(ids, fmt.Sprintf("hall/5/%d", first+i))
	}
	return ids
}

func (l *seatedLife) hold(t *rapid.T) {
	r := request(rapid.IntRange(1, 3).Draw(t, "first"), rapid.IntRange(0, 2).Draw(t, "second"))
	for i := range r.Lines {
		if rapid.Bool().Draw(t, "chosen") {
			r.Lines[i].SeatIDs = l.seats(t, 1+5*i, r.Lines[i].Quantity)
		}
	}
	if len(l.holds) > 0 && rapid.Bool().Draw(t, "again") {
		r = any1(t, l.holds, "order")
	}
	result := must(l.Hold(l.Context(), r))(t)
	switch {
	case result.Refusal == nil:
		l.holds = append(l.holds, r)
	case result.Refusal.Code == ticketing.CodeSeatTaken:
		for _, lost := range result.Refusal.Seats.Taken {
			for _, instead := range result.Refusal.Seats.Alternative {
				if lost == instead {
					t.Fatalf("%s is gone and offered: %+v", lost, result.Refusal.Seats)
				}
			}
		}
	case result.Refusal.Code != ticketing.CodeSoldOut && result.Refusal.Code != ticketing.CodeNotTogether:
		t.Fatalf("%+v", result.Refusal)
	}
}

func (l *seatedLife) block(t *rapid.T) {
	seats := l.seats(t, 1+5*rapid.IntRange(0, 1).Draw(t, "type"), rapid.IntRange(1, 3).Draw(t, "seats"))
	err := l.BlockSeats(l.Context(), "show-s1", seats, "")
	if rapid.Bool().Draw(t, "release") {
		err = l.UnblockSeats(l.Context(), "show-s1", seats)
	}
	if code := ticketing.CodeOf(err); err != nil && code != ticketing.CodeSeatTaken && code != ticketing.CodeConflict {
		t.Fatal(err)
	}
}
