package api

import (
	"context"
	"runtime"
	"sync"

	"github.com/boxoffice/boxoffice/ticketing"
)

// maxStarts is how many purchases one process begins at once: as many as keep it busy. More only queue at Temporal,
// where they time out together and leave work behind; here they wait their turn. They are fewer than maxDelivering: what was begun
// is finished first, for the longer purchases are open, the more of them are, and the more each costs.
var maxStarts = max(8, 4*runtime.GOMAXPROCS(0))

// admission lets no more purchases be under way than there are tickets for: in a rush, whoever would
// only be told "sold out" by a workflow waits here until that is certain, and starts none.
type admission struct {
	stock  *stockCache
	places chan struct{}

	mu sync.Mutex
	// underWay counts the tickets of purchases that are being started, by ticket type.
	underWay map[string]int
	// changed is closed and renewed whenever underWay shrinks.
	changed chan struct{}
}

func newAdmission(stock *stockCache) *admission {
	return &admission{
		stock: stock, places: make(chan struct{}, maxStarts),
		underWay: map[string]int{}, changed: make(chan struct{}),
	}
}

// enter waits until there may be tickets for the asks, and returns what to call with the outcome
// once it is known. Errors: CodeSoldOut; unavailable when ctx ends first.
func (a *admission) enter(ctx context.Context, l listed, asks []ticketing.Ask) (leave func(held bool), err error) {
	for {
		now, err := a.stock.get(ctx, l.session.ID)
		if err != nil {
			return nil, err
		}
		free := now[l.session.ID].free
		if err := soldOut(free, asks); err != nil {
			return nil, err
		}
		a.mu.Lock()
		if a.fits(free, asks) {
			for _, ask := range asks {
				a.underWay[ask.TicketTypeID] += ask.Quantity
			}
			a.mu.Unlock()
			break
		}
		changed := a.changed
		a.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, unavailable(ctx.Err())
		}
	}
	select {
	case a.places <- struct{}{}:
	case <-ctx.Done():
		a.release(l, asks, false)
		return nil, unavailable(ctx.Err())
	}
	return func(held bool) {
		<-a.places
		a.release(l, asks, held)
	}, nil
}

// fits says whether every ask fits beside what is under way. An order that is alone always does:
// the database has the last word.
func (a *admission) fits(free map[string]int, asks []ticketing.Ask) bool {
	for _, ask := range asks {
		busy := a.underWay[ask.TicketTypeID]
		if n, counted := free[ask.TicketTypeID]; counted && busy > 0 && n-busy < ask.Quantity {
			return false
		}
	}
	return true
}

// release gives the places back. What was held is taken off the cached count at once, so that
// those who wait need not wait for the next count.
func (a *admission) release(l listed, asks []ticketing.Ask, held bool) {
	if held {
		a.stock.took(l.session.ID, asks)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, ask := range asks {
		if a.underWay[ask.TicketTypeID] -= ask.Quantity; a.underWay[ask.TicketTypeID] <= 0 {
			delete(a.underWay, ask.TicketTypeID)
		}
	}
	close(a.changed)
	a.changed = make(chan struct{})
}
