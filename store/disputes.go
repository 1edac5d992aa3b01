package store

import (
	"context"

	"github.com/boxoffice/boxoffice/ticketing"
)

func checkDispute(fact ticketing.DisputeFact) error {
	switch {
	case fact.ID == "" || len(fact.ID) > 128:
		return ticketing.Errorf(ticketing.CodeInvalid, "a dispute without an id")
	case fact.Amount.Amount <= 0 || !ticketing.ValidCurrency(fact.Amount.Currency):
		return ticketing.Errorf(ticketing.CodeInvalid, "a dispute without an amount")
	case fact.Fee.Amount < 0 || fact.Fee.Amount > 0 && !ticketing.ValidCurrency(fact.Fee.Currency):
		return ticketing.Errorf(ticketing.CodeInvalid, "a dispute whose fee cannot be read")
	case fact.State != ticketing.DisputeOpen && fact.State != ticketing.DisputeWon && fact.State != ticketing.DisputeLost:
		return ticketing.Errorf(ticketing.CodeInvalid, "a dispute in state %q", fact.State)
	}
	return nil
}

// dispute is what a notice about a dispute is judged by, read under the lock on its order.
type dispute struct {
	ticketing.DisputeFact // as told now
	id, provider          string
	// attemptID is empty for money we know nothing of; accepted says that it pays its order.
	attemptID, orderID string
	accepted           bool
	order              ticketing.OrderState
	// known says that we have heard of the dispute before, as was.
	known bool
	was   ticketing.DisputeState
	// others says that other disputes of the order are open.
	others bool
	// sold is the order's stock, empty once its session has begun: then nobody else could use it.
	sold []orderLine
}

const lockOrderOfDisputeSQL = `SELECT FROM orders WHERE id = (` + disputedOrderSQL + `) FOR UPDATE`

// disputedSQL finds the payment a dispute is about, by our number or else the gateway's.
const (
	disputedSQL      = `SELECT id FROM payment_attempts WHERE provider = $1 AND (id = $2 OR gateway_id = $3) ORDER BY id = $2 DESC LIMIT 1`
	disputedOrderSQL = `SELECT order_id FROM payment_attempts WHERE id = (` + disputedSQL + `)`
)

// keepDispute keeps a notice about a dispute: the tickets it is about are frozen, what is withheld is booked, and a case is
// opened. Won, all of that is taken back; lost, the tickets are void, their stock is on sale again unless the session has begun, and the money is booked as lost. Notices
// may come in any order and any number: the first decision stays.
func (w *work) keepDispute(ctx context.Context, c ticketing.Callback, row inboxRow) (ticketing.KeptCallback, error) {
	d := dispute{DisputeFact: *c.Dispute, id: ticketing.DisputeID(c.Provider, c.Dispute.ID), provider: c.Provider}
	// A dispute of money we know nothing of has no order whose lock would keep two notices apart.
	w.queue("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", d.id)
	w.queue(lockOrderOfDisputeSQL, c.Provider, d.AttemptID, d.GatewayID)
	first := w.inbox(c, row, "dispute", d.AttemptID, "")
	one(w.queue(`SELECT a.id, a.state = 'ACCEPTED', coalesce(a.order_id, ''), coalesce(o.state, '')
		FROM payment_attempts a LEFT JOIN orders o ON o.id = a.order_id WHERE a.id = (`+disputedSQL+`)`,
		c.Provider, d.AttemptID, d.GatewayID), new(bool), &d.attemptID, &d.accepted, &d.orderID, &d.order)
	one(w.queue("SELECT state FROM disputes WHERE id = $1 FOR UPDATE", d.id), &d.known, &d.was)
	one(w.queue(`SELECT EXISTS (SELECT FROM disputes WHERE order_id = (`+disputedOrderSQL+`) AND id <> $4 AND state = 'OPEN')`,
		c.Provider, d.AttemptID, d.GatewayID, d.id), new(bool), &d.others)
	many(w.queue(`SELECT h.ticket_type_id, h.quantity - h.returned, l.charge, `+contentsSQL+`
		FROM holds h JOIN order_lines l USING (order_id, ticket_type_id) JOIN orders o ON o.id = h.order_id JOIN sessions s ON s.id = o.session_id
		WHERE h.order_id = (`+disputedOrderSQL+`) AND h.state = 'SOLD' AND h.quantity > h.returned AND s.starts_at > clock_timestamp() ORDER BY 1`,
		c.Provider, d.AttemptID, d.GatewayID), &d.sold, scanLine)
	if err := w.send(ctx); err != nil {
		return ticketing.KeptCallback{}, err
	}
	kept := ticketing.KeptCallback{First: *first, Handled: true, Attempt: ticketing.PaymentAttempt{OrderID: d.orderID}, Order: d.order}
	if !d.known {
		if err := w.openDispute(d); err != nil {
			return kept, err
		}
		d.was = ticketing.DisputeOpen
	}
	if d.was == ticketing.DisputeOpen && d.State != ticketing.DisputeOpen {
		if err := w.decideDispute(d); err != nil {
			return kept, err
		}
	}
	return kept, w.send(ctx)
}

