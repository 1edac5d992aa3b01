package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
)

// Settle judges an attempt by the stored facts (ticketing.JudgePayment) and
// carries the verdict out. Accepted: the order is paid, its stock sold, its tickets issued, the ledger
// written. Rejected: the money is booked as owed back; if the stock was lost the
// order has failed. Error: CodeNotFound.
func (s *Store) Settle(ctx context.Context, attemptID string) (ticketing.Settlement, error) {
	var settled ticketing.Settlement
	err := s.transact(ctx, "settle", func(ctx context.Context, w *work) error {
		var err error
		settled, err = w.settle(ctx, attemptID)
		return err
	})
	return settled, err
}

// settlementFacts is what an attempt is judged by, read under the lock on its order.
type settlementFacts struct {
	found bool
	ticketing.SettlementFacts
	attemptID, orderID, provider, gatewayID, organiserID string
	orderFee                                             int64 // with the tax on it
	openAttempts                                         int
	lines                                                []orderLine
	held                                                 []orderLine // what is still set aside of them
}

const settlementSQL = `
SELECT a.id, coalesce(a.order_id, ''), a.provider, coalesce(a.gateway_id, ''), a.state, coalesce(a.reported, ''), a.amount, a.currency,
    coalesce(a.captured_amount, 0), coalesce(a.captured_currency, ''), coalesce(a.reject_reason, ''),
    coalesce(o.state, ''), coalesce(o.order_fee_charge, 0), coalesce(e.organiser_id, ''),
    EXISTS (SELECT FROM payment_attempts x WHERE x.order_id = a.order_id AND x.id <> a.id AND x.state = 'ACCEPTED'),
    (SELECT count(*) FROM payment_attempts x WHERE x.order_id = a.order_id AND x.id <> a.id AND x.state IN ('CREATED', 'PENDING')),
    EXISTS (SELECT FROM order_seats s WHERE s.order_id = a.order_id), coalesce(o.counted, false)
FROM payment_attempts a
LEFT JOIN orders o ON o.id = a.order_id
LEFT JOIN events e ON e.id = o.event_id
WHERE a.id = $1
FOR UPDATE OF a`

// facts locks an attempt's order and the attempt, and reads what is known of them.
func (w *work) facts(ctx context.Context, attemptID string) (settlementFacts, error) {
	var (
		f       settlementFacts
		lines   []heldLine
		seats   bool
		counted bool
	)
	w.queue(lockOrderSQL, attemptID)
	one(w.queue(settlementSQL, attemptID), &f.found,
		&f.attemptID, &f.orderID, &f.provider, &f.gatewayID, &f.Attempt, &f.Payment, &f.Asked.Amount, &f.Asked.Currency,
		&f.Captured.Amount, &f.Captured.Currency, &f.RejectedFor,
		&f.Order, &f.orderFee, &f.organiserID, &f.OtherAccepted, &f.openAttempts, &seats, &counted)
	many(w.queue(`SELECT l.ticket_type_id, l.quantity, l.charge, `+contentsSQL+`, coalesce(h.quantity, 0)
		FROM payment_attempts a JOIN order_lines l ON l.order_id = a.order_id
		LEFT JOIN holds h ON h.order_id = l.order_id AND h.ticket_type_id = l.ticket_type_id AND h.state = 'HELD'
		WHERE a.id = $1 ORDER BY l.ticket_type_id`, attemptID), &lines, scanHeldLine)
	if err := w.send(ctx); err != nil {
		return f, err
	}
	if !f.found {
		return f, ticketing.Errorf(ticketing.CodeNotFound, "no such attempt")
	}
	if !seats {
		w.unseated = f.orderID
	}
	if !counted {
		w.unclaimed = f.orderID
	}
	f.StockHeld = len(lines) > 0
	for _, line := range lines {
		f.lines = append(f.lines, line.orderLine)
		f.StockHeld = f.StockHeld && line.held == line.Quantity
		if line.Quantity = line.held; line.held > 0 {
			f.held = append(f.held, line.orderLine)
		}
	}
	return f, nil
}

// heldLine is a line of an order with what is still set aside for it.
type heldLine struct {
	orderLine
	held int
}

func scanHeldLine(row pgx.CollectableRow) (heldLine, error) {
	var l heldLine
	return l, row.Scan(&l.TicketTypeID, &l.Quantity, &l.charge, &l.Contents, &l.held)
}

