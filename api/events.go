package api

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

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
	Sessions    *[]sessionView       `json:"sessions,omitzero"`
}

type eventList struct {
	Events     []eventSummary `json:"events"`
	NextCursor string         `json:"next_cursor,omitzero"`
}

const (
	defaultPage = 50
	maxPage     = 100
)

// filter is what a listing is narrowed to.
type filter struct {
	from, to time.Time
	city     string
	kind     ticketing.Kind
	text     string
	limit    int
	after    cursor
}

// cursor is the last event of the page before.
type cursor struct {
	start int64 // Unix milliseconds of the first session
	id    string
}

func (k cursor) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(k.start, 10) + "|" + k.id))
}

// listEvents answers GET /api/v1/events.
func (s *Server) listEvents(c *fiber.Ctx) error {
	f, err := readFilter(c)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("events|%d|%d|%q|%s|%q|%d|%s", f.from.UnixMilli(), f.to.UnixMilli(), f.city, f.kind, f.text, f.limit, f.after)
	return s.sendPage(c, key, func(ctx context.Context) (page, error) {
		list, err := s.eventsMatching(ctx, f)
		if err != nil {
			return page{}, err
		}
		return pageOf(list)
	})
}

func readFilter(c *fiber.Ctx) (filter, error) {
	refuse := func(name, what string) (filter, error) {
		return filter{}, ticketing.Errorf(ticketing.CodeInvalid, "the query parameter %s must be %s", name, what)
	}
	f := filter{
		city: strings.TrimSpace(c.Query("city")), text: strings.ToLower(strings.TrimSpace(c.Query("q"))),
		kind: ticketing.Kind(c.Query("kind")), limit: defaultPage,
	}
	var ok bool
	if f.from, ok = readTime(c.Query("from"), false); !ok {
		return refuse("from", "a date or an RFC 3339 time")
	}
	if f.to, ok = readTime(c.Query("to"), true); !ok {
		return refuse("to", "a date or an RFC 3339 time")
	}
	if len(f.city) > 100 {
		return refuse("city", "at most 100 bytes long")
	}
	if len(f.text) > 100 {
		return refuse("q", "at most 100 bytes long")
	}
	if f.kind != "" && !slices.Contains(ticketing.Kinds, f.kind) {
		return refuse("kind", "a known kind of event")
	}
	if limit := c.Query("limit"); limit != "" {
		n, err := strconv.Atoi(limit)
		if err != nil || n < 1 || n > maxPage {
			return refuse("limit", fmt.Sprintf("a number from 1 to %d", maxPage))
		}
		f.limit = n
	}
	if after := c.Query("cursor"); after != "" {
		raw, err := base64.RawURLEncoding.DecodeString(after)
		start, id, found := strings.Cut(string(raw), "|")
		n, numberErr := strconv.ParseInt(start, 10, 64)
		if err != nil || !found || numberErr != nil || len(after) > 200 {
			return refuse("cursor", "one that an earlier answer gave")
		}
		f.after = cursor{n, id}
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
func (s *Server) eventsMatching(ctx context.Context, f filter) (eventList, error) {
	k, err := s.catalogue.get(ctx)
	if err != nil {
		return eventList{}, err
	}
	now := s.Now()
	var found []*ticketing.Event
	for i := range k.events {
		if e := &k.events[i]; inListing(e, now) && f.matches(e) {
			found = append(found, e)
		}
	}
	start := func(e *ticketing.Event) int64 { return e.Sessions[0].StartsAt.UnixMilli() }
	sort.Slice(found, func(a, b int) bool {
		if x, y := start(found[a]), start(found[b]); x != y {
			return x < y
		}
		return found[a].ID < found[b].ID
	})
	if f.after != (cursor{}) {
		at := sort.Search(len(found), func(i int) bool {
			x := start(found[i])
			return x > f.after.start || x == f.after.start && found[i].ID > f.after.id
		})
		found = found[at:]
	}
	list := eventList{Events: []eventSummary{}}
	if len(found) > f.limit {
		found = found[:f.limit]
		last := found[f.limit-1]
		list.NextCursor = cursor{start(last), last.ID}.String()
	}
	var sessions []string
	for _, e := range found {
		for _, session := range e.Sessions {
			sessions = append(sessions, session.ID)
		}
	}
	stock, err := s.stock.get(ctx, sessions...)
	if err != nil {
		return eventList{}, err
	}
	for _, e := range found {
		list.Events = append(list.Events, summarise(e, stock, now))
	}
	return list, nil
}

// inListing says whether an event is shown to somebody who looks for something to go to.
func inListing(e *ticketing.Event, now time.Time) bool {
	switch e.State {
	case ticketing.EventOnSale, ticketing.EventPaused, ticketing.EventPostponed:
	default:
		return false
	}
	return len(e.Sessions) > 0 && e.Sessions[len(e.Sessions)-1].EndsAt.After(now)
}

func (f filter) matches(e *ticketing.Event) bool {
	if f.kind != "" && e.Kind != f.kind {
		return false
	}
	if f.text != "" && !contains(e.Title, f.text) && !contains(e.Summary, f.text) &&
		!strings.Contains(strings.ToLower(e.Organiser), f.text) {
		return false
	}
	return slices.ContainsFunc(e.Sessions, func(session ticketing.Session) bool {
		return (f.from.IsZero() || !session.StartsAt.Before(f.from)) &&
			(f.to.IsZero() || session.StartsAt.Before(f.to)) &&
			(f.city == "" || named(session.Venue.City, f.city))
	})
}

func contains(t ticketing.Text, lower string) bool {
	for _, text := range t {
		if strings.Contains(strings.ToLower(text), lower) {
			return true
		}
	}
	return false
}

func named(t ticketing.Text, name string) bool {
	for _, text := range t {
		if strings.EqualFold(text, name) {
			return true
		}
	}
	return false
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
		k, err := s.catalogue.get(ctx)
		if err != nil {
			return page{}, err
		}
		e, ok := k.event[id]
		if !ok || e.State == ticketing.EventDraft {
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
		now := s.Now()
		sessions := make([]sessionView, len(e.Sessions))
		for i := range e.Sessions {
			sessions[i] = viewSession(e, &e.Sessions[i], stock[e.Sessions[i].ID], now)
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
		HoldSeconds: int(e.HoldFor / time.Second),
	}
}
