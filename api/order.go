package api

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"

	"github.com/boxoffice/boxoffice/ticketing"
)

const (
	// orderPace is how often watched orders are looked at.
	orderPace = 300 * time.Millisecond
	// readBound bounds what an ordinary request waits for the database.
	readBound = 5 * time.Second
	// cancelBound is how long a cancellation waits for the gateways to forbid the open attempts.
	cancelBound = 8 * time.Second
)

// authorised returns the id of the order in the path if the caller holds its token. Without it
// nobody learns whether the order exists.
func (s *Server) authorised(c *fiber.Ctx) (string, error) {
	id := c.Params("order_id")
	scheme, token, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > 200 || len(id) > maxID ||
		!s.Identity.VerifyOrderToken(id, token) {
		return "", ticketing.Errorf(codeUnauthorized, "send the order's own token as Authorization: Bearer")
	}
	aboutOrder(c, id)
	return id, nil
}

func bounded() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), readBound)
}

// getOrder answers GET /api/v1/orders/{order_id}.
func (s *Server) getOrder(c *fiber.Ctx) error {
	id, err := s.authorised(c)
	if err != nil {
		return err
	}
	ctx, cancel := bounded()
	defer cancel()
	return s.sendOrder(ctx, c, fiber.StatusOK, id)
}

func (s *Server) sendOrder(ctx context.Context, c *fiber.Ctx, status int, id string) error {
	order, err := s.Store.Order(ctx, id)
	if err != nil {
		return unavailable(err)
	}
	view, err := s.viewOrder(ctx, order)
	if err != nil {
		return err
	}
	return sendJSON(c, status, view)
}

// cancelOrder answers POST /api/v1/orders/{order_id}/cancel.
func (s *Server) cancelOrder(c *fiber.Ctx) error {
	id, err := s.authorised(c)
	if err != nil {
		return err
	}
	if len(c.BodyRaw()) > 0 {
		if err := decodeBody(c, &struct{}{}); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), cancelBound+readBound)
	defer cancel()
	order, err := s.Store.Order(ctx, id)
	if err != nil {
		return unavailable(err)
	}
	status := fiber.StatusOK
	if order.State.HoldsStock() {
		asked, stop := context.WithTimeout(ctx, cancelBound)
		_, err := s.Purchases.Cancel(asked, id)
		stop()
		code := ticketing.CodeOf(err)
		switch {
		case errors.Is(err, ErrNoAnswer):
			// It is under way: a gateway has not yet said whether it was paid.
			status = fiber.StatusAccepted
		case err != nil && !errors.Is(err, ErrNotRunning) && code != ticketing.CodeAlreadyPaid && code != ticketing.CodeOrderClosed:
			return unavailable(err)
		}
		if order, err = s.Store.Order(ctx, id); err != nil {
			return unavailable(err)
		}
	}
	switch order.State {
	case ticketing.OrderCancelled, ticketing.OrderPaid:
	case ticketing.OrderPending, ticketing.OrderAwaitingReview:
		status = fiber.StatusAccepted
	default:
		return ticketing.Errorf(ticketing.CodeOrderClosed, "the order is %s", order.State)
	}
	view, err := s.viewOrder(ctx, order)
	if err != nil {
		return err
	}
	return sendJSON(c, status, view)
}

// getOrderEvents answers GET /api/v1/orders/{order_id}/events, once or as a stream.
func (s *Server) getOrderEvents(c *fiber.Ctx) error {
	id, err := s.authorised(c)
	if err != nil {
		return err
	}
	after := 0
	if last := c.Get("Last-Event-ID"); last != "" {
		if after, err = strconv.Atoi(last); err != nil || after < 0 {
			return ticketing.Errorf(ticketing.CodeInvalid, "Last-Event-ID must be the id of an earlier event")
		}
	}
	ctx, cancel := bounded()
	defer cancel()
	entries, err := s.Store.OrderEvents(ctx, id, after)
	if err == nil && len(entries) == 0 {
		_, err = s.Store.OrderFingerprint(ctx, id) // no news, or no such order?
	}
	if err != nil && (ticketing.CodeOf(err) != ticketing.CodeNotFound || !wantsStream(c)) {
		return unavailable(err)
	}
	if wantsStream(c) {
		return s.streamOrder(c, id, after)
	}
	list := timeline{Events: make([]timelineEntry, 0, len(entries))}
	for _, e := range entries {
		list.Events = append(list.Events, viewEntry(e))
	}
	return sendJSON(c, fiber.StatusOK, list)
}

// streamOrder sends every timeline entry after a sequence, as it comes. It may begin before the
// order is there: its purchase may still be waiting for a worker.
func (s *Server) streamOrder(c *fiber.Ctx, id string, after int) error {
	return s.stream(c, "order", func(out *eventStream) {
		sub, cancel := s.orders.subscribe(id)
		defer cancel()
		for {
			ctx, stop := bounded()
			entries, err := s.Store.OrderEvents(ctx, id, after)
			stop()
			if err != nil && ticketing.CodeOf(err) != ticketing.CodeNotFound {
				return // the client comes again with Last-Event-ID
			}
			for _, e := range entries {
				body, err := json.Marshal(viewEntry(e), json.Deterministic(true))
				if err != nil || !out.send("order", strconv.Itoa(e.Sequence), body) {
					return
				}
				after = e.Sequence
			}
			if !out.wait(sub.wake) {
				return
			}
		}
	})
}

// orderRevisions returns a look that tells which watched orders have moved since the last one.
func (s *Server) orderRevisions() func(context.Context, []string) ([]string, error) {
	var mu sync.Mutex
	seen := map[string]int{}
	return func(ctx context.Context, ids []string) ([]string, error) {
		now, err := s.Store.OrderRevisions(ctx, ids)
		if err != nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		var changed []string
		for id, revision := range now {
			// One not seen before counts as changed: its subscriber may have read just before.
			if before, ok := seen[id]; !ok || before != revision {
				changed = append(changed, id)
			}
		}
		seen = now
		return changed, nil
	}
}
