package api

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/boxoffice/boxoffice/ticketing"
)

// eventSummary is an event in a listing.
type eventSummary struct {
	ID             string               `json:"id"`
	Kind           ticketing.Kind       `json:"kind"`
	Title          ticketing.Text       `json:"title"`
	Summary        ticketing.Text       `json:"summary"`
	Organiser      string               `json:"organiser"`
	State          ticketing.EventState `json:"state"`
	City           ticketing.Text       `json:"city"`
	Venue          ticketing.Text       `json:"venue"`
	TimeZone       string               `json:"time_zone"`
	FirstSessionAt instant              `json:"first_session_at"`
	LastSessionAt  instant              `json:"last_session_at"`
	PriceFrom      ticketing.Money      `json:"price_from"`
	Available      int                  `json:"available"`
}

// eventView is an event as its page shows it.
type eventView struct {
	ID          string               `json:"id"`
	Kind        ticketing.Kind       `json:"kind"`
	Title       ticketing.Text       `json:"title"`
	Summary     ticketing.Text       `json:"summary"`
	Organiser   string               `json:"organiser"`
	State       ticketing.EventState `json:"state"`
	MaxPerOrder int                  `json:"max_per_order"`
	OrderFee    ticketing.Money      `json:"order_fee"`
	HoldSeconds int                  `json:"hold_seconds"`
	// Membership is left out where the organiser has none.
	Membership *programmeView `json:"membership,omitzero"`
	Sessions   *[]sessionView `json:"sessions,omitzero"`
}

type eventList struct {
	Events     []eventSummary `json:"events"`
	NextCursor string         `json:"next_cursor,omitzero"`
}

const (
	defaultPage = 50
	maxPage     = 100
)

// cursor names the last event of a page and when its listing was begun: later pages leave nothing out and repeat nothing
// because of the time that has passed.
type cursor struct {
	begun time.Time
	last  ticketing.ListingKey
}

func (k cursor) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d|%d|%s", k.begun.UnixMicro(), k.last.StartsAt.UnixMicro(), k.last.EventID))
}

func readCursor(text string) (k cursor, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	parts := strings.SplitN(string(raw), "|", 3)
	if err != nil || len(parts) != 3 || len(text) > 200 {
		return k, false
	}
	begun, begunErr := strconv.ParseInt(parts[0], 10, 64)
	start, startErr := strconv.ParseInt(parts[1], 10, 64)
	k = cursor{time.UnixMicro(begun), ticketing.ListingKey{StartsAt: time.UnixMicro(start), EventID: parts[2]}}
	return k, begunErr == nil && startErr == nil && storable(k.begun) && storable(k.last.StartsAt) && askable(parts[2])
}

// storable says whether the database knows such a time.
func storable(t time.Time) bool { return t.Year() >= 1 && t.Year() <= 9999 }

