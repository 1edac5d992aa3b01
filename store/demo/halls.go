package demo

import (
	"math"
	"strconv"

	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
)

// SeatMaps describes the halls of the catalogue. Import them before it.
func SeatMaps() []seating.Map { return []seating.Map{cinema(), theatre(), arena()} }

func refOf(m seating.Map) ticketing.SeatMapRef {
	return ticketing.SeatMapRef{ID: m.ID, Version: m.Version}
}

func category(id, en, zh string) seating.Category {
	return seating.Category{ID: id, Name: seating.Text(text(en, zh))}
}

// letter names rows A, B, C …
func letter(row int) string { return string(rune('A' + row)) }

// cinema has some 200 seats: thirteen rows with two aisles, the last two of them with lounge chairs, and places for
// wheelchairs at the ends of row A.
func cinema() seating.Map {
	const (
		seatWidth, rowDepth, aisle = 58, 115, 100
		beside                     = 4 // seats between an aisle and the wall
	)
	m := seating.Map{
		ID: "lantern-hall-2", Version: 1, Name: text("Lantern Cinema, Hall 2", "灯笼影城 2 号厅"),
		Stage: seating.Point{X: 0, Y: -350}, Best: seating.Point{X: 0, Y: 7 * rowDepth},
		Categories: []seating.Category{category("standard", "Standard", "普通座"), category("lounge", "Lounge chair", "躺椅")},
	}
	hall := seating.Section{ID: "hall", Name: text("Hall", "影厅")}
	for i := range 13 {
		seats, kind, width := 16, "standard", seatWidth
		switch {
		case i == 0:
			seats = 12
		case i >= 11:
			seats, kind, width = 12, "lounge", 80
		}
		row := seating.Row{Label: letter(i)}
		for j := range seats {
			seat := seating.Seat{
				Label: strconv.Itoa(j + 1), At: seating.Point{X: width * (2*j - seats + 1) / 2, Y: rowDepth * i}, Category: kind,
				Aisle: j == beside-1 || j == seats-beside-1,
			}
			switch {
			case j < beside:
				seat.At.X -= aisle
			case j >= seats-beside:
				seat.At.X += aisle
			}
			if i == 0 {
				seat.Wheelchair, seat.Companion = j == 0 || j == seats-1, j == 1 || j == seats-2
			}
			row.Seats = append(row.Seats, seat)
		}
		hall.Rows = append(hall.Rows, row)
	}
	m.Sections = []seating.Section{hall}
	return m
}

// curved makes a row on an arc around a point: seats as far apart as width, the middle one straight below it.
func curved(label string, centre seating.Point, radius, width, seats int, kind func(seat int) seating.Seat) seating.Row {
	row := seating.Row{Label: label}
	for j := range seats {
		angle := float64(width*(2*j-seats+1)) / 2 / float64(radius)
		seat := kind(j)
		seat.Label = strconv.Itoa(j + 1)
		seat.At = seating.Point{
			X: centre.X + int(math.Round(float64(radius)*math.Sin(angle))),
			Y: centre.Y + int(math.Round(float64(radius)*math.Cos(angle))),
		}
		row.Seats = append(row.Seats, seat)
	}
	return row
}

// theatre has some 1,200 seats: stalls and two balconies in curved rows. What is far to the side of a balcony sees less.
func theatre() seating.Map {
	stage := seating.Point{}
	m := seating.Map{
		ID: "westlake-playhouse", Version: 1, Name: text("Westlake Playhouse", "西湖小剧场"), Stage: stage, Best: seating.Point{X: 0, Y: 1100},
		Categories: []seating.Category{
			category("front", "Front rows", "前排"), category("rear", "Rear rows", "后排"), category("balcony", "Balconies", "楼座"),
			category("standing", "Standing behind the stalls", "池座后方站席"),
		},
		Areas: []seating.Area{{
			ID: "rail", Name: text("Standing behind the stalls", "池座后方站席"), Category: "standing", Capacity: 20,
			Outline: []seating.Point{{X: -800, Y: 2760}, {X: 800, Y: 2760}, {X: 800, Y: 2840}, {X: -800, Y: 2840}},
		}},
	}
	part := func(id string, name ticketing.Text, rows, radius, first, more int, kind func(row, seat, seats int) seating.Seat) {
		section := seating.Section{ID: id, Name: name}
		for i := range rows {
			seats := first + more*i
			section.Rows = append(section.Rows, curved(letter(i), stage, radius+95*i, 55, seats, func(seat int) seating.Seat { return kind(i, seat, seats) }))
		}
		m.Sections = append(m.Sections, section)
	}
	part("stalls", text("Stalls", "池座"), 20, 800, 20, 1, func(row, seat, seats int) seating.Seat {
		s := seating.Seat{Category: "rear", Aisle: seat == seats/2-1}
		if row < 7 {
			s.Category = "front"
		}
		if row == 19 {
			s.Wheelchair, s.Companion = seat == 0 || seat == seats-1, seat == 1 || seat == seats-2
		}
		return s
	})
	balcony := func(_, seat, seats int) seating.Seat {
		return seating.Seat{Category: "balcony", Restricted: seat < 3 || seat >= seats-3, Aisle: seat == seats/3-1 || seat == seats-seats/3-1}
	}
	part("first-balcony", text("First balcony", "二层楼座"), 8, 2950, 40, 1, balcony)
	part("second-balcony", text("Second balcony", "三层楼座"), 6, 3850, 44, 1, balcony)
	return m
}
