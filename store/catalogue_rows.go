package store

import (
	"cmp"
	"slices"
	"time"

	"github.com/boxoffice/boxoffice/ticketing"
)

// The catalogue as rows. Texts are stored as JSON.
type (
	organiserRow struct {
		ID        string `gorm:"primaryKey"`
		Name      string
		Programme *programmeRow `gorm:"foreignKey:OrganiserID"`
	}
	programmeRow struct {
		ID            string `gorm:"primaryKey"`
		OrganiserID   string
		Name          ticketing.Text `gorm:"serializer:json"`
		Currency      string
		SpendPerPoint int64
		Levels        []ticketing.Level `gorm:"serializer:json"`
	}
	venueRow struct {
		ID       string         `gorm:"primaryKey"`
		Name     ticketing.Text `gorm:"serializer:json"`
		City     ticketing.Text `gorm:"serializer:json"`
		Address  ticketing.Text `gorm:"serializer:json"`
		TimeZone string
	}
	eventRow struct {
		ID             string `gorm:"primaryKey"`
		OrganiserID    string
		Organiser      organiserRow
		Kind           ticketing.Kind
		Title          ticketing.Text `gorm:"serializer:json"`
		Summary        ticketing.Text `gorm:"serializer:json"`
		State          ticketing.EventState
		HoldSeconds    int64
		OrderFee       int64
		TicketFee      int64
		TaxBasisPoints int64
		TaxIncluded    bool
		MaxPerOrder    int
		MaxPerBuyer    int
		RealNames      string // "none" for ticketing.RealNamesNone
		// AttendeeChangeSeconds is how long before a session its attendees can last be changed.
		AttendeeChangeSeconds int64
		// RefundPolicy is written apart: the terms of what was sold stay.
		RefundPolicy refundSteps  `gorm:"serializer:json;->"`
		Revision     int64        `gorm:"default:1"`
		Sessions     []sessionRow `gorm:"foreignKey:EventID"`
	}
	sessionRow struct {
		ID             string `gorm:"primaryKey"`
		EventID        string
		VenueID        string
		Venue          venueRow
		StartsAt       time.Time
		EndsAt         time.Time
		ChangedAt      *time.Time `gorm:"->"` // written by the database
		SeatMapID      *string
		SeatMapVersion *int
		TicketTypes    []ticketTypeRow `gorm:"foreignKey:SessionID"`
	}
	ticketTypeRow struct {
		ID             string `gorm:"primaryKey"`
		SessionID      string
		Position       int
		Name           ticketing.Text `gorm:"serializer:json"`
		Currency       string
		BasePrice      int64
		Surcharge      int64
		MaxPerOrder    int
		MaxPerBuyer    int
		SaleFrom       time.Time
		SaleUntil      time.Time
		SeatCategory   *string
		Seated         bool
		SeatAssignment ticketing.SeatAssignment
		Phases         []phaseRow   `gorm:"foreignKey:TicketTypeID"`
		Presales       []presaleRow `gorm:"foreignKey:TicketTypeID"`
		Contents       []contentRow `gorm:"foreignKey:BundleID"`
		Stock          stockRow     `gorm:"foreignKey:TicketTypeID"`
	}
	phaseRow struct {
		TicketTypeID string `gorm:"primaryKey"`
		Position     int    `gorm:"primaryKey"`
		StartsAt     time.Time
		EndsAt       time.Time
		Name         ticketing.Text `gorm:"serializer:json"`
		BasePrice    int64
		// ID and Most are those of a phase by quantity.
		ID   *string
		Most *int
	}
	// presaleRow leaves the code out.
	presaleRow struct {
		TicketTypeID string
		StartsAt     time.Time
		EndsAt       time.Time
	}
	stockRow struct {
		TicketTypeID string `gorm:"primaryKey"`
		Capacity     int
		Free         int
	}
)

// refundSteps is a refund ladder as stored.
type refundSteps []struct {
	BeforeSeconds  int64 `json:"before_seconds"`
	FeeBasisPoints int64 `json:"fee_basis_points"`
}

func stepsOf(p ticketing.RefundPolicy) refundSteps {
	steps := make(refundSteps, len(p))
	for i, step := range p {
		steps[i].BeforeSeconds, steps[i].FeeBasisPoints = int64(step.Before/time.Second), step.FeeBasisPoints
	}
	return steps
}

func (s refundSteps) policy() ticketing.RefundPolicy {
	p := make(ticketing.RefundPolicy, len(s))
	for i, step := range s {
		p[i] = ticketing.RefundStep{Before: time.Duration(step.BeforeSeconds) * time.Second, FeeBasisPoints: step.FeeBasisPoints}
	}
	return p
}

func (organiserRow) TableName() string  { return "organisers" }
func (programmeRow) TableName() string  { return "programmes" }
func (venueRow) TableName() string      { return "venues" }
func (eventRow) TableName() string      { return "events" }
func (sessionRow) TableName() string    { return "sessions" }
func (ticketTypeRow) TableName() string { return "ticket_types" }
func (phaseRow) TableName() string      { return "price_phases" }
func (presaleRow) TableName() string    { return "presales" }
func (stockRow) TableName() string      { return "stock" }

