package api

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

type paymentRequest struct {
	Method string `json:"method"`
}

type paymentView struct {
	AttemptID string            `json:"attempt_id"`
	Method    string            `json:"method"`
	PayURL    string            `json:"pay_url,omitzero"`
	PayForm   map[string]string `json:"pay_form,omitempty"`
	QR        string            `json:"qr,omitzero"`
	ExpiresAt instant           `json:"expires_at"`
}

const (
	// createBound is how long one try to open a payment may take, closeBound one to close an
	// earlier attempt: the buyer waits for both.
	createBound = 6 * time.Second
	closeBound  = 2 * time.Second
	// createPause lies between the two tries.
	createPause = 200 * time.Millisecond
	// inFlight is how long a gateway may not know an attempt because our request to it is under way.
	inFlight = 30 * time.Second
	// payBound bounds the whole step.
	payBound = 25 * time.Second
)

// startPayment answers POST /api/v1/orders/{order_id}/payments.
func (s *Server) startPayment(c *fiber.Ctx) error {
	id, err := s.authorised(c)
	if err != nil {
		return err
	}
	var r paymentRequest
	if err := decodeBody(c, &r); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), payBound)
	defer cancel()
	gateway, err := s.gatewayFor(ctx, id, r.Method)
	if err != nil {
		return err
	}

	// The number is stored before any gateway hears of it: whatever happens from here on, what the
	// gateway says about it finds its order.
	attempt, err := s.Store.StartAttempt(ctx, ticketing.PaymentAttempt{
		ID: ticketing.NewNumber(s.Now()), OrderID: id, Provider: gateway.Name(), Method: r.Method,
	})
	if err != nil {
		return unavailable(err)
	}
	if err := s.closeEarlier(ctx, attempt); err != nil {
		s.abandon(ctx, attempt.PaymentAttempt, payment.StateClosed)
		return err
	}
	checkout, err := s.create(ctx, gateway, attempt, s.clientAddress(c))
	switch {
	case errors.Is(err, payment.ErrRejected):
		s.metrics.attempts.WithLabelValues(gateway.Name(), "rejected").Inc()
		s.Log.Warn("gateway refused to open a payment", "order_id", id, "attempt_id", attempt.ID, "provider", gateway.Name(), "error", err)
		s.abandon(ctx, attempt.PaymentAttempt, payment.StateDeclined)
		return ticketing.FieldErrorf(ticketing.CodeMethodUnavailable, "/method", "this method does not take the payment; please choose another one")
	case err != nil:
		// Whether the gateway opened it is unknown: it stays open, and is asked about and closed
		// like any other. The hold goes on.
		s.metrics.attempts.WithLabelValues(gateway.Name(), "unavailable").Inc()
		return &fault{
			domainError: ticketing.FieldErrorf(ticketing.CodeMethodUnavailable, "/method", "the payment service does not answer; try again or choose another method"),
			status:      fiber.StatusServiceUnavailable, retryAfter: 5, cause: err,
		}
	}
	s.metrics.attempts.WithLabelValues(gateway.Name(), "opened").Inc()
	if err := s.Store.AttemptOpened(ctx, attempt.ID, ticketing.OpenedAttempt{
		GatewayID: checkout.GatewayID, PayURL: checkout.PayURL, QR: checkout.QR, PayForm: checkout.Form,
	}); err != nil {
		return unavailable(err)
	}
	return sendJSON(c, fiber.StatusCreated, paymentView{
		AttemptID: attempt.ID, Method: attempt.Method, PayURL: checkout.PayURL, PayForm: checkout.Form, QR: checkout.QR, ExpiresAt: instant(attempt.ExpiresAt),
	})
}

// gatewayFor finds the account at a gateway that takes an order's payment by a method.
func (s *Server) gatewayFor(ctx context.Context, orderID, method string) (payment.Provider, error) {
	organiserID := ""
	if s.Payments.Depends(method) {
		o, err := s.Store.Order(ctx, orderID)
		if err != nil {
			return nil, unavailable(err)
		}
		l, err := s.catalogue.session(ctx, o.SessionID)
		if err != nil {
			return nil, unavailable(err)
		}
		if l.event != nil {
			organiserID = l.event.OrganiserID
		}
	}
	gateway, ok := s.Payments.ForMethod(organiserID, method)
	if !ok {
		return nil, ticketing.FieldErrorf(ticketing.CodeInvalid, "/method", "must be one of the order's methods")
	}
	return gateway, nil
}

