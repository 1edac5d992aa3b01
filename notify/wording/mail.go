package wording

import (
	"fmt"
	html "html/template"
	"slices"
	"strings"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/ticketing"
)

// page is what layout.mjml shows.
type page struct {
	Language, Subject, Status, Preview, Hello string
	Tone                                      tone
	Paragraphs                                []string
	Button, URL, Private, Footer              string
	Tickets                                   []picture
	// Start may be that it is to be announced.
	Title, Start string
	// Rows say what, when and where, Sums what was paid or goes back.
	Rows, Sums []row
}

type row struct {
	Label, Value string
	// Last is what the others add up to.
	Last bool
}

// picture is a ticket with its QR code. Groups is the code so that it can be read out and compared.
// Seat also says whom it is for. Title and Start are those of the page, except on a ticket of a bundle, which has a Place too.
type picture struct{ ID, Alt, Number, Name, Seat, Code, Groups, Title, Start, Place string }

// seat is a numbered seat in the reader's language.
type seat struct{ Section, Row, Number string }

// tone is the colours of the status: those of the web (tokens.css).
type tone struct{ Wash, Ink html.CSS }

var (
	good    = tone{"#e1f2e7", "#17663f"}
	careful = tone{"#fdf3d8", "#6b4a00"}
	bad     = tone{"#fbe9e6", "#a3271c"}
	neutral = tone{"#e9eeea", "#4a5a57"}
)

func toneOf(kind ticketing.MessageKind) tone {
	switch kind { //nolint:exhaustive // all others are neutral
	case ticketing.MessagePaid, ticketing.MessageRetaken, ticketing.MessageTicketsRestored, ticketing.MessageReminder, ticketing.MessageRefunded:
		return good
	case ticketing.MessageHoldExpiring, ticketing.MessageTicketsFrozen, ticketing.MessageSessionChanged, ticketing.MessageEventPostponed:
		return careful
	case ticketing.MessageEventCancelled, ticketing.MessageTicketsWithdrawn:
		return bad
	}
	return neutral
}

// showsTickets says whether a mail is one of tickets, sums which money is told besides.
func showsTickets(kind ticketing.MessageKind) bool {
	return kind == ticketing.MessagePaid || kind == ticketing.MessageRetaken || kind == ticketing.MessageReminder
}

// tellsMembership says whether a mail tells the code of the membership that the order made points for. Whoever reads the mail has the
// member's address, which is what makes the member.
func tellsMembership(kind ticketing.MessageKind) bool {
	return kind == ticketing.MessagePaid || kind == ticketing.MessageRetaken
}

func (s *saying) sums(kind ticketing.MessageKind, v view) []row {
	switch kind { //nolint:exhaustive // no other is about money
	case ticketing.MessageHoldExpiring, ticketing.MessagePaid, ticketing.MessageRetaken:
		if v.total == "" {
			return nil
		}
		sums := slices.Clone(v.lines)
		for _, c := range v.charges {
			sums = append(sums, row{Label: s.say(c.label, v), Value: v.money(c.amount)})
		}
		return append(sums, row{s.say("label.total", v), v.total, true})
	case ticketing.MessagePaymentReturned, ticketing.MessageRefundRequested, ticketing.MessageRefunded:
		var sums []row
		if v.Fee != "" {
			sums = append(sums, row{Label: s.say("label.kept", v), Value: v.Fee})
		}
		return append(sums, row{s.say("label.refund", v), v.money(v.amount), true})
	}
	return nil
}

