package notify

import (
	"time"

	"github.com/boxoffice/boxoffice/ticketing"
)

// Facts are what the words of a message are made from: the same for every channel and language. What a
// kind does not need may be zero.
type Facts struct {
	Kind ticketing.MessageKind
	// Name is the buyer's.
	Name    string
	OrderID string
	// OrderURL is the order's page, short enough for an SMS: it opens on devices that know the order.
	OrderURL string
	// PrivateURL opens it on any device, for whoever has it: for the buyer's mail only.
	PrivateURL string
	// Organiser, Title, Venue, City and Address are as the catalogue has them.
	Organiser string
	Title     ticketing.Text
	Venue     ticketing.Text
	City      ticketing.Text
	Address   ticketing.Text
	// StartsAt is UTC; Zone is the venue's IANA zone, in which it is told.
	StartsAt time.Time
	Zone     string
	// DateUnknown says that the event is postponed: StartsAt is what was planned, and there is no new date yet.
	DateUnknown bool
	// Lines are what was bought. Discount is taken off them; TicketFees, OrderFee and Tax, where prices do not have it in
	// them, are charged beside them. Total is all of it.
	Lines      []Line
	Discount   ticketing.Money
	TicketFees ticketing.Money
	OrderFee   ticketing.Money
	Tax        ticketing.Money
	Total      ticketing.Money
	// Amount is the money a payment or refund is about, Fee what was kept of it.
	Amount ticketing.Money
	Fee    ticketing.Money
	// Reason is why a payment goes back; empty if it is the buyer's wish.
	Reason ticketing.RefundReason
	// PayBy is when the hold ends.
	PayBy time.Time
	// Programme and MemberCode are of the membership that the order made points for; empty without one.
	Programme  ticketing.Text
	MemberCode string
	// Tickets are the valid ones.
	Tickets []Ticket
}

// Line is one line of an order.
type Line struct {
	Name     ticketing.Text
	Quantity int
	Amount   ticketing.Money
}

// Ticket is one admission.
type Ticket struct {
	Name ticketing.Text
	// Seat is the numbered seat it is for; nil without one.
	Seat *ticketing.Seat
	// Attendee is whom it is for; nil where tickets are for nobody by name.
	Attendee *ticketing.MaskedAttendee
	// Code is what its QR code carries.
	Code string
	// Session is what it admits to where it is of a bundle; nil means the one the message is about.
	Session *Session
}

// Session is what a ticket of a bundle admits to, as in Facts.
type Session struct {
	Title, Venue, City, Address ticketing.Text
	StartsAt                    time.Time
	Zone                        string
	DateUnknown                 bool
}
