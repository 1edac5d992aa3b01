package unionpaytest

import (
	"errors"
	"fmt"
)

// Errors of what a payer cannot do.
var (
	ErrUnknown = errors.New("no order of this number was posted here")
	ErrEnded   = errors.New("the order cannot be paid any more")
)

// Pay pays a number as its payer would on the page. Paying again changes nothing.
func (g *Gateway) Pay(number string) error {
	return g.act(number, func(p *Payment) error {
		if p.Code == codeDone || p.Code == codeFlawed {
			return nil
		}
		if g.ended(p) {
			return fmt.Errorf("%s: %w", number, ErrEnded)
		}
		g.capture(p, p.Amount, "156", codeDone)
		return nil
	})
}

// PayOther takes another amount, or another currency (ISO 4217's number), than was asked for.
func (g *Gateway) PayOther(number string, amount int64, currency string) error {
	return g.act(number, func(p *Payment) error { g.capture(p, amount, currency, codeDone); return nil })
}

// PayFlawed pays so that the gateway calls it done with a flaw ("A6").
func (g *Gateway) PayFlawed(number string) error {
	return g.act(number, func(p *Payment) error { g.capture(p, p.Amount, "156", codeFlawed); return nil })
}

// PayLate takes the money after the payment's end, as a bank's page that was opened before may.
func (g *Gateway) PayLate(number string) error {
	return g.act(number, func(p *Payment) error { g.capture(p, p.Amount, "156", codeDone); return nil })
}

// Decline has the payer's bank decline with a code, such as "64". The page stays open for another card.
func (g *Gateway) Decline(number, code string) error {
	return g.act(number, func(p *Payment) error { p.Code = code; return nil })
}

// Hesitate leaves what became of a payment unknown to the gateway itself: "03" or "04".
func (g *Gateway) Hesitate(number, code string) error {
	return g.act(number, func(p *Payment) error { p.Code = code; return nil })
}

func (g *Gateway) act(number string, do func(*Payment) error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.byNumber(number)
	if p == nil {
		return fmt.Errorf("%s: %w", number, ErrUnknown)
	}
	return do(p)
}

// ended says whether the page of a payment is closed.
func (g *Gateway) ended(p *Payment) bool {
	return !p.Timeout.IsZero() && !g.config.Now().Before(p.Timeout)
}
