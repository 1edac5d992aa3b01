package ticketing

import (
	"cmp"
	"fmt"
)

// Component is what a bundle contains of another ticket type, which may be of another session, also of another event, of the
// same organiser, and is sold in the same currency, without numbered seats.
type Component struct {
	TicketTypeID string `json:"ticket_type_id"`
	SessionID    string `json:"session_id"`
	// Quantity is how many one bundle contains.
	Quantity int `json:"quantity"`
	// Price is what one costs by itself, before phases, in minor units; what is paid for a bundle is shared by it.
	Price int64 `json:"price"`

	EventID string `json:"-"`
	// MaxPerBuyer and MaxOfEvent bound what one buyer may have of the ticket type and of its event; 0 means no bound.
	MaxPerBuyer int `json:"-"`
	MaxOfEvent  int `json:"-"`
}

// MaxComponents is the largest number of ticket types of which a bundle is made.
const MaxComponents = 20

// IsBundle says whether it is sold as one and admits as several: to its contents. Its capacity is how many bundles there are at
// most; each also takes the stock of what it contains.
func (t TicketType) IsBundle() bool { return len(t.Contents) > 0 }

// TicketsOf is how many tickets of an event one of the type is.
func (t TicketType) TicketsOf(eventID string) (n int) {
	if !t.IsBundle() {
		return 1
	}
	for _, c := range t.Contents {
		if c.EventID == eventID {
			n += c.Quantity
		}
	}
	return n
}

// ValidateBundle checks what can be checked of a bundle by itself; the database checks the rest. Error: CodeInvalid.
func (t TicketType) ValidateBundle() error {
	if !t.IsBundle() {
		return nil
	}
	if t.SeatCategory != "" {
		return Errorf(CodeInvalid, "the bundle %s sells seats of its own", t.ID)
	}
	if len(t.Contents) > MaxComponents {
		return Errorf(CodeInvalid, "a bundle has at most %d components", MaxComponents)
	}
	seen, own, tickets := map[string]bool{}, false, 0
	for _, c := range t.Contents {
		if c.Quantity < 1 || seen[c.TicketTypeID] {
			return Errorf(CodeInvalid, "the bundle %s names each of its components once, with a quantity", t.ID)
		}
		seen[c.TicketTypeID] = true
		own = own || c.SessionID == t.SessionID
		tickets += c.Quantity
	}
	if !own || tickets < 2 || tickets > MaxQuantity {
		return Errorf(CodeInvalid, "the bundle %s contains 2 to %d tickets, one of them for its own session", t.ID, MaxQuantity)
	}
	return nil
}

// ShareBundle shares what was paid for a bundle among its tickets, in the order of its contents, by what each would cost by
// itself. The shares are whole minor units and add up to the amount.
func ShareBundle(amount int64, contents []Component) []int64 {
	var (
		weights []int64
		whole   int64
	)
	for _, c := range contents {
		for range c.Quantity {
			weights = append(weights, c.Price)
			whole += c.Price
		}
	}
	if whole == 0 {
		for i := range weights {
			weights[i] = 1
		}
	}
	return split(amount, weights)
}

// BundleKey names one of the bundles of a line, counted from 1.
func BundleKey(ticketTypeID string, number int) string {
	return fmt.Sprintf("%s/%d", ticketTypeID, number)
}

// Need adds the stock that a line takes: its own, and that of what it contains.
func (l PricedLine) Need(stock map[string]int) {
	stock[l.TicketTypeID] += l.Quantity
	for _, c := range l.Contents {
		stock[c.TicketTypeID] += c.Quantity * l.Quantity
	}
}

// Short says for which bundle there is not enough of what it contains, or nil where there is for all lines together. free is what
// there is by ticket type, without those whose event does not sell.
func Short(lines []PricedLine, free map[string]int) *Refusal {
	needed := map[string]int{}
	for _, line := range lines {
		line.Need(needed)
	}
	for i, line := range lines {
		own := map[string]int{}
		line.Need(own)
		left := line.Quantity
		for _, c := range line.Contents {
			n, sells := free[c.TicketTypeID]
			if !sells {
				return &Refusal{Code: CodeNotOnSale, Message: "something in this bundle is not on sale", Field: fmt.Sprintf("/lines/%d/ticket_type_id", i)}
			}
			// What the other lines leave of it.
			n -= needed[c.TicketTypeID] - own[c.TicketTypeID]
			left = min(left, max(0, n)/c.Quantity)
		}
		if left < line.Quantity {
			return soldOut(left, i)
		}
	}
	return nil
}

func soldOut(left, line int) *Refusal {
	message := "sold out"
	if left > 0 {
		message = fmt.Sprintf("only %d left", left)
	}
	return &Refusal{Code: CodeSoldOut, Message: message, Field: fmt.Sprintf("/lines/%d/quantity", line)}
}

// Admits is the ticket type of what the ticket admits to: that of its line, or what its bundle contains.
func (t Ticket) Admits() string { return cmp.Or(t.ComponentID, t.TicketTypeID) }

// Admission is what tickets of a type admit to.
type Admission struct {
	// Name is that of the ticket type, Title that of the event.
	Name, Title Text
	// Session has its times and its venue.
	Session Session
	// DateUnknown says that the event is postponed and the session has no new date yet.
	DateUnknown bool
}

// CheckBundleNames refuses attendees for an order with a bundle, whose tickets are not sold to named people. Error: CodeAttendeesUnwanted.
func CheckBundleNames(q Quote, attendees []Attendee) error {
	for _, line := range q.Lines {
		if len(line.Contents) > 0 && len(attendees) > 0 {
			return FieldErrorf(CodeAttendeesUnwanted, "/attendees", "bundles are not sold to named people; leave the attendees out")
		}
	}
	return nil
}
