package storetest

import (
	"strconv"

	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
)

// Hall makes a seat map. Its section "hall" has rows 1 to 3 with ten seats of the category "front" each, row 4 with
// seventy of "rear", which are two words, and row 5 with five of either; seat 5/1 is a place for a wheelchair. Beside
// it there is an area "standing". Row 1 is the best.
func Hall() seating.Map {
	m := seating.Map{
		ID: "hall", Version: 1, Name: text("Hall", "大厅"),
		Categories: []seating.Category{
			{ID: "front", Name: text("Front", "前区")}, {ID: "rear", Name: text("Rear", "后区")}, {ID: "standing", Name: text("Standing", "站席")},
		},
		Areas: []seating.Area{{
			ID: "floor", Name: text("Floor", "场地"), Category: "standing", Capacity: 500, Outline: []seating.Point{{X: 0, Y: 600}, {X: 500, Y: 600}, {X: 0, Y: 900}},
		}},
	}
	hall := seating.Section{ID: "hall", Name: text("Hall", "大厅")}
	for i, length := range []int{10, 10, 10, 70, 10} {
		row := seating.Row{Label: strconv.Itoa(i + 1)}
		for j := range length {
			seat := seating.Seat{Label: strconv.Itoa(j + 1), At: seating.Point{X: 50*j - 25*(length-1), Y: 100 * (i + 1)}, Category: "front"}
			if i == 3 || i == 4 && j >= 5 {
				seat.Category = "rear"
			}
			seat.Wheelchair = i == 4 && j == 0
			row.Seats = append(row.Seats, seat)
		}
		hall.Rows = append(hall.Rows, row)
	}
	m.Sections = []seating.Section{hall}
	return m
}

// SeatedEvent is Event with Hall: <id>-t1 sells its 35 seats in front, <id>-t2 the 75 in the rear, <id>-t3 standing
// tickets of the given number.
func SeatedEvent(id string, standing int) ticketing.Event {
	event := Event(id, 0, 0, standing)
	session := &event.Sessions[0]
	session.SeatMap = ticketing.SeatMapRef{ID: "hall", Version: 1}
	for i, category := range []string{"front", "rear", "standing"} {
		session.TicketTypes[i].SeatCategory = category
	}
	return event
}
