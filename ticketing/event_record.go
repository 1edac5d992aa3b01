package ticketing

import "time"

// EventRecord is an event as its organiser keeps it, drafts too.
type EventRecord struct {
	ID        string
	Kind      Kind
	Title     Text
	Organiser string
	State     EventState
	// FirstAt and LastAt are when its first and its last session start; nil without sessions.
	FirstAt, LastAt *time.Time
	Sessions        int
	// Free, Held and Sold count its tickets.
	Free, Held, Sold int
}

// EventRecordFilter narrows records. Empty fields ask for nothing.
type EventRecordFilter struct {
	ID    string
	State EventState
	// Text holds words, each of which occurs in the id or a title, as in EventFilter.
	Text string
	// Limit is how many there are at most.
	Limit int
}

// EventMove is one step of an event's publication.
type EventMove struct {
	From, To EventState
	// By names who made it, Reason says why; empty for a move made past the product, by hand in the database.
	By, Reason string
	At         time.Time
}
