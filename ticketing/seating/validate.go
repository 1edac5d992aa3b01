package seating

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Fault is what is wrong at one place of a document.
type Fault struct {
	// Pointer is a JSON pointer (RFC 6901); empty means the whole document.
	Pointer string `json:"pointer"`
	Message string `json:"message"`
}

// MapErrors are the faults of a map, as an error.
type MapErrors []Fault

// maxFaults is how many faults are told: enough to mend, not enough to flood.
const maxFaults = 50

// Error lists the faults, one per line.
func (f MapErrors) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = strings.TrimSpace(fault.Pointer + " " + fault.Message)
	}
	return strings.Join(lines, "\n")
}

// and adds a fault unless there are enough.
func (f MapErrors) and(pointer, message string) MapErrors {
	if len(f) >= maxFaults {
		return f
	}
	return append(f, Fault{pointer, message})
}

var (
	idForm    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	labelForm = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,15}$`)
	pointers  = strings.NewReplacer("~", "~0", "/", "~1")
)

func escape(name string) string { return pointers.Replace(name) }

// Validate says what is wrong with the map; its error is MapErrors.
func (m Map) Validate() error {
	c := &checker{users: map[string]string{}}
	c.id("/id", m.ID)
	c.want(m.Version >= 1, "/version", "must be 1 or more")
	c.name("/name", m.Name)
	c.point("/stage", m.Stage)
	c.point("/best", m.Best)
	c.categories(m.Categories)
	seats := 0
	sections := map[string]bool{}
	for i, section := range m.Sections {
		at := "/sections/" + strconv.Itoa(i)
		c.id(at+"/id", section.ID)
		c.once(sections, section.ID, at+"/id")
		c.name(at+"/name", section.Name)
		seats += c.rows(at+"/rows", section.Rows)
	}
	c.want(seats <= MaxSeats, "/sections", fmt.Sprintf("must not have more than %d seats", MaxSeats))
	c.areas(m.Areas, sections)
	c.want(seats+len(m.Areas) > 0, "/sections", "must have a seat, or the map an area")
	if len(c.faults) == 0 {
		return nil
	}
	return c.faults
}

// checker collects the faults of a map.
type checker struct {
	faults MapErrors
	// users says of each category whether seats or areas have it; "" means that none does yet.
	users map[string]string
}

func (c *checker) want(holds bool, pointer, message string) {
	if !holds {
		c.faults = c.faults.and(pointer, message)
	}
}

func (c *checker) id(pointer, id string) {
	c.want(idForm.MatchString(id), pointer, "must be 1 to 64 of A-Z, a-z, 0-9, _ and -")
}

func (c *checker) label(pointer, label string) {
	c.want(labelForm.MatchString(label), pointer, "must be 1 to 16 letters, digits, spaces, dots, _ and -, and begin with a letter or digit")
}

func (c *checker) once(seen map[string]bool, id, pointer string) {
	c.want(!seen[id], pointer, "is there twice")
	seen[id] = true
}

func (c *checker) name(pointer string, name Text) {
	for _, language := range []string{"en", "zh-CN"} {
		c.want(name[language] != "" && len(name[language]) <= 200, pointer+"/"+language, "must have 1 to 200 bytes")
	}
}

func (c *checker) point(pointer string, p Point) {
	c.want(max(p.X, -p.X) <= MaxCoordinate, pointer+"/x", "is too far away")
	c.want(max(p.Y, -p.Y) <= MaxCoordinate, pointer+"/y", "is too far away")
}

func (c *checker) categories(categories []Category) {
	c.want(len(categories) >= 1 && len(categories) <= MaxCategories, "/categories", fmt.Sprintf("must be 1 to %d", MaxCategories))
	seen := map[string]bool{}
	for i, category := range categories {
		at := "/categories/" + strconv.Itoa(i)
		c.id(at+"/id", category.ID)
		c.once(seen, category.ID, at+"/id")
		c.name(at+"/name", category.Name)
		c.users[category.ID] = ""
	}
}

// rows checks the rows of a section and counts their seats.
func (c *checker) rows(pointer string, rows []Row) int {
	c.want(len(rows) > 0, pointer, "must not be empty")
	count := 0
	seen := map[string]bool{}
	for i, row := range rows {
		at := pointer + "/" + strconv.Itoa(i)
		c.label(at+"/label", row.Label)
		c.once(seen, row.Label, at+"/label")
		c.want(len(row.Seats) > 0, at+"/seats", "must not be empty")
		count += len(row.Seats)
		labels := map[string]bool{}
		for j, seat := range row.Seats {
			c.seat(at+"/seats/"+strconv.Itoa(j), seat, labels)
		}
	}
	return count
}

func (c *checker) seat(at string, seat Seat, labels map[string]bool) {
	c.label(at+"/label", seat.Label)
	c.once(labels, seat.Label, at+"/label")
	c.point(at, seat.At)
	c.category(at+"/category", seat.Category, "seats")
	c.want(!seat.Wheelchair || !seat.Companion, at+"/companion", "cannot be a place for a wheelchair too")
}

// category checks that a category exists and is used for one kind of thing: what is sold has seats, or it has none.
func (c *checker) category(pointer, id, user string) {
	before, known := c.users[id]
	c.want(known, pointer, "is no category of this map")
	c.want(!known || before == "" || before == user, pointer, "is the category of "+before)
	if known && before == "" {
		c.users[id] = user
	}
}

func (c *checker) areas(areas []Area, sections map[string]bool) {
	c.want(len(areas) <= MaxAreas, "/areas", fmt.Sprintf("must not be more than %d", MaxAreas))
	for i, area := range areas {
		at := "/areas/" + strconv.Itoa(i)
		c.id(at+"/id", area.ID)
		c.once(sections, area.ID, at+"/id")
		c.name(at+"/name", area.Name)
		c.category(at+"/category", area.Category, "areas")
		c.want(area.Capacity >= 1 && area.Capacity <= MaxCapacity, at+"/capacity", fmt.Sprintf("must be 1 to %d", MaxCapacity))
		c.want(len(area.Outline) >= 3 && len(area.Outline) <= 500, at+"/outline", "must have 3 to 500 corners")
		for j, corner := range area.Outline {
			c.point(at+"/outline/"+strconv.Itoa(j), corner)
		}
	}
}
