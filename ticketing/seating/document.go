package seating

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// document is a map as JSON; see docs/seat-maps.md.
type (
	document struct {
		Schema     int               `json:"schema"`
		ID         string            `json:"id"`
		Version    int               `json:"version"`
		Name       Text              `json:"name"`
		Stage      Point             `json:"stage"`
		Best       Point             `json:"best"`
		Categories []Category        `json:"categories"`
		Sections   []sectionDocument `json:"sections"`
		Areas      []areaDocument    `json:"areas,omitempty"`
	}
	sectionDocument struct {
		ID   string        `json:"id"`
		Name Text          `json:"name"`
		Rows []rowDocument `json:"rows"`
	}
	rowDocument struct {
		Label string         `json:"label"`
		Seats []seatDocument `json:"seats"`
	}
	seatDocument struct {
		Label      string `json:"label"`
		X          int    `json:"x"`
		Y          int    `json:"y"`
		Category   string `json:"category"`
		Wheelchair bool   `json:"wheelchair,omitempty"`
		Companion  bool   `json:"companion,omitempty"`
		Restricted bool   `json:"restricted,omitempty"`
		Aisle      bool   `json:"aisle,omitempty"`
	}
	areaDocument struct {
		ID       string  `json:"id"`
		Name     Text    `json:"name"`
		Category string  `json:"category"`
		Capacity int     `json:"capacity"`
		Outline  []Point `json:"outline"`
	}
)

