package api

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
)

// seatPace is how often the seats of watched sessions are looked at.
const seatPace = 300 * time.Millisecond

// seatState is how the seats of a session stood at a moment. It is never changed once made.
type seatState struct {
	ref   ticketing.SeatMapRef
	plan  *seating.Plan
	words []seatWord
	// cursor is where the database is asked to go on, and what other processes understand.
	cursor int64
	// changes counts the times something changed, for those who follow here.
	changes uint64
	at      time.Time
}

// seatWord is a physical row, with the number of the change that made it so.
type seatWord struct {
	ticketing.SeatWord
	change uint64
}

// taken are the bits by which seats are given away.
func (n *seatState) taken() seating.Bits {
	bits := make(seating.Bits, len(n.words))
	for i, word := range n.words {
		bits[i] = word.Taken
	}
	return bits
}

// seatCache keeps how seats stand. While somebody watches or asks for a session it is looked at every pace, for all
// such sessions in one query that returns what changed.
type seatCache struct {
	store     Store
	catalogue *catalogueCache
	watch     *watcher
	flights   singleflight.Group
	looking   sync.Mutex
	mu        sync.RWMutex
	states    map[string]*seatState
}

func newSeatCache(store Store, k *catalogueCache, done chan struct{}, running *sync.WaitGroup, log *slog.Logger) *seatCache {
	s := &seatCache{store: store, catalogue: k, states: map[string]*seatState{}}
	s.watch = newWatcher(seatPace, s.look, done, running, log)
	return s
}

var errNoSeats = ticketing.Errorf(ticketing.CodeNotFound, "this session has no numbered seats")

// get returns how the seats of a session stood at most sourceStale ago. Error: CodeNotFound.
func (s *seatCache) get(ctx context.Context, sessionID string) (*seatState, error) {
	s.watch.touch(sessionID)
	if n, ok := s.known(sessionID); ok && time.Since(n.at) < sourceStale {
		return n, nil
	}
	flight := s.flights.DoChan(sessionID, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
		defer cancel()
		_, err := s.look(ctx, []string{sessionID})
		return nil, err
	})
	if err := landed(ctx, flight); err != nil {
		return nil, err
	}
	if n, ok := s.known(sessionID); ok {
		return n, nil
	}
	return nil, errNoSeats
}

// peek returns what is known of a session if it is young enough to refuse an order by. It never waits.
func (s *seatCache) peek(sessionID string) (*seatState, bool) {
	n, ok := s.known(sessionID)
	return n, ok && time.Since(n.at) < stockTrusted
}

func (s *seatCache) known(sessionID string) (*seatState, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n, ok := s.states[sessionID]
	return n, ok
}

// look reads what changed of sessions' seats and returns those where anything did. One look follows the other, so
// that no two of them call different things the same change.
func (s *seatCache) look(ctx context.Context, sessionIDs []string) (changed []string, err error) {
	s.looking.Lock()
	defer s.looking.Unlock()
	listed, err := s.catalogue.sessions(ctx, sessionIDs...)
	if err != nil {
		return nil, err
	}
	since, before := map[string]int64{}, map[string]*seatState{}
	for _, id := range sessionIDs {
		state, err := s.before(ctx, id, listed[id].session)
		if err != nil {
			return nil, err
		}
		if state != nil {
			before[id], since[id] = state, state.cursor
		}
	}
	if len(since) == 0 {
		return nil, nil
	}
	at := time.Now()
	states, err := s.store.SeatStates(ctx, since)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(at)
	for id, old := range before {
		now := old.with(states.Words[id], states.Cursor, at)
		s.states[id] = now
		if now.changes != old.changes {
			changed = append(changed, id)
		}
	}
	return changed, nil
}

// forget drops sessions nobody has asked for in a while, so that memory follows interest.
func (s *seatCache) forget(now time.Time) {
	const most, old = 1000, time.Minute
	if len(s.states) < most {
		return
	}
	for id, n := range s.states {
		if now.Sub(n.at) > old {
			delete(s.states, id)
		}
	}
}

// before is what is known of a session, or that nothing is, by the seat map it has now; nil if it has none.
func (s *seatCache) before(ctx context.Context, sessionID string, session *ticketing.Session) (*seatState, error) {
	if session == nil || session.SeatMap.IsZero() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.states, sessionID)
		return nil, nil
	}
	if n, ok := s.known(sessionID); ok && n.ref == session.SeatMap {
		return n, nil
	}
	plan, err := s.store.SeatMap(ctx, session.SeatMap)
	if err != nil {
		return nil, err
	}
	return &seatState{ref: session.SeatMap, plan: plan, words: make([]seatWord, len(plan.Words()))}, nil
}

// with is the state after words may have changed.
func (n *seatState) with(words []ticketing.SeatWord, cursor int64, at time.Time) *seatState {
	now := *n
	now.at, now.cursor = at, max(cursor, n.cursor)
	for _, word := range words {
		if word.Word >= len(n.words) {
			continue // of another map that the session is about to have
		}
		old := n.words[word.Word]
		if n.cursor != 0 && old.Taken == word.Taken && old.Sold == word.Sold {
			continue
		}
		if now.changes == n.changes {
			now.changes++
			now.words = slices.Clone(n.words)
		}
		now.words[word.Word] = seatWord{word, now.changes}
	}
	return &now
}

// since lists the words that may differ from what somebody has who got an event with an id; ok is false where that
// event is of no use, and everything has to be told.
func (n *seatState) since(id string) (words []int, ok bool) {
	cursor, ok := n.cursorOf(id)
	if !ok {
		return nil, false
	}
	for i, word := range n.words {
		if word.Changed >= cursor {
			words = append(words, i)
		}
	}
	return words, true
}

// after lists the words that have changed since a change.
func (n *seatState) after(change uint64) []int {
	var words []int
	for i, word := range n.words {
		if word.change > change {
			words = append(words, i)
		}
	}
	return words
}

// cursorOf reads the cursor of an event's id; ok is false where the event was of another map, or nothing we have sent.
func (n *seatState) cursorOf(id string) (cursor int64, ok bool) {
	number, ok := strings.CutPrefix(id, n.prefix())
	cursor, err := strconv.ParseInt(number, 10, 64)
	return cursor, ok && err == nil && cursor > 0 && cursor <= n.cursor
}

// version tells states of one map apart by their bits alone.
func (n *seatState) version() uint64 {
	h := fnv.New64a()
	for _, word := range n.words {
		_, _ = h.Write(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(word.Taken)), uint64(word.Sold)))
	}
	return h.Sum64()
}

// id names the state among those of all processes.
func (n *seatState) id() string { return n.prefix() + strconv.FormatInt(n.cursor, 10) }

func (n *seatState) prefix() string { return n.ref.ID + "." + strconv.Itoa(n.ref.Version) + "." }