// settle is Settle inside a transaction.
func (w *work) settle(ctx context.Context, attemptID string) (ticketing.Settlement, error) {
	f, err := w.facts(ctx, attemptID)
	if err != nil {
		return ticketing.Settlement{}, err
	}
	settled := ticketing.Settlement{
		OrderID: f.orderID, Order: f.Order, Provider: f.provider,
		AttemptID: f.attemptID, GatewayID: f.gatewayID, OpenAttempts: f.openAttempts,
	}
	settled.Verdict, settled.Reason = ticketing.JudgePayment(f.SettlementFacts)
	judged := f.Attempt == ticketing.AttemptAccepted || f.Attempt == ticketing.AttemptRejected || f.Attempt == ticketing.AttemptRefunded
	switch {
	case judged || settled.Verdict == ticketing.VerdictNone:
	case settled.Verdict == ticketing.VerdictAccept:
		settled.Order = ticketing.OrderPaid
		err = w.accept(f)
	default:
		settled.Order, err = w.reject(f, settled.Reason)
	}
	return settled, err
}

// accept lets a payment in time pay its order with the stock that is held for it.
func (w *work) accept(f settlementFacts) error {
	w.change(1, "UPDATE payment_attempts SET state = 'ACCEPTED', updated_at = clock_timestamp() WHERE id = $1", f.attemptID)
	w.moveHolds(f.orderID, f.lines, holdHeld, holdSold)
	if err := w.move(f.orderID, ticketing.OrderPaid,
		entry{kind: ticketing.EventPaid, detail: aboutPayment(f.attemptID, f.provider, f.Captured)}); err != nil {
		return err
	}
	w.issue(f.orderID, f.lines)
	w.earn(f.orderID)
	w.book(transferAccepted, f.attemptID, f.Captured.Currency,
		sale(accountGateway(f.provider), f.organiserID, f.Captured.Amount, f.orderFee))
	return nil
}

// reject books captured money as owed back. It returns where the order is then.
func (w *work) reject(f settlementFacts, reason ticketing.RejectReason) (ticketing.OrderState, error) {
	w.change(1, "UPDATE payment_attempts SET state = 'REJECTED', reject_reason = $2, updated_at = clock_timestamp() WHERE id = $1",
		f.attemptID, reason)
	w.bookRejected(f.provider, f.attemptID, f.Captured)
	about := aboutPayment(f.attemptID, f.provider, f.Captured, "reason", reason)
	switch reason {
	case ticketing.RejectLate:
		return f.Order, w.move(f.orderID, f.Order, entry{kind: ticketing.EventLatePayment, detail: about})
	case ticketing.RejectStockLost:
		// What is left of the order's stock goes back: nothing will come of it.
		if len(f.held) > 0 {
			w.moveHolds(f.orderID, f.held, holdHeld, holdReleased)
		}
		return ticketing.OrderFailed, w.move(f.orderID, ticketing.OrderFailed,
			entry{kind: ticketing.EventPaymentRejected, detail: about}, entry{kind: ticketing.EventFailed})
	default:
		return f.Order, w.move(f.orderID, f.Order, entry{kind: ticketing.EventPaymentRejected, detail: about})
	}
}

// ConfirmFree pays an order that costs nothing: its stock is sold and its tickets are issued. It returns where the order is
// then. Errors: CodeNotFound, CodeConflict for an order that costs something.
func (s *Store) ConfirmFree(ctx context.Context, orderID string) (ticketing.OrderState, error) {
	var now ticketing.OrderState
	err := s.transact(ctx, "confirm a free order", func(ctx context.Context, w *work) error {
		var (
			found bool
			total int64
			held  []orderLine
		)
		one(w.queue("SELECT state, total FROM orders WHERE id = $1 FOR UPDATE", orderID), &found, &now, &total)
		many(w.queue(heldLinesSQL, orderID), &held, scanLine)
		if err := w.send(ctx); err != nil {
			return err
		}
		switch {
		case !found:
			return ticketing.Errorf(ticketing.CodeNotFound, "no such order")
		case total != 0:
			return ticketing.Errorf(ticketing.CodeConflict, "the order is not free")
		case !now.HoldsStock():
			return nil
		}
		now = ticketing.OrderPaid
		w.moveHolds(orderID, held, holdHeld, holdSold)
		if err := w.move(orderID, now, entry{kind: ticketing.EventPaid}); err != nil {
			return err
		}
		w.issue(orderID, held)
		w.earn(orderID)
		return nil
	})
	return now, err
}

