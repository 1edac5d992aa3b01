package ticketing

import "time"

// MaxLevels is the largest number of levels of a programme.
const MaxLevels = 10

// MaxLeadHours bounds how long before a sale its members may buy: a year.
const MaxLeadHours = 24 * 366

// Programme is an organiser's membership: what is bought of the organiser makes points, and points make levels.
type Programme struct {
	ID          string `json:"id"`
	OrganiserID string `json:"organiser_id"`
	Name        Text   `json:"name"`
	// Currency is what points are made of: an order in another one makes none.
	Currency string `json:"currency"`
	// SpendPerPoint is how many minor units make a point.
	SpendPerPoint int64 `json:"spend_per_point"`
	// Levels begin with the lowest. Who has fewer points than that is a member without a level.
	Levels []Level `json:"levels"`
}

// Level is what members with so many points have.
type Level struct {
	Name Text `json:"name"`
	// Points is how many it takes.
	Points int64 `json:"points"`
	// DiscountBasisPoints is taken off base prices and surcharges, before any voucher.
	DiscountBasisPoints int64 `json:"discount_basis_points"`
	// LeadHours is how long before the sale window of a ticket type begins it is open.
	LeadHours int `json:"lead_hours"`
	// ExtraTickets may be bought over every bound on what one buyer may have, but not over those on one order.
	ExtraTickets int `json:"extra_tickets"`
}

// ProgrammeCount is a programme with how many members it has, and their points.
type ProgrammeCount struct {
	Programme
	Members int   `json:"members"`
	Points  int64 `json:"points"`
}

// Member is whom a member code stands for. The zero Member stands for a code that there is not, or not for this buyer.
type Member struct {
	ID, ProgrammeID string
	Points          int64
}

// UsedMembership is what a membership has done for an order.
type UsedMembership struct {
	Programme Text `json:"programme"`
	// Level is empty for a member without one.
	Level Text `json:"level,omitempty"`
	// Discount is minor units.
	Discount int64 `json:"discount,omitempty"`
	// ExtraTickets may be bought over every bound on what one buyer may have.
	ExtraTickets int `json:"extra_tickets,omitempty"`
}

// OrderMembership is what a paid order did for a membership.
type OrderMembership struct {
	ProgrammeID string
	Programme   Text
	// Earned is how many points what was bought is worth now: less with every ticket that goes back.
	Earned int64
	// Shown says that whoever has the order may learn the rest: it was made with the member's code, or the membership began with it.
	// To have paid under somebody's mail address does not make one that somebody; who reads their mail may always know it.
	Shown bool
	// Code and Points are the member's.
	Code   string
	Points int64
}

// Validate checks the terms. No level gives less than one below it. Error: CodeInvalid.
func (p Programme) Validate() error {
	switch {
	case p.ID == "" || p.OrganiserID == "":
		return Errorf(CodeInvalid, "a programme has an id and an organiser")
	case p.Name["en"] == "" || p.Name["zh-CN"] == "":
		return Errorf(CodeInvalid, "a programme has a name in every language")
	case !ValidCurrency(p.Currency) || p.SpendPerPoint < 1:
		return Errorf(CodeInvalid, "a point is made of an amount in a currency")
	case len(p.Levels) == 0 || len(p.Levels) > MaxLevels:
		return Errorf(CodeInvalid, "a programme has 1 to %d levels", MaxLevels)
	}
	for i, l := range p.Levels {
		switch {
		case l.Name["en"] == "" || l.Name["zh-CN"] == "":
			return Errorf(CodeInvalid, "level %d has no name in some language", i+1)
		case l.Points < 0 || l.DiscountBasisPoints < 0 || l.LeadHours < 0 || l.ExtraTickets < 0:
			return Errorf(CodeInvalid, "nothing of level %d is negative", i+1)
		case l.DiscountBasisPoints > MaxBasisPoints || l.LeadHours > MaxLeadHours || l.ExtraTickets > MaxQuantity:
			return Errorf(CodeInvalid, "level %d gives more than there is", i+1)
		}
		if i == 0 {
			continue
		}
		below := p.Levels[i-1]
		if l.Points <= below.Points {
			return Errorf(CodeInvalid, "level %d takes no more points than the one below it", i+1)
		}
		if l.DiscountBasisPoints < below.DiscountBasisPoints || l.LeadHours < below.LeadHours || l.ExtraTickets < below.ExtraTickets {
			return Errorf(CodeInvalid, "level %d gives less than the one below it", i+1)
		}
	}
	return nil
}

// PointsFor is how many points an amount that was paid for tickets makes; begun ones do not count.
func (p Programme) PointsFor(paid Money) int64 {
	if paid.Currency != p.Currency || paid.Amount < 0 {
		return 0
	}
	return paid.Amount / p.SpendPerPoint
}

// LevelAt is the highest level that so many points reach, the zero Level where they reach none, and the one above it; nil where there
// is none.
func (p Programme) LevelAt(points int64) (level Level, next *Level) {
	for i, l := range p.Levels {
		if points < l.Points {
			return level, &p.Levels[i]
		}
		level = l
	}
	return level, nil
}

// Opens says whether a member of this level may buy a ticket type at now as if its sale had begun.
func (l Level) Opens(t TicketType, now time.Time) bool {
	return !now.Before(t.SaleFrom.Add(-time.Duration(l.LeadHours)*time.Hour)) && now.Before(t.SaleUntil)
}

// over is a bound per buyer as it is for this level; 0 means no bound.
func (l Level) over(bound int) int {
	if bound == 0 {
		return 0
	}
	return bound + l.ExtraTickets
}

// BoundOf is how many live tickets of an event a member of this level may have over all their orders; 0 means no bound.
func (l Level) BoundOf(e Event) int { return l.over(e.MaxPerBuyer) }

// BoundOfType is BoundOf for a ticket type.
func (l Level) BoundOfType(t TicketType) int { return l.over(t.MaxPerBuyer) }

// MemberInvalid is the answer to a member code that is of no use, whatever the reason: as to a voucher's.
func MemberInvalid() error {
	return FieldErrorf(CodeVoucherInvalid, "/member_code", "this member code is no good for this order")
}

// LevelOf is what a member has at an event: nothing without a member or without a level. Error: CodeVoucherInvalid where the member
// is not one of the event's organiser.
func (e Event) LevelOf(m *Member) (Level, error) {
	if m == nil {
		return Level{}, nil
	}
	if e.Programme == nil || m.ID == "" || m.ProgrammeID != e.Programme.ID {
		return Level{}, MemberInvalid()
	}
	level, _ := e.Programme.LevelAt(m.Points)
	return level, nil
}

// favour takes what a level is worth off the lines of a quote that nothing is taken off yet.
func (q *Quote) favour(event Event, level Level) {
	used := UsedMembership{Programme: event.Programme.Name, Level: level.Name, ExtraTickets: level.ExtraTickets}
	for i := range q.Lines {
		line := &q.Lines[i]
		line.Discount = portion(line.Amount, level.DiscountBasisPoints)
		used.Discount += line.Discount
	}
	q.Member = &used
}
