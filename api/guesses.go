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
	turns chan struct{} // one for each that was no guess: another may begin
	over  chan struct{} // closed when none is left
}

func newGuesses() *guesses {
	return &guesses{limiter: NewAddressLimiter(guessesPerSecond, guessesBurst), underway: map[netip.Addr]*tries{}}
}

// try lets a client try something unless it has guessed too often, which is refused in the words of why. guessed says by the answer
// whether it was a guess.
func (g *guesses) try(ctx context.Context, client netip.Addr, why string, look func() error, guessed func(error) bool) error {
	client = countedAs(client)
	for {
		ahead, wait, ok := g.begin(client)
		if ok {
			break
		}
		if ahead == nil {
			return tooMany(why, wait)
		}
		select {
		case <-ahead.turns:
		case <-ahead.over:
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

// begin is ok if a try may begin. Else it may have to wait for those ahead of it, or, without any, for time to pass.
func (g *guesses) begin(client netip.Addr) (ahead *tries, wait time.Duration, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	ahead = g.underway[client]
	if wait, ok = g.limiter.Allow(client, time.Now()); !ok {
		return ahead, wait, false
	}
	if ahead == nil {
		ahead = &tries{turns: make(chan struct{}, guessesBurst), over: make(chan struct{})}
		g.underway[client] = ahead
	}
	ahead.count++
	return ahead, 0, true
}

func (g *guesses) end(client netip.Addr, guess bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.underway[client]
	if !guess {
		g.limiter.GiveBack(client)
		select {
		case t.turns <- struct{}{}:
		default: // as many may begin already as ever at once
		}
	}
	if t.count--; t.count == 0 {
		delete(g.underway, client)
		close(t.over)
	}
}
