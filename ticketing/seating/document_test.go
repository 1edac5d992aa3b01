package seating_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/ticketing/seating"
)

func TestAMapReadsAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := hall(t).Map
		m.Areas = append(m.Areas, seating.Area{
			ID: "floor", Name: name("floor"), Category: "c", Capacity: 9, Outline: []seating.Point{{X: 1, Y: 2}, {X: 3, Y: 4}, {X: 5, Y: -6}},
		})
		m.Categories = append(m.Categories, seating.Category{ID: "c", Name: name("c")})
		document, err := m.Document()
		if err != nil {
			t.Fatal(err)
		}
		again, err := seating.Parse(document)
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%v, %+v", err, again)
		}
	})
}

// sound is a small map that is right.
const sound = `{
	"schema": 1, "id": "room", "version": 3, "name": {"en": "Room", "zh-CN": "厅"},
	"stage": {"x": 0, "y": -300}, "best": {"x": 0, "y": 200},
	"categories": [{"id": "seats", "name": {"en": "Seats", "zh-CN": "座"}}, {"id": "floor", "name": {"en": "Floor", "zh-CN": "站"}}],
	"sections": [{"id": "s", "name": {"en": "S", "zh-CN": "S"}, "rows": [
		{"label": "A", "seats": [
			{"label": "1", "x": 0, "y": 0, "category": "seats", "aisle": true},
			{"label": "2", "x": 50, "y": 0, "category": "seats", "wheelchair": true},
			{"label": "3", "x": 100, "y": 0, "category": "seats", "companion": true, "restricted": true}]}]}],
	"areas": [{"id": "floor", "name": {"en": "Floor", "zh-CN": "站"}, "category": "floor", "capacity": 10,
		"outline": [{"x": 0, "y": 0}, {"x": 1, "y": 0}, {"x": 1, "y": 1}]}]
}`

func TestFaultsAreToldWithAPointerToThem(t *testing.T) {
	t.Parallel()
	if m, err := seating.Parse([]byte(sound)); err != nil || m.Version != 3 || !m.Sections[0].Rows[0].Seats[2].Restricted || !m.Sections[0].Rows[0].Seats[0].Aisle {
		t.Fatalf("%+v, %v", m, err)
	}
	tests := map[string]struct{ old, replaced, want string }{
		"no JSON":                  {`{`, `{{`, "is not JSON: invalid character '{' looking for beginning of object key string"},
		"more after it":            {sound, sound + "{}", "goes on after its end"},
		"no object":                {sound, `[]`, "must be an object"},
		"of tomorrow":              {`"schema": 1`, `"schema": 2`, "/schema must be 1"},
		"a member too many":        {`"version": 3`, `"version": 3, "a/b~": 1`, "/a~1b~0 is not known"},
		"a member too few":         {`"x": 50, "y"`, `"y"`, "/sections/0/rows/0/seats/1/x is missing"},
		"text for a number":        {`"x": 50`, `"x": "50"`, "/sections/0/rows/0/seats/1/x must be a whole number"},
		"half a centimetre":        {`"x": 50`, `"x": 50.5`, "/sections/0/rows/0/seats/1/x must be a whole number"},
		"a number for text":        {`"label": "2"`, `"label": 2`, "/sections/0/rows/0/seats/1/label must be a string"},
		"text for a flag":          {`"aisle": true`, `"aisle": "yes"`, "/sections/0/rows/0/seats/0/aisle must be true or false"},
		"an object for a list":     {`"outline": [{"x": 0, "y": 0}, {"x": 1, "y": 0}, {"x": 1, "y": 1}]`, `"outline": {}`, "/areas/0/outline must be an array"},
		"null":                     {`"stage": {"x": 0, "y": -300}`, `"stage": null`, "/stage must not be null"},
		"no stage":                 {`"stage": {"x": 0, "y": -300},`, ``, "/stage is missing"},
		"a list of nothing":        {`"seats": [`, `"seats": [null, `, "/sections/0/rows/0/seats/0 must not be null"},
		"no version":               {`"version": 3`, `"version": 0`, "/version must be 1 or more"},
		"a seat twice":             {`"label": "2"`, `"label": "1"`, "/sections/0/rows/0/seats/1/label is there twice"},
		"a slash in a label":       {`"label": "A"`, `"label": "A/1"`, "/sections/0/rows/0/label must be 1 to 16 letters, digits, spaces, dots, _ and -, and begin with a letter or digit"},
		"an unknown category":      {`"x": 50, "y": 0, "category": "seats"`, `"x": 50, "y": 0, "category": "gold"`, "/sections/0/rows/0/seats/1/category is no category of this map"},
		"seats and areas alike":    {`"category": "floor"`, `"category": "seats"`, "/areas/0/category is the category of seats"},
		"a section called as area": {`{"id": "s"`, `{"id": "floor"`, "/areas/0/id is there twice"},
		"far away":                 {`"x": 50`, `"x": 1000001`, "/sections/0/rows/0/seats/1/x is too far away"},
		"one language":             {`"en": "Room", "zh-CN": "厅"`, `"en": "Room", "zh-CN": ""`, "/name/zh-CN must have 1 to 200 bytes"},
		"two corners":              {`, {"x": 1, "y": 1}]`, `]`, "/areas/0/outline must have 3 to 500 corners"},
		"no room":                  {`"capacity": 10`, `"capacity": 0`, "/areas/0/capacity must be 1 to 500000"},
		"both at once":             {`"companion": true`, `"companion": true, "wheelchair": true`, "/sections/0/rows/0/seats/2/companion cannot be a place for a wheelchair too"},
	}
	for what, test := range tests {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			_, err := seating.Parse([]byte(strings.Replace(sound, test.old, test.replaced, 1)))
			if faults, ok := errors.AsType[seating.MapErrors](err); !ok || len(faults) != 1 || err.Error() != test.want {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestFaultsDoNotFlood(t *testing.T) {
	t.Parallel()
	rows := strings.Repeat(`{"label": "", "seats": []},`, 1000)
	_, err := seating.Parse([]byte(strings.Replace(sound, `"rows": [`, `"rows": [`+rows, 1)))
	if faults, ok := errors.AsType[seating.MapErrors](err); !ok || len(faults) != 50 {
		t.Errorf("%v", err)
	}
}
