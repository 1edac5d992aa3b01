package api

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"

	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/workflows"
)

// orderRequest is what a buyer submits.
type orderRequest struct {
	basketRequest
	Buyer         buyerRequest     `json:"buyer"`
	Language      string           `json:"language"`
	ExpectedTotal *ticketing.Money `json:"expected_total"`
	// Attendees are normalised.
	Attendees []ticketing.Attendee `json:"attendees"`
	Join      bool                 `json:"join"`
}

// intent is a checked order request: what a buyer wants, under the id it will have.
type intent struct {
	orderID     string
	fingerprint string
	listed
	hold  ticketing.HoldRequest
	quote ticketing.Quote
}

const (
	minKey = 8
	maxKey = 200
	maxID  = 64
	// clockDoubt is how far apart our clock and the database's may be before we would refuse what it grants.
	clockDoubt = 2 * time.Second
	// startBound is how long a submission may take in all before the buyer is told to ask again.
	startBound = 10 * time.Second
)

// submitOrder answers POST /api/v1/orders.
func (s *Server) submitOrder(c *fiber.Ctx) error {
	begun := time.Now()
	if err := s.admit(c); err != nil {
		s.metrics.orders.WithLabelValues(string(codeRateLimited)).Inc()
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startBound)
	defer cancel()
	in, err := s.readIntent(ctx, c)
	if err != nil {
		s.metrics.orders.WithLabelValues(string(faultOf(err).Code)).Inc()
		return err
	}
	aboutOrder(c, in.orderID)
	order, err := s.place(ctx, in)
	token := s.Identity.OrderToken(in.orderID)
	c.Set(fiber.HeaderLocation, "/api/v1/orders/"+in.orderID)
	switch {
	case errors.Is(err, ErrNoAnswer):
		s.metrics.orders.WithLabelValues("pending").Inc()
		c.Set(fiber.HeaderRetryAfter, "1")
		return sendJSON(c, fiber.StatusAccepted, pendingView{in.orderID, ticketing.OrderPending, token, instant(s.Now())})
	case err != nil:
		c.Response().Header.Del(fiber.HeaderLocation)
		s.metrics.orders.WithLabelValues(string(faultOf(err).Code)).Inc()
		return err
	}
	s.metrics.orders.WithLabelValues("held").Inc()
	s.metrics.holdLatency.Observe(time.Since(begun).Seconds())
	view, err := s.viewOrder(ctx, order)
	if err != nil {
		return err
	}
	view.Token = token
	return sendJSON(c, fiber.StatusCreated, view)
}

// admit applies the limit per client address.
func (s *Server) admit(c *fiber.Ctx) error {
	if s.Limiter == nil {
		return nil
	}
	wait, ok := s.Limiter.Allow(s.clientAddress(c), time.Now())
	if ok {
		return nil
	}
	return tooMany("too many orders from this address", wait)
}

// readIntent reads and checks everything of an order that needs no database write.
func (s *Server) readIntent(ctx context.Context, c *fiber.Ctx) (intent, error) {
	key, err := idempotencyKey(c, "order")
	if err != nil {
		return intent{}, err
	}
	var r orderRequest
	if err := decodeBody(c, &r); err != nil {
		return intent{}, err
	}
	r.Attendees = ticketing.NormaliseAttendees(r.Attendees)
	buyer, err := validBuyer(r.Buyer, r.Language)
	if err != nil {
		return intent{}, err
	}
	if t := r.ExpectedTotal; t != nil && (t.Amount < 0 || !ticketing.ValidCurrency(t.Currency)) {
		return intent{}, ticketing.FieldErrorf(ticketing.CodeInvalid, "/expected_total", "must be a non-negative amount and a currency")
	}
	r.email = buyer.Email
	l, quote, priceErr := s.price(ctx, r.basketRequest, s.clientAddress(c), clockDoubt)
	if code := ticketing.CodeOf(priceErr); priceErr != nil && (code == "" || code == ticketing.CodeInvalid || code == ticketing.CodeNotFound || code == codeUnavailable || code == codeRateLimited) {
		return intent{}, priceErr
	}
	if priceErr == nil {
		priceErr = cmp.Or(ticketing.CheckBundleNames(quote, r.Attendees), l.event.RealNames.CheckAttendees(r.Lines, r.Attendees, s.Now()))
		if ticketing.CodeOf(priceErr) == ticketing.CodeInvalid {
			return intent{}, priceErr
		}
	}
	orderID := s.Identity.OrderID(buyer.Email, key)
	fingerprint, err := s.fingerprint(r, buyer)
	if err != nil {
		return intent{}, err
	}
	in := intent{
		orderID: orderID, fingerprint: fingerprint, listed: l, quote: quote,
		hold: ticketing.HoldRequest{
			OrderID: orderID, EventID: l.event.ID, SessionID: l.session.ID, Lines: r.Lines, Buyer: buyer, Codes: r.Codes, Attendees: r.Attendees,
			ExpectedTotal: r.ExpectedTotal, Fingerprint: fingerprint, Join: r.Join,
		},
	}
	if priceErr == nil {
		priceErr = s.knownSoldOut(l, r.Lines)
	}
	if priceErr == nil {
		priceErr = s.knownTaken(l, r.Lines)
	}
	if priceErr == nil {
		return in, nil
	}
	// Refused early, unless this very order was granted before: the same intent gets the same answer.
	_, err = s.Store.OrderFingerprint(ctx, orderID)
	switch {
	case err == nil:
		return in, nil
	case ticketing.CodeOf(err) == ticketing.CodeNotFound:
		return intent{}, priceErr
	default:
		return intent{}, unavailable(err)
	}
}

