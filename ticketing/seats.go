package ticketing

import "fmt"

// SeatMapRef names a version of a seat map; the zero value means that a session has none.
type SeatMapRef struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
}

// IsZero says whether there is a map at all.
func (r SeatMapRef) IsZero() bool { return r == SeatMapRef{} }

// SeatAssignment says how seats are given to buyers who did not choose any.
type SeatAssignment string

// The ways to assign seats. Both keep a group together.
const (
	AssignBest   SeatAssignment = "best"
	AssignRandom SeatAssignment = "random"
)

// Seat is a numbered seat of an order, with what stands on its ticket.
type Seat struct {
	// ID names it on its map: section/row/seat.
	ID           string `json:"id"`
	TicketTypeID string `json:"ticket_type_id"`
	Section      Text   `json:"section"`
	Row          string `json:"row"`
	Number       string `json:"number"`
}

// LostSeats says which chosen seats are gone, and what to choose instead: as many seats as the line asked for,
// as near as can be, those that are still free among them. Without an alternative there are not enough.
type LostSeats struct {
	Taken       []string `json:"taken"`
	Alternative []string `json:"alternative,omitempty"`
}

// CheckSeats checks what asks say of seats as far as no map is needed. Error: CodeInvalid, with its field.
func CheckSeats(session Session, asks []Ask) error {
	seated := map[string]bool{}
	for _, t := range session.TicketTypes {
		seated[t.ID] = t.Seated
	}
	seen := map[string]bool{}
	for i, ask := range asks {
		if !seated[ask.TicketTypeID] {
			if len(ask.SeatIDs) > 0 || ask.Apart {
				return FieldErrorf(CodeInvalid, fmt.Sprintf("/lines/%d/seat_ids", i), "this ticket type has no numbered seats")
			}
			continue
		}
		if len(ask.SeatIDs) > 0 && len(ask.SeatIDs) != ask.Quantity {
			return FieldErrorf(CodeInvalid, fmt.Sprintf("/lines/%d/seat_ids", i), "choose %d seats, or none to be given the best ones", ask.Quantity)
		}
		for j, id := range ask.SeatIDs {
			if seen[id] {
				return FieldErrorf(CodeInvalid, fmt.Sprintf("/lines/%d/seat_ids/%d", i, j), "this seat is chosen twice")
			}
			seen[id] = true
		}
	}
	return nil
}

// SeatWord is how one physical row of a session stands: a bit for each of its seats, the first the lowest.
type SeatWord struct {
	Word int
	// Taken seats cannot be bought now; of these, Sold ones are sold or kept back, the others held by unpaid orders.
	Taken, Sold int64
	// Changed tells when it last changed, in the terms of SeatStates.Cursor.
	Changed int64
}

// SeatStates is what changed of the seats of sessions.
type SeatStates struct {
	// Cursor is where to go on asking; it means the same to every process.
	Cursor int64
	// Words are those that may have changed, by session.
	Words map[string][]SeatWord
}
