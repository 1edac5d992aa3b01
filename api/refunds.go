package api

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"

	"github.com/boxoffice/boxoffice/ticketing"
)

// refundPolicyView is what it costs to give tickets back, on the calendar of their session.
type refundPolicyView struct {
	Free  bool             `json:"free"`
	Steps []refundStepView `json:"steps"`
}

type refundStepView struct {
	Until          instant `json:"until"`
	FeeBasisPoints int64   `json:"fee_basis_points"`
}

// viewRefundPolicy shows the ladder of a session's tickets, to one who paid for them or, with nil, to anybody.
func viewRefundPolicy(e *ticketing.Event, session *ticketing.Session, paidAt *time.Time) refundPolicyView {
	terms := ticketing.RefundTerms{Policy: e.Refunds, Event: e.State, StartsAt: session.StartsAt, ChangedAt: session.ChangedAt}
	if paidAt != nil {
		terms.PaidAt = *paidAt
	}
	v := refundPolicyView{Free: terms.Free(), Steps: []refundStepView{}}
	for _, step := range terms.Deadlines() {
		v.Steps = append(v.Steps, refundStepView{instant(step.Until), step.FeeBasisPoints})
	}
	return v
}

// maxRefunded is how many tickets one refund may name, as many as fit into a body. All of an order need no names.
const maxRefunded = 1000

type refundQuoteRequest struct {
	// TicketIDs are nil where the body does not name any: then all that are valid are meant.
	TicketIDs []string `json:"ticket_ids,omitzero"`
}

type refundRequest struct {
	TicketIDs      []string         `json:"ticket_ids,omitzero"`
	ExpectedAmount *ticketing.Money `json:"expected_amount"`
}

type refundQuoteView struct {
	Tickets  []refundLineView `json:"tickets"`
	OrderFee ticketing.Money  `json:"order_fee"`
	Paid     ticketing.Money  `json:"paid"`
	Fee      ticketing.Money  `json:"fee"`
	Amount   ticketing.Money  `json:"amount"`
	Free     bool             `json:"free"`
	Until    instant          `json:"until,omitzero"`
}

type refundLineView struct {
	TicketID string          `json:"ticket_id"`
	Paid     ticketing.Money `json:"paid"`
	Fee      ticketing.Money `json:"fee"`
	Amount   ticketing.Money `json:"amount"`
}

// pendingRefundView is the answer while no worker has given one.
type pendingRefundView struct {
	State ticketing.RefundState `json:"state"`
}

// quoteRefund answers POST /api/v1/orders/{order_id}/refund-quotes.
func (s *Server) quoteRefund(c *fiber.Ctx) error {
	id, err := s.authorised(c)
	if err != nil {
		return err
	}
	var r refundQuoteRequest
	if err := decodeBody(c, &r); err != nil {
		return err
	}
	if err := checkTickets(r.TicketIDs); err != nil {
		return err
	}
	ctx, cancel := bounded()
	defer cancel()
	quote, err := s.Store.QuoteRefund(ctx, id, r.TicketIDs)
	if err != nil {
		return unavailable(err)
	}
	return sendJSON(c, fiber.StatusOK, viewRefundQuote(quote))
}

// requestRefund answers POST /api/v1/orders/{order_id}/refunds.
func (s *Server) requestRefund(c *fiber.Ctx) error {
	request, err := s.readRefund(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), refundWait+readBound)
	defer cancel()
	refund, err := s.refund(ctx, request)
	switch {
	case errors.Is(err, ErrNoAnswer):
		c.Set(fiber.HeaderRetryAfter, "1")
		return sendJSON(c, fiber.StatusAccepted, pendingRefundView{ticketing.RefundPending})
	case err != nil:
		return unavailable(err)
	}
	return sendJSON(c, fiber.StatusCreated, viewRefund(refund))
}