// openDispute freezes what was paid with disputed money, and books it as withheld.
func (w *work) openDispute(d dispute) error {
	w.change(1, `INSERT INTO disputes (id, provider, attempt_id, order_id, gateway_id, amount, currency, fee, fee_currency, reason, state)
		VALUES ($1, $2, nullif($3, ''), nullif($4, ''), nullif($5, ''), $6, $7, $8, nullif($9, ''), $10, 'OPEN')`,
		d.id, d.provider, d.attemptID, d.orderID, d.GatewayID, d.Amount.Amount, d.Amount.Currency, d.Fee.Amount, d.Fee.Currency, d.Reason)
	if d.accepted {
		w.queue("UPDATE tickets SET state = 'FROZEN' WHERE order_id = $1 AND state = 'VALID'", d.orderID)
	}
	w.book(transferDisputeOpened, d.id, d.Amount.Currency,
		postings{accountGateway(d.provider): -d.Amount.Amount, accountDisputes: d.Amount.Amount})
	if d.Fee.Amount > 0 {
		// As the fee of the line it makes on the bill, which books it only if this did not.
		w.book(transferGatewayFee, d.provider+"/"+string(ticketing.MovementDispute)+"/"+d.id, d.Fee.Currency,
			postings{accountGateway(d.provider): -d.Fee.Amount, accountGatewayFees: d.Fee.Amount})
	}
	if err := w.openCase(ticketing.Case{
		Kind: ticketing.CaseDispute, Provider: d.provider, Reference: d.id, AttemptID: d.attemptID, OrderID: d.orderID,
		Detail: map[string]any{"amount": d.Amount, "fee": d.Fee, "reason": d.Reason, "gateway_id": d.GatewayID},
	}); err != nil {
		return err
	}
	return w.move(d.orderID, d.order, entry{kind: ticketing.EventDisputeOpened, detail: d.about()})
}

// decideDispute carries out what the gateway decided.
func (w *work) decideDispute(d dispute) error {
	w.change(1, "UPDATE disputes SET state = $2, decided_at = clock_timestamp() WHERE id = $1", d.id, string(d.State))
	w.closeCase(ticketing.CaseDispute, d.provider, d.id, ticketing.ResolvedDecided, string(d.State))
	if d.State == ticketing.DisputeWon {
		w.book(transferDisputeWon, d.id, d.Amount.Currency,
			postings{accountDisputes: -d.Amount.Amount, accountGateway(d.provider): d.Amount.Amount})
		if d.accepted && !d.others {
			w.queue("UPDATE tickets SET state = 'VALID' WHERE order_id = $1 AND state = 'FROZEN'", d.orderID)
		}
		return w.move(d.orderID, d.order, entry{kind: ticketing.EventDisputeWon, detail: d.about()})
	}
	w.book(transferDisputeLost, d.id, d.Amount.Currency,
		postings{accountDisputes: -d.Amount.Amount, accountDisputesLost: d.Amount.Amount})
	if d.accepted {
		w.queue("UPDATE tickets SET state = 'VOID' WHERE order_id = $1 AND state IN ('VALID', 'FROZEN')", d.orderID)
		if len(d.sold) > 0 {
			w.moveHolds(d.orderID, d.sold, holdSold, holdReleased)
		}
		w.unearn(d.orderID, "dispute:"+d.id)
	}
	state := d.order
	if d.accepted && (d.order == ticketing.OrderPaid || d.order == ticketing.OrderPartiallyRefunded) {
		// The payer has their money back, if not from us. The state machine knows the way there only.
		w.queue("UPDATE orders SET state = 'REFUNDING' WHERE id = $1", d.orderID)
		state = ticketing.OrderRefunded
	}
	return w.move(d.orderID, state, entry{kind: ticketing.EventDisputeLost, detail: d.about()})
}

// about is what a timeline entry says of the dispute.
func (d dispute) about() map[string]any {
	return aboutPayment(d.attemptID, d.provider, d.Amount, "dispute_id", d.id)
}
