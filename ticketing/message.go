package ticketing

import (
	"slices"
	"time"
)

// Channel is a way to reach a buyer.
type Channel string

// The channels.
const (
	ChannelMail Channel = "mail"
	ChannelSMS  Channel = "sms"
)

// Other is the channel that is used when c does not get through.
func (c Channel) Other() Channel {
	if c == ChannelMail {
		return ChannelSMS
	}
	return ChannelMail
}

// MessageKind is what a message tells.
type MessageKind string

// The kinds of messages.
const (
	MessageHoldExpiring     MessageKind = "hold_expiring"     // the order is still unpaid, and its hold ends soon
	MessagePaid             MessageKind = "paid"              // here are your tickets
	MessageRetaken          MessageKind = "retaken"           // the payment came late, and the tickets could be taken again
	MessageExpired          MessageKind = "expired"           // not paid in time
	MessageCancelled        MessageKind = "cancelled"         // cancelled before it was paid
	MessagePaymentReturned  MessageKind = "payment_returned"  // a payment that could not be used is on its way back
	MessageRefundRequested  MessageKind = "refund_requested"  // tickets were given back, the money is on its way
	MessageRefunded         MessageKind = "refunded"          // the money has been sent back
	MessageTicketsFrozen    MessageKind = "tickets_frozen"    // the bank disputes the payment
	MessageTicketsRestored  MessageKind = "tickets_restored"  // the dispute was decided for the sale
	MessageTicketsWithdrawn MessageKind = "tickets_withdrawn" // the dispute was lost
	MessageSessionChanged   MessageKind = "session_changed"   // another time or another venue
	MessageEventCancelled   MessageKind = "event_cancelled"   // it does not take place
	MessageEventPostponed   MessageKind = "event_postponed"   // it does not take place yet
	MessageReminder         MessageKind = "reminder"          // it begins soon
)

// MessageKinds lists every kind, the most urgent first.
var MessageKinds = []MessageKind{
	MessageHoldExpiring, MessageEventCancelled, MessageEventPostponed, MessageSessionChanged, MessagePaid, MessageRetaken,
	MessageReminder, MessageTicketsFrozen, MessageTicketsRestored, MessageTicketsWithdrawn, MessagePaymentReturned,
	MessageRefundRequested, MessageRefunded, MessageCancelled, MessageExpired,
}

// told names what the buyer is told of an entry of the timeline; of any other entry nothing is told.
var told = map[OrderEventKind]MessageKind{
	EventHoldExpiring:    MessageHoldExpiring,
	EventPaid:            MessagePaid,
	EventRetaken:         MessageRetaken,
	EventExpired:         MessageExpired,
	EventOrderCancelled:  MessageCancelled,
	EventRefundStarted:   MessagePaymentReturned,
	EventRefundRequested: MessageRefundRequested,
	EventRefundSettled:   MessageRefunded,
	EventDisputeOpened:   MessageTicketsFrozen,
	EventDisputeWon:      MessageTicketsRestored,
	EventDisputeLost:     MessageTicketsWithdrawn,
	EventSessionChanged:  MessageSessionChanged,
	EventEventCancelled:  MessageEventCancelled,
	EventEventPostponed:  MessageEventPostponed,
	EventReminder:        MessageReminder,
}

// Message is what the buyer is told of an entry of the timeline; ok is false if that is nothing.
func (k OrderEventKind) Message() (kind MessageKind, ok bool) {
	kind, ok = told[k]
	return kind, ok
}

// Tells is the kind of the timeline's entries that a message tells of.
func (k MessageKind) Tells() OrderEventKind {
	for entry, kind := range told {
		if kind == k {
			return entry
		}
	}
	return ""
}

// Urgency is how urgent a message is: 0 is the most urgent.
func (k MessageKind) Urgency() int { return slices.Index(MessageKinds, k) }

// Channels are the channels by which a buyer is told: by mail, and by SMS if they gave a phone. What is only of
// use when it is read at once takes the faster one alone; what is followed by better news soon, the quieter one.
func (k MessageKind) Channels(phone bool) []Channel {
	switch {
	case k == MessageRefundRequested || !phone:
		return []Channel{ChannelMail}
	case k == MessageHoldExpiring:
		return []Channel{ChannelSMS}
	default:
		return []Channel{ChannelMail, ChannelSMS}
	}
}

// MessageState says what became of a message.
type MessageState string

// The states of a message.
const (
	MessageWaiting     MessageState = "WAITING"     // to be sent, or to be tried again
	MessageSending     MessageState = "SENDING"     // somebody is at it
	MessageSent        MessageState = "SENT"        // the channel's carrier took it
	MessageDelivered   MessageState = "DELIVERED"   // the carrier says that it arrived
	MessageUndelivered MessageState = "UNDELIVERED" // the carrier says that it did not arrive
	MessageFailed      MessageState = "FAILED"      // the carrier will not take it
	MessageUnsure      MessageState = "UNSURE"      // the carrier may have taken it, and cannot be asked: never sent again by itself
	MessageDropped     MessageState = "DROPPED"     // no longer true, or too late
)

// Underway says whether a message may still arrive, or has.
func (s MessageState) Underway() bool {
	return s == MessageWaiting || s == MessageSending || s == MessageSent || s == MessageDelivered
}

