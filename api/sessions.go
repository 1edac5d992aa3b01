package api

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"

	"github.com/boxoffice/boxoffice/ticketing"
)

// sessionView is one dated occurrence.
type sessionView struct {
	ID           string               `json:"id"`
	EventID      string               `json:"event_id"`
	Venue        ticketing.Venue      `json:"venue"`
	StartsAt     instant              `json:"starts_at"`
	EndsAt       instant              `json:"ends_at"`
	RefundPolicy refundPolicyView     `json:"refund_policy"`
	SeatMap      ticketing.SeatMapRef `json:"seat_map,omitzero"`
	RealNames    *realNamesView       `json:"real_names,omitzero"`
	TicketTypes  []ticketTypeView     `json:"ticket_types"`
}

// ticketTypeView is a ticket type with its price now.
type ticketTypeView struct {
	ID          string          `json:"id"`
	SessionID   string          `json:"session_id"`
	Name        ticketing.Text  `json:"name"`
	Price       ticketing.Money `json:"price"`
	BasePrice   ticketing.Money `json:"base_price"`
	Surcharge   ticketing.Money `json:"surcharge"`
	Phase       *phaseView      `json:"phase,omitzero"`
	MaxPerOrder int             `json:"max_per_order"`
	// MaxPerBuyer is left out where there is no bound.
	MaxPerBuyer int     `json:"max_per_buyer,omitzero"`
	SaleFrom    instant `json:"sale_from"`
	SaleUntil   instant `json:"sale_until"`
	OnSale      bool    `json:"on_sale"`
	// Presale says until when who has a code may buy it now, where they may.
	Presale instant `json:"presale_until,omitzero"`
	// MembersFrom is when members may buy it first, where some may before others and it is not on sale yet.
	MembersFrom instant `json:"members_from,omitzero"`
	Capacity    int     `json:"capacity"`
	Available   int     `json:"available"`
	// Seated types sell the numbered seats of SeatCategory.
	SeatCategory string `json:"seat_category,omitzero"`
	Seated       bool   `json:"seated"`
	// Bundle is what is in it, if it is one.
	Bundle *bundleView `json:"bundle,omitzero"`
}

type phaseView struct {
	Name  ticketing.Text `json:"name"`
	Until instant        `json:"until"`
	// Left is how many tickets there are at this price, where they are limited.
	Left *int `json:"left,omitzero"`
}

type sessionPage struct {
	Event   eventView   `json:"event"`
	Session sessionView `json:"session"`
}

// availabilityView is what is free of a session.
type availabilityView struct {
	SessionID   string           `json:"session_id"`
	AsOf        instant          `json:"as_of"`
	TicketTypes []ticketTypeFree `json:"ticket_types"`
}

type ticketTypeFree struct {
	ID        string `json:"id"`
	Available int    `json:"available"`
	Capacity  int    `json:"capacity"`
}

func viewSession(e *ticketing.Event, session *ticketing.Session, stock counted, others beside, now time.Time) sessionView {
	v := sessionView{
		ID: session.ID, EventID: e.ID, Venue: session.Venue,
		StartsAt: instant(session.StartsAt), EndsAt: instant(session.EndsAt),
		RefundPolicy: viewRefundPolicy(e, session, nil),
		SeatMap:      session.SeatMap,
		RealNames:    viewRealNames(e, session),
		TicketTypes:  make([]ticketTypeView, 0, len(session.TicketTypes)),
	}
	for _, t := range session.TicketTypes {
		money := func(amount int64) ticketing.Money { return ticketing.Money{Amount: amount, Currency: t.Currency} }
		base := t.BasePrice
		phase, phased := t.PhaseFor(now, 1, stock.free)
		if phased {
			base = phase.BasePrice
		}
		tv := ticketTypeView{
			ID: t.ID, SessionID: session.ID, Name: t.Name,
			Price: money(base + t.Surcharge), BasePrice: money(base), Surcharge: money(t.Surcharge),
			MaxPerOrder: t.MaxPerOrder, MaxPerBuyer: t.MaxPerBuyer, SaleFrom: instant(t.SaleFrom), SaleUntil: instant(t.SaleUntil),
			OnSale: others.sells(e, t, now), Bundle: others.bundle(e, t.Contents, nil),
			Capacity: t.Capacity, Available: stock.free[t.ID], SeatCategory: t.SeatCategory, Seated: t.Seated,
		}
		if phased {
			tv.Phase = &phaseView{Name: phase.Name, Until: instant(phase.Until)}
			if phase.Limit > 0 {
				left := stock.free[ticketing.PhaseKey(t.ID, phase.ID)]
				tv.Phase.Left = &left
			}
		}
		if lead := leadHours(e); lead > 0 && now.Before(t.SaleFrom) {
			tv.MembersFrom = instant(t.SaleFrom.Add(-time.Duration(lead) * time.Hour))
		}
		if e.State == ticketing.EventOnSale && !t.OnSaleAt(now) {
			for _, p := range t.Presales {
				if !now.Before(p.From) && now.Before(p.Until) && p.Until.After(time.Time(tv.Presale)) {
					tv.Presale = instant(p.Until)
				}
			}
		}
		v.TicketTypes = append(v.TicketTypes, tv)
	}
	return v
}

