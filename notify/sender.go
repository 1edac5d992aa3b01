package notify

import (
	"context"
	"errors"
	"time"

	"github.com/boxoffice/boxoffice/ticketing"
)

// What may become of sending, besides success. Every error of a Sender wraps exactly one of them.
var (
	// ErrTemporary: the carrier certainly does not have it and may take it later.
	ErrTemporary = errors.New("notify: not now")
	// ErrRefused: the carrier will never take this message to this address.
	ErrRefused = errors.New("notify: refused for good")
	// ErrUnsure: the carrier may have it. It must not be sent again before a Finder was asked.
	ErrUnsure = errors.New("notify: outcome unknown")
)

// Message is a message ready to be sent.
type Message struct {
	// ID is that of ticketing.Message: the same at every try, and unique.
	ID string `json:"id"`
	// Kind is what it tells, for the carrier's statistics and headers.
	Kind ticketing.MessageKind `json:"kind"`
	// Language is the BCP 47 tag it is written in.
	Language string `json:"language"`
	// To is whom it goes to: a mail address, or a phone number in E.164 form. Personal data: never logged.
	To string `json:"to"`
	// Name is the recipient's name; empty for SMS.
	Name string `json:"name,omitempty"`
	Content
}

// Content is what a message says.
type Content struct {
	// Subject and HTML are empty for SMS.
	Subject string `json:"subject,omitempty"`
	// Text is the whole message as plain text.
	Text string `json:"text"`
	HTML string `json:"html,omitempty"`
	// Images are shown inside the HTML as <img src="cid:ID">.
	Images []Image `json:"images,omitempty"`
}

// Image is a picture inside a mail.
type Image struct {
	// ID is unique in its message: [a-z0-9-]+.
	ID  string `json:"id"`
	PNG []byte `json:"png"`
	// Alt is what it shows, in words.
	Alt string `json:"alt"`
}

// Receipt is the carrier's word that it took a message.
type Receipt struct {
	// ID is the carrier's own, empty if it gives none.
	ID string
	// Segments is how many SMS it is billed as; 0 for mail.
	Segments int
}

// Sender hands messages to a carrier. It tries once: when to try again is the caller's business. It is
// safe for concurrent use, honours ctx and has a time-out of its own.
type Sender interface {
	// Name is the carrier's: [a-z0-9-]{1,32}.
	Name() string
	// Send hands over one message. Errors: ErrTemporary, ErrRefused, ErrUnsure.
	Send(ctx context.Context, m Message) (Receipt, error)
}

// Finder is a Sender whose carrier can be asked whether it has a message.
type Finder interface {
	Sender
	// Find looks for a message that may have been handed over at since or later; ok is false if the carrier
	// certainly does not have it. Any error means that it is not known.
	Find(ctx context.Context, m Message, since time.Time) (receipt Receipt, ok bool, err error)
}

// Why what claims to be a carrier's later word on a message is not believed.
var (
	// ErrForged: it is not signed by the carrier.
	ErrForged = errors.New("notify: not signed by the carrier")
	// ErrMalformed: it cannot be read.
	ErrMalformed = errors.New("notify: malformed receipt")
)

// Delivery is a carrier's later word on a message it took.
type Delivery = ticketing.MessageReceipt