// idempotencyKey reads the name a buyer has given to an intent.
func idempotencyKey(c *fiber.Ctx, what string) (string, error) {
	key := c.Get("Idempotency-Key")
	if key == "" {
		return "", ticketing.Errorf(codeKeyRequired, "send a new random Idempotency-Key for every %s, and the same one when trying it again", what)
	}
	if len(key) < minKey || len(key) > maxKey || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", ticketing.Errorf(ticketing.CodeInvalid, "Idempotency-Key must have %d to %d visible ASCII characters", minKey, maxKey)
	}
	return key, nil
}

// knownSoldOut refuses what the cache knows to be gone.
func (s *Server) knownSoldOut(l listed, asks []ticketing.Ask) error {
	stock, ok := s.stock.peek(l.session.ID)
	if !ok {
		return nil
	}
	return soldOut(stock.free, asks)
}

// soldOut refuses asks for more than is free; types that were not counted pass.
func soldOut(free map[string]int, asks []ticketing.Ask) error {
	for i, ask := range asks {
		if left, counted := free[ask.TicketTypeID]; counted && left < ask.Quantity {
			message := "sold out"
			if left > 0 {
				message = "only " + strconv.Itoa(left) + " left"
			}
			return ticketing.FieldErrorf(ticketing.CodeSoldOut, "/lines/"+strconv.Itoa(i)+"/quantity", "%s", message)
		}
	}
	return nil
}

// fingerprint tells this request from another under the same key, whatever its spelling in JSON.
func (s *Server) fingerprint(r orderRequest, buyer ticketing.Buyer) (string, error) {
	canonical, err := json.Marshal(struct {
		SessionID string
		Lines     []ticketing.Ask
		Buyer     ticketing.Buyer
		Expected  *ticketing.Money
		Codes     ticketing.Codes      `json:",omitzero"`
		Attendees []ticketing.Attendee `json:",omitempty"`
		Join      bool                 `json:",omitzero"`
	}{r.SessionID, r.Lines, buyer, r.ExpectedTotal, r.Codes, r.Attendees, r.Join})
	return s.Identity.Fingerprint(canonical), err
}

// submits lets equal submissions that arrive at the same time share one start.
type submits struct {
	mu      sync.Mutex
	flights map[string]*submitted
}

type submitted struct {
	done  chan struct{}
	order ticketing.Order
	err   error
}

// place makes the order of an intent, once, and returns it; or the refusal, as an error.
func (s *Server) place(ctx context.Context, in intent) (ticketing.Order, error) {
	key := in.orderID + in.fingerprint
	s.submits.mu.Lock()
	if s.submits.flights == nil {
		s.submits.flights = map[string]*submitted{}
	}
	if flight, ok := s.submits.flights[key]; ok {
		s.submits.mu.Unlock()
		select {
		case <-flight.done:
			return flight.order, flight.err
		case <-ctx.Done():
			return ticketing.Order{}, ErrNoAnswer
		}
	}
	flight := &submitted{done: make(chan struct{}), err: errors.New("placing the order panicked")}
	s.submits.flights[key] = flight
	s.submits.mu.Unlock()
	defer func() {
		s.submits.mu.Lock()
		delete(s.submits.flights, key)
		s.submits.mu.Unlock()
		close(flight.done)
	}()
	flight.order, flight.err = s.placeOnce(ctx, in)
	return flight.order, flight.err
}