// findSession finds a session that buyers may see.
func (s *Server) findSession(ctx context.Context, id string) (listed, error) {
	l, err := s.catalogue.session(ctx, id)
	if err == nil && l.event == nil {
		err = ticketing.Errorf(ticketing.CodeNotFound, "there is no such session")
	}
	return l, err
}

// getSession answers GET /api/v1/sessions/{session_id}.
func (s *Server) getSession(c *fiber.Ctx) error {
	id := c.Params("session_id")
	return s.sendPage(c, "session|"+id, func(ctx context.Context) (page, error) {
		l, err := s.findSession(ctx, id)
		if err != nil {
			return page{}, err
		}
		stock, err := s.stock.get(ctx, id)
		if err != nil {
			return page{}, err
		}
		others, err := s.sessionsOf(ctx, contentsOfSessions(*l.session)...)
		if err != nil {
			return page{}, err
		}
		return pageOf(sessionPage{viewEvent(l.event), viewSession(l.event, l.session, stock[id], others, s.Now())})
	})
}

// getAvailability answers GET /api/v1/sessions/{session_id}/availability, once or as a stream.
func (s *Server) getAvailability(c *fiber.Ctx) error {
	id := c.Params("session_id")
	if wantsStream(c) {
		return s.streamAvailability(c, id)
	}
	return s.sendPage(c, "availability|"+id, func(ctx context.Context) (page, error) {
		l, err := s.findSession(ctx, id)
		if err != nil {
			return page{}, err
		}
		stock, err := s.stock.get(ctx, id)
		if err != nil {
			return page{}, err
		}
		return pageOfStock(l, stock[id])
	})
}

// pageOfStock renders what is free. Its tag is that of the numbers: as_of alone makes no difference.
func pageOfStock(l listed, n counted) (page, error) {
	body, err := json.Marshal(viewStock(l, n))
	return page{body: body, etag: `W/"` + strconv.FormatUint(n.version, 36) + `"`}, err
}

func viewStock(l listed, n counted) availabilityView {
	v := availabilityView{SessionID: l.session.ID, AsOf: instant(n.at), TicketTypes: []ticketTypeFree{}}
	for _, t := range l.session.TicketTypes {
		v.TicketTypes = append(v.TicketTypes, ticketTypeFree{t.ID, n.free[t.ID], t.Capacity})
	}
	return v
}

// streamAvailability sends what is free now and after every change.
func (s *Server) streamAvailability(c *fiber.Ctx, id string) error {
	// Not the request's own context: what waits for that reads it after the request has ended.
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	if _, err := s.findSession(ctx, id); err != nil {
		return err
	}
	if _, err := s.stock.get(ctx, id); err != nil {
		return err
	}
	return s.stream(c, "availability", func(out *eventStream) {
		sub, cancel := s.stock.watch.subscribe(id)
		defer cancel()
		var sent uint64
		first := true
		for {
			ctx, stop := context.WithTimeout(context.Background(), loadTimeout)
			l, err := s.findSession(ctx, id)
			if err != nil && ticketing.CodeOf(err) == ticketing.CodeNotFound {
				stop()
				return // withdrawn from sale
			}
			var stock map[string]counted
			if err == nil {
				stock, err = s.stock.get(ctx, id)
			}
			stop()
			if n := stock[id]; err == nil && (first || n.version != sent) {
				body, err := json.Marshal(viewStock(l, n))
				if err != nil || !out.send("availability", "", body) {
					return
				}
				first, sent = false, n.version
			}
			if !out.wait(sub.wake) {
				return
			}
		}
	})
}

// wantsStream says whether the caller asks for server-sent events.
func wantsStream(c *fiber.Ctx) bool {
	return c.Method() == fiber.MethodGet && strings.Contains(c.Get(fiber.HeaderAccept), "text/event-stream")
}
