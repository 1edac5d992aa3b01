package ticketing

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxAttendeeName is in characters.
const maxAttendeeName = 100

// RealNameNeed says whether tickets are sold to named people.
type RealNameNeed string

// Whether the attendees of an event are named.
const (
	RealNamesNone     RealNameNeed = ""
	RealNamesOptional RealNameNeed = "optional" // for every ticket of an order, or for none
	RealNamesRequired RealNameNeed = "required"
)

// RealNames are an event's rules on who attends.
type RealNames struct {
	Need RealNameNeed
	// ChangeBefore is how long before a session's start its attendees can last be changed.
	ChangeBefore time.Duration
}

// Asked says whether attendees are named at all.
func (r RealNames) Asked() bool { return r.Need == RealNamesOptional || r.Need == RealNamesRequired }

// ChangeUntil is the moment from which the attendees of a session stay as they are.
func (r RealNames) ChangeUntil(startsAt time.Time) time.Time { return startsAt.Add(-r.ChangeBefore) }

// Attendee is who a ticket is for, by an identity document. Personal data: encrypted wherever it rests, and masked
// wherever it is shown. It prints itself masked.
type Attendee struct {
	Name           string       `json:"name"`
	DocumentType   DocumentType `json:"document_type"`
	DocumentNumber string       `json:"document_number"`
}

// MaskedAttendee is an attendee as shown: enough to tell one's own.
type MaskedAttendee Attendee

// Normalise writes the attendee the one way attendees are compared and stored.
func (a Attendee) Normalise() Attendee {
	a.Name = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch r {
		case '•', '・', '‧', '．': // ways to type the dot within names
			return '·'
		}
		return narrow(r)
	}, a.Name)), " ")
	a.DocumentNumber = a.DocumentType.normalise(a.DocumentNumber)
	return a
}

// Validate checks the form of a normalised attendee whose JSON pointer in the request is field. Nobody is asked whether the
// document exists. Error: CodeInvalid; it never repeats what was given.
func (a Attendee) Validate(field string, now time.Time) error {
	refuse := func(member, why string) error { return FieldErrorf(CodeInvalid, field+"/"+member, "%s", why) }
	switch {
	case a.Name == "" || !utf8.ValidString(a.Name) || !strings.ContainsFunc(a.Name, unicode.IsLetter):
		return refuse("name", "must be the name in the document")
	case utf8.RuneCountInString(a.Name) > maxAttendeeName:
		return refuse("name", fmt.Sprintf("must have at most %d characters", maxAttendeeName))
	case strings.ContainsFunc(a.Name, func(r rune) bool { return !unicode.IsPrint(r) || unicode.IsDigit(r) }):
		return refuse("name", "must not contain digits or control characters")
	case !slices.Contains(DocumentTypes, a.DocumentType):
		return refuse("document_type", "must be a kind of identity document that is taken")
	}
	if why := a.DocumentType.check(a.DocumentNumber, now); why != "" {
		return refuse("document_number", why)
	}
	return nil
}

// Person is what two attendees have in common exactly if they are the same person: a normalised document, whatever the name.
func (a Attendee) Person() string { return string(a.DocumentType) + ":" + a.DocumentNumber }

// Mask hides most of the name and of the number.
func (a Attendee) Mask() MaskedAttendee {
	words := strings.Fields(a.Name)
	for i, word := range words {
		runes := []rune(word)
		words[i] = string(runes[:1]) + strings.Repeat("*", len(runes)-1)
		if len(runes) == 1 {
			words[i] = "*"
		}
	}
	return MaskedAttendee{Name: strings.Join(words, " "), DocumentType: a.DocumentType, DocumentNumber: mask(a.DocumentNumber)}
}

// String implements fmt.Stringer.
func (a Attendee) String() string {
	m := a.Mask()
	return fmt.Sprintf("%s %s %s", m.Name, m.DocumentType, m.DocumentNumber)
}

// GoString implements fmt.GoStringer.
func (a Attendee) GoString() string { return a.String() }

// LogValue implements slog.LogValuer.
func (a Attendee) LogValue() slog.Value { return slog.StringValue(a.String()) }

// NormaliseAttendees normalises every one of them.
func NormaliseAttendees(attendees []Attendee) []Attendee {
	var all []Attendee
	for _, a := range attendees {
		all = append(all, a.Normalise())
	}
	return all
}

// CheckAttendees checks the normalised attendees of an order: one for each ticket, line by line, or none where they may be left
// out. Errors: CodeInvalid, CodeAttendeesRequired, CodeAttendeesUnwanted, CodeAttendeeTaken for a person named twice.
func (r RealNames) CheckAttendees(lines []Ask, attendees []Attendee, now time.Time) error {
	tickets := 0
	for _, line := range lines {
		tickets += line.Quantity
	}
	switch {
	case !r.Asked() && len(attendees) > 0:
		return FieldErrorf(CodeAttendeesUnwanted, "/attendees", "tickets of this event are not sold to named people; leave the attendees out")
	case !r.Asked() || len(attendees) == 0 && r.Need == RealNamesOptional:
		return nil
	case len(attendees) < tickets:
		return FieldErrorf(CodeAttendeesRequired, AttendeeField(len(attendees)),
			"name an attendee for each of the %d tickets", tickets)
	case len(attendees) > tickets:
		return FieldErrorf(CodeInvalid, AttendeeField(tickets), "there are more attendees than tickets")
	}
	seen := map[string]bool{}
	for i, a := range attendees {
		field := AttendeeField(i)
		if err := a.Validate(field, now); err != nil {
			return err
		}
		if seen[a.Person()] {
			return AttendeeTaken(field)
		}
		seen[a.Person()] = true
	}
	return nil
}

// AttendeeField is the JSON pointer of the n-th attendee of an order.
func AttendeeField(n int) string { return fmt.Sprintf("/attendees/%d", n) }

// AttendeeTaken says that the person at a JSON pointer has a ticket of the session, but not where from.
func AttendeeTaken(field string) *Error {
	return FieldErrorf(CodeAttendeeTaken, field+"/document_number", "this person has a ticket of this session; everybody gets one")
}
