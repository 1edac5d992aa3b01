package seating

// WordSeats is how many seats a word holds: what fits a signed 64-bit integer without its sign.
const WordSeats = 63

// Plan is a map made ready for giving seats away. Seats are numbered from 0 in the order of the map: section by
// section, row by row. It never changes, so that any number of goroutines may use it.
type Plan struct {
	Map   Map
	seats []place
	words []Word
	rows  []span
	byID  map[string]int
	of    map[string]*class
}

// place is a seat with where it is.
type place struct {
	*Seat
	section, row int // of the map
	word         int
	cost         int64
}

// span is a number of seats that follow one another.
type span struct{ first, count int }

// class is a category with its seats.
type class struct {
	count int
	// stretches are its seats that stand side by side without an aisle or another category in between.
	stretches []span
	words     []int
}

// Word is a physical row: up to WordSeats seats of one row, whose state is one integer. A row with more seats has
// several, each but the last of them full; seats at their seam sit side by side like any others.
type Word struct{ First, Count int }

// Mask has a bit for every seat of the word.
func (w Word) Mask() int64 { return 1<<w.Count - 1 }

// Position is where a seat's bit is: bit Bit of word Word.
type Position struct{ Word, Bit int }

// Bits says of each word which of its seats are taken.
type Bits []int64

// NewPlan makes a map that is valid ready.
func NewPlan(m Map) *Plan {
	p := &Plan{Map: m, byID: map[string]int{}, of: map[string]*class{}}
	for i := range m.Sections {
		section := &m.Sections[i]
		for j := range section.Rows {
			row := &section.Rows[j]
			p.rows = append(p.rows, span{len(p.seats), len(row.Seats)})
			for k := range row.Seats {
				seat := &row.Seats[k]
				if k%WordSeats == 0 {
					p.words = append(p.words, Word{len(p.seats), min(WordSeats, len(row.Seats)-k)})
				}
				p.byID[SeatID(section.ID, row.Label, seat.Label)] = len(p.seats)
				p.add(place{Seat: seat, section: i, row: j, word: len(p.words) - 1, cost: squared(seat.At, m.Best)}, k > 0)
			}
		}
	}
	return p
}

// add appends a seat; follows says that the one before is of the same row.
func (p *Plan) add(seat place, follows bool) {
	number := len(p.seats)
	p.seats = append(p.seats, seat)
	c := p.of[seat.Category]
	if c == nil {
		c = &class{}
		p.of[seat.Category] = c
	}
	c.count++
	if n := len(c.words); n == 0 || c.words[n-1] != seat.word {
		c.words = append(c.words, seat.word)
	}
	if follows && p.seats[number-1].Category == seat.Category && !p.seats[number-1].Aisle {
		c.stretches[len(c.stretches)-1].count++
		return
	}
	c.stretches = append(c.stretches, span{number, 1})
}

func squared(a, b Point) int64 {
	x, y := int64(a.X-b.X), int64(a.Y-b.Y)
	return x*x + y*y
}

// Seats is how many seats the map has.
func (p *Plan) Seats() int { return len(p.seats) }

// Words lists the physical rows.
func (p *Plan) Words() []Word { return p.words }

// Count is how many seats a category has; 0 for areas and unknown categories.
func (p *Plan) Count(category string) int {
	if c := p.of[category]; c != nil {
		return c.count
	}
	return 0
}

// Counts is how many seats each category has that has any.
func (p *Plan) Counts() map[string]int {
	counts := make(map[string]int, len(p.of))
	for id, c := range p.of {
		counts[id] = c.count
	}
	return counts
}

// WordsOf lists the words in which a category has seats, in ascending order.
func (p *Plan) WordsOf(category string) []int {
	if c := p.of[category]; c != nil {
		return c.words
	}
	return nil
}

// Find returns the number of the seat with an id.
func (p *Plan) Find(id string) (seat int, ok bool) {
	seat, ok = p.byID[id]
	return seat, ok
}

// Seat returns a seat by its number.
func (p *Plan) Seat(seat int) Seat { return *p.seats[seat].Seat }

// Labels are what stands on the ticket of a seat.
func (p *Plan) Labels(seat int) (section Text, row, number string) {
	s := p.seats[seat]
	return p.Map.Sections[s.section].Name, p.Map.Sections[s.section].Rows[s.row].Label, s.Label
}

// ID names a seat by its number.
func (p *Plan) ID(seat int) string {
	s := p.seats[seat]
	section := p.Map.Sections[s.section]
	return SeatID(section.ID, section.Rows[s.row].Label, s.Label)
}

// IDs names several seats.
func (p *Plan) IDs(seats []int) []string {
	ids := make([]string, len(seats))
	for i, seat := range seats {
		ids[i] = p.ID(seat)
	}
	return ids
}

// Position is where a seat's bit is.
func (p *Plan) Position(seat int) Position {
	word := p.seats[seat].word
	return Position{word, seat - p.words[word].First}
}

// At is the seat whose bit is at a position.
func (p *Plan) At(position Position) int { return p.words[position.Word].First + position.Bit }

// AllTaken are bits by which no seat is free, for those that are not known.
func (p *Plan) AllTaken() Bits {
	taken := make(Bits, len(p.words))
	for i, word := range p.words {
		taken[i] = word.Mask()
	}
	return taken
}

// AllFree are bits by which every seat is.
func (p *Plan) AllFree() Bits { return make(Bits, len(p.words)) }

// Free says whether a seat is.
func (p *Plan) Free(taken Bits, seat int) bool {
	at := p.Position(seat)
	return taken[at.Word]>>at.Bit&1 == 0
}

// Take notes seats as taken.
func (p *Plan) Take(taken Bits, seats []int) {
	for _, seat := range seats {
		at := p.Position(seat)
		taken[at.Word] |= 1 << at.Bit
	}
}

// CountFree counts the free seats of a category.
func (p *Plan) CountFree(taken Bits, category string) int {
	free := 0
	for _, run := range p.freeRuns(taken, category) {
		free += run.count
	}
	return free
}

// freeRuns lists the free seats of a category that stand side by side, each run as long as can be.
func (p *Plan) freeRuns(taken Bits, category string) []span {
	c := p.of[category]
	if c == nil {
		return nil
	}
	runs := make([]span, 0, len(c.stretches))
	for _, stretch := range c.stretches {
		first := stretch.first
		end := stretch.first + stretch.count
		for seat := first; seat < end; seat++ {
			if p.Free(taken, seat) {
				continue
			}
			if seat > first {
				runs = append(runs, span{first, seat - first})
			}
			first = seat + 1
		}
		if end > first {
			runs = append(runs, span{first, end - first})
		}
	}
	return runs
}