func (r eventRow) event() ticketing.Event {
	e := ticketing.Event{
		ID: r.ID, OrganiserID: r.OrganiserID, Organiser: r.Organiser.Name, Kind: r.Kind, Title: r.Title, Summary: r.Summary,
		State: r.State, HoldFor: time.Duration(r.HoldSeconds) * time.Second, OrderFee: r.OrderFee, MaxPerOrder: r.MaxPerOrder,
		TicketFee: r.TicketFee, Tax: ticketing.TaxRule{BasisPoints: r.TaxBasisPoints, Included: r.TaxIncluded}, MaxPerBuyer: r.MaxPerBuyer,
		RealNames: realNamesOf(r),
		Refunds:   r.RefundPolicy.policy(), Sessions: make([]ticketing.Session, len(r.Sessions)),
	}
	if p := r.Organiser.Programme; p != nil {
		e.Programme = &ticketing.Programme{
			ID: p.ID, OrganiserID: p.OrganiserID, Name: p.Name, Currency: p.Currency, SpendPerPoint: p.SpendPerPoint, Levels: p.Levels,
		}
	}
	for i, s := range r.Sessions {
		e.Sessions[i] = s.session()
	}
	return e
}

func (r sessionRow) session() ticketing.Session {
	s := ticketing.Session{
		ID: r.ID, EventID: r.EventID, StartsAt: r.StartsAt.UTC(), EndsAt: r.EndsAt.UTC(),
		Venue: ticketing.Venue{
			ID: r.Venue.ID, Name: r.Venue.Name, City: r.Venue.City, Address: r.Venue.Address, TimeZone: r.Venue.TimeZone,
		},
		SeatMap:     r.seatMapOf(),
		TicketTypes: make([]ticketing.TicketType, len(r.TicketTypes)),
	}
	if r.ChangedAt != nil {
		s.ChangedAt = r.ChangedAt.UTC()
	}
	for i, t := range r.TicketTypes {
		s.TicketTypes[i] = t.ticketType()
	}
	return s
}

func (r ticketTypeRow) ticketType() ticketing.TicketType {
	t := ticketing.TicketType{
		ID: r.ID, SessionID: r.SessionID, Name: r.Name, Currency: r.Currency, BasePrice: r.BasePrice, Surcharge: r.Surcharge,
		MaxPerOrder: r.MaxPerOrder, MaxPerBuyer: r.MaxPerBuyer, SaleFrom: r.SaleFrom.UTC(), SaleUntil: r.SaleUntil.UTC(), Capacity: r.Stock.Capacity,
		SeatCategory: deref(r.SeatCategory), Seated: r.Seated,
		Phases: make([]ticketing.PricePhase, len(r.Phases)),
	}
	if r.Seated {
		t.Assignment = r.SeatAssignment
	}
	for i, p := range r.Phases {
		t.Phases[i] = ticketing.PricePhase{Name: p.Name, From: p.StartsAt.UTC(), Until: p.EndsAt.UTC(), BasePrice: p.BasePrice, ID: deref(p.ID), Limit: deref(p.Most)}
	}
	for _, c := range r.Contents {
		t.Contents = append(t.Contents, c.component())
	}
	for _, p := range r.Presales {
		presale := ticketing.Presale{TicketTypeID: r.ID, From: p.StartsAt.UTC(), Until: p.EndsAt.UTC()}
		if !slices.Contains(t.Presales, presale) { // several codes open the same one
			t.Presales = append(t.Presales, presale)
		}
	}
	return t
}

func rowOfEvent(e ticketing.Event) eventRow {
	return eventRow{
		ID: e.ID, OrganiserID: e.OrganiserID, Kind: e.Kind, Title: e.Title, Summary: e.Summary, State: e.State,
		HoldSeconds: int64(e.HoldFor / time.Second), OrderFee: e.OrderFee, MaxPerOrder: e.MaxPerOrder,
		TicketFee: e.TicketFee, TaxBasisPoints: e.Tax.BasisPoints, TaxIncluded: e.Tax.Included, MaxPerBuyer: e.MaxPerBuyer,
		RealNames: cmp.Or(string(e.RealNames.Need), noRealNames), AttendeeChangeSeconds: int64(e.RealNames.ChangeBefore / time.Second),
	}
}

// noRealNames is ticketing.RealNamesNone as stored.
const noRealNames = "none"

func realNamesOf(r eventRow) ticketing.RealNames {
	rules := ticketing.RealNames{ChangeBefore: time.Duration(r.AttendeeChangeSeconds) * time.Second}
	if r.RealNames != noRealNames {
		rules.Need = ticketing.RealNameNeed(r.RealNames)
	}
	return rules
}

func rowOfVenue(v ticketing.Venue) venueRow {
	return venueRow{ID: v.ID, Name: v.Name, City: v.City, Address: v.Address, TimeZone: v.TimeZone}
}

func rowOfTicketType(t ticketing.TicketType, position int) ticketTypeRow {
	row := ticketTypeRow{
		ID: t.ID, SessionID: t.SessionID, Position: position, Name: t.Name, Currency: t.Currency, BasePrice: t.BasePrice,
		Surcharge: t.Surcharge, MaxPerOrder: t.MaxPerOrder, MaxPerBuyer: t.MaxPerBuyer, SaleFrom: t.SaleFrom, SaleUntil: t.SaleUntil,
		Seated: t.Seated, SeatAssignment: cmp.Or(t.Assignment, ticketing.AssignBest),
	}
	if t.SeatCategory != "" {
		row.SeatCategory = &t.SeatCategory
	}
	return row
}
