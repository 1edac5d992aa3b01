package ticketing

import "time"

// HoldRequest asks for stock to be set aside for an order. It is idempotent by OrderID.
type HoldRequest struct {
	OrderID   string
	EventID   string
	SessionID string
	Lines     []Ask
	Buyer     Buyer
	Codes
	// Attendees are who the tickets are for, line by line, where the event names them; see RealNames.
	Attendees []Attendee `json:",omitempty"`
	// Join makes the buyer a member of the organiser's programme with the payment; it does nothing where there is none.
	Join bool `json:",omitzero"`
	// ExpectedTotal is what the buyer was shown; nil accepts whatever the price is now.
	ExpectedTotal *Money
	// Fingerprint is a hash of the whole request: the same order id with another one is a reused key.
	Fingerprint string
	// At is the workflow's clock, by which prices are chosen; sale windows go by the database's clock.
	At time.Time
	// PayBy is when the hold ends.
	PayBy time.Time
}

// HoldResult is the answer to a HoldRequest, the same however often it is asked.
type HoldResult struct {
	// State is OrderPending while the hold lasts, OrderRefused when none was given, or where the
	// order has gone since if it was held before.
	State OrderState
	// Fingerprint is that of the request the order was made from.
	Fingerprint string
	Quote       Quote
	PayBy       time.Time
	CreatedAt   time.Time
	// Revision is the order's timeline length.
	Revision int
	// Refusal says why, when State is OrderRefused.
	Refusal *Refusal
	// Seats are those the order has been given, in the order of their map.
	Seats []Seat `json:",omitempty"`
}

// Refusal is why an order got no stock, in the terms of Error.
type Refusal struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`
	// Seats says more of CodeSeatTaken.
	Seats *LostSeats `json:"seats,omitempty"`
	// Left says more of CodeLimitExceeded.
	Left *int `json:"left,omitempty"`
}

// RefusalOf turns a domain error into a refusal; ok is false for any other error.
func RefusalOf(err error) (refusal *Refusal, ok bool) {
	e, ok := asError(err)
	if !ok {
		return nil, false
	}
	return &Refusal{Code: e.Code, Message: e.Message, Field: e.Field, Seats: e.Seats, Left: e.Left}, true
}

// Err turns the refusal back into the error it came from.
func (r Refusal) Err() *Error {
	return &Error{Code: r.Code, Message: r.Message, Field: r.Field, Seats: r.Seats, Left: r.Left}
}
