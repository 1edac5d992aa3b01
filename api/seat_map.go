package api

import (
	"context"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
)

// seatMapView is a seat map as a page draws it: what many seats share is said once. Seats are numbered from 0 in the
// order of the rows.
type seatMapView struct {
	SessionID  string               `json:"session_id"`
	SeatMap    ticketing.SeatMapRef `json:"seat_map"`
	Name       ticketing.Text       `json:"name"`
	Stage      pointView            `json:"stage"`
	Best       pointView            `json:"best"`
	Seats      int                  `json:"seats"`
	Categories []categoryView       `json:"categories"`
	Sections   []sectionView        `json:"sections"`
	Areas      []areaView           `json:"areas"`
	Wheelchair []int                `json:"wheelchair"`
	Companion  []int                `json:"companion"`
	Restricted []int                `json:"restricted"`
	Aisles     []int                `json:"aisles"`
}

type pointView [2]int

type categoryView struct {
	ID   string         `json:"id"`
	Name ticketing.Text `json:"name"`
	// TicketTypeID is what sells it here; empty if nothing does.
	TicketTypeID string `json:"ticket_type_id,omitzero"`
}

type sectionView struct {
	ID   string         `json:"id"`
	Name ticketing.Text `json:"name"`
	Rows []rowView      `json:"rows"`
}

type rowView struct {
	Label string `json:"label"`
	// First is the number of its first seat, Count how many there are.
	First int `json:"first"`
	Count int `json:"count"`
	// Labels are missing where they are 1, 2, 3 …
	Labels []string `json:"labels,omitempty"`
	// X and Y are the first seat's, then each seat's less those of the one before.
	X []int `json:"x"`
	Y []int `json:"y"`
	// Categories are runs of seats: the index of their category, and how many.
	Categories [][2]int `json:"categories"`
}

type areaView struct {
	ID       string         `json:"id"`
	Name     ticketing.Text `json:"name"`
	Category int            `json:"category"`
	Capacity int            `json:"capacity"`
	Outline  []pointView    `json:"outline"`
}

// getSeatMap answers GET /api/v1/sessions/{session_id}/seat-map.
func (s *Server) getSeatMap(c *fiber.Ctx) error {
	id := c.Params("session_id")
	return s.sendPage(c, "seat-map|"+id, func(ctx context.Context) (page, error) {
		l, err := s.findSession(ctx, id)
		if err != nil {
			return page{}, err
		}
		if l.session.SeatMap.IsZero() {
			return page{}, errNoSeats
		}
		plan, err := s.Store.SeatMap(ctx, l.session.SeatMap)
		if err != nil {
			return page{}, unavailable(err)
		}
		return pageOf(viewSeatMap(l.session, plan.Map))
	})
}

func viewSeatMap(session *ticketing.Session, m seating.Map) seatMapView {
	v := seatMapView{
		SessionID: session.ID, SeatMap: session.SeatMap, Name: m.Name, Stage: viewPoint(m.Stage), Best: viewPoint(m.Best),
		Sections: make([]sectionView, 0, len(m.Sections)), Areas: make([]areaView, 0, len(m.Areas)),
		Wheelchair: []int{}, Companion: []int{}, Restricted: []int{}, Aisles: []int{},
	}
	index := map[string]int{}
	for i, category := range m.Categories {
		index[category.ID] = i
		cv := categoryView{ID: category.ID, Name: category.Name}
		for _, t := range session.TicketTypes {
			if t.SeatCategory == category.ID {
				cv.TicketTypeID = t.ID
			}
		}
		v.Categories = append(v.Categories, cv)
	}
	for _, section := range m.Sections {
		sv := sectionView{ID: section.ID, Name: section.Name, Rows: make([]rowView, 0, len(section.Rows))}
		for _, row := range section.Rows {
			sv.Rows = append(sv.Rows, viewRow(row, v.Seats, index))
			v.mark(row)
		}
		v.Sections = append(v.Sections, sv)
	}
	for _, area := range m.Areas {
		av := areaView{ID: area.ID, Name: area.Name, Category: index[area.Category], Capacity: area.Capacity}
		for _, corner := range area.Outline {
			av.Outline = append(av.Outline, viewPoint(corner))
		}
		v.Areas = append(v.Areas, av)
	}
	return v
}

func viewPoint(p seating.Point) pointView { return pointView{p.X, p.Y} }

func viewRow(row seating.Row, first int, category map[string]int) rowView {
	v := rowView{Label: row.Label, First: first, Count: len(row.Seats)}
	var at seating.Point
	counted := true
	for i, seat := range row.Seats {
		v.X, v.Y = append(v.X, seat.At.X-at.X), append(v.Y, seat.At.Y-at.Y)
		at = seat.At
		v.Labels = append(v.Labels, seat.Label)
		counted = counted && seat.Label == strconv.Itoa(i+1)
		index := category[seat.Category]
		if n := len(v.Categories); n > 0 && v.Categories[n-1][0] == index {
			v.Categories[n-1][1]++
		} else {
			v.Categories = append(v.Categories, [2]int{index, 1})
		}
	}
	if counted {
		v.Labels = nil
	}
	return v
}

// mark counts the seats of a row and notes what is special about them.
func (v *seatMapView) mark(row seating.Row) {
	for _, seat := range row.Seats {
		for _, list := range []struct {
			marked bool
			seats  *[]int
		}{{seat.Wheelchair, &v.Wheelchair}, {seat.Companion, &v.Companion}, {seat.Restricted, &v.Restricted}, {seat.Aisle, &v.Aisles}} {
			if list.marked {
				*list.seats = append(*list.seats, v.Seats)
			}
		}
		v.Seats++
	}
}
