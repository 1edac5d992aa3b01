package storetest

import (
	"time"

	"github.com/boxoffice/boxoffice/ticketing"
)

// Bundled makes two events, home (Event) with home-t1, and other, a day before it, with other-t1, with so many tickets each. home-t2 is
// a bundle, of which there are so many, of one home-t1 and two other-t1.
func Bundled(home, other string, homes, bundles, others int) []ticketing.Event {
	event, before := Event(home, homes, bundles), Event(other, others)
	for _, at := range []*time.Time{&before.Sessions[0].StartsAt, &before.Sessions[0].EndsAt} {
		*at = at.Add(-24 * time.Hour)
	}
	event.Sessions[0].TicketTypes[1].Contents = []ticketing.Component{
		{TicketTypeID: other + "-t1", SessionID: other + "-s1", Quantity: 2}, {TicketTypeID: home + "-t1", SessionID: home + "-s1", Quantity: 1},
	}
	return []ticketing.Event{event, before}
}
