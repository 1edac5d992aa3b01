package ticketing

import "time"

// CaseKind says what a case is about.
type CaseKind string

// The kinds of cases that are no differences with a bill.
const (
	CaseRefundFailed CaseKind = "refund_failed"       // a gateway will not give money back that we owe
	CaseDispute      CaseKind = "dispute"             // a payer disputes a payment
	CaseUndelivered  CaseKind = "message_undelivered" // a buyer could not be told by any channel
)

// Case is the kind of the case a difference makes.
func (c DifferenceClass) Case() CaseKind { return CaseKind("bill_" + c) }

// CaseState says whether a case still waits for somebody.
type CaseState string

// The states of a case.
const (
	CaseOpen     CaseState = "OPEN"
	CaseResolved CaseState = "RESOLVED"
)

// Resolution says how a case came to its end.
type Resolution string

// The resolutions.
const (
	ResolvedVanished Resolution = "vanished" // it is no longer so
	ResolvedDecided  Resolution = "decided"  // the gateway decided it
	ResolvedByPerson Resolution = "person"   // somebody settled it; the note says how
)

// Case is one thing a person has to look at. It holds no personal data.
type Case struct {
	ID       string   `json:"id"`
	Kind     CaseKind `json:"kind"`
	Provider string   `json:"provider"`
	// Day is the date of the bill, for differences with one.
	Day string `json:"day,omitempty"`
	// Reference is what it is about: a movement of the bill as kind:number, "bill", a refund, a dispute.
	Reference string `json:"reference"`
	AttemptID string `json:"attempt_id,omitempty"`
	OrderID   string `json:"order_id,omitempty"`
	RefundID  string `json:"refund_id,omitempty"`
	// Detail carries what the kind needs, such as billed, booked, amount, currency, reason.
	Detail     map[string]any `json:"detail,omitempty"`
	State      CaseState      `json:"state"`
	OpenedAt   time.Time      `json:"opened_at"`
	ResolvedAt *time.Time     `json:"resolved_at,omitempty"`
	Resolution Resolution     `json:"resolution,omitempty"`
	Note       string         `json:"note,omitempty"`
}

// CaseFilter says which cases to list. Zero fields mean all.
type CaseFilter struct {
	// Resolved lists those that are resolved, too.
	Resolved bool
	Kind     CaseKind
	Provider string
	// Day is a date, for differences with the bill of that day.
	Day string
	// Limit bounds the list, newest first. Zero means 100.
	Limit int
}

// ReconciliationReport is what came of comparing a bill with our books.
type ReconciliationReport struct {
	// Lines are on the bill, Matched of them are in our books as billed.
	Lines   int `json:"lines"`
	Matched int `json:"matched"`
	// Differences counts what was found, by class, whether it had a case before or not.
	Differences map[DifferenceClass]int `json:"differences,omitempty"`
	// OpenCases counts the day's cases that wait for somebody now.
	OpenCases int `json:"open_cases"`
	// Unbooked are payments on the bill that our books know nothing of, MaxUnbooked at most.
	Unbooked []Movement `json:"unbooked,omitempty"`
}

// MaxUnbooked bounds how many payments one comparison hands on to be asked about; the next one has the rest.
const MaxUnbooked = 200
