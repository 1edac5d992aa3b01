package api

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// How fast one client may guess in vain: few enough to guess nothing, enough for whoever mistypes.
const (
	guessesPerSecond = 0.1
	guessesBurst     = 10
)

// guesses bounds how often a client may try what only who knows it should have: codes that are no good, people who have a
// ticket. A try is paid for first and given back if it was no guess. Meanwhile others from the same address, which may be
// a whole campus on the day of a presale, wait until it is known: good tries are never refused, and no more than guessesBurst
// are under way at once.
type guesses struct {
	mu       sync.Mutex
	limiter  *AddressLimiter
	underway map[netip.Addr]*tries
}

// tries are those of a client of which is not known yet whether they are guesses.
type tries struct {
	count int
	ended chan struct{} // closed when one of them has ended
}

func newGuesses() *guesses {
	return &guesses{limiter: NewAddressLimiter(guessesPerSecond, guessesBurst), underway: map[netip.Addr]*tries{}}
}

// try lets a client try something unless it has guessed too often, which is refused in the words of why. guessed says by the answer
// whether it was a guess.
func (g *guesses) try(ctx context.Context, client netip.Addr, why string, look func() error, guessed func(error) bool) error {
	client = countedAs(client)
	for {
		ended, wait, ok := g.begin(client)
		if ok {
			break
		}
		if ended == nil {
			return tooMany(why, wait)
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return unavailable(ctx.Err())
		}
	}
	guess := true
	defer func() { g.end(client, guess) }()
	err := look()
	guess = guessed(err)
	return err
}

// begin is ok if a try may begin. Else ended is closed when another may be worth asking for, and nil if only time can help.
func (g *guesses) begin(client netip.Addr) (ended <-chan struct{}, wait time.Duration, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.underway[client]
	if wait, ok = g.limiter.Allow(client, time.Now()); !ok {
		if t == nil {
			return nil, wait, false
		}
		return t.ended, wait, false
	}
	if t == nil {
		t = &tries{ended: make(chan struct{})}
		g.underway[client] = t
	}
	t.count++
	return nil, 0, true
}

func (g *guesses) end(client netip.Addr, guess bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !guess {
		g.limiter.GiveBack(client)
	}
	t := g.underway[client]
	close(t.ended)
	t.ended = make(chan struct{})
	if t.count--; t.count == 0 {
		delete(g.underway, client)
	}
}
