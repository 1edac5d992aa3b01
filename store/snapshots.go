package store

import (
	"cmp"
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/boxoffice/boxoffice/ticketing"
)

// snapshotReads makes several reading statements see one state of the database.
var snapshotReads = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}

// maxSnapshots bounds the cache; there are far fewer events on sale at a time.
const maxSnapshots = 1000

// snapshot is an event as it was at a revision. Revision 0 means that there is no such event.
type snapshot struct {
	event    ticketing.Event
	revision int64
}

// session finds a session of the event.
func (s snapshot) session(id string) (ticketing.Session, bool) {
	for _, session := range s.event.Sessions {
		if session.ID == id {
			return session, true
		}
	}
	return ticketing.Session{}, false
}

// snapshots remembers events between holds. A stale one does no harm: the
// statement that takes the stock names the revision it was priced from.
type snapshots struct {
	mutex   sync.RWMutex
	byEvent map[string]snapshot
}

func (c *snapshots) get(eventID string) (snapshot, bool) {
	c.mutex.RLock()
	defer c.mutex.RUnlock()
	found, ok := c.byEvent[eventID]
	return found, ok
}

func (c *snapshots) put(eventID string, s snapshot) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.byEvent == nil || len(c.byEvent) >= maxSnapshots {
		c.byEvent = map[string]snapshot{}
	}
	c.byEvent[eventID] = s
}

func (c *snapshots) forget(eventID string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	delete(c.byEvent, eventID)
}

// snapshot returns an event from the cache, else from the database.
func (s *Store) snapshot(ctx context.Context, eventID string) (snapshot, error) {
	if found, ok := s.snapshots.get(eventID); ok {
		return found, nil
	}
	rows, err := s.eventRows(ctx, "read the event", "id = ?", eventID)
	if err != nil || len(rows) == 0 {
		return snapshot{}, err
	}
	found := snapshot{event: rows[0].event(), revision: rows[0].Revision}
	s.snapshots.put(eventID, found)
	return found, nil
}

// price prices a hold from a snapshot, and says by which basket. Prices go by the request's clock, sale
// windows by the database's, so they are left out here and checked where the stock is taken.
func (s *Store) price(ctx context.Context, known snapshot, r ticketing.HoldRequest) (ticketing.Quote, ticketing.Basket, error) {
	if known.revision == 0 {
		return ticketing.Quote{}, ticketing.Basket{}, ticketing.Errorf(ticketing.CodeNotFound, "no such event")
	}
	session, ok := known.session(r.SessionID)
	if !ok {
		return ticketing.Quote{}, ticketing.Basket{}, ticketing.FieldErrorf(ticketing.CodeNotFound, "/session_id", "no such session")
	}
	types := make([]ticketing.TicketType, len(session.TicketTypes))
	for i, t := range session.TicketTypes {
		t.SaleFrom, t.SaleUntil = time.Time{}, r.At.Add(time.Hour)
		types[i] = t
	}
	session.TicketTypes = types
	basket, err := s.Basket(ctx, session, ticketing.Basket{Lines: r.Lines, At: r.At, Email: r.Buyer.Email},
		ticketing.Codes{Vouchers: r.Vouchers, MemberCode: r.MemberCode})
	if err != nil {
		return ticketing.Quote{}, basket, err
	}
	quote, err := ticketing.PriceOrder(known.event, session, basket)
	if err == nil {
		err = ticketing.CheckSeats(session, r.Lines)
	}
	if err == nil {
		err = cmp.Or(ticketing.CheckBundleNames(quote, r.Attendees), known.event.RealNames.CheckAttendees(r.Lines, r.Attendees, r.At))
	}
	if err == nil && r.ExpectedTotal != nil && *r.ExpectedTotal != quote.Total {
		err = ticketing.FieldErrorf(ticketing.CodePriceChanged, "/expected_total", "the total is now %s", quote.Total)
	}
	return quote, basket, err
}