// page writes what a mail shows.
func (s *saying) page(v view, f notify.Facts) (page, []notify.Image) {
	short := v
	short.Title = cut(v.Title, maxSubject)
	p := page{
		Language: v.language, Subject: s.say("subject", short), Status: s.say("status", v), Preview: s.say("happened", v), Hello: s.say("hello", v),
		Tone: toneOf(f.Kind), Button: s.say("button", v), URL: v.URL, Private: s.say("private", v), Footer: s.say("footer", v),
		Title: v.Title, Sums: s.sums(f.Kind, v),
	}
	planned := ""
	if !v.start.IsZero() {
		p.Start = moment(v.language, v.start)
	}
	if v.DateUnknown {
		planned, p.Start = p.Start, s.say("announced", v)
	}
	for _, part := range []string{"happened", "meaning", "now"} {
		p.Paragraphs = append(p.Paragraphs, s.say(part, v))
	}
	when := "when"
	if f.Kind == ticketing.MessageEventCancelled {
		when = "was"
	}
	for _, r := range []row{
		{Label: "what", Value: v.Title},
		{Label: when, Value: p.Start},
		{Label: "was", Value: planned},
		{Label: "where", Value: v.Place},
		{Label: "order", Value: v.Order},
	} {
		if r.Value != "" {
			p.Rows = append(p.Rows, row{Label: s.say("label."+r.Label, v), Value: r.Value})
		}
	}
	if f.MemberCode != "" && tellsMembership(f.Kind) {
		p.Rows = append(p.Rows, row{Label: s.say("label.member", v), Value: f.MemberCode})
	}
	if !showsTickets(f.Kind) {
		return p, nil
	}
	images := make([]notify.Image, len(f.Tickets))
	for i, ticket := range f.Tickets {
		of := struct{ Number, Of int }{i + 1, len(f.Tickets)}
		t := picture{
			ID: fmt.Sprintf("ticket-%d", of.Number), Alt: s.say("qr", of), Number: s.say("ticket", of),
			Name: cut(line(ticket.Name.In(v.language)), maxTitle), Code: ticket.Code, Groups: inFours(ticket.Code),
			Title: p.Title, Start: p.Start,
		}
		if ticket.Session != nil {
			s.elsewhere(&t, v.language, f, *ticket.Session)
		}
		if ticket.Seat != nil {
			t.Seat = s.say("seat", seat{line(ticket.Seat.Section.In(v.language)), line(ticket.Seat.Row), line(ticket.Seat.Number)})
		}
		if a := ticket.Attendee; a != nil {
			who := s.say("attendee", ticketing.MaskedAttendee{Name: line(a.Name), DocumentNumber: a.DocumentNumber})
			t.Seat = strings.TrimPrefix(t.Seat+" · "+who, " · ")
		}
		png, err := qrPicture(ticket.Code)
		if err != nil && s.err == nil {
			s.err = err
		}
		p.Tickets = append(p.Tickets, t)
		images[i] = notify.Image{ID: t.ID, PNG: png, Alt: t.Alt}
	}
	return p, images
}

// inFours is a code with a thin space after every four characters.
func inFours(code string) string {
	var groups []string
	for group := range slices.Chunk([]rune(code), 4) {
		groups = append(groups, string(group))
	}
	return strings.Join(groups, "\u2009")
}

// plain is the page as text.
func (p page) plain(colon string) string {
	var out strings.Builder
	list := func(rows []row) {
		for _, r := range rows {
			out.WriteString(r.Label + colon + r.Value + "\n")
		}
		if len(rows) > 0 {
			out.WriteString("\n")
		}
	}
	out.WriteString(p.Hello + "\n\n")
	for _, text := range p.Paragraphs {
		out.WriteString(text + "\n\n")
	}
	out.WriteString(p.Button + strings.TrimSpace(colon) + "\n" + p.URL + "\n" + p.Private + "\n\n")
	for _, t := range p.Tickets {
		out.WriteString(t.Number + colon + t.Name + "\n")
		if t.Seat != "" {
			out.WriteString(t.Seat + "\n")
		}
		for _, more := range t.admission() {
			out.WriteString(more + "\n")
		}
		out.WriteString(t.Code + "\n\n")
	}
	list(p.Rows)
	list(p.Sums)
	out.WriteString("-- \n" + p.Footer + "\n")
	return out.String()
}
