package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/bits"
	"net/http"
	"sync"
	"time"
)

// channel is something that is streamed, with what its events say of the holds made so far.
type channel struct {
	name, path, category string
	// shown is how many holds an event shows, when they took seats from first on, or tickets out of capacity.
	shown func(event []byte, first int) (int, error)
}

var channels = []channel{
	{name: "availability", path: "availability", shown: heldOfAvailability},
	{name: "seats", path: "seats", category: seatCategory, shown: heldOfSeats},
}

func heldOfAvailability(event []byte, _ int) (int, error) {
	var said struct {
		TicketTypes []struct{ Available, Capacity int } `json:"ticket_types"`
	}
	if err := json.Unmarshal(event, &said); err != nil || len(said.TicketTypes) == 0 {
		return 0, fmt.Errorf("%w in %s", err, event)
	}
	return said.TicketTypes[0].Capacity - said.TicketTypes[0].Available, nil
}

func heldOfSeats(event []byte, first int) (int, error) {
	var said struct {
		Spans []struct {
			First int
			Taken []byte
		}
	}
	if err := json.Unmarshal(event, &said); err != nil {
		return 0, err
	}
	last := first - 1
	for _, span := range said.Spans {
		for i, taken := range span.Taken {
			if taken != 0 {
				last = max(last, span.First+8*i+bits.Len8(taken)-1)
			}
		}
	}
	return last - first + 1, nil
}

// audience is viewers who watch one stream each, and when each saw which hold first.
type audience struct {
	channel
	url     string
	first   int
	client  *http.Client
	leave   context.CancelCauseFunc
	running sync.WaitGroup
	arrived chan struct{}

	mu   sync.Mutex
	seen [][]time.Time // by viewer and hold
}

// seat lets so many viewers take their places; it returns when all have been sent the first event.
func seat(ctx context.Context, c channel, url string, first, viewers int) (*audience, error) {
	ctx, leave := context.WithCancelCause(ctx)
	a := &audience{
		channel: c, url: url, first: first, leave: leave, arrived: make(chan struct{}, viewers), seen: make([][]time.Time, viewers),
		client: &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: -1}},
	}
	for viewer := range viewers {
		a.running.Go(func() {
			if err := a.watch(ctx, viewer); ctx.Err() == nil {
				leave(fmt.Errorf("viewer %d: %w", viewer, err))
			}
		})
	}
	for range viewers {
		select {
		case <-a.arrived:
		case <-ctx.Done():
			a.end()
			return nil, context.Cause(ctx)
		case <-time.After(30 * time.Second):
			a.end()
			return nil, fmt.Errorf("not all of %d viewers are sent something", viewers)
		}
	}
	return a, nil
}

// watch reads one stream until it ends.
func (a *audience) watch(ctx context.Context, viewer int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "text/event-stream")
	response, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", response.Status)
	}
	lines := bufio.NewScanner(response.Body)
	for events := 0; lines.Scan(); {
		event, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !ok {
			continue
		}
		at := time.Now()
		shown, err := a.shown(event, a.first)
		if err != nil {
			return err
		}
		a.mu.Lock()
		for len(a.seen[viewer]) < shown {
			a.seen[viewer] = append(a.seen[viewer], at)
		}
		a.mu.Unlock()
		if events++; events == 1 {
			a.arrived <- struct{}{}
		}
	}
	return fmt.Errorf("the stream has ended: %w", lines.Err())
}

// delays waits until every viewer has seen every hold, and tells how long after its commit each did.
func (a *audience) delays(committed []time.Time) ([]time.Duration, error) {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if all, missing := a.seenAfter(committed); missing == 0 {
			return all, nil
		} else if time.Now().After(deadline) {
			return nil, fmt.Errorf("%d viewers were not sent every one of %d holds", missing, len(committed))
		}
	}
}

func (a *audience) seenAfter(committed []time.Time) (all []time.Duration, missing int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, seen := range a.seen {
		if len(seen) < len(committed) {
			missing++
			continue
		}
		for i, at := range committed {
			all = append(all, max(0, seen[i].Sub(at)))
		}
	}
	return all, missing
}

// end lets everybody go.
func (a *audience) end() {
	a.leave(nil)
	a.running.Wait()
}
