package store

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
)

// QuoteRefund says what goes back if tickets of an order go back now (ticketing.QuoteRefund), by the
// database's clock; nil means all that are valid. Errors: CodeNotFound and those of ticketing.QuoteRefund.
func (s *Store) QuoteRefund(ctx context.Context, orderID string, tickets []string) (ticketing.RefundQuote, error) {
	var quote ticketing.RefundQuote
	err := s.transact(ctx, "quote a refund", func(ctx context.Context, w *work) error {
		f, err := w.refundFacts(ctx, orderID)
		if err != nil {
			return err
		}
		quote, err = ticketing.QuoteRefund(f.RefundFacts, tickets, f.now)
		return err
	})
	return quote, err
}

// RefundOfRequest finds the refund a request was answered with before, and the fingerprint of what was asked
// then. Error: CodeNotFound.
func (s *Store) RefundOfRequest(ctx context.Context, orderID, request string) (ticketing.Refund, string, error) {
	var known knownRefund
	err := s.transact(ctx, "find a refund", func(ctx context.Context, w *work) error {
		answer := w.knownRefund(orderID, request)
		err := w.send(ctx)
		known = *answer
		return err
	})
	switch {
	case err != nil:
		return ticketing.Refund{}, "", err
	case len(known.refunds) == 0:
		return ticketing.Refund{}, "", ticketing.Errorf(ticketing.CodeNotFound, "no such refund")
	}
	return known.refunds[0], known.fingerprint, nil
}

// RequestRefund takes tickets back: they are void and on sale again, what they were sold for is owed, and the
// refund is stored, all before any gateway hears of it. The order is REFUNDING until everything owed has gone
// back. Repeated with the same Request it returns the same refund.
//
// Refusals: CodeNotFound, CodeKeyReused, CodePriceChanged when not the expected amount goes back, and the
// errors of ticketing.QuoteRefund.
func (s *Store) RequestRefund(ctx context.Context, r ticketing.RefundRequest) (ticketing.RefundAnswer, error) {
	var answer ticketing.RefundAnswer
	err := s.transact(ctx, "request a refund", func(ctx context.Context, w *work) error {
		w.queue("SELECT FROM orders WHERE id = $1 FOR UPDATE", r.OrderID)
		known := w.knownRefund(r.OrderID, r.Request)
		f, err := w.refundFacts(ctx, r.OrderID)
		if err != nil {
			return err
		}
		if len(known.refunds) > 0 {
			answer.Refund = known.refunds[0]
			if known.fingerprint != r.Fingerprint {
				return ticketing.Errorf(ticketing.CodeKeyReused, "use a new Idempotency-Key for another refund")
			}
			return nil
		}
		quote, err := ticketing.QuoteRefund(f.RefundFacts, r.TicketIDs, f.now)
		if err != nil {
			return err
		}
		if quote.Amount != r.Expected {
			return ticketing.FieldErrorf(ticketing.CodePriceChanged, "/expected_amount", "%s goes back now", quote.Amount)
		}
		answer.Refund, err = w.takeBack(ctx, r, f, quote)
		return err
	})
	if refusal, ok := ticketing.RefusalOf(err); ok {
		return ticketing.RefundAnswer{Refusal: refusal}, nil
	}
	return answer, err
}

// refundFacts is what a refund is quoted by, and what carrying it out needs.
type refundFacts struct {
	ticketing.RefundFacts
	now time.Time
	// attemptID is the payment that pays the order.
	attemptID, organiserID string
	// types are the ticket types by ticket.
	types map[string]string
}

const refundFactsSQL = `
SELECT clock_timestamp(), o.state, coalesce(o.currency, ''), o.order_fee_charge, coalesce(e.state, ''), coalesce(e.organiser_id, ''),
    coalesce(e.refund_policy, '[]'), s.starts_at, s.changed_at, a.captured_at, coalesce(a.id, ''), coalesce(a.provider, '')
FROM orders o
LEFT JOIN events e ON e.id = o.event_id
LEFT JOIN sessions s ON s.id = o.session_id
LEFT JOIN payment_attempts a ON a.order_id = o.id AND a.state = 'ACCEPTED'
WHERE o.id = $1`

// soldTicket is a ticket with its price.
type soldTicket struct {
	ID, TicketTypeID string
	State            ticketing.TicketState
	Paid             int64
}

