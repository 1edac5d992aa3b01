package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
	"github.com/boxoffice/boxoffice/workflows"
)

// Store is what the API needs of the database. Business refusals come back
// as *ticketing.Error; any other error means that the database did not answer.
type Store interface {
	// Ping asks whether the database answers.
	Ping(ctx context.Context) error

	// FindEvents finds events with a session that fits, soonest first; more says that there are others.
	FindEvents(ctx context.Context, filter ticketing.EventFilter) (found []ticketing.ListingKey, more bool, err error)
	// Cities lists the cities of what FindEvents finds without a filter, by their English names.
	Cities(ctx context.Context) ([]ticketing.Text, error)
	// EventRevisions tells numbers that grow with every change of an event; drafts and unknown events have none.
	EventRevisions(ctx context.Context, eventIDs ...string) (map[string]int64, error)
	// Events reads events with their sessions and ticket types; drafts and unknown ones are left out.
	Events(ctx context.Context, eventIDs ...string) ([]ticketing.Event, error)
	// EventsOfSessions tells which event each session belongs to; unknown ones are left out.
	EventsOfSessions(ctx context.Context, sessionIDs ...string) (map[string]string, error)
	// Availability counts what is free of the sessions' ticket types, by ticket type, and what is left at the price of phases by
	// quantity, by ticketing.PhaseKey.
	Availability(ctx context.Context, sessionIDs ...string) (map[string]int, error)

	// Basket completes a basket by what the price depends on besides the catalogue. Error: CodeInvalid.
	Basket(ctx context.Context, session ticketing.Session, b ticketing.Basket, codes ticketing.Codes) (ticketing.Basket, error)

	// SeatMap returns a version of a seat map, else CodeNotFound.
	SeatMap(ctx context.Context, ref ticketing.SeatMapRef) (*seating.Plan, error)
	// SeatStates tells what may have changed of the seats of sessions since a cursor, by session; 0 asks for all.
	SeatStates(ctx context.Context, since map[string]int64) (ticketing.SeatStates, error)

	// Order finds an order with its attempts, tickets and refunds, else CodeNotFound.
	Order(ctx context.Context, orderID string) (ticketing.Order, error)
	// OrderFingerprint finds the fingerprint of the request an order was made from, else CodeNotFound.
	OrderFingerprint(ctx context.Context, orderID string) (string, error)
	// OrderEvents lists an order's timeline entries with a sequence above after; none of an unknown order.
	OrderEvents(ctx context.Context, orderID string, after int) ([]ticketing.OrderEvent, error)
	// OrderRevisions tells the revisions of orders; unknown ones are left out.
	OrderRevisions(ctx context.Context, orderIDs []string) (map[string]int, error)

	// ChangeAttendee makes a ticket somebody else's. Errors: CodeInvalid, CodeNotFound, CodeAttendeeFixed, CodeAttendeeTaken.
	ChangeAttendee(ctx context.Context, orderID, ticketID string, attendee ticketing.Attendee) error

	// StartAttempt stores a new attempt to pay, named by its ID, OrderID, Provider and Method,
	// before its gateway hears of it, and returns it whole.
	// Errors: CodeNotFound, CodeAlreadyPaid, CodeOrderClosed, CodeLimitExceeded, CodeInvalid when
	// there is nothing to pay.
	StartAttempt(ctx context.Context, attempt ticketing.PaymentAttempt) (ticketing.StartedAttempt, error)
	// AttemptOpened stores what the gateway answered to the attempt's creation.
	AttemptOpened(ctx context.Context, attemptID string, opened ticketing.OpenedAttempt) error
	// MarkDelivered notes that workflows have acknowledged the captured money of attempts.
	MarkDelivered(ctx context.Context, attemptIDs ...string) error
	// RecordPayment stores a verified fact about an attempt.
	RecordPayment(ctx context.Context, fact ticketing.PaymentFact) error

	// QuoteRefund says what goes back if tickets of an order go back now; nil means all that are valid.
	// Errors: CodeNotFound and those of ticketing.QuoteRefund.
	QuoteRefund(ctx context.Context, orderID string, tickets []string) (ticketing.RefundQuote, error)
	// RefundOfRequest finds the refund a request was answered with before, and the fingerprint of
	// what was asked then, else CodeNotFound.
	RefundOfRequest(ctx context.Context, orderID, request string) (ticketing.Refund, string, error)

	// KeepCallback puts a verified callback into the inbox and records what it says.
	// Errors: CodeInvalid, CodeConflict when its number belongs to another provider.
	KeepCallback(ctx context.Context, callback ticketing.Callback) (ticketing.KeptCallback, error)
	// CountRefusedCallback counts a callback that was refused.
	CountRefusedCallback(ctx context.Context, provider, reason string) error

	// Messages lists what an order's buyer was and is being told, in the order of the timeline.
	Messages(ctx context.Context, orderID string) ([]ticketing.Message, error)
	// KeepReceipt stores a carrier's later word on a message, once for each status.
	KeepReceipt(ctx context.Context, receipt ticketing.MessageReceipt) error

	// Counts tells how things stand.
	Counts(ctx context.Context) (ticketing.Counts, error)
}

