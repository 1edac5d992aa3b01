package stripetest

import (
	"fmt"
	"slices"
)

// Dispute has the payer's bank claim an amount of a payment back: it is withheld, with a fee.
func (g *Gateway) Dispute(number string, amount int64) (id string, err error) {
	err = g.act(number, func(s *session) error {
		d, err := g.claim(s, amount, "needs_response")
		if err != nil {
			return err
		}
		id = d.ID
		g.happened("charge.dispute.created", g.showDispute(d))
		g.withdraw(d)
		return nil
	})
	return id, err
}

// Inquire has the bank only ask about a payment. Nothing is withheld unless Escalate.
func (g *Gateway) Inquire(number string, amount int64) (id string, err error) {
	err = g.act(number, func(s *session) error {
		d, err := g.claim(s, amount, "warning_needs_response")
		if err == nil {
			id = d.ID
			g.happened("charge.dispute.created", g.showDispute(d))
		}
		return err
	})
	return id, err
}

// Escalate makes a dispute of an inquiry.
func (g *Gateway) Escalate(id string) error {
	return g.decide(id, func(d *dispute) {
		d.Status = "needs_response"
		g.happened("charge.dispute.updated", g.showDispute(d))
		g.withdraw(d)
	})
}

// Decide ends a dispute. One that is won gives the money back, not the fee.
func (g *Gateway) Decide(id string, won bool) error {
	return g.decide(id, func(d *dispute) {
		d.Status = "lost"
		if won {
			d.Status, d.Charge.Disputed = "won", false
			d.Movements = append(d.Movements, g.move("adjustment", "dispute_reversal", d.Amount, 0, d.Charge.Currency, d))
			g.happened("charge.dispute.funds_reinstated", g.showDispute(d))
		}
		g.happened("charge.dispute.closed", g.showDispute(d))
	})
}

func (g *Gateway) claim(s *session, amount int64, status string) (*dispute, error) {
	if s.PaymentStatus != "paid" {
		return nil, fmt.Errorf("%s is not paid: %w", s.Reference, ErrUnknown)
	}
	d := &dispute{ID: g.newID("du"), Amount: amount, Status: status, Reason: "fraudulent", Created: g.now(), Charge: s.Intent.Charge}
	g.disputes = append(g.disputes, d)
	return d, nil
}

func (g *Gateway) withdraw(d *dispute) {
	d.Charge.Disputed = true
	d.Movements = append(d.Movements, g.move("adjustment", "dispute", -d.Amount, g.config.DisputeFee, d.Charge.Currency, d))
	g.happened("charge.dispute.funds_withdrawn", g.showDispute(d))
}

func (g *Gateway) decide(id string, do func(*dispute)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := slices.IndexFunc(g.disputes, func(d *dispute) bool { return d.ID == id })
	if at < 0 {
		return fmt.Errorf("dispute %s: %w", id, ErrUnknown)
	}
	do(g.disputes[at])
	return nil
}

func (g *Gateway) retrieveDispute(_ params, id string) (any, *refusal) {
	for _, d := range g.disputes {
		if d.ID == id {
			return g.showDispute(d), nil
		}
	}
	return nil, missing("dispute", id)
}
