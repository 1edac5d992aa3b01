package gateway

import (
	"crypto/rand"
	"net/http"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/ticketing"
)

// disputeFee is what a merchant is charged for a dispute, in minor units.
const disputeFee = 1_500

// disputed says whether a payment's money is withheld, or was lost.
func (g *Gateway) disputed(number string) bool {
	d, ok := g.ledger.disputes[number]
	return ok && d.State != sandbox.DisputeWon
}

// dispute opens a dispute, or lets the merchant win or lose it. Repeating a step changes nothing.
func (g *Gateway) dispute(number, how string) error {
	p, err := g.find(number)
	if err != nil {
		return err
	}
	known, ok := g.ledger.disputes[number]
	switch {
	case how == "open" && ok:
		return nil
	case how == "open":
		return g.openDispute(p)
	case !ok:
		return refuse(http.StatusNotFound, sandbox.CodeUnknown, "nobody disputes payment %s", number)
	}
	state, ok := map[string]string{"win": sandbox.DisputeWon, "lose": sandbox.DisputeLost}[how]
	switch {
	case !ok:
		return invalid("a dispute cannot %q", how)
	case known.State == state:
		return nil
	case known.State != sandbox.DisputeOpen:
		return refuse(http.StatusConflict, "decided", "the dispute of payment %s is %s", number, known.State)
	}
	next := *known
	next.State, next.At = state, g.now()
	c := change{dispute: &next}
	if state == sandbox.DisputeWon {
		c.movement = withheld(next, next.Amount, ticketing.Money{})
	}
	return g.record(c, p.Order.NotifyURL, sandbox.Notice{Dispute: &next.Dispute})
}

func (g *Gateway) openDispute(p *Payment) error {
	if p.Captured == nil {
		return refuse(http.StatusConflict, "not_paid", "payment %s has captured nothing", p.Number)
	}
	left := *p.Captured
	left.Amount -= g.ledger.refunded(p.Number)
	if left.Amount <= 0 {
		return refuse(http.StatusConflict, "refunded", "payment %s went back already", p.Number)
	}
	d := &Dispute{Dispute: sandbox.Dispute{
		ID: "SD" + rand.Text(), Merchant: g.config.Merchant, Number: p.Number, PaymentID: p.ID, State: sandbox.DisputeOpen,
		Amount: left, Fee: ticketing.Money{Amount: disputeFee, Currency: left.Currency}, Reason: "not recognised", At: g.now(),
	}}
	taken := ticketing.Money{Amount: -left.Amount, Currency: left.Currency}
	return g.record(change{dispute: d, movement: withheld(*d, taken, d.Fee)}, p.Order.NotifyURL, sandbox.Notice{Dispute: &d.Dispute})
}

// withheld is the movement of a dispute: money taken from the merchant, or given back.
func withheld(d Dispute, amount, fee ticketing.Money) *sandbox.Movement {
	return &sandbox.Movement{
		Kind: sandbox.KindDispute, GatewayID: d.ID, Merchant: d.Merchant, Number: d.Number, RefundID: d.ID,
		Amount: amount, Fee: fee, At: d.At,
	}
}
