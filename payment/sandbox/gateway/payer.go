package gateway

import (
	"net/http"
	"time"

	"github.com/boxoffice/boxoffice/payment/sandbox"
)

// step is something a payer does; d is a delay where the step has one.
type step func(number string, d time.Duration) error

// steps are what a payer can do, by name.
func (g *Gateway) steps() map[string]step {
	return map[string]step{
		"pay":      func(number string, _ time.Duration) error { return g.pay(number) },
		"decline":  func(number string, _ time.Duration) error { return g.decline(number) },
		"pay-late": g.payLate,
		"process":  g.process,
	}
}

func notPayable(p *Payment) error {
	return refuse(http.StatusConflict, "not_payable", "payment %s is %s", p.Number, p.State)
}

// pay takes the money of what is pending; paying again changes nothing.
func (g *Gateway) pay(number string) error {
	p, err := g.find(number)
	switch {
	case err != nil:
		return err
	case p.State == sandbox.Paid:
		return nil
	case p.State != sandbox.Pending:
		return notPayable(p)
	}
	return g.capture(p)
}

// decline is final: nothing was captured, and nothing can be.
func (g *Gateway) decline(number string) error {
	p, err := g.find(number)
	if err != nil {
		return err
	}
	if p.State != sandbox.Pending {
		return notPayable(p)
	}
	next := *p
	next.State, next.At, next.CaptureAt = sandbox.Declined, g.now(), time.Time{}
	return g.tell(change{payment: &next})
}

// payLate captures the money after a while, even if the payment is closed by then: a real gateway,
// too, sometimes charges a payer it let in before.
func (g *Gateway) payLate(number string, after time.Duration) error {
	p, err := g.find(number)
	if err != nil {
		return err
	}
	if p.State != sandbox.Pending && p.State != sandbox.Closed {
		return notPayable(p)
	}
	next := *p
	return g.captureIn(&next, after)
}

// process leaves the outcome open for a while, then captures.
func (g *Gateway) process(number string, lasts time.Duration) error {
	p, err := g.find(number)
	if err != nil {
		return err
	}
	if p.State != sandbox.Pending {
		return notPayable(p)
	}
	next := *p
	next.State, next.At = sandbox.Processing, g.now()
	return g.captureIn(&next, lasts)
}

func (g *Gateway) captureIn(next *Payment, d time.Duration) error {
	next.CaptureAt = g.now().Add(d)
	if err := g.ledger.commit(change{payment: next}); err != nil {
		return err
	}
	g.after(next.CaptureAt, func() { g.captureLater(next.Number) })
	return nil
}

func (g *Gateway) captureLater(number string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.ledger.payments[number]
	if p.CaptureAt.IsZero() { // declined meanwhile, or captured already
		return
	}
	if err := g.capture(p); err != nil {
		g.log.Error("cannot capture late", "number", number, "error", err)
	}
}

// capture takes the payer's money, whatever the clock says.
func (g *Gateway) capture(p *Payment) error {
	taken := p.Amount
	if g.faults.CaptureAmount != 0 {
		taken.Amount = g.faults.CaptureAmount
	}
	if g.faults.CaptureCurrency != "" {
		taken.Currency = g.faults.CaptureCurrency
	}
	next := *p
	next.State, next.Captured, next.At, next.PaidAt, next.CaptureAt = sandbox.Paid, &taken, g.now(), g.now(), time.Time{}
	return g.tell(change{payment: &next, movement: &sandbox.Movement{
		Kind: sandbox.KindPayment, GatewayID: next.ID, Merchant: next.Merchant, Number: next.Number, Amount: taken, Fee: feeOf(taken), At: next.At,
	}})
}

// tell records a change of a payment and tells the merchant.
func (g *Gateway) tell(c change) error {
	told := c.payment.Payment
	told.PayURL, told.QR = "", ""
	if err := g.record(c, c.payment.Order.NotifyURL, sandbox.Notice{Payment: &told}); err != nil {
		return err
	}
	for _, how := range g.faults.Forge {
		g.busy.Go(func() {
			if _, err := g.forge(g.ctx, told.Number, how); err != nil && g.ctx.Err() == nil {
				g.log.Warn("forged callback not delivered", "number", told.Number, "forgery", how, "error", err)
			}
		})
	}
	return nil
}
