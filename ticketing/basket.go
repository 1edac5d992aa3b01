package ticketing

import (
	"fmt"
	"time"
)

// Codes are what a buyer has typed: of vouchers, of a presale, and of a membership. They are secrets.
type Codes struct {
	Vouchers   []string `json:"vouchers,omitempty"`
	AccessCode string   `json:"access_code,omitempty"`
	MemberCode string   `json:"member_code,omitempty"`
}

// None says that there is no code at all.
func (c Codes) None() bool { return len(c.Vouchers) == 0 && c.AccessCode == "" && c.MemberCode == "" }

// MaxCode is the length of the longest code, in bytes.
const MaxCode = 64

// Validate checks the form of codes. Error: CodeInvalid; it names the field.
func (c Codes) Validate() error {
	if len(c.Vouchers) > MaxVouchers {
		return FieldErrorf(CodeInvalid, "/vouchers", "an order has at most %d vouchers", MaxVouchers)
	}
	for i, code := range c.Vouchers {
		if code == "" || len(code) > MaxCode {
			return FieldErrorf(CodeInvalid, voucherField(i), "a code has 1 to %d bytes", MaxCode)
		}
	}
	if len(c.AccessCode) > MaxCode {
		return FieldErrorf(CodeInvalid, "/access_code", "a code has 1 to %d bytes", MaxCode)
	}
	if len(c.MemberCode) > MaxCode {
		return FieldErrorf(CodeInvalid, "/member_code", "a code has 1 to %d bytes", MaxCode)
	}
	return nil
}

// Basket is what a buyer wants to know the price of, with what it depends on besides the catalogue.
type Basket struct {
	Lines []Ask
	// Vouchers are those the buyer's codes stand for, in the order of the codes; the zero Voucher stands for a code that there is not.
	Vouchers []Voucher
	// Opened are the presales that the buyer's access code opens.
	Opened []Presale
	// PhaseLeft is how many tickets are left at the price of each phase by quantity, by PhaseKey.
	PhaseLeft map[string]int
	At        time.Time
	// Email is the buyer's, by which a member code is theirs or is not; empty while it is not known.
	Email string
	// Member is whom the buyer's member code stands for; nil without a code.
	Member *Member
}

// choose finds the ticket type of every line and checks limits and windows.
func (b Basket) choose(event Event, session Session, level Level) ([]TicketType, error) {
	if event.State != EventOnSale {
		return nil, Errorf(CodeNotOnSale, "this event is not on sale")
	}
	if len(b.Lines) == 0 || len(b.Lines) > MaxLines {
		return nil, FieldErrorf(CodeInvalid, "/lines", "an order has 1 to %d lines", MaxLines)
	}
	types := make(map[string]TicketType, len(session.TicketTypes))
	for _, t := range session.TicketTypes {
		types[t.ID] = t
	}
	var (
		chosen []TicketType
		total  int
		seen   = make(map[string]bool, len(b.Lines))
	)
	for i, ask := range b.Lines {
		field := func(name string) string { return fmt.Sprintf("/lines/%d/%s", i, name) }
		t, ok := types[ask.TicketTypeID]
		switch {
		case !ok:
			return nil, FieldErrorf(CodeInvalid, field("ticket_type_id"), "no such ticket type in this session")
		case seen[t.ID]:
			return nil, FieldErrorf(CodeInvalid, field("ticket_type_id"), "this ticket type is named twice")
		case ask.Quantity < 1 || ask.Quantity > MaxQuantity:
			return nil, FieldErrorf(CodeInvalid, field("quantity"), "quantity must be 1 to %d", MaxQuantity)
		case ask.Quantity > t.MaxPerOrder:
			return nil, FieldErrorf(CodeLimitExceeded, field("quantity"), "at most %d tickets of this type per order", t.MaxPerOrder)
		case t.MaxPerBuyer > 0 && ask.Quantity > level.BoundOfType(t):
			return nil, FieldErrorf(CodeLimitExceeded, field("quantity"), "at most %d tickets of this type per buyer", level.BoundOfType(t))
		case !level.Opens(t, b.At) && !t.OpenedAt(b.At, b.Opened):
			return nil, FieldErrorf(CodeWindowClosed, field("ticket_type_id"), "this ticket type is not on sale now")
		}
		seen[t.ID] = true
		chosen = append(chosen, t)
		total += ask.Quantity * t.TicketsOf(event.ID)
	}
	if total > event.MaxPerOrder {
		return nil, FieldErrorf(CodeLimitExceeded, "/lines", "at most %d tickets per order", event.MaxPerOrder)
	}
	if event.MaxPerBuyer > 0 && total > level.BoundOf(event) {
		return nil, FieldErrorf(CodeLimitExceeded, "/lines", "at most %d tickets of this event per buyer", level.BoundOf(event))
	}
	return chosen, nil
}
