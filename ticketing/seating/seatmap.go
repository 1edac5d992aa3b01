package seating

// Text is a text for people, keyed by BCP 47 tag; "en" and "zh-CN" are always there.
type Text = map[string]string

// Schema is the version of the document format that Parse reads and Map.Document writes.
const Schema = 1

// What a map may have at most.
const (
	MaxSeats      = 150_000
	MaxCategories = 64
	MaxAreas      = 200
	MaxCapacity   = 500_000
	// MaxCoordinate bounds coordinates on both sides of zero; they are centimetres.
	MaxCoordinate = 1_000_000
)

// Map is the plan of a hall: its numbered seats and its areas without seats. A version of a map never changes;
// an altered hall is the next version of its map.
type Map struct {
	ID      string
	Version int
	Name    Text
	// Stage is where everybody looks: stage, screen or middle of the field.
	Stage Point
	// Best is the place in the hall that is the best to sit in; seats are given away by their distance to it.
	Best       Point
	Categories []Category
	Sections   []Section
	Areas      []Area
}

// Point is a place on the map in centimetres: x grows to the right, y downwards.
type Point struct{ X, Y int }

// Category is what prices are made for: a ticket type sells the seats, or the areas, of one.
type Category struct {
	ID   string
	Name Text
}

// Section is a part of the hall with rows of seats, such as stalls or balcony.
type Section struct {
	ID   string
	Name Text
	Rows []Row
}

// Row is a row as people read it on their tickets. Its seats are in the order in which they stand.
type Row struct {
	Label string
	Seats []Seat
}

// Seat is a numbered seat.
type Seat struct {
	Label    string
	At       Point
	Category string
	// Wheelchair is a place for a wheelchair, Companion the seat beside it.
	Wheelchair, Companion bool
	// Restricted says that the view is.
	Restricted bool
	// Aisle says that an aisle separates it from the next seat of its row.
	Aisle bool
}

// special says whether the seat is given only to those who ask for it, or when there is no other.
func (s Seat) special() bool { return s.Wheelchair || s.Companion || s.Restricted }

// Area is a part of the hall without seats.
type Area struct {
	ID       string
	Name     Text
	Category string
	Capacity int
	// Outline is the polygon to draw.
	Outline []Point
}

// SeatID names a seat of a map: "stalls/C/14".
func SeatID(section, row, seat string) string { return section + "/" + row + "/" + seat }
