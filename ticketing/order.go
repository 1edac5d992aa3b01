package ticketing

import "slices"

import "time"

// OrderState is where an order stands; see docs/order-states.md for the picture.
type OrderState string

// The states of an order.
const (
	OrderPending           OrderState = "PENDING"         // stock held, not paid
	OrderAwaitingReview    OrderState = "AWAITING_REVIEW" // a person decides first
	OrderPaid              OrderState = "PAID"            // paid, tickets issued
	OrderRefused           OrderState = "REFUSED"         // no stock was given
	OrderCancelled         OrderState = "CANCELLED"       // by the buyer, before paying
	OrderExpired           OrderState = "EXPIRED"         // not paid by the deadline
	OrderFailed            OrderState = "FAILED"          // paid but not deliverable: refunded
	OrderRefunding         OrderState = "REFUNDING"
	OrderPartiallyRefunded OrderState = "PARTIALLY_REFUNDED"
	OrderRefunded          OrderState = "REFUNDED"
	OrderExchanged         OrderState = "EXCHANGED"
)

// orderMoves is the whole state machine. The database holds the same table
// (order_moves) and refuses any other move; a test compares the two.
var orderMoves = map[OrderState][]OrderState{
	OrderPending:        {OrderAwaitingReview, OrderPaid, OrderCancelled, OrderExpired, OrderFailed},
	OrderAwaitingReview: {OrderPending, OrderPaid, OrderCancelled, OrderExpired, OrderFailed},
	OrderPaid:           {OrderRefunding, OrderExchanged},
	// Money that arrives after the hold ended may take the same stock again.
	OrderCancelled: {OrderPaid},
	OrderExpired:   {OrderPaid},
	OrderFailed:    {},
	OrderRefused:   {},
	// There is no way back from a refund: its tickets are void.
	OrderRefunding:         {OrderPartiallyRefunded, OrderRefunded},
	OrderPartiallyRefunded: {OrderRefunding},
	OrderRefunded:          {},
	OrderExchanged:         {},
}

// OrderMoves returns every legal move as (from, to) pairs.
func OrderMoves() [][2]OrderState {
	var moves [][2]OrderState
	for from, tos := range orderMoves {
		for _, to := range tos {
			moves = append(moves, [2]OrderState{from, to})
		}
	}
	return moves
}

// CanMoveTo says whether an order may go from s to next.
func (s OrderState) CanMoveTo(next OrderState) bool {
	return slices.Contains(orderMoves[s], next)
}

// HoldsStock says whether an order in this state has stock set aside for it unpaid.
func (s OrderState) HoldsStock() bool { return s == OrderPending || s == OrderAwaitingReview }

// Buyer is whom an order belongs to. Personal data: encrypted wherever it rests.
type Buyer struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	// Phone is in E.164 form, or empty.
	Phone string `json:"phone,omitempty"`
	// Language is the BCP 47 tag the buyer reads: "en" or "zh-CN".
	Language string `json:"language"`
}