// create opens a payment at its gateway. A gateway that does not answer is tried once more with
// the same number, by which it knows that it is the same payment.
func (s *Server) create(ctx context.Context, gateway payment.Provider, attempt ticketing.StartedAttempt, payer netip.Addr) (payment.Checkout, error) {
	if !gateway.Accepts(attempt.Amount.Currency) {
		return payment.Checkout{}, fmt.Errorf("%w: %s does not collect %s", payment.ErrRejected, gateway.Name(), attempt.Amount.Currency)
	}
	ask := payment.Order{
		Number: attempt.ID, Amount: attempt.Amount, Description: s.describe(ctx, attempt), Language: attempt.Language,
		ExpiresAt: attempt.ExpiresAt, PayerIP: payer.String(),
		NotifyURL: s.PublicURL + CallbackPath + gateway.Name(),
		ReturnURL: s.PublicURL + "/orders/" + attempt.OrderID + "?returned=1",
	}
	try := func() (payment.Checkout, error) {
		once, cancel := context.WithTimeout(ctx, createBound)
		defer cancel()
		return gateway.Create(once, ask, attempt.Method)
	}
	checkout, err := try()
	if err == nil || errors.Is(err, payment.ErrRejected) {
		return checkout, err
	}
	pause := time.NewTimer(createPause)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
		return checkout, errors.Join(err, ctx.Err())
	}
	return try()
}

// describe is what the payer reads at the gateway: the event, no personal data.
func (s *Server) describe(ctx context.Context, attempt ticketing.StartedAttempt) string {
	if l, err := s.catalogue.session(ctx, attempt.SessionID); err == nil && l.event != nil {
		return l.event.Title.In(attempt.Language)
	}
	return "Boxoffice"
}

// closeEarlier forbids the order's earlier open attempts at their gateways, all at once. It returns
// CodeAlreadyPaid if one of them was paid. One whose gateway does not say stays open: the purchase
// deals with it, and with both being paid.
func (s *Server) closeEarlier(ctx context.Context, attempt ticketing.StartedAttempt) error {
	var all sync.WaitGroup
	paid := make([]bool, len(attempt.Others))
	for i, earlier := range attempt.Others {
		if earlier.CreatedAt.After(attempt.CreatedAt) {
			continue
		}
		all.Go(func() { paid[i] = s.closeOne(ctx, earlier) })
	}
	all.Wait()
	for i := range paid {
		if paid[i] {
			return ticketing.Errorf(ticketing.CodeAlreadyPaid, "an earlier payment of this order has gone through")
		}
	}
	return nil
}

// closeOne closes one attempt and reports whether it turned out to be paid.
func (s *Server) closeOne(ctx context.Context, attempt ticketing.PaymentAttempt) (paid bool) {
	gateway, ok := s.Payments.Provider(attempt.Provider)
	if !ok {
		return false
	}
	log := s.Log.With("order_id", attempt.OrderID, "attempt_id", attempt.ID, "provider", attempt.Provider)
	once, cancel := context.WithTimeout(ctx, closeBound)
	defer cancel()
	status, err := gateway.Close(once, attempt.ID)
	if errors.Is(err, payment.ErrNotFound) {
		if s.Now().Sub(attempt.CreatedAt) < inFlight {
			return false // perhaps its creation is still on the way
		}
		status, err = payment.Status{Number: attempt.ID, State: payment.StateClosed, At: s.Now()}, nil
	}
	if err != nil {
		log.Warn("cannot close an earlier attempt; it stays watched", "error", err)
		return false
	}
	fact := factOf(attempt.Provider, status)
	fact.AttemptID = attempt.ID
	if err := s.Store.RecordPayment(ctx, fact); err != nil {
		log.Error("cannot record what became of an earlier attempt", "error", err)
		return status.State == payment.StatePaid
	}
	if status.State != payment.StatePaid {
		return false
	}
	attempt.GatewayID = status.GatewayID
	s.deliveries.bring(attempt)
	return true
}

// abandon records that an attempt never came to anything its gateway could capture money for.
func (s *Server) abandon(ctx context.Context, attempt ticketing.PaymentAttempt, state payment.State) {
	fact := ticketing.PaymentFact{Provider: attempt.Provider, AttemptID: attempt.ID, State: state, At: s.Now()}
	if err := s.Store.RecordPayment(ctx, fact); err != nil {
		s.Log.Error("cannot record that an attempt was given up", "order_id", attempt.OrderID, "attempt_id", attempt.ID, "error", err)
	}
}

func factOf(provider string, status payment.Status) ticketing.PaymentFact {
	return ticketing.PaymentFact{
		Provider: provider, AttemptID: status.Number, GatewayID: status.GatewayID,
		State: status.State, Captured: status.Captured, At: status.At,
	}
}
