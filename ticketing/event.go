package ticketing

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Text is a text for people in several languages, keyed by BCP 47 tag
// ("en", "zh-CN"). Every buyer-facing text has both.
type Text map[string]string

// In returns the text in a language, else in English.
func (t Text) In(language string) string {
	if s, ok := t[language]; ok {
		return s
	}
	return t["en"]
}

// Kind says what sort of event is sold.
type Kind string

// The kinds of event.
const (
	KindCinema  Kind = "cinema"
	KindConcert Kind = "concert"
	KindTheatre Kind = "theatre"
	KindSport   Kind = "sport"
	KindJourney Kind = "journey"
)

// Kinds lists every kind in the order a catalogue shows them.
var Kinds = []Kind{KindCinema, KindConcert, KindTheatre, KindSport, KindJourney}

// EventState is where an event stands in its publication.
type EventState string

// The publishing states of an event.
const (
	EventDraft     EventState = "DRAFT"
	EventOnSale    EventState = "ON_SALE"
	EventPaused    EventState = "PAUSED"
	EventEnded     EventState = "ENDED"
	EventCancelled EventState = "CANCELLED"
	EventPostponed EventState = "POSTPONED"
)

// EventStates lists every state.
var EventStates = []EventState{EventDraft, EventOnSale, EventPaused, EventEnded, EventCancelled, EventPostponed}

var eventMoves = map[EventState][]EventState{
	EventDraft:     {EventOnSale, EventCancelled},
	EventOnSale:    {EventPaused, EventEnded, EventCancelled, EventPostponed},
	EventPaused:    {EventOnSale, EventEnded, EventCancelled, EventPostponed},
	EventPostponed: {EventOnSale, EventCancelled},
	EventEnded:     {},
	EventCancelled: {},
}

// CanMoveTo says whether an event may go from s to next.
func (s EventState) CanMoveTo(next EventState) bool {
	return slices.Contains(eventMoves[s], next)
}

// Next tells in words the states an event may go to from s.
func (s EventState) Next() string {
	next := make([]string, len(eventMoves[s]))
	for i, state := range eventMoves[s] {
		next[i] = string(state)
	}
	return cmp.Or(strings.Join(next, ", "), "nothing any more")
}

// Venue is where sessions take place; for a journey, where it departs.
type Venue struct {
	ID      string `json:"id"`
	Name    Text   `json:"name"`
	City    Text   `json:"city"`
	Address Text   `json:"address"`
	// TimeZone is the IANA zone in which the venue's times are shown.
	TimeZone string `json:"time_zone"`
}

// Event is what is sold: a film, a concert, a match, a journey.
type Event struct {
	ID          string     `json:"id"`
	OrganiserID string     `json:"organiser_id"`
	Organiser   string     `json:"organiser"`
	Kind        Kind       `json:"kind"`
	Title       Text       `json:"title"`
	Summary     Text       `json:"summary"`
	State       EventState `json:"state"`
	// HoldFor is how long an unpaid order keeps its tickets.
	HoldFor time.Duration `json:"-"`
	// OrderFee is charged once per order, TicketFee for every ticket, both in minor units of the tickets' currency.
	OrderFee  int64 `json:"order_fee"`
	TicketFee int64 `json:"ticket_fee,omitempty"`
	// Tax is the tax on everything that is charged.
	Tax TaxRule `json:"tax,omitzero"`
	// MaxPerOrder bounds the tickets of one order over all its lines.
	MaxPerOrder int `json:"max_per_order"`
	// MaxPerBuyer bounds the live tickets of one buyer over all their orders; 0 means no bound.
	MaxPerBuyer int `json:"max_per_buyer,omitempty"`
	// RealNames says whether tickets are sold to named people.
	RealNames RealNames `json:"-"`
	// Programme is the organiser's membership; nil where there is none.
	Programme *Programme `json:"-"`
	// Refunds says until when tickets go back, and for what fee; empty means never.
	Refunds  RefundPolicy `json:"-"`
	Sessions []Session    `json:"sessions"`
}

// Session is one dated occurrence of an event.
type Session struct {
	ID       string    `json:"id"`
	EventID  string    `json:"event_id"`
	Venue    Venue     `json:"venue"`
	StartsAt time.Time `json:"starts_at"`
	EndsAt   time.Time `json:"ends_at"`
	// ChangedAt is when its time or its venue last changed; zero if never.
	ChangedAt time.Time `json:"-"`
	// SeatMap is the plan of its seats; a session for which somebody has placed an order keeps it.
	SeatMap     SeatMapRef   `json:"seat_map,omitzero"`
	TicketTypes []TicketType `json:"ticket_types"`
}

// TicketType is a priced category of a session with its own capacity.
type TicketType struct {
	ID        string `json:"id"`
	SessionID string `json:"session_id"`
	Name      Text   `json:"name"`
	Currency  string `json:"currency"`
	// BasePrice and Surcharge are minor units per ticket, before phases.
	BasePrice int64 `json:"base_price"`
	Surcharge int64 `json:"surcharge"`
	// Phases replace the base price while they last and have room; see PhaseFor.
	Phases []PricePhase `json:"phases"`
	// MaxPerOrder bounds the tickets of this type in one order.
	MaxPerOrder int `json:"max_per_order"`
	// MaxPerBuyer bounds the live tickets of this type of one buyer over all their orders; 0 means no bound.
	MaxPerBuyer int `json:"max_per_buyer,omitempty"`
	// SaleFrom and SaleUntil bound the sale window: from inclusive, until exclusive.
	SaleFrom  time.Time `json:"sale_from"`
	SaleUntil time.Time `json:"sale_until"`
	// Presales are windows besides, for those who have a code.
	Presales []Presale `json:"presales,omitempty"`
	// Capacity is how many there are; of a seated type, the number of its seats.
	Capacity int `json:"capacity"`
	// SeatCategory is the category of the session's seat map that it sells, if it sells one. No two types of a
	// session sell the same.
	SeatCategory string `json:"seat_category,omitempty"`
	// Seated says that the category has numbered seats. Whoever buys one gets a seat.
	Seated bool `json:"seated,omitzero"`
	// Assignment is how seats are given to those who did not choose any; empty means AssignBest.
	Assignment SeatAssignment `json:"assignment,omitempty"`
	// Contents are what a bundle is made of, in ascending order of ticket type; empty for every other type.
	Contents []Component `json:"contents,omitempty"`
}

// OnSaleAt says whether the type is inside its sale window at now.
func (t TicketType) OnSaleAt(now time.Time) bool {
	return !now.Before(t.SaleFrom) && now.Before(t.SaleUntil)
}