// Order is one purchase as its buyer sees it.
type Order struct {
	ID        string     `json:"id"`
	SessionID string     `json:"session_id"`
	EventID   string     `json:"event_id"`
	State     OrderState `json:"state"`
	Buyer     Buyer      `json:"buyer"`
	Quote
	// PayBy is when the hold ends.
	PayBy time.Time `json:"pay_by"`
	// PaidAt is when the money that pays it was captured; nil while it is not paid.
	PaidAt    *time.Time `json:"paid_at,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	// Revision grows by one with every timeline entry.
	Revision int              `json:"revision"`
	Refusal  *Refusal         `json:"refusal,omitempty"`
	Attempts []PaymentAttempt `json:"attempts"`
	Tickets  []Ticket         `json:"tickets"`
	// Seats are those it was given, in the order of their map; what became of it since does not change them.
	Seats []Seat `json:"seats,omitempty"`
	// Attendees are who its tickets are for, in their order, where they are named; changes show here, too.
	Attendees []MaskedAttendee `json:"attendees,omitempty"`
	Refunds   []Refund         `json:"refunds"`
	// Membership is nil unless the order is paid and makes points.
	Membership *OrderMembership `json:"-"`
}

// AttemptState is where one try to pay stands.
type AttemptState string

// The states of a payment attempt.
const (
	AttemptCreated  AttemptState = "CREATED"  // number stored, gateway not yet answered
	AttemptPending  AttemptState = "PENDING"  // the gateway waits for the buyer
	AttemptDeclined AttemptState = "DECLINED" // the gateway said no; nothing was charged
	AttemptClosed   AttemptState = "CLOSED"   // closed at the gateway; nothing was charged
	AttemptAccepted AttemptState = "ACCEPTED" // its money pays the order
	AttemptRejected AttemptState = "REJECTED" // captured, not accepted: to be refunded
	AttemptRefunded AttemptState = "REFUNDED" // captured, not accepted, refunded in full
)

// Settled says whether nothing more can come of the attempt unless the gateway surprises us.
func (s AttemptState) Settled() bool { return s != AttemptCreated && s != AttemptPending }

// PaymentAttempt is one try to pay an order at one gateway.
type PaymentAttempt struct {
	// ID is the number the gateway knows it by: 26 characters of [0-9A-Z], new for every attempt.
	ID        string       `json:"id"`
	OrderID   string       `json:"order_id"`
	Provider  string       `json:"provider"`
	GatewayID string       `json:"gateway_id,omitempty"` // the gateway's own id, once known
	Method    string       `json:"method"`
	State     AttemptState `json:"state"`
	Amount    Money        `json:"amount"`
	PayURL    string       `json:"pay_url,omitempty"`
	QR        string       `json:"qr,omitempty"`
	// PayForm is what the payer's browser has to POST to PayURL; nil where that is a plain link.
	PayForm   map[string]string `json:"pay_form,omitempty"`
	ExpiresAt time.Time         `json:"expires_at"`
	CreatedAt time.Time         `json:"created_at"`
}

// OpenedAttempt is what a gateway answered to the creation of an attempt.
type OpenedAttempt struct {
	GatewayID string
	PayURL    string
	QR        string
	PayForm   map[string]string
}

// MaxAttempts bounds how often one order may be tried to pay, and so what it may ask of the gateways.
const MaxAttempts = 20

// StartedAttempt is a stored try to pay with what its gateway is told of the order.
type StartedAttempt struct {
	PaymentAttempt
	SessionID string
	Language  string // the buyer's
	// Others are the order's attempts that a gateway may still capture, or has captured, money for.
	Others []PaymentAttempt
}

// TicketState says whether a ticket admits.
type TicketState string

// The states of a ticket.
const (
	TicketValid  TicketState = "VALID"
	TicketFrozen TicketState = "FROZEN" // its payment is disputed: it neither admits nor goes back until that is decided
	TicketVoid   TicketState = "VOID"
)

// Ticket is one admission.
type Ticket struct {
	ID           string      `json:"id"`
	OrderID      string      `json:"order_id"`
	TicketTypeID string      `json:"ticket_type_id"`
	State        TicketState `json:"state"`
	// RefundID is the refund that gave it back, if one did.
	RefundID string `json:"refund_id,omitempty"`
	// Code is what the QR code carries: unguessable, checked at the door.
	Code     string    `json:"code"`
	IssuedAt time.Time `json:"issued_at"`
	// Seat is the seat it is for, if it is for one.
	Seat *Seat `json:"seat,omitempty"`
	// Attendee is who it is for, if it is for somebody by name.
	Attendee *MaskedAttendee `json:"attendee,omitempty"`
	// ComponentID is the ticket type it admits to, if it is of a bundle; it is of the Bundle-th one of its line, counted from 1.
	ComponentID string `json:"component_id,omitempty"`
	Bundle      int    `json:"bundle,omitempty"`
}

// OrderEventKind names a step of an order's timeline.
type OrderEventKind string

// The kinds of timeline entries.
const (
	EventHeld            OrderEventKind = "held"
	EventRefused         OrderEventKind = "refused"
	EventAttemptStarted  OrderEventKind = "attempt_started"
	EventAttemptDeclined OrderEventKind = "attempt_declined"
	EventAttemptClosed   OrderEventKind = "attempt_closed"
	EventPaymentReceived OrderEventKind = "payment_received"
	EventPaid            OrderEventKind = "paid"
	EventPaymentRejected OrderEventKind = "payment_rejected"
	EventExpired         OrderEventKind = "expired"
	EventOrderCancelled  OrderEventKind = "cancelled"
	EventFailed          OrderEventKind = "failed"
	EventLatePayment     OrderEventKind = "late_payment"
	EventRetaken         OrderEventKind = "retaken"
	EventRefundStarted   OrderEventKind = "refund_started"   // money that did not pay the order goes back
	EventRefundRequested OrderEventKind = "refund_requested" // tickets go back
	EventRefundSent      OrderEventKind = "refund_sent"      // the gateway has it, but not done yet
	EventRefundSettled   OrderEventKind = "refund_settled"
	EventRefundFailed    OrderEventKind = "refund_failed"
	EventDisputeOpened   OrderEventKind = "dispute_opened"
	EventDisputeWon      OrderEventKind = "dispute_won"
	EventDisputeLost     OrderEventKind = "dispute_lost"
	EventNeedsAttention  OrderEventKind = "needs_attention"
	EventHoldExpiring    OrderEventKind = "hold_expiring"   // the buyer is warned
	EventSessionChanged  OrderEventKind = "session_changed" // another time or another venue
	EventEventCancelled  OrderEventKind = "event_cancelled"
	EventEventPostponed  OrderEventKind = "event_postponed"
	EventReminder        OrderEventKind = "reminder" // the session begins soon
	EventAttendeeChanged OrderEventKind = "attendee_changed"
)

// OrderEvent is one entry of an order's timeline.
type OrderEvent struct {
	// Sequence counts from 1 within the order.
	Sequence int            `json:"sequence"`
	Kind     OrderEventKind `json:"kind"`
	State    OrderState     `json:"state"`
	At       time.Time      `json:"at"`
	// Detail carries what the kind needs, such as provider, attempt_id, amount, reason; never personal data.
	Detail map[string]any `json:"detail,omitempty"`
}
