package ticketing

import "time"

// Counts is how things stand at a moment, for operators.
type Counts struct {
	// OpenHolds and HeldTickets count what is set aside unpaid, OverdueHolds the holds whose time is up.
	OpenHolds, HeldTickets, OverdueHolds int
	// Orders counts the orders placed in the last 24 hours by where they are now.
	Orders map[OrderState]int
	// UndeliveredPayments counts captured payments no workflow has acknowledged yet, OldestUndelivered is
	// how long ago the first was captured.
	UndeliveredPayments int
	OldestUndelivered   time.Duration
	// AwaitingRefund is captured money that pays no order and has not gone back, in minor units by
	// currency; LateMoney counts its payments.
	AwaitingRefund map[string]int64
	LateMoney      int
	// PendingRefunds and FailedRefunds count refunds that are not final, and those that wait for a person.
	PendingRefunds, FailedRefunds int
	// OpenCases counts what waits for a person, by kind.
	OpenCases map[CaseKind]int
	// RefusedCallbacks counts messages refused in the last 24 hours by reason.
	RefusedCallbacks map[string]int
}

// MessageCounts is how telling buyers goes.
type MessageCounts struct {
	// Waiting counts what is to be sent, now or later; OldestWaiting is for how long the oldest could have been.
	Waiting       int
	OldestWaiting time.Duration
	// Undelivered counts what no channel could tell and a person has not settled.
	Undelivered int
}