// refundFacts reads them. Error: CodeNotFound.
func (w *work) refundFacts(ctx context.Context, orderID string) (refundFacts, error) {
	var (
		f                        = refundFacts{types: map[string]string{}}
		found                    bool
		policy                   []byte
		starts, changed, capture *time.Time
		tickets                  []soldTicket
		steps                    refundSteps
	)
	one(w.queue(refundFactsSQL, orderID), &found, &f.now, &f.Order, &f.Currency, &f.OrderFee, &f.Terms.Event, &f.organiserID,
		&policy, &starts, &changed, &capture, &f.attemptID, &f.Provider)
	many(w.queue(`SELECT t.id, t.ticket_type_id, t.state, t.paid FROM tickets t
		WHERE t.order_id = $1 ORDER BY t.id`, orderID), &tickets, pgx.RowToStructByPos[soldTicket])
	if err := w.send(ctx); err != nil {
		return f, err
	}
	if !found {
		return f, ticketing.Errorf(ticketing.CodeNotFound, "no such order")
	}
	if err := json.Unmarshal(policy, &steps); err != nil {
		return f, err
	}
	f.Terms.Policy = steps.policy()
	f.Terms.StartsAt, f.Terms.ChangedAt, f.Terms.PaidAt = deref(starts), deref(changed), deref(capture)
	for _, t := range tickets {
		f.Tickets = append(f.Tickets, ticketing.PaidTicket{ID: t.ID, State: t.State, Paid: t.Paid})
		f.types[t.ID] = t.TicketTypeID
	}
	return f, nil
}

// knownRefund is what a request was answered with before.
type knownRefund struct {
	refunds     []ticketing.Refund
	fingerprint string
}

// knownRefund queues the question; the answer is there after the next send.
func (w *work) knownRefund(orderID, request string) *knownRefund {
	known := &knownRefund{}
	const which = " WHERE r.order_id = $1 AND r.request = $2"
	many(w.queue(refundSQL+which, orderID, request), &known.refunds, scanRefund)
	one(w.queue("SELECT fingerprint FROM refunds r"+which, orderID, request), new(bool), &known.fingerprint)
	return known
}

// takeBack carries a quoted refund out.
func (w *work) takeBack(ctx context.Context, r ticketing.RefundRequest, f refundFacts, quote ticketing.RefundQuote) (ticketing.Refund, error) {
	reason := ticketing.RefundRequested
	if quote.Free {
		reason = ticketing.RefundCalledOff
	}
	w.change(1, `INSERT INTO refunds (id, attempt_id, order_id, amount, currency, fee, order_fee, state, reason, request, fingerprint)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 'PENDING', $8, $9, $10)`,
		r.ID, f.attemptID, r.OrderID, quote.Amount.Amount, quote.Amount.Currency, quote.Fee, quote.OrderFee, string(reason), r.Request, r.Fingerprint)
	ids := quote.TicketIDs()
	w.change(len(ids), "UPDATE tickets SET state = 'VOID', refund_id = $3 WHERE order_id = $1 AND id = ANY($2) AND state = 'VALID'", r.OrderID, ids, r.ID)
	w.returnTickets(r.OrderID, f.countTypes(ids), ids)
	w.unearn(r.OrderID, "refund:"+r.ID)
	w.book(transferRequested, r.ID, quote.Amount.Currency, postings{
		accountSales(f.organiserID): quote.Paid, accountFees: quote.OrderFee,
		accountRefundFees: -quote.Fee, accountRefundsDue: -quote.Amount.Amount,
	})
	if err := w.move(r.OrderID, ticketing.OrderRefunding, entry{
		kind:   ticketing.EventRefundRequested,
		detail: aboutPayment(f.attemptID, f.Provider, quote.Amount, "refund_id", r.ID, "reason", reason, "tickets", len(ids), "fee", quote.Fee),
	}); err != nil {
		return ticketing.Refund{}, err
	}
	var stored []ticketing.Refund
	many(w.queue(refundSQL+" WHERE r.id = $1", r.ID), &stored, scanRefund)
	if err := w.send(ctx); err != nil {
		return ticketing.Refund{}, err
	}
	return stored[0], nil
}

// countTypes counts tickets by type, in ascending order.
func (f refundFacts) countTypes(tickets []string) []ticketing.Ask {
	count := map[string]int{}
	for _, id := range tickets {
		count[f.types[id]]++
	}
	lines := make([]ticketing.Ask, 0, len(count))
	for id, n := range count {
		lines = append(lines, ticketing.Ask{TicketTypeID: id, Quantity: n})
	}
	slices.SortFunc(lines, func(a, b ticketing.Ask) int { return strings.Compare(a.TicketTypeID, b.TicketTypeID) })
	return lines
}
