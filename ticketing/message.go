package ticketing

import "time"

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
}