// Message is one telling of one thing that happened to an order, by one channel.
type Message struct {
	// ID is the same however often it is tried: 26 characters of [0-9A-Z].
	ID      string       `json:"id"`
	OrderID string       `json:"order_id"`
	Kind    MessageKind  `json:"kind"`
	Channel Channel      `json:"channel"`
	State   MessageState `json:"state"`
	// Tries counts how often it was handed to the channel.
	Tries     int       `json:"tries"`
	CreatedAt time.Time `json:"created_at"`
	// SentAt is when the carrier took it; nil until then.
	SentAt *time.Time `json:"sent_at,omitempty"`
	// ExpiresAt is when telling it makes no sense any more; nil if that never comes.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	// Sequence is the entry of the order's timeline it tells of.
	Sequence int `json:"sequence"`
	// TriedAt is when it was last handed to a carrier; nil if that has not happened since it was claimed.
	TriedAt *time.Time `json:"-"`
	// Carrier took it, under ReceiptID.
	Carrier   string `json:"carrier,omitempty"`
	ReceiptID string `json:"-"`
	// Problem is what the carrier said when it went wrong last, for operators.
	Problem string `json:"-"`
}

// Telling is a message with all that can be said in it.
type Telling struct {
	Message
	// Order is without its vouchers and payment attempts.
	Order Order
	// Event has one session only, the order's or the one that a notice is about, with the ticket types that were bought.
	Event Event
	// Admissions are what the tickets of an order with bundles admit to, by ticket type.
	Admissions map[string]Admission
	// Amount is the money the timeline's entry is about, Fee what was kept of it, Reason why it goes back.
	Amount, Fee Money
	Reason      RefundReason
	// NoticeOf is the start of the session that a notice to all who hold tickets speaks of; zero for any other.
	NoticeOf time.Time
	// PostponedFrom is the start the session had when its event was postponed; zero unless the event still is.
	PostponedFrom time.Time
}

// DateUnknown says whether the event is postponed and the session has no new date yet.
func (t Telling) DateUnknown() bool {
	return !t.PostponedFrom.IsZero() && t.PostponedFrom.Equal(t.Session().StartsAt)
}

// Session is the order's, or the one that a notice is about.
func (t Telling) Session() Session {
	if len(t.Event.Sessions) == 0 {
		return Session{}
	}
	return t.Event.Sessions[0]
}

// Moot says why telling it makes no sense any more at now; "" if it does.
func (t Telling) Moot(now time.Time) string {
	if t.ExpiresAt != nil && !now.Before(*t.ExpiresAt) {
		return "too late"
	}
	switch t.Kind {
	case MessageHoldExpiring:
		if !t.Order.State.HoldsStock() {
			return "the order is " + string(t.Order.State)
		}
	case MessageSessionChanged, MessageEventCancelled, MessageEventPostponed, MessageReminder:
		if !slices.ContainsFunc(t.Order.Tickets, func(ticket Ticket) bool { return ticket.State != TicketVoid }) {
			return "no ticket is left"
		}
		if t.Kind == MessageReminder && (t.Event.State == EventCancelled || t.Event.State == EventPostponed) {
			return "the event is " + string(t.Event.State)
		}
		if t.Kind == MessageReminder && !t.NoticeOf.Equal(t.Session().StartsAt) {
			return "the session begins at another time"
		}
		if t.Kind == MessageEventPostponed && !t.DateUnknown() {
			return "the event has a date again"
		}
	default: // what happened, happened
	}
	return ""
}

const (
	// MessageAge is how long a message is tried.
	MessageAge = 24 * time.Hour
	// slowestRetry bounds the pause between two tries.
	slowestRetry = 15 * time.Minute
)

// NextTry is when a message whose carrier does not take it now is tried again: after 5 s, then ever longer. ok is false when
// it was tried for long enough.
func (m Message) NextTry(now time.Time) (at time.Time, ok bool) {
	pause := slowestRetry
	if m.Tries < 8 {
		pause = min(slowestRetry, 5*time.Second<<max(m.Tries-1, 0))
	}
	at = now.Add(pause)
	last := m.CreatedAt.Add(MessageAge)
	if m.ExpiresAt != nil && m.ExpiresAt.Before(last) {
		last = *m.ExpiresAt
	}
	return at, at.Before(last)
}

// MessageOutcome is what came of trying to send a message.
type MessageOutcome struct {
	// State is MessageSent, MessageWaiting (to be tried again at NextAt), MessageSending (the carrier is asked at NextAt
	// whether it has it), MessageFailed, MessageUnsure or MessageDropped.
	State  MessageState
	NextAt time.Time
	// Carrier, ReceiptID and Segments are what the carrier said when it took it.
	Carrier   string
	ReceiptID string
	Segments  int
	// Problem says what went wrong, without the address.
	Problem string
}

// EndedMessage is a message and what came of trying to send it.
type EndedMessage struct {
	Message
	Outcome MessageOutcome
}

// MessageFilter chooses messages. Empty fields choose all.
type MessageFilter struct {
	OrderID string
	State   MessageState
	// Limit defaults to 100.
	Limit int
}

// MessageReceipt is a carrier's later word on a message it took.
type MessageReceipt struct {
	Carrier   string
	ReceiptID string
	// Status is the carrier's own word, State what it means, Code the carrier's error.
	Status string
	State  MessageState
	Code   string
}
