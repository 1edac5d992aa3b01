package ticketing

import (
	"errors"
	"fmt"
)

// Code names a reason in a form programs can rely on; it never changes once published.
type Code string

// The codes a caller may meet. The API maps each to one HTTP status, the
// workflows to one non-retryable application error type.
const (
	CodeInvalid           Code = "invalid"                // the request breaks a rule of form
	CodeNotFound          Code = "not_found"              // nothing with that id, or not for this caller
	CodeSoldOut           Code = "sold_out"               // fewer tickets left than asked for
	CodeSeatTaken         Code = "seat_taken"             // somebody else has a chosen seat
	CodeNotTogether       Code = "not_together"           // enough seats are left, but not side by side
	CodeLimitExceeded     Code = "limit_exceeded"         // more tickets than one order or one buyer may have
	CodeWindowClosed      Code = "window_closed"          // outside the sale window of a ticket type
	CodeNotOnSale         Code = "not_on_sale"            // the event is a draft, paused, ended, cancelled or postponed
	CodePriceChanged      Code = "price_changed"          // the total differs from the one the buyer was shown
	CodeVoucherInvalid    Code = "voucher_invalid"        // no voucher with this code takes anything off this order, whatever the reason
	CodeVoucherMinimum    Code = "voucher_minimum"        // the voucher wants more to be bought
	CodeAttendeesRequired Code = "attendees_required"     // the event wants a named attendee for each ticket
	CodeAttendeesUnwanted Code = "attendees_unwanted"     // the event sells tickets to nobody by name
	CodeAttendeeTaken     Code = "attendee_taken"         // a person has a ticket of the session already
	CodeAttendeeFixed     Code = "attendee_fixed"         // the attendee of a ticket can no longer be changed
	CodeKeyReused         Code = "idempotency_key_reused" // same key, other request
	CodeOrderClosed       Code = "order_closed"           // the order no longer takes this step
	CodeAlreadyPaid       Code = "already_paid"           // the order is paid
	CodeIllegalTransition Code = "illegal_transition"     // the state machine has no such move
	CodeMethodUnavailable Code = "method_unavailable"     // the payment method cannot be used now
	CodeNotRefundable     Code = "not_refundable"         // the tickets do not go back: too late, not of this event, not now
	CodeConflict          Code = "conflict"               // a concurrent change won
)

// Error is the one error type of the domain: a stable code, a sentence for
// people, and the field it is about where there is one.
type Error struct {
	Code    Code
	Message string
	// Field is a JSON pointer into the request, such as "/lines/0/quantity".
	Field string
	// Seats says more of CodeSeatTaken; nil for any other code.
	Seats *LostSeats
	// Left is how many tickets are left within the bound of CodeLimitExceeded; nil where nobody has counted.
	Left *int
}

// Error implements error.
func (e *Error) Error() string {
	if e.Field != "" {
		return fmt.Sprintf("%s: %s (%s)", e.Code, e.Message, e.Field)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Errorf makes an error with a code.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// FieldErrorf makes an error with a code about one field of the request.
func FieldErrorf(code Code, field, format string, args ...any) *Error {
	return &Error{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

// CodeOf returns the code of a domain error anywhere in err's chain, or ""
// for any other error.
func CodeOf(err error) Code {
	if e, ok := asError(err); ok {
		return e.Code
	}
	return ""
}

func asError(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}