// readRefund reads and checks everything of a request to give tickets back that needs no database.
func (s *Server) readRefund(c *fiber.Ctx) (ticketing.RefundRequest, error) {
	id, err := s.authorised(c)
	if err != nil {
		return ticketing.RefundRequest{}, err
	}
	key, err := idempotencyKey(c, "refund")
	if err != nil {
		return ticketing.RefundRequest{}, err
	}
	var r refundRequest
	if err := decodeBody(c, &r); err != nil {
		return ticketing.RefundRequest{}, err
	}
	if err := checkTickets(r.TicketIDs); err != nil {
		return ticketing.RefundRequest{}, err
	}
	if m := r.ExpectedAmount; m == nil || m.Amount <= 0 || !ticketing.ValidCurrency(m.Currency) {
		return ticketing.RefundRequest{}, ticketing.FieldErrorf(ticketing.CodeInvalid, "/expected_amount", "must be the quoted amount and its currency")
	}
	asked, err := json.Marshal(r, json.Deterministic(true))
	if err != nil {
		return ticketing.RefundRequest{}, err
	}
	// The number tells the second in which it was made, as gateways want it; the intent is named apart, so that
	// it is the same refund in another second.
	intent := s.Identity.Fingerprint([]byte("refund\x00" + id + "\x00" + key))
	return ticketing.RefundRequest{
		ID: ticketing.NumberFrom(s.Now(), intent), OrderID: id, Request: intent,
		Fingerprint: s.Identity.Fingerprint(asked), TicketIDs: r.TicketIDs, Expected: *r.ExpectedAmount,
	}, nil
}

// refund gives tickets back. What was answered before is answered again, and what is refused anyway starts nothing.
func (s *Server) refund(ctx context.Context, r ticketing.RefundRequest) (ticketing.Refund, error) {
	known, err := s.knownRefund(ctx, r)
	if ticketing.CodeOf(err) != ticketing.CodeNotFound {
		return known, err
	}
	quote, err := s.Store.QuoteRefund(ctx, r.OrderID, r.TicketIDs)
	if err == nil && quote.Amount != r.Expected {
		err = ticketing.FieldErrorf(ticketing.CodePriceChanged, "/expected_amount", "%s goes back now", quote.Amount)
	}
	if err != nil {
		// Unless this very request was carried out in the meantime.
		if known, again := s.knownRefund(ctx, r); ticketing.CodeOf(again) != ticketing.CodeNotFound {
			return known, again
		}
		return ticketing.Refund{}, err
	}
	answer, err := s.Refunds.Request(ctx, NewRefund{
		Request: r, Provider: quote.Provider, Summary: strconv.Itoa(len(quote.Lines)) + " tickets of order " + r.OrderID + " go back",
	})
	if err == nil && answer.Refusal != nil {
		err = answer.Refusal.Err()
	}
	return answer.Refund, err
}

// knownRefund finds the answer a request got before. Errors: CodeNotFound, CodeKeyReused.
func (s *Server) knownRefund(ctx context.Context, r ticketing.RefundRequest) (ticketing.Refund, error) {
	known, fingerprint, err := s.Store.RefundOfRequest(ctx, r.OrderID, r.Request)
	if err == nil && fingerprint != r.Fingerprint {
		err = ticketing.Errorf(ticketing.CodeKeyReused, "use a new Idempotency-Key for another refund")
	}
	return known, err
}

// checkTickets refuses lists that name nothing, or more than an order can have.
func checkTickets(ids []string) error {
	if ids != nil && (len(ids) == 0 || len(ids) > maxRefunded) {
		return ticketing.FieldErrorf(ticketing.CodeInvalid, "/ticket_ids", "name 1 to %d tickets, or leave it out for all", maxRefunded)
	}
	for i, id := range ids {
		if id == "" || len(id) > maxID {
			return ticketing.FieldErrorf(ticketing.CodeInvalid, "/ticket_ids/"+strconv.Itoa(i), "must name a ticket")
		}
	}
	return nil
}

func viewRefundQuote(q ticketing.RefundQuote) refundQuoteView {
	money := func(amount int64) ticketing.Money {
		return ticketing.Money{Amount: amount, Currency: q.Amount.Currency}
	}
	v := refundQuoteView{
		Tickets: make([]refundLineView, len(q.Lines)), OrderFee: money(q.OrderFee), Paid: money(q.Paid), Fee: money(q.Fee),
		Amount: q.Amount, Free: q.Free, Until: instant(q.Until),
	}
	for i, line := range q.Lines {
		v.Tickets[i] = refundLineView{line.TicketID, money(line.Paid), money(line.Fee), money(line.Amount)}
	}
	return v
}