// askable says whether the database can be asked for a text at all; nothing has an id for which it cannot.
func askable(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

// listEvents answers GET /api/v1/events.
func (s *Server) listEvents(c *fiber.Ctx) error {
	f, err := readFilter(c)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("events|%d|%d|%q|%q|%s|%q|%d|%s", f.From.UnixMicro(), f.To.UnixMicro(), f.City, f.Venue, f.Kind, f.Text, f.Limit, cursor{f.Now, f.After})
	return s.sendPage(c, key, func(ctx context.Context) (page, error) {
		list, err := s.eventsMatching(ctx, f)
		if err != nil {
			return page{}, err
		}
		return pageOf(list)
	})
}

// readFilter reads what a listing is narrowed to. Its Now is zero for the first page.
func readFilter(c *fiber.Ctx) (ticketing.EventFilter, error) {
	refuse := func(name, what string) (ticketing.EventFilter, error) {
		return ticketing.EventFilter{}, ticketing.Errorf(ticketing.CodeInvalid, "the query parameter %s must be %s", name, what)
	}
	f := ticketing.EventFilter{Kind: ticketing.Kind(c.Query("kind")), Limit: defaultPage}
	var ok bool
	if f.From, ok = readTime(c.Query("from"), false); !ok {
		return refuse("from", "a date or an RFC 3339 time")
	}
	if f.To, ok = readTime(c.Query("to"), true); !ok {
		return refuse("to", "a date or an RFC 3339 time")
	}
	for _, p := range []struct {
		name  string
		value *string
	}{{"city", &f.City}, {"venue", &f.Venue}, {"q", &f.Text}} {
		if *p.value = strings.TrimSpace(c.Query(p.name)); len(*p.value) > 100 || !askable(*p.value) {
			return refuse(p.name, "text of at most 100 bytes")
		}
	}
	if f.Kind != "" && !slices.Contains(ticketing.Kinds, f.Kind) {
		return refuse("kind", "a known kind of event")
	}
	if limit := c.Query("limit"); limit != "" {
		n, err := strconv.Atoi(limit)
		if err != nil || n < 1 || n > maxPage {
			return refuse("limit", fmt.Sprintf("a number from 1 to %d", maxPage))
		}
		f.Limit = n
	}
	if after := c.Query("cursor"); after != "" {
		k, ok := readCursor(after)
		if !ok {
			return refuse("cursor", "one that an earlier answer gave")
		}
		f.Now, f.After = k.begun, k.last
	}
	return f, nil
}

// readTime reads a date or a time; a date that ends a range means the whole day.
func readTime(value string, ends bool) (time.Time, bool) {
	if value == "" {
		return time.Time{}, true
	}
	if t, err := time.Parse(time.RFC3339, value); err == nil {
		return t, true
	}
	t, err := time.Parse(time.DateOnly, value)
	if err != nil {
		return time.Time{}, false
	}
	if ends {
		t = t.AddDate(0, 0, 1)
	}
	return t, true
}

// eventsMatching lists what a buyer may look at, soonest first.
func (s *Server) eventsMatching(ctx context.Context, f ticketing.EventFilter) (eventList, error) {
	now := s.Now()
	if f.Now.IsZero() {
		f.Now = now
	}
	found, more, err := s.Store.FindEvents(ctx, f)
	if err != nil {
		return eventList{}, unavailable(err)
	}
	list := eventList{Events: []eventSummary{}}
	if more {
		list.NextCursor = cursor{f.Now, found[len(found)-1]}.String()
	}
	ids := make([]string, len(found))
	for i, k := range found {
		ids[i] = k.EventID
	}
	events, err := s.catalogue.get(ctx, ids...)
	if err != nil {
		return eventList{}, err
	}
	var sessions []string
	for _, e := range events {
		for _, session := range e.Sessions {
			sessions = append(sessions, session.ID)
		}
	}
	stock, err := s.stock.get(ctx, sessions...)
	if err != nil {
		return eventList{}, err
	}
	for _, id := range ids {
		if e, ok := events[id]; ok && len(e.Sessions) > 0 { // else it was withdrawn a moment ago
			list.Events = append(list.Events, summarise(e, stock, now))
		}
	}
	return list, nil
}

// summarise shows an event by its next session; an event has at least one.
func summarise(e *ticketing.Event, stock map[string]counted, now time.Time) eventSummary {
	first, last := e.Sessions[0], e.Sessions[len(e.Sessions)-1]
	next := last
	v := eventSummary{
		ID: e.ID, Kind: e.Kind, Title: e.Title, Summary: e.Summary, Organiser: e.Organiser, State: e.State,
		FirstSessionAt: instant(first.StartsAt), LastSessionAt: instant(last.StartsAt),
	}
	priced := false
	for _, session := range slices.Backward(e.Sessions) {
		if !session.EndsAt.After(now) {
			continue
		}
		next = session
		for _, t := range session.TicketTypes {
			if t.IsBundle() {
				continue // its tickets are counted where they are sold by themselves
			}
			v.Available += stock[session.ID].free[t.ID]
			price := ticketing.Money{Amount: t.BasePrice + t.Surcharge, Currency: t.Currency}
			if phase, ok := t.PhaseFor(now, 1, stock[session.ID].free); ok {
				price.Amount = phase.BasePrice + t.Surcharge
			}
			if !priced || price.Amount < v.PriceFrom.Amount {
				v.PriceFrom, priced = price, true
			}
		}
	}
	if !priced {
		v.PriceFrom.Currency = currencyOf(e)
	}
	v.City, v.Venue, v.TimeZone = next.Venue.City, next.Venue.Name, next.Venue.TimeZone
	return v
}

// currencyOf is the currency of an event's first ticket type, by which its fee is charged.
func currencyOf(e *ticketing.Event) string {
	for _, session := range e.Sessions {
		for _, t := range session.TicketTypes {
			return t.Currency
		}
	}
	return noCurrency
}

// getEvent answers GET /api/v1/events/{event_id}.
func (s *Server) getEvent(c *fiber.Ctx) error {
	id := c.Params("event_id")
	return s.sendPage(c, "event|"+id, func(ctx context.Context) (page, error) {
		events, err := s.catalogue.get(ctx, id)
		if err != nil {
			return page{}, err
		}
		e, ok := events[id]
		if !ok {
			return page{}, ticketing.Errorf(ticketing.CodeNotFound, "there is no such event")
		}
		ids := make([]string, len(e.Sessions))
		for i, session := range e.Sessions {
			ids[i] = session.ID
		}
		stock, err := s.stock.get(ctx, ids...)
		if err != nil {
			return page{}, err
		}
		others, err := s.sessionsOf(ctx, contentsOfSessions(e.Sessions...)...)
		if err != nil {
			return page{}, err
		}
		now := s.Now()
		sessions := make([]sessionView, len(e.Sessions))
		for i := range e.Sessions {
			sessions[i] = viewSession(e, &e.Sessions[i], stock[e.Sessions[i].ID], others, now)
		}
		v := viewEvent(e)
		v.Sessions = &sessions
		return pageOf(v)
	})
}

// viewEvent shows an event without its sessions.
func viewEvent(e *ticketing.Event) eventView {
	return eventView{
		ID: e.ID, Kind: e.Kind, Title: e.Title, Summary: e.Summary, Organiser: e.Organiser, State: e.State,
		MaxPerOrder: e.MaxPerOrder, OrderFee: ticketing.Money{Amount: e.OrderFee, Currency: currencyOf(e)},
		HoldSeconds: int(e.HoldFor / time.Second), Membership: viewProgramme(e),
	}
}
