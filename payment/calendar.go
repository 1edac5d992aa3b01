package payment

import "time"

// Calendar is implemented by providers whose day does not begin at midnight UTC.
type Calendar interface {
	// Calendar is the zone in which the days of the gateway's bills begin and end.
	Calendar() *time.Location
}

// CalendarOf is the zone of a provider's days: its own, else UTC.
func CalendarOf(p Provider) *time.Location {
	if c, ok := p.(Calendar); ok {
		return c.Calendar()
	}
	return time.UTC
}
