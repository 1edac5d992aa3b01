package api

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/boxoffice/boxoffice/ticketing"
)

// listed is a session with its event.
type listed struct {
	event   *ticketing.Event
	session *ticketing.Session
}

// typeName names a ticket type of the session.
func (l listed) typeName(ticketTypeID string) ticketing.Text {
	if l.session != nil {
		for _, t := range l.session.TicketTypes {
			if t.ID == ticketTypeID {
				return t.Name
			}
		}
	}
	return unnamed(ticketTypeID)
}

// catalogueCache keeps the events somebody asks for, and asks the database only for their revisions: what is kept has to do
// with how many are looked at, not with how many there are.
type catalogueCache struct {
	store   Store
	flights singleflight.Group
	mu      sync.RWMutex
	events  map[string]*knownEvent
	homes   map[string]string // the event of each session
}

// knownEvent is an event as it was at a moment; it is never changed once made, but for when it was asked for.
type knownEvent struct {
	event    *ticketing.Event
	revision int64
	at       time.Time
	asked    *atomic.Int64 // when last, in nanoseconds
}

// maxEvents bounds how many events are kept, unless more than that are looked at within interest.
const maxEvents = 2_000

func newCatalogueCache(store Store) *catalogueCache {
	return &catalogueCache{store: store, events: map[string]*knownEvent{}, homes: map[string]string{}}
}

// get returns events that buyers may see as they were at most sourceStale ago; others are left out.
func (k *catalogueCache) get(ctx context.Context, eventIDs ...string) (map[string]*ticketing.Event, error) {
	found := make(map[string]*ticketing.Event, len(eventIDs))
	now := time.Now()
	missing, old := k.look(eventIDs, now, found)
	if old {
		k.flights.DoChan("", func() (any, error) { return nil, k.renew(now) })
	}
	if len(missing) == 0 {
		return found, nil
	}
	slices.Sort(missing)
	missing = slices.Compact(missing)
	flight := k.flights.DoChan(strings.Join(missing, "\x00"), func() (any, error) { return nil, k.load(missing) })
	if err := landed(ctx, flight); err != nil {
		return nil, err
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, id := range missing {
		if n, ok := k.events[id]; ok {
			found[id] = n.event
		}
	}
	return found, nil
}

// look finds what is young enough, and says what is missing and whether something gets old.
func (k *catalogueCache) look(eventIDs []string, now time.Time, found map[string]*ticketing.Event) (missing []string, old bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, id := range eventIDs {
		n, ok := k.events[id]
		if !ok || now.Sub(n.at) >= sourceStale {
			if askable(id) {
				missing = append(missing, id)
			}
			continue
		}
		n.asked.Store(now.UnixNano())
		old = old || now.Sub(n.at) >= sourceFresh
		found[id] = n.event
	}
	return missing, old
}

// renew looks again at everything that was asked for of late.
func (k *catalogueCache) renew(now time.Time) error {
	var ids []string
	k.mu.RLock()
	for id, n := range k.events {
		if now.UnixNano()-n.asked.Load() < int64(interest) {
			ids = append(ids, id)
		}
	}
	k.mu.RUnlock()
	return k.load(ids)
}

// load reads the revisions of events, and those events that have another one than before.
func (k *catalogueCache) load(ids []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	at := time.Now() // before the question, so that the age is never understated
	revisions, err := k.store.EventRevisions(ctx, ids...)
	if err != nil {
		return err
	}
	known := make(map[string]*knownEvent, len(ids))
	var changed []string
	k.mu.RLock()
	for id, revision := range revisions {
		if n, ok := k.events[id]; ok && n.revision == revision {
			known[id] = &knownEvent{n.event, revision, at, n.asked}
		} else {
			changed = append(changed, id)
		}
	}
	k.mu.RUnlock()
	if len(changed) > 0 {
		// The revisions were read first: if an event changes in between, the next look finds out.
		events, err := k.store.Events(ctx, changed...)
		if err != nil {
			return err
		}
		for i := range events {
			n := &knownEvent{&events[i], revisions[events[i].ID], at, new(atomic.Int64)}
			n.asked.Store(at.UnixNano())
			known[events[i].ID] = n
		}
	}
	k.keep(ids, known, at)
	return nil
}

// keep remembers what was read, unless something younger is known. What buyers may not see is not kept: anybody could ask for
// any number of events that do not exist.
func (k *catalogueCache) keep(ids []string, known map[string]*knownEvent, at time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forget(at)
	for _, id := range ids {
		if before, ok := k.events[id]; ok && before.at.After(at) {
			continue
		}
		n, ok := known[id]
		if !ok {
			delete(k.events, id)
			continue
		}
		k.events[id] = n
		for _, session := range n.event.Sessions {
			k.homes[session.ID] = id
		}
	}
}

// forget drops events nobody has asked for in a while, so that memory follows interest.
func (k *catalogueCache) forget(now time.Time) {
	if len(k.events) < maxEvents {
		return
	}
	for id, n := range k.events {
		if now.UnixNano()-n.asked.Load() > int64(interest) {
			delete(k.events, id)
		}
	}
	for session, id := range k.homes {
		if _, ok := k.events[id]; !ok {
			delete(k.homes, session)
		}
	}
}

// sessions returns sessions that buyers may see, with their events; others are left out.
func (k *catalogueCache) sessions(ctx context.Context, sessionIDs ...string) (map[string]listed, error) {
	homes, err := k.homesOf(ctx, sessionIDs)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(homes))
	for _, id := range homes {
		ids = append(ids, id)
	}
	events, err := k.get(ctx, ids...)
	if err != nil {
		return nil, err
	}
	found := make(map[string]listed, len(sessionIDs))
	for session, id := range homes {
		e, ok := events[id]
		if !ok {
			continue
		}
		if i := slices.IndexFunc(e.Sessions, func(s ticketing.Session) bool { return s.ID == session }); i >= 0 {
			found[session] = listed{e, &e.Sessions[i]}
		} else {
			k.mu.Lock()
			delete(k.homes, session) // it has moved to another event
			k.mu.Unlock()
		}
	}
	return found, nil
}

// session returns a session that buyers may see; without an event there is none.
func (k *catalogueCache) session(ctx context.Context, sessionID string) (listed, error) {
	found, err := k.sessions(ctx, sessionID)
	return found[sessionID], err
}

// homesOf tells the events of sessions, from the database for those it has not heard of.
func (k *catalogueCache) homesOf(ctx context.Context, sessionIDs []string) (map[string]string, error) {
	homes := make(map[string]string, len(sessionIDs))
	var missing []string
	k.mu.RLock()
	for _, id := range sessionIDs {
		if home, ok := k.homes[id]; ok {
			homes[id] = home
		} else if askable(id) {
			missing = append(missing, id)
		}
	}
	k.mu.RUnlock()
	if len(missing) == 0 {
		return homes, nil
	}
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	read, err := k.store.EventsOfSessions(ctx, missing...)
	if err != nil {
		return nil, unavailable(err)
	}
	maps.Copy(homes, read)
	return homes, nil
}
