package api

import (
	"github.com/boxoffice/boxoffice/ticketing"
)

// programmeView is an organiser's membership as everybody reads it.
type programmeView struct {
	ID   string         `json:"id"`
	Name ticketing.Text `json:"name"`
	// SpendPerPoint is what a point takes to be paid for tickets.
	SpendPerPoint ticketing.Money   `json:"spend_per_point"`
	Levels        []ticketing.Level `json:"levels"`
}

func viewProgramme(e *ticketing.Event) *programmeView {
	p := e.Programme
	if p == nil {
		return nil
	}
	return &programmeView{p.ID, p.Name, ticketing.Money{Amount: p.SpendPerPoint, Currency: p.Currency}, p.Levels}
}

// leadHours is how long before a sale begins the members may buy who may do so first; 0 if none may.
func leadHours(e *ticketing.Event) int {
	if e.Programme == nil {
		return 0
	}
	return e.Programme.Levels[len(e.Programme.Levels)-1].LeadHours
}

// memberView is what a membership does for a price.
type memberView struct {
	Programme ticketing.Text `json:"programme"`
	// Level is left out for a member without one.
	Level    ticketing.Text  `json:"level,omitempty"`
	Discount ticketing.Money `json:"discount"`
	// ExtraTickets may be bought over max_per_buyer.
	ExtraTickets int `json:"extra_tickets"`
}

// membershipView is what an order did for a membership.
type membershipView struct {
	ProgrammeID string         `json:"programme_id"`
	Programme   ticketing.Text `json:"programme"`
	// Earned counts the points of the order's tickets that have not gone back.
	Earned int64 `json:"earned"`
	// The rest is for those to whom the membership may be shown.
	Code   string     `json:"code,omitzero"`
	Points *int64     `json:"points,omitzero"`
	Level  *levelView `json:"level,omitzero"`
	Next   *levelView `json:"next,omitzero"`
}

// levelView is a level and how many points it takes.
type levelView struct {
	Name   ticketing.Text `json:"name"`
	Points int64          `json:"points"`
}

// viewMembership shows the membership of an order; p is the organiser's programme as it is now, nil where it is not known.
func viewMembership(m *ticketing.OrderMembership, p *ticketing.Programme) *membershipView {
	if m == nil {
		return nil
	}
	v := &membershipView{ProgrammeID: m.ProgrammeID, Programme: m.Programme, Earned: m.Earned}
	if !m.Shown {
		return v
	}
	v.Code, v.Points = m.Code, &m.Points
	if p == nil {
		return v
	}
	level, next := p.LevelAt(m.Points)
	if level.Name != nil {
		v.Level = &levelView{level.Name, level.Points}
	}
	if next != nil {
		v.Next = &levelView{next.Name, next.Points}
	}
	return v
}