// Retake takes the same stock, and the very same seats, again for money that came too late, if all of it is
// free, every ticket type is inside its sale window and the event still sells, and pays the order with it. It reports
// whether the attempt's money pays the order, also when that was so before. Error: CodeNotFound.
func (s *Store) Retake(ctx context.Context, attemptID string) (bool, error) {
	var retaken bool
	err := s.transact(ctx, "retake", func(ctx context.Context, w *work) error {
		f, err := w.facts(ctx, attemptID)
		if err != nil {
			return err
		}
		retaken = f.Attempt == ticketing.AttemptAccepted
		if retaken || !f.mayRetake() {
			return nil
		}
		if retaken, err = w.stillSells(ctx, f); err != nil || !retaken {
			return err
		}
		return w.acceptLate(f)
	})
	if isDuplicate(err, onePerSession) {
		return false, nil // an attendee has got another ticket of the session
	}
	return retaken, err
}

func (f settlementFacts) mayRetake() bool {
	return f.Attempt == ticketing.AttemptRejected && f.RejectedFor == ticketing.RejectLate &&
		!f.OtherAccepted && f.Captured == f.Asked &&
		(f.Order == ticketing.OrderExpired || f.Order == ticketing.OrderCancelled)
}

// stillSells locks the stock of an order and says whether it could be sold now,
// and whether no refund of the money has begun.
func (w *work) stillSells(ctx context.Context, f settlementFacts) (bool, error) {
	if claimable, err := w.claimable(ctx, f.orderID); err != nil || !claimable {
		return false, err
	}
	types, quantities := needed(f.lines)
	var found, sells bool
	w.queue(lockStockSQL, types)
	one(w.queue(`
SELECT e.state = 'ON_SALE'
    AND NOT EXISTS (SELECT FROM refunds r WHERE r.attempt_id = $2)
    AND NOT EXISTS (
        SELECT FROM unnest($3::text[], $4::int[]) AS n(ticket_type_id, quantity) JOIN stock s USING (ticket_type_id)
        JOIN ticket_types t ON t.id = n.ticket_type_id JOIN sessions x ON x.id = t.session_id JOIN events y ON y.id = x.event_id
        WHERE s.free < n.quantity OR y.state <> 'ON_SALE')
    AND NOT EXISTS (
        SELECT FROM order_lines l JOIN ticket_types t ON t.id = l.ticket_type_id
        LEFT JOIN phase_stock p ON p.ticket_type_id = t.id AND p.phase = l.phase
        WHERE l.order_id = o.id AND (p.taken + l.quantity > p.most OR (now() < t.sale_from - make_interval(hours => coalesce(m.lead_hours, 0)) OR now() >= t.sale_until)
            AND NOT EXISTS (SELECT FROM presales x WHERE x.ticket_type_id = t.id AND x.code_index = o.access_index AND now() >= x.starts_at AND now() < x.ends_at)))
    AND NOT EXISTS (
        SELECT FROM order_seats x JOIN seat_words w USING (session_id, word) WHERE x.order_id = o.id AND w.taken >> x.bit & 1 = 1)
FROM orders o JOIN events e ON e.id = o.event_id LEFT JOIN order_members m ON m.order_id = o.id WHERE o.id = $1`, f.orderID, f.attemptID, types, quantities), &found, &sells)
	err := w.send(ctx)
	return found && sells, err
}

// acceptLate lets a payment that came too late pay its order with stock that was free again.
func (w *work) acceptLate(f settlementFacts) error {
	w.change(1, "UPDATE payment_attempts SET state = 'ACCEPTED', reject_reason = NULL, updated_at = clock_timestamp() WHERE id = $1", f.attemptID)
	w.moveHolds(f.orderID, f.lines, holdReleased, holdSold)
	about := aboutPayment(f.attemptID, f.provider, f.Captured)
	if err := w.move(f.orderID, ticketing.OrderPaid, entry{kind: ticketing.EventRetaken, detail: about},
		entry{kind: ticketing.EventPaid, detail: about, untold: true}); err != nil {
		return err
	}
	w.issue(f.orderID, f.lines)
	w.earn(f.orderID)
	w.book(transferRetaken, f.attemptID, f.Captured.Currency, sale(accountSuspense, f.organiserID, f.Captured.Amount, f.orderFee))
	return nil
}
