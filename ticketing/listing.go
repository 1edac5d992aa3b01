package ticketing

import "time"

// EventFilter is what somebody looks for. Empty fields ask for nothing.
type EventFilter struct {
	// Now is when they look: a session that is over by then fits nobody. The pages of one listing have the same.
	Now time.Time
	// From is inclusive, To exclusive: an event fits by a session that starts between them.
	From, To time.Time
	// City and Venue are names in any language, whatever their case and accents; Venue may be an id, too.
	City, Venue string
	Kind        Kind
	// Text holds words, each of which has to occur somewhere in the event's title, summary, organiser, venues or cities,
	// in any language, also inside of longer words.
	Text string
	// After is the last of the page before.
	After ListingKey
	// Limit is how many are found at most.
	Limit int
}

// ListingKey is the place of an event in a listing, by the first of its sessions that fits.
type ListingKey struct {
	StartsAt time.Time
	EventID  string
}
