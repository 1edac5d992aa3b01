package store

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
)

const (
	// groupSize is how many holds share a transaction at most, where nothing else is said.
	groupSize = 32
	// groupsAtOnce is how many transactions hold of the same stock at the same time: while one is being written to
	// disk, the next waits at the database for its stock.
	groupsAtOnce = 2
	// groupQueue is how many holds wait for the same stock at most. Any more go on their own.
	groupQueue = 1024
)

// holdGroups lets holds of the same stock that wait anyway travel together: many holds, one write to disk and one
// change of hands of the rows they all want. Nobody waits for company: whoever finds no group under way goes at once.
//
// Each hold has its own statement and its own outcome. When anything fails, no hold of the group has happened, and
// each is tried again on its own, so that nobody fails by another's fault; should it have happened after all, the
// order's number tells.
type holdGroups struct {
	size   int
	mu     sync.Mutex
	queues map[string]*holdQueue // by the stock that is wanted
}

type holdQueue struct {
	waiting []*groupedHold
	running int
}

// groupedHold is a hold in a queue. Its answer comes once, whether its caller still waits for it or not.
type groupedHold struct {
	ctx       context.Context
	types     []string // sorted
	arguments []any    // of takeSQL
	taking    taking
	answer    chan error
}

// errFull says that too many wait for the same stock.
var errFull = errors.New("too many holds wait")

// takeTogether takes stock along with others who want the same. The error says only that nothing is known to have
// been taken: whoever gets it tries alone.
func (s *Store) takeTogether(ctx context.Context, o ordered, revision int64) (taking, error) {
	h := &groupedHold{ctx: ctx, types: sorted(o.types()), arguments: o.takeArguments(revision), answer: make(chan error, 1)}
	key := strings.Join(h.types, "\x00")
	run, ok := s.groups.join(key, h)
	if !ok {
		return taking{}, errFull
	}
	if run {
		go func() {
			for group := s.groups.next(key); group != nil; group = s.groups.next(key) {
				s.takeGroup(group)
			}
		}()
	}
	select {
	case err := <-h.answer:
		if err != nil {
			return taking{}, err
		}
		return h.taking, nil
	case <-ctx.Done():
		return taking{}, ctx.Err()
	}
}

// takeGroup takes stock for a group in one transaction, which no caller's leaving interrupts.
func (s *Store) takeGroup(group []*groupedHold) {
	ctx, cancel := context.WithTimeout(context.Background(), s.callTimeout)
	defer cancel()
	batch := &pgx.Batch{} // one transaction without saying so
	if types := group[0].types; len(types) > 1 {
		batch.Queue(lockStockSQL, types)
	}
	for _, h := range group {
		batch.Queue(takeSQL, h.arguments...).QueryRow(h.taking.scan)
	}
	err := s.pool.SendBatch(ctx, batch).Close()
	for _, h := range group {
		h.answer <- err
	}
}

// join puts a hold into its queue, unless that is full; run says that somebody has to see to the queue.
func (g *holdGroups) join(key string, h *groupedHold) (run, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	q := g.queues[key]
	if q == nil {
		if g.queues == nil {
			g.queues = map[string]*holdQueue{}
		}
		q = &holdQueue{}
		g.queues[key] = q
	}
	if len(q.waiting) >= groupQueue {
		return false, false
	}
	q.waiting = append(q.waiting, h)
	run = q.running < groupsAtOnce
	if run {
		q.running++
	}
	return run, true
}

// next is the group that goes next, without those whose callers have gone; nil when nobody waits, and then whoever
// asked has ended.
func (g *holdGroups) next(key string) []*groupedHold {
	g.mu.Lock()
	defer g.mu.Unlock()
	q := g.queues[key]
	var group []*groupedHold
	for len(q.waiting) > 0 && len(group) < g.size {
		if h := q.waiting[0]; h.ctx.Err() == nil {
			group = append(group, h)
		}
		q.waiting[0] = nil
		q.waiting = q.waiting[1:]
	}
	if group == nil {
		if q.running--; q.running == 0 {
			delete(g.queues, key)
		}
	}
	return group
}