// MarshalJSON writes a point as {"x", "y"}.
func (p Point) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"x":%d,"y":%d}`, p.X, p.Y), nil
}

// MarshalJSON writes a category as {"id", "name"}.
func (c Category) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		ID   string `json:"id"`
		Name Text   `json:"name"`
	}{c.ID, c.Name})
}

// Document writes the map as JSON that Parse reads.
func (m Map) Document() ([]byte, error) {
	d := document{
		Schema: Schema, ID: m.ID, Version: m.Version, Name: m.Name, Stage: m.Stage, Best: m.Best,
		Categories: m.Categories, Sections: make([]sectionDocument, len(m.Sections)),
	}
	for i, section := range m.Sections {
		s := sectionDocument{ID: section.ID, Name: section.Name, Rows: make([]rowDocument, len(section.Rows))}
		for j, row := range section.Rows {
			r := rowDocument{Label: row.Label, Seats: make([]seatDocument, len(row.Seats))}
			for k, seat := range row.Seats {
				r.Seats[k] = seatDocument{
					seat.Label, seat.At.X, seat.At.Y, seat.Category, seat.Wheelchair, seat.Companion, seat.Restricted, seat.Aisle,
				}
			}
			s.Rows[j] = r
		}
		d.Sections[i] = s
	}
	for _, area := range m.Areas {
		d.Areas = append(d.Areas, areaDocument(area))
	}
	return json.Marshal(d)
}

// MaxDocument bounds the JSON of a map, in bytes.
const MaxDocument = 32 << 20

// Parse reads a map and checks it. Its error is MapErrors: every fault with a JSON pointer to it, or the one that
// makes the rest unreadable.
func Parse(text []byte) (Map, error) {
	if len(text) > MaxDocument {
		return Map{}, MapErrors{{"", fmt.Sprintf("must not be larger than %d bytes", MaxDocument)}}
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return Map{}, MapErrors{{"", "is not JSON: " + err.Error()}}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Map{}, MapErrors{{"", "goes on after its end"}}
	}
	if _, ok := tree.(map[string]any); !ok {
		return Map{}, MapErrors{{"", "must be an object"}}
	}
	r := &reader{}
	m := r.readMap(node{"", tree})
	if len(r.faults) > 0 {
		return Map{}, r.faults
	}
	return m, m.Validate()
}

// reader collects the faults of form of a document.
type reader struct{ faults MapErrors }

// node is a value of a document with the pointer to it.
type node struct {
	pointer string
	value   any
}

func (r *reader) fault(n node, message string) { r.faults = r.faults.and(n.pointer, message) }

// object reads an object with these members, of which those that end in "?" may be missing.
func (r *reader) object(n node, members ...string) func(member string) node {
	object, ok := n.value.(map[string]any)
	if !ok && n.value != nil { // what is missing was told where it is
		r.fault(n, "must be an object")
	}
	known := map[string]bool{}
	for _, member := range members {
		name, optional := member, false
		if name[len(name)-1] == '?' {
			name, optional = name[:len(name)-1], true
		}
		known[name] = true
		if _, there := object[name]; ok && !there && !optional {
			r.faults = r.faults.and(n.pointer+"/"+name, "is missing")
		}
	}
	for name, value := range object {
		switch {
		case !known[name]:
			r.faults = r.faults.and(n.pointer+"/"+escape(name), "is not known")
		case value == nil:
			r.faults = r.faults.and(n.pointer+"/"+name, "must not be null")
		}
	}
	return func(member string) node { return node{n.pointer + "/" + member, object[member]} }
}

func (r *reader) list(n node) []node {
	if n.value == nil {
		return nil
	}
	list, ok := n.value.([]any)
	if !ok {
		r.fault(n, "must be an array")
	}
	nodes := make([]node, len(list))
	for i, value := range list {
		nodes[i] = node{n.pointer + "/" + strconv.Itoa(i), value}
		if value == nil {
			r.fault(nodes[i], "must not be null")
		}
	}
	return nodes
}

func (r *reader) text(n node) string {
	s, ok := n.value.(string)
	if !ok && n.value != nil {
		r.fault(n, "must be a string")
	}
	return s
}

func (r *reader) number(n node) int {
	if n.value == nil {
		return 0
	}
	number, ok := n.value.(json.Number)
	whole, err := strconv.Atoi(number.String())
	if !ok || err != nil {
		r.fault(n, "must be a whole number")
	}
	return whole
}

func (r *reader) flag(n node) bool {
	b, ok := n.value.(bool)
	if !ok && n.value != nil {
		r.fault(n, "must be true or false")
	}
	return b
}

func (r *reader) name(n node) Text {
	of := r.object(n, "en", "zh-CN")
	return Text{"en": r.text(of("en")), "zh-CN": r.text(of("zh-CN"))}
}

func (r *reader) point(n node) Point {
	of := r.object(n, "x", "y")
	return Point{r.number(of("x")), r.number(of("y"))}
}

func (r *reader) readMap(n node) Map {
	of := r.object(n, "schema", "id", "version", "name", "stage", "best", "categories", "sections", "areas?")
	if schema := of("schema"); r.number(schema) != Schema {
		r.fault(schema, fmt.Sprintf("must be %d", Schema))
	}
	m := Map{
		ID: r.text(of("id")), Version: r.number(of("version")), Name: r.name(of("name")),
		Stage: r.point(of("stage")), Best: r.point(of("best")),
	}
	for _, n := range r.list(of("categories")) {
		of := r.object(n, "id", "name")
		m.Categories = append(m.Categories, Category{r.text(of("id")), r.name(of("name"))})
	}
	for _, n := range r.list(of("sections")) {
		of := r.object(n, "id", "name", "rows")
		section := Section{ID: r.text(of("id")), Name: r.name(of("name"))}
		for _, n := range r.list(of("rows")) {
			section.Rows = append(section.Rows, r.readRow(n))
		}
		m.Sections = append(m.Sections, section)
	}
	for _, n := range r.list(of("areas")) {
		of := r.object(n, "id", "name", "category", "capacity", "outline")
		area := Area{
			ID: r.text(of("id")), Name: r.name(of("name")), Category: r.text(of("category")), Capacity: r.number(of("capacity")),
		}
		for _, n := range r.list(of("outline")) {
			area.Outline = append(area.Outline, r.point(n))
		}
		m.Areas = append(m.Areas, area)
	}
	return m
}

func (r *reader) readRow(n node) Row {
	of := r.object(n, "label", "seats")
	row := Row{Label: r.text(of("label"))}
	for _, n := range r.list(of("seats")) {
		of := r.object(n, "label", "x", "y", "category", "wheelchair?", "companion?", "restricted?", "aisle?")
		row.Seats = append(row.Seats, Seat{
			Label: r.text(of("label")), At: Point{r.number(of("x")), r.number(of("y"))}, Category: r.text(of("category")),
			Wheelchair: r.flag(of("wheelchair")), Companion: r.flag(of("companion")),
			Restricted: r.flag(of("restricted")), Aisle: r.flag(of("aisle")),
		})
	}
	return row
}
