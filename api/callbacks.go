package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

// keepBound is how long a callback may take to be kept; gateways wait about five seconds.
const keepBound = 3 * time.Second

// callback answers POST /api/v1/callbacks/{provider}: verify, keep, acknowledge. Nothing is
// acknowledged that was not kept. What was kept is on its way to its workflow.
func (s *Server) callback(c *fiber.Ctx) error {
	gateway, ok := s.Payments.Provider(c.Params("provider"))
	if !ok {
		return ticketing.Errorf(ticketing.CodeNotFound, "there is no such payment provider")
	}
	body := c.BodyRaw()
	header := headerOf(c)
	notice, err := parseCallback(gateway, header, body, s.Now())
	if err != nil {
		return s.refuseCallback(gateway.Name(), err)
	}
	keep := callbackOf(notice)
	keep.Header, keep.Body = header, body
	ctx, cancel := context.WithTimeout(context.Background(), keepBound)
	defer cancel()
	kept, err := s.Store.KeepCallback(ctx, keep)
	if err != nil {
		return unavailable(fmt.Errorf("keep callback: %w", err))
	}
	aboutOrder(c, kept.Attempt.OrderID)
	delivery := "first"
	if !kept.First {
		delivery = "repeated"
	}
	s.metrics.callbacks.WithLabelValues(gateway.Name(), delivery).Inc()
	if kept.First && keep.Payment != nil && keep.Payment.State == payment.StatePaid {
		s.alarm(kept.Attempt, *keep.Payment)
	}
	if kept.First && keep.Dispute != nil {
		s.Log.Warn("a payment is disputed", "provider", gateway.Name(), "dispute_id", keep.Dispute.ID,
			"attempt_id", keep.Dispute.AttemptID, "state", keep.Dispute.State)
	}
	if kept.First && keep.Refund != nil && keep.Refund.State != ticketing.RefundPending && kept.Refund.ID != "" {
		s.deliveries.wake(kept.Refund)
	}
	if !kept.Handled {
		s.deliveries.post(kept.Attempt)
	}
	status, contentType, answer := gateway.Acknowledge()
	c.Status(status)
	c.Set(fiber.HeaderContentType, contentType)
	c.Response().SetBodyRaw(answer)
	return nil
}

// callbackOf says in the domain's words what a gateway's notice says.
func callbackOf(n payment.Notice) ticketing.Callback {
	c := ticketing.Callback{Provider: n.Provider, EventID: n.EventID}
	switch n.Kind {
	case payment.NoticePayment:
		fact := factOf(n.Provider, n.Payment)
		c.Payment = &fact
	case payment.NoticeRefund:
		c.Refund = refundFactOf(n.Refund)
	case payment.NoticeDispute:
		c.Dispute = disputeFactOf(n.Dispute)
	case payment.NoticeOther:
		c.Other = true
	}
	return c
}

func refundFactOf(r payment.RefundStatus) *ticketing.RefundFact {
	fact := &ticketing.RefundFact{ID: r.ID, GatewayID: r.GatewayID, State: ticketing.RefundPending, Reason: r.Reason}
	switch r.State {
	case payment.RefundSucceeded:
		fact.State = ticketing.RefundSucceeded
	case payment.RefundFailed:
		fact.State = ticketing.RefundFailed
	case payment.RefundPending:
	}
	return fact
}

func disputeFactOf(d payment.Dispute) *ticketing.DisputeFact {
	fact := &ticketing.DisputeFact{
		ID: d.ID, AttemptID: d.Number, GatewayID: d.GatewayID, State: ticketing.DisputeOpen,
		Amount: d.Amount, Fee: d.Fee, Reason: d.Reason, At: d.At,
	}
	switch d.State {
	case payment.DisputeWon:
		fact.State = ticketing.DisputeWon
	case payment.DisputeLost:
		fact.State = ticketing.DisputeLost
	case payment.DisputeOpen:
	}
	return fact
}

// alarm tells of captured money that is not what was asked for.
func (s *Server) alarm(attempt ticketing.PaymentAttempt, fact ticketing.PaymentFact) {
	if attempt.OrderID == "" {
		s.Log.Error("captured money for no attempt of ours", "provider", fact.Provider, "attempt_id", fact.AttemptID, "captured", fact.Captured.String())
	} else if attempt.Amount != fact.Captured {
		s.Log.Error("captured amount differs from the order", "order_id", attempt.OrderID, "attempt_id", attempt.ID,
			"asked", attempt.Amount.String(), "captured", fact.Captured.String())
	}
}

// refuseCallback counts a callback that was not believed, and says no.
func (s *Server) refuseCallback(provider string, cause error) error {
	reason, answer := "malformed", ticketing.Errorf(codeMalformed, "the callback cannot be read")
	switch {
	case errors.Is(cause, payment.ErrSignature):
		reason, answer = "signature", ticketing.Errorf(codeUnauthorized, "the callback is not signed as it must be")
	case errors.Is(cause, payment.ErrWrongMerchant):
		reason, answer = "merchant", ticketing.Errorf(ticketing.CodeInvalid, "the callback is for another merchant")
		s.Log.Error("validly signed callback for another merchant", "provider", provider, "error", cause)
	}
	s.metrics.callbacksRefused.WithLabelValues(provider, reason).Inc()
	ctx, cancel := context.WithTimeout(context.Background(), keepBound)
	defer cancel()
	if err := s.Store.CountRefusedCallback(ctx, provider, reason); err != nil {
		s.Log.Error("cannot count a refused callback", "provider", provider, "reason", reason, "error", err)
	}
	return &fault{domainError: answer, cause: cause}
}

// parseCallback lets an adapter read a callback; one that panics over its content has refused it.
func parseCallback(gateway payment.Provider, header http.Header, body []byte, now time.Time) (notice payment.Notice, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: adapter panicked: %v\n%s", payment.ErrMalformed, p, debug.Stack())
		}
	}()
	return gateway.ParseCallback(header, body, now)
}

// headerOf copies the request's header, for what reads it knows nothing of Fiber.
func headerOf(c *fiber.Ctx) http.Header {
	header := make(http.Header, 16)
	for name, value := range c.Request().Header.All() {
		header.Add(string(name), string(value))
	}
	return header
}