// Errors of Purchases.
var (
	// ErrStarted: the purchase was started before, by this buyer's same intent.
	ErrStarted = errors.New("purchase started before")
	// ErrNoAnswer: the purchase goes on, but no worker answered in time.
	ErrNoAnswer = errors.New("no worker answered in time")
	// ErrNotRunning: no such purchase runs.
	ErrNotRunning = errors.New("purchase not running")
)

// Purchases starts and steers purchase workflows. Errors other than those named mean that Temporal
// could not be reached.
type Purchases interface {
	// Start starts a purchase and waits for its hold. Errors: ErrStarted, ErrNoAnswer.
	Start(ctx context.Context, purchase NewPurchase) (ticketing.HoldResult, error)
	// Hold waits for the hold of a purchase that was started before. Errors: ErrNotRunning, ErrNoAnswer.
	Hold(ctx context.Context, orderID string) (ticketing.HoldResult, error)
	// Cancel ends an unpaid order and tells where it is then. Errors: ErrNotRunning, ErrNoAnswer,
	// CodeAlreadyPaid, CodeOrderClosed.
	Cancel(ctx context.Context, orderID string) (ticketing.OrderState, error)
	// Ready asks whether Temporal answers.
	Ready(ctx context.Context) error
}

// Refunds starts workflows that give tickets back.
type Refunds interface {
	// Request asks for tickets to be given back and waits for the answer; the same request again gets the
	// same one. Errors: ErrNoAnswer, else Temporal could not be reached.
	Request(ctx context.Context, refund NewRefund) (ticketing.RefundAnswer, error)
}

// NewRefund is a refund to start.
type NewRefund struct {
	Request ticketing.RefundRequest
	// Provider gives the money back, Summary is a line without personal data: both for the operators' lists.
	Provider string
	Summary  string
}

// NewPurchase is a purchase to start.
type NewPurchase struct {
	Input workflows.PurchaseInput
	// Amount is the expected total in minor units, Summary a line without personal data: both for
	// the operators' lists.
	Amount  int64
	Summary string
}

// Deliverer brings captured money to the workflow that waits for it, or to a late-payment saga.
type Deliverer interface {
	DeliverPayment(ctx context.Context, attempt ticketing.PaymentAttempt) error
	// WakeRefund tells the workflow that gives money back to look at what its gateway has said.
	WakeRefund(ctx context.Context, refund ticketing.Refund) error
}

// Carrier says later what became of the messages it took.
type Carrier interface {
	// Name is the last segment of the path it calls.
	Name() string
	// ParseReceipt verifies and reads what it says. url is where it was told to say it, as it sees it: its signature covers
	// that. Errors: notify.ErrForged, notify.ErrMalformed.
	ParseReceipt(header http.Header, body []byte, url string) (ticketing.MessageReceipt, error)
}

// Identity makes the names and secrets of orders. They are keyed hashes, so that every instance
// makes the same ones and nobody else can.
type Identity interface {
	// OrderID names the order of one intent of one buyer: 26 characters of [0-9A-Z].
	OrderID(email, idempotencyKey string) string
	// OrderToken is the bearer token of an order.
	OrderToken(orderID string) string
	// VerifyOrderToken compares in constant time.
	VerifyOrderToken(orderID, token string) bool
	// Fingerprint tells requests apart without giving away what they say.
	Fingerprint(request []byte) string
}