func (s *Server) placeOnce(ctx context.Context, in intent) (ticketing.Order, error) {
	policy := s.Policy
	if in.event.HoldFor > 0 {
		policy.HoldFor = in.event.HoldFor
	}
	leave, err := s.admission.enter(ctx, in.listed, in.hold.Lines)
	if err != nil {
		// The same intent gets the same answer: this very order may have been granted before.
		if order, before := s.storedOrder(ctx, in); ticketing.CodeOf(before) != ticketing.CodeNotFound {
			return order, before
		}
		return ticketing.Order{}, err
	}
	held, err := s.start(ctx, in, policy, leave)
	if errors.Is(err, ErrStarted) {
		return s.placedBefore(ctx, in)
	}
	return s.orderOf(ctx, in, held, err)
}

// start starts the purchase of an intent that was admitted, and leaves the admission whatever happens.
func (s *Server) start(ctx context.Context, in intent, policy workflows.PurchasePolicy, leave func(held bool)) (held ticketing.HoldResult, err error) {
	err = errors.New("starting the purchase panicked")
	defer func() { leave(err == nil && held.State == ticketing.OrderPending) }()
	held, err = s.Purchases.Start(ctx, NewPurchase{
		Input:   workflows.PurchaseInput{Hold: in.hold, Organiser: in.event.Organiser, Policy: policy},
		Amount:  in.quote.Total.Amount,
		Summary: summaryOf(in),
	})
	return held, err
}

// placedBefore answers a submission whose purchase runs or has run: from the database where the
// order is there, else from the purchase itself, which is about to put it there.
func (s *Server) placedBefore(ctx context.Context, in intent) (ticketing.Order, error) {
	order, err := s.storedOrder(ctx, in)
	if ticketing.CodeOf(err) != ticketing.CodeNotFound {
		return order, err
	}
	held, err := s.Purchases.Hold(ctx, in.orderID)
	if errors.Is(err, ErrNotRunning) {
		order, err := s.storedOrder(ctx, in) // it ended in between
		if ticketing.CodeOf(err) == ticketing.CodeNotFound {
			err = ticketing.Errorf(ticketing.CodeOrderClosed, "this order was ended before it held anything; use a new Idempotency-Key")
		}
		return order, err
	}
	return s.orderOf(ctx, in, held, err)
}

// orderOf makes the order from its hold, without asking the database where the hold tells all.
func (s *Server) orderOf(ctx context.Context, in intent, held ticketing.HoldResult, err error) (ticketing.Order, error) {
	switch {
	case errors.Is(err, ErrNoAnswer):
		return ticketing.Order{}, err
	case err != nil:
		return ticketing.Order{}, unavailable(err)
	case held.Fingerprint != in.fingerprint:
		return ticketing.Order{}, keyReused()
	case held.Refusal != nil:
		return ticketing.Order{}, held.Refusal.Err()
	case held.State != ticketing.OrderPending || held.Revision != 1:
		return s.storedOrder(ctx, in)
	}
	var attendees []ticketing.MaskedAttendee
	for _, a := range in.hold.Attendees {
		attendees = append(attendees, a.Mask())
	}
	return ticketing.Order{
		ID: in.orderID, SessionID: in.session.ID, EventID: in.event.ID, State: held.State, Buyer: in.hold.Buyer,
		Quote: held.Quote, Seats: held.Seats, Attendees: attendees, PayBy: held.PayBy, CreatedAt: held.CreatedAt, UpdatedAt: held.CreatedAt, Revision: held.Revision,
	}, nil
}

// storedOrder answers a repeated submission from the database.
func (s *Server) storedOrder(ctx context.Context, in intent) (ticketing.Order, error) {
	fingerprint, err := s.Store.OrderFingerprint(ctx, in.orderID)
	if err != nil {
		return ticketing.Order{}, unavailable(err)
	}
	if fingerprint != in.fingerprint {
		return ticketing.Order{}, keyReused()
	}
	order, err := s.Store.Order(ctx, in.orderID)
	if err != nil {
		return ticketing.Order{}, unavailable(err)
	}
	if order.Refusal != nil {
		return ticketing.Order{}, order.Refusal.Err()
	}
	return order, nil
}

func keyReused() error {
	return ticketing.Errorf(ticketing.CodeKeyReused, "use a new Idempotency-Key for another order")
}

// summaryOf is what operators read of a purchase: "2 × Orchestra, Hamlet".
func summaryOf(in intent) string {
	names := map[string]string{}
	for _, t := range in.session.TicketTypes {
		names[t.ID] = t.Name.In("en")
	}
	parts := make([]string, 0, len(in.hold.Lines)+1)
	for _, ask := range in.hold.Lines {
		parts = append(parts, strconv.Itoa(ask.Quantity)+" × "+names[ask.TicketTypeID])
	}
	return strings.Join(append(parts, in.event.Title.In("en")), ", ")
}
