package store

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
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
	// lines are those of the order, by ticket type; types are the ticket types by ticket.
	lines map[string]orderLine
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
	Bundle           int
}

// bundleTerms are those by which the bundles of a line go back.
type bundleTerms struct {
	TicketTypeID string
	StartsAt     time.Time
	ChangedAt    *time.Time
	CalledOff    *ticketing.EventState
}

// A bundle goes back by its first session, and for free when any of its events is called off or any of its sessions has changed.
const bundleTermsSQL = `
SELECT c.bundle_id, min(s.starts_at), max(s.changed_at), min(e.state) FILTER (WHERE e.state IN ('CANCELLED', 'POSTPONED'))
FROM order_components c JOIN ticket_types t ON t.id = c.component_id JOIN sessions s ON s.id = t.session_id JOIN events e ON e.id = s.event_id
WHERE c.order_id = $1 GROUP BY c.bundle_id`

func (b bundleTerms) of(home ticketing.RefundTerms) *ticketing.RefundTerms {
	home.StartsAt, home.ChangedAt = b.StartsAt, deref(b.ChangedAt)
	if b.CalledOff != nil {
		home.Event = *b.CalledOff
	}
	return &home
}

// refundFacts reads them. Error: CodeNotFound.
func (w *work) refundFacts(ctx context.Context, orderID string) (refundFacts, error) {
	var (
		f                        = refundFacts{lines: map[string]orderLine{}, types: map[string]string{}}
		found                    bool
		policy                   []byte
		starts, changed, capture *time.Time
		tickets                  []soldTicket
		lines                    []orderLine
		bundles                  []bundleTerms
		steps                    refundSteps
	)
	one(w.queue(refundFactsSQL, orderID), &found, &f.now, &f.Order, &f.Currency, &f.OrderFee, &f.Terms.Event, &f.organiserID,
		&policy, &starts, &changed, &capture, &f.attemptID, &f.Provider)
	many(w.queue("SELECT l.ticket_type_id, l.quantity, l.charge, "+contentsSQL+" FROM order_lines l WHERE l.order_id = $1", orderID), &lines, scanLine)
	many(w.queue(bundleTermsSQL, orderID), &bundles, pgx.RowToStructByPos[bundleTerms])
	many(w.queue(`SELECT t.id, t.ticket_type_id, t.state, t.paid, coalesce(t.bundle, 0) FROM tickets t
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
	terms := map[string]*ticketing.RefundTerms{}
	for _, b := range bundles {
		terms[b.TicketTypeID] = b.of(f.Terms)
	}
	for _, line := range lines {
		f.lines[line.TicketTypeID] = line
	}
	for _, t := range tickets {
		paid := ticketing.PaidTicket{ID: t.ID, State: t.State, Paid: t.Paid}
		if t.Bundle > 0 {
			paid.Bundle, paid.Terms = ticketing.BundleKey(t.TicketTypeID, t.Bundle), terms[t.TicketTypeID]
		}
		f.Tickets = append(f.Tickets, paid)
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
	w.returnTickets(r.OrderID, f.linesOf(ids), ids)
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

// linesOf are the lines of which tickets go back, in ascending order of ticket type, each with how many of it do.
func (f refundFacts) linesOf(tickets []string) []orderLine {
	count := map[string]int{}
	bundles := map[string]bool{}
	for _, t := range f.Tickets {
		if !slices.Contains(tickets, t.ID) || bundles[t.Bundle] {
			continue
		}
		bundles[t.Bundle] = t.Bundle != ""
		count[f.types[t.ID]]++
	}
	var lines []orderLine
	for _, id := range slices.Sorted(maps.Keys(count)) {
		line := f.lines[id]
		line.Quantity = count[id]
		lines = append(lines, line)
	}
	return lines
}
