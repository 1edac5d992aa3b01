package api

import (
	"context"
	"hash/fnv"
	"log/slog"
	"maps"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/boxoffice/boxoffice/ticketing"
)

// How stale an answer may be. Sources are renewed in the background from sourceFresh on and waited
// for from sourceStale on; an answer rendered from them is kept for renderedFresh. Together: what a
// buyer reads is never more than a second behind the database. When the database does not answer,
// nothing older is served.
const (
	sourceFresh   = 250 * time.Millisecond
	sourceStale   = 700 * time.Millisecond
	renderedFresh = 250 * time.Millisecond
	// stockTrusted is how old a count may be to refuse an order by it.
	stockTrusted = time.Second
	// loadTimeout bounds one read of the database by a cache.
	loadTimeout = 2 * time.Second
)

// counted is what was free of each ticket type of a session at a moment.
type counted struct {
	free map[string]int
	at   time.Time
	// version tells counts apart by their numbers alone.
	version uint64
}

// stockCache keeps what is free. While somebody watches or asks for a session it is counted again
// every pace, for all such sessions in one query.
type stockCache struct {
	store     Store
	catalogue *catalogueCache
	watch     *watcher
	flights   singleflight.Group
	mu        sync.RWMutex
	counts    map[string]counted
}

// stockPace is how often the stock of watched sessions is counted.
const stockPace = 300 * time.Millisecond

func newStockCache(store Store, k *catalogueCache, done chan struct{}, running *sync.WaitGroup, log *slog.Logger) *stockCache {
	s := &stockCache{store: store, catalogue: k, counts: map[string]counted{}}
	s.watch = newWatcher(stockPace, s.count, done, running, log)
	return s
}

// get counts sessions as they were at most sourceStale ago.
func (s *stockCache) get(ctx context.Context, sessionIDs ...string) (map[string]counted, error) {
	known := make(map[string]counted, len(sessionIDs))
	var missing []string
	s.mu.RLock()
	for _, id := range sessionIDs {
		if n, ok := s.counts[id]; ok && time.Since(n.at) < sourceStale {
			known[id] = n
		} else {
			missing = append(missing, id)
		}
	}
	s.mu.RUnlock()
	for _, id := range sessionIDs {
		s.watch.touch(id)
	}
	if len(missing) == 0 {
		return known, nil
	}
	sort.Strings(missing)
	flight := s.flights.DoChan(strings.Join(missing, "\x00"), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
		defer cancel()
		_, err := s.count(ctx, missing)
		return nil, err
	})
	if err := landed(ctx, flight); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, id := range missing {
		known[id] = s.counts[id]
	}
	return known, nil
}

// landed waits for a read of the database that others may wait for, too, but no longer than the one who asks.
func landed(ctx context.Context, flight <-chan singleflight.Result) error {
	select {
	case r := <-flight:
		if r.Err != nil {
			return unavailable(r.Err)
		}
		return nil
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
}

// peek returns what is known of a session if it is young enough to refuse an order by, and sees to
// it that more will be known soon. It never waits.
func (s *stockCache) peek(sessionID string) (counted, bool) {
	s.watch.touch(sessionID)
	s.mu.RLock()
	defer s.mu.RUnlock()
	n, ok := s.counts[sessionID]
	return n, ok && time.Since(n.at) < stockTrusted
}

// took takes held tickets off a cached count until the next one.
func (s *stockCache) took(sessionID string, asks []ticketing.Ask) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.counts[sessionID]
	if !ok {
		return
	}
	free := maps.Clone(n.free)
	for _, ask := range asks {
		if left, counted := free[ask.TicketTypeID]; counted {
			free[ask.TicketTypeID] = max(left-ask.Quantity, 0)
		}
	}
	n.free = free
	s.counts[sessionID] = n
}

// count reads sessions' stock and returns those whose numbers changed.
func (s *stockCache) count(ctx context.Context, sessionIDs []string) (changed []string, err error) {
	listed, err := s.catalogue.sessions(ctx, sessionIDs...)
	if err != nil {
		return nil, err
	}
	at := time.Now()
	free, err := s.store.Availability(ctx, sessionIDs...)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(at)
	for _, id := range sessionIDs {
		n := countedOf(listed[id].session, free, at)
		before, known := s.counts[id]
		if known && before.at.After(at) {
			continue // a younger count has overtaken this one
		}
		s.counts[id] = n
		if !known || before.version != n.version {
			changed = append(changed, id)
		}
	}
	return changed, nil
}

// countedOf picks one session's numbers out of a count of several.
func countedOf(session *ticketing.Session, free map[string]int, at time.Time) counted {
	n := counted{free: map[string]int{}, at: at}
	h := fnv.New64a()
	if session != nil {
		for _, t := range session.TicketTypes {
			if count, ok := free[t.ID]; ok {
				n.free[t.ID] = count
				_, _ = h.Write([]byte(t.ID + "=" + strconv.Itoa(count) + ";"))
			}
			for _, phase := range t.Phases {
				if key := ticketing.PhaseKey(t.ID, phase.ID); phase.Limit > 0 {
					n.free[key] = free[key]
				}
			}
		}
	}
	n.version = h.Sum64()
	return n
}

// forget drops counts nobody has asked for in a while, so that memory follows interest.
func (s *stockCache) forget(now time.Time) {
	const most, old = 10_000, time.Minute
	if len(s.counts) < most {
		return
	}
	for id, n := range s.counts {
		if now.Sub(n.at) > old {
			delete(s.counts, id)
		}
	}
}

// renderCache keeps the bytes of hot answers for renderedFresh.
type renderCache struct {
	flights singleflight.Group
	mu      sync.RWMutex
	pages   map[string]page
}

// page is a rendered answer.
type page struct {
	body []byte
	etag string
	at   time.Time
}

// maxPages bounds how many different answers are kept; they live so briefly that the oldest need
// not be found.
const maxPages = 2_000

func newRenderCache() *renderCache { return &renderCache{pages: map[string]page{}} }

// get returns the answer for key, rendering it at most once at a time.
func (r *renderCache) get(key string, render func() (page, error)) (page, error) {
	r.mu.RLock()
	p, ok := r.pages[key]
	r.mu.RUnlock()
	if ok && time.Since(p.at) < renderedFresh {
		return p, nil
	}
	shared, err, _ := r.flights.Do(key, func() (any, error) {
		p, err := render()
		if err != nil {
			return nil, err
		}
		p.at = time.Now()
		if p.etag == "" {
			h := fnv.New64a()
			_, _ = h.Write(p.body)
			p.etag = `"` + strconv.FormatUint(h.Sum64(), 36) + `"`
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.pages) >= maxPages {
			clear(r.pages)
		}
		r.pages[key] = p
		return p, nil
	})
	if err != nil {
		return page{}, err
	}
	made, _ := shared.(page) // what Do was given to do returns nothing else
	return made, nil
}
