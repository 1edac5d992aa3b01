package api

import (
	"context"
	"slices"
	"time"

	"github.com/boxoffice/boxoffice/ticketing"
)

// bundleView is what one bundle contains, and until when it goes back: as a whole, by the first of its sessions.
type bundleView struct {
	Contents     []contentView    `json:"contents"`
	RefundPolicy refundPolicyView `json:"refund_policy"`
}

// contentView is what a bundle contains of another ticket type.
type contentView struct {
	TicketTypeID string         `json:"ticket_type_id"`
	Name         ticketing.Text `json:"name"`
	Quantity     int            `json:"quantity"`
	admissionView
}

// admissionView is a session to which something admits. Of one that is not listed only the id is known.
type admissionView struct {
	SessionID  string           `json:"session_id"`
	EventID    string           `json:"event_id,omitzero"`
	EventTitle ticketing.Text   `json:"event_title,omitzero"`
	StartsAt   instant          `json:"starts_at,omitzero"`
	Venue      *ticketing.Venue `json:"venue,omitzero"`
}

// beside are sessions that bundles have something of, as far as buyers may see them.
type beside map[string]listed

// sessionsOf finds the sessions of contents; nothing is asked where there are none.
func (s *Server) sessionsOf(ctx context.Context, contents ...ticketing.Component) (beside, error) {
	if len(contents) == 0 {
		return nil, nil
	}
	ids := make([]string, len(contents))
	for i, c := range contents {
		ids[i] = c.SessionID
	}
	slices.Sort(ids)
	return s.catalogue.sessions(ctx, slices.Compact(ids)...)
}

// contentsOf is all that bundles of an order contain.
func contentsOf(q ticketing.Quote) []ticketing.Component {
	var all []ticketing.Component
	for _, line := range q.Lines {
		all = append(all, line.Contents...)
	}
	return all
}

// contentsOfSessions is all that bundles of sessions contain.
func contentsOfSessions(sessions ...ticketing.Session) []ticketing.Component {
	var all []ticketing.Component
	for _, session := range sessions {
		for _, t := range session.TicketTypes {
			all = append(all, t.Contents...)
		}
	}
	return all
}

func (b beside) admission(sessionID string) admissionView {
	v := admissionView{SessionID: sessionID}
	if l := b[sessionID]; l.event != nil {
		v.EventID, v.EventTitle, v.StartsAt, v.Venue = l.event.ID, l.event.Title, instant(l.session.StartsAt), &l.session.Venue
	}
	return v
}

// bundle shows what is in a bundle of an event's, to one who paid for it or, with nil, to anybody; nil where nothing is. It goes back
// by the first of its sessions, and for free when anything in it is called off or has changed.
func (b beside) bundle(e *ticketing.Event, contents []ticketing.Component, paidAt *time.Time) *bundleView {
	if len(contents) == 0 {
		return nil
	}
	var (
		v       = &bundleView{}
		home    ticketing.Event
		first   ticketing.Session
		changed time.Time
	)
	if e != nil {
		home = *e
	}
	for _, c := range contents {
		l := b[c.SessionID]
		v.Contents = append(v.Contents, contentView{c.TicketTypeID, l.typeName(c.TicketTypeID), c.Quantity, b.admission(c.SessionID)})
		if l.event == nil {
			continue
		}
		if first.StartsAt.IsZero() || l.session.StartsAt.Before(first.StartsAt) {
			first = *l.session
		}
		if l.session.ChangedAt.After(changed) {
			changed = l.session.ChangedAt
		}
		if state := l.event.State; state == ticketing.EventCancelled || state == ticketing.EventPostponed {
			home.State = state
		}
	}
	if first.ID == "" {
		v.RefundPolicy.Steps = []refundStepView{}
		return v
	}
	first.ChangedAt = changed
	v.RefundPolicy = viewRefundPolicy(&home, &first, paidAt)
	return v
}

// sells says whether a ticket type is on sale at now: a bundle only while everything in it is.
func (b beside) sells(e *ticketing.Event, t ticketing.TicketType, now time.Time) bool {
	for _, c := range t.Contents {
		if l := b[c.SessionID]; l.event == nil || l.event.State != ticketing.EventOnSale {
			return false
		}
	}
	return e.State == ticketing.EventOnSale && t.OnSaleAt(now)
}

// partView says of which of a line's bundles a ticket is, and to what it admits.
type partView struct {
	Number int            `json:"number"`
	Name   ticketing.Text `json:"name"`
	admissionView
}

// part shows a ticket's bundle; nil for every other ticket.
func (b beside) part(home listed, o ticketing.Order, t ticketing.Ticket) *partView {
	if t.Bundle == 0 {
		return nil
	}
	return &partView{Number: t.Bundle, Name: home.typeName(t.TicketTypeID), admissionView: b.admission(sessionOf(o, t))}
}

// ticketName is the name of what a ticket admits to.
func (b beside) ticketName(home listed, o ticketing.Order, t ticketing.Ticket) ticketing.Text {
	if t.Bundle == 0 {
		return home.typeName(t.TicketTypeID)
	}
	return b[sessionOf(o, t)].typeName(t.ComponentID)
}

// sessionOf is the session to which a ticket of a bundle admits.
func sessionOf(o ticketing.Order, t ticketing.Ticket) string {
	for _, c := range contentsOf(o.Quote) {
		if c.TicketTypeID == t.ComponentID {
			return c.SessionID
		}
	}
	return o.SessionID
}
