package api

import (
	"context"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"

	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
)

// seatsView is how seats stand, all of them or those that have changed.
type seatsView struct {
	SessionID string               `json:"session_id"`
	SeatMap   ticketing.SeatMapRef `json:"seat_map"`
	AsOf      instant              `json:"as_of"`
	Spans     []seatSpan           `json:"spans"`
}

// seatSpan are seats that follow one another on the map: bit i of a bitmap, the lowest of a byte first, is seat First + i.
type seatSpan struct {
	First int    `json:"first"`
	Count int    `json:"count"`
	Taken []byte `json:"taken"`
	Sold  []byte `json:"sold"`
}

func (n *seatState) view(sessionID string, spans []seatSpan) seatsView {
	return seatsView{SessionID: sessionID, SeatMap: n.ref, AsOf: instant(n.at), Spans: spans}
}

// all is one span of all seats.
func (n *seatState) all() []seatSpan {
	s := emptySpan(0, n.plan.Seats())
	for i, word := range n.plan.Words() {
		s.fill(word.First, word.Count, n.words[i])
	}
	return []seatSpan{s}
}

// some is a span for each of some words.
func (n *seatState) some(words []int) []seatSpan {
	spans := make([]seatSpan, len(words))
	for i, number := range words {
		word := n.plan.Words()[number]
		spans[i] = emptySpan(word.First, word.Count)
		spans[i].fill(0, word.Count, n.words[number])
	}
	return spans
}

func emptySpan(first, count int) seatSpan {
	return seatSpan{First: first, Count: count, Taken: make([]byte, (count+7)/8), Sold: make([]byte, (count+7)/8)}
}

// fill sets the bits of a word, the first of which is bit at.
func (s seatSpan) fill(at, count int, word seatWord) {
	for i := range count {
		s.Taken[(at+i)/8] |= byte(word.Taken>>i&1) << ((at + i) % 8)
		s.Sold[(at+i)/8] |= byte(word.Sold>>i&1) << ((at + i) % 8)
	}
}

// getSeats answers GET /api/v1/sessions/{session_id}/seats, once or as a stream.
func (s *Server) getSeats(c *fiber.Ctx) error {
	id := c.Params("session_id")
	if wantsStream(c) {
		return s.streamSeats(c, id)
	}
	return s.sendPage(c, "seats|"+id, func(ctx context.Context) (page, error) {
		n, err := s.seatsOf(ctx, id)
		if err != nil {
			return page{}, err
		}
		body, err := json.Marshal(n.view(id, n.all()))
		return page{body: body, etag: `W/"` + n.prefix() + strconv.FormatUint(n.version(), 36) + `"`}, err
	})
}

// seatsOf returns how the seats of a session stand that buyers may see.
func (s *Server) seatsOf(ctx context.Context, sessionID string) (*seatState, error) {
	if _, err := s.findSession(ctx, sessionID); err != nil {
		return nil, err
	}
	return s.seats.get(ctx, sessionID)
}

// streamSeats sends how all seats stand and then what changes, or only that to whoever comes back with the id of the
// last event.
func (s *Server) streamSeats(c *fiber.Ctx, id string) error {
	last := c.Get("Last-Event-ID")
	// Not the request's own context: what waits for that reads it after the request has ended.
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	if _, err := s.seatsOf(ctx, id); err != nil {
		return err
	}
	return s.stream(c, "seats", func(out *eventStream) {
		sub, cancel := s.seats.watch.subscribe(id)
		defer cancel()
		var sent *seatState
		for {
			ctx, stop := context.WithTimeout(context.Background(), loadTimeout)
			now, err := s.seatsOf(ctx, id)
			stop()
			if err != nil && ticketing.CodeOf(err) == ticketing.CodeNotFound {
				return // withdrawn from sale
			}
			if err == nil && (sent == nil || now.ref != sent.ref || now.changes != sent.changes) {
				body, err := json.Marshal(now.view(id, now.news(sent, last)))
				if err != nil || !out.send("seats", now.id(), body) {
					return
				}
				sent = now
			}
			if !out.wait(sub.wake) {
				return
			}
		}
	})
}

// news is what somebody has to be told who was sent a state, or nothing here, but elsewhere an event with an id.
func (n *seatState) news(sent *seatState, last string) []seatSpan {
	if sent != nil && sent.ref == n.ref && sent.changes <= n.changes {
		return n.some(n.after(sent.changes))
	}
	if words, ok := n.since(last); ok && sent == nil {
		return n.some(words)
	}
	return n.all()
}

// checkSeats checks what asks say of seats, as far as the map tells. Error: CodeInvalid.
func (s *Server) checkSeats(ctx context.Context, l listed, asks []ticketing.Ask) error {
	if err := ticketing.CheckSeats(*l.session, asks); err != nil {
		return err
	}
	for i, ask := range asks {
		if len(ask.SeatIDs) == 0 {
			continue
		}
		plan, err := s.Store.SeatMap(ctx, l.session.SeatMap)
		if err != nil {
			return unavailable(err)
		}
		if _, wrong := chosenSeats(plan, categoryOf(l.session, ask.TicketTypeID), ask.SeatIDs); wrong >= 0 {
			return ticketing.FieldErrorf(ticketing.CodeInvalid, "/lines/"+strconv.Itoa(i)+"/seat_ids/"+strconv.Itoa(wrong), "no such seat of this ticket type")
		}
	}
	return nil
}

func categoryOf(session *ticketing.Session, ticketTypeID string) string {
	for _, t := range session.TicketTypes {
		if t.ID == ticketTypeID {
			return t.SeatCategory
		}
	}
	return ""
}

// chosenSeats finds seats of a category; wrong is the index of the first that is not one, or -1.
func chosenSeats(plan *seating.Plan, category string, ids []string) (seats []int, wrong int) {
	for i, id := range ids {
		seat, ok := plan.Find(id)
		if !ok || plan.Seat(seat).Category != category {
			return nil, i
		}
		seats = append(seats, seat)
	}
	return seats, -1
}

// knownTaken refuses chosen seats that the cache knows to be gone.
func (s *Server) knownTaken(l listed, asks []ticketing.Ask) error {
	if !slices.ContainsFunc(asks, func(ask ticketing.Ask) bool { return len(ask.SeatIDs) > 0 }) {
		return nil
	}
	n, ok := s.seats.peek(l.session.ID)
	if !ok || n.ref != l.session.SeatMap {
		return nil
	}
	taken := n.taken()
	for i, ask := range asks {
		category := categoryOf(l.session, ask.TicketTypeID)
		chosen, _ := chosenSeats(n.plan, category, ask.SeatIDs)
		var gone []int
		for _, seat := range chosen {
			if !n.plan.Free(taken, seat) {
				gone = append(gone, seat)
			}
		}
		if gone == nil {
			continue
		}
		err := ticketing.FieldErrorf(ticketing.CodeSeatTaken, "/lines/"+strconv.Itoa(i)+"/seat_ids", "somebody else has taken a seat you chose")
		err.Seats = &ticketing.LostSeats{Taken: n.plan.IDs(gone)}
		if instead := n.plan.Instead(taken, category, chosen); instead != nil {
			err.Seats.Alternative = n.plan.IDs(instead)
		}
		return err
	}
	return nil
}
