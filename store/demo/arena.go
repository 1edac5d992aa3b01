package demo

import (
	"math"
	"strconv"

	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
)

// stand is one side of the arena, in tiers of blocks.
type stand struct {
	id       string
	name     ticketing.Text
	category string
	// turn is where it stands: by how much the side below the field is turned around its middle.
	turn float64
	// away is how far its first row is from the middle, in centimetres.
	away int
	// blocks stand side by side, each with so many rows of so many seats.
	blocks, rows, seats int
}

// arena has some 20,000 seats around a field, in blocks of rows, and a terrace without seats.
func arena() seating.Map {
	m := seating.Map{
		ID: "harbour-stadium", Version: 1, Name: text("Harbour Stadium", "海港体育场"), Stage: seating.Point{}, Best: seating.Point{X: 0, Y: 4200},
		Categories: []seating.Category{
			category("main", "Main stand", "主看台"), category("home", "Home end", "主队看台"), category("away", "Away end", "客队看台"),
			category("upper", "Upper tier", "上层看台"), category("terrace", "Terrace", "站席"),
		},
		Areas: []seating.Area{{
			ID: "terrace", Name: text("Terrace", "站席"), Category: "terrace", Capacity: 800,
			Outline: []seating.Point{{X: 5200, Y: -1500}, {X: 5900, Y: -1500}, {X: 5900, Y: 1500}, {X: 5200, Y: 1500}},
		}},
	}
	for _, s := range []stand{
		{"south", text("South, main stand", "南侧主看台"), "main", 0, 4200, 9, 25, 24},
		{"west", text("West, home end", "西侧主队看台"), "home", math.Pi / 2, 6200, 7, 25, 22},
		{"north", text("North, home side", "北侧主队看台"), "home", math.Pi, 4200, 8, 25, 22},
		{"east", text("East, away end", "东侧客队看台"), "away", -math.Pi / 2, 6200, 2, 25, 24},
		{"south-upper", text("South, upper tier", "南侧上层"), "upper", 0, 6900, 10, 16, 22},
		{"north-upper", text("North, upper tier", "北侧上层"), "upper", math.Pi, 6900, 9, 16, 16},
	} {
		m.Sections = append(m.Sections, s.sections()...)
	}
	return m
}

// sections makes a section of each block.
func (s stand) sections() []seating.Section {
	const seatWidth, rowDepth, stairs = 50, 80, 120
	sections := make([]seating.Section, s.blocks)
	width := s.seats*seatWidth + stairs
	sin, cos := math.Sin(s.turn), math.Cos(s.turn)
	for block := range s.blocks {
		number := strconv.Itoa(block + 1)
		section := seating.Section{ID: s.id + "-" + number, Name: text(s.name["en"]+", block "+number, s.name["zh-CN"]+number+"区")}
		left := (2*block-s.blocks)*width/2 + stairs/2
		for i := range s.rows {
			row := seating.Row{Label: strconv.Itoa(i + 1)}
			for j := range s.seats {
				x, y := float64(left+j*seatWidth), float64(s.away+i*rowDepth)
				row.Seats = append(row.Seats, seating.Seat{
					Label: strconv.Itoa(j + 1), Category: s.category,
					At:         seating.Point{X: int(math.Round(x*cos - y*sin)), Y: int(math.Round(x*sin + y*cos))},
					Wheelchair: i == 0 && s.category == "main" && j == 0, Companion: i == 0 && s.category == "main" && j == 1,
				})
			}
			section.Rows = append(section.Rows, row)
		}
		sections[block] = section
	}
	return sections
}
