package activities

import (
	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/ticketing"
)

// ticketOf is a ticket as a message shows it: one of a bundle with what it admits to.
func ticketOf(t ticketing.Telling, ticket ticketing.Ticket, names map[string]ticketing.Text) notify.Ticket {
	shown := notify.Ticket{Name: names[ticket.TicketTypeID], Seat: ticket.Seat, Attendee: ticket.Attendee, Code: ticket.Code}
	if at, ok := t.Admissions[ticket.Admits()]; ok {
		venue := at.Session.Venue
		shown.Name = at.Name
		shown.Session = &notify.Session{
			Title: at.Title, Venue: venue.Name, City: venue.City, Address: venue.Address, StartsAt: at.Session.StartsAt,
			Zone: venue.TimeZone, DateUnknown: at.DateUnknown,
		}
	}
	return shown
}
