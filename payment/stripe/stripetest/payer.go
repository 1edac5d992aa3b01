package stripetest

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Errors of what a payer cannot do.
var (
	ErrUnknown = errors.New("no such payment or refund here")
	ErrEnded   = errors.New("the session cannot be paid any more")
)

// Pay pays a number with a card, as its payer would on the page. Paying again changes nothing.
func (g *Gateway) Pay(number string) error {
	return g.act(number, func(s *session) error {
		switch {
		case s.PaymentStatus == "paid":
			return nil
		case s.Status != "open":
			return fmt.Errorf("%s: %w", number, ErrEnded)
		}
		g.capture(s, s.Amount, s.Currency)
		g.completed(s, "checkout.session.completed")
		return nil
	})
}

// PayOther takes another amount, or another currency, than was asked for.
func (g *Gateway) PayOther(number string, amount int64, currency string) error {
	return g.act(number, func(s *session) error {
		g.capture(s, amount, currency)
		g.completed(s, "checkout.session.completed")
		return nil
	})
}

// DeclineCard has the payer's bank decline a card. The page stays open for another one.
func (g *Gateway) DeclineCard(number string) error {
	return g.act(number, func(s *session) error {
		if s.Intent == nil {
			g.begin(s)
		}
		s.Intent.LastError = "insufficient_funds"
		g.happened("payment_intent.payment_failed", g.showIntent(s.Intent, nil))
		return nil
	})
}

// PayLater has the payer choose a method that tells days later whether it paid: see Arrive and Bounce.
func (g *Gateway) PayLater(number string) error {
	return g.act(number, func(s *session) error {
		if s.Status != "open" {
			return fmt.Errorf("%s: %w", number, ErrEnded)
		}
		if s.Intent == nil {
			g.begin(s)
		}
		s.Status, s.Intent.Status = "complete", "processing"
		g.completed(s, "checkout.session.completed")
		return nil
	})
}

// Arrive has the money of PayLater come.
func (g *Gateway) Arrive(number string) error {
	return g.act(number, func(s *session) error {
		g.capture(s, s.Amount, s.Currency)
		g.completed(s, "checkout.session.async_payment_succeeded")
		return nil
	})
}

// Bounce has the money of PayLater not come.
func (g *Gateway) Bounce(number string) error {
	return g.act(number, func(s *session) error {
		if s.Intent == nil {
			g.begin(s)
		}
		s.Status, s.Intent.Status = "complete", "requires_payment_method"
		g.happened("payment_intent.payment_failed", g.showIntent(s.Intent, nil))
		g.completed(s, "checkout.session.async_payment_failed")
		return nil
	})
}

// completed tells of a session, and of the money if there is any. Stripe promises no order.
func (g *Gateway) completed(s *session, kind string) {
	if s.PaymentStatus == "paid" {
		g.happened("payment_intent.succeeded", g.showIntent(s.Intent, nil))
		g.happened("charge.succeeded", g.showCharge(s.Intent.Charge, nil))
	}
	g.happened(kind, g.showSession(s, nil))
}

func (g *Gateway) act(number string, do func(*session) error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lapse()
	s := g.byReference(number)
	if s == nil {
		return fmt.Errorf("%s: %w", number, ErrUnknown)
	}
	return do(s)
}

// Settle sends the refunds that wait for our balance.
func (g *Gateway) Settle() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.refunds {
		if r.Status == "pending" {
			r.Status, r.Pending = "succeeded", ""
			r.Movement = g.move("refund", "refund", -r.Amount, 0, r.Charge.Currency, r)
			g.refundUpdated(r)
		}
	}
}

// FailRefund has the payer's bank send a refund back, found by a value of its metadata. Its money is ours again.
func (g *Gateway) FailRefund(value, reason string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.refunds {
		for _, written := range r.Metadata {
			if written != value || r.Status == "failed" {
				continue
			}
			r.Charge.Refunded -= r.Amount
			if r.Movement != nil {
				r.Back = g.move("refund_failure", "refund_failure", r.Amount, 0, r.Charge.Currency, r)
			}
			r.Status, r.Pending, r.Failed = "failed", "", reason
			g.happened("refund.failed", g.showRefund(r, nil))
			g.refundUpdated(r)
			return nil
		}
	}
	return fmt.Errorf("refund %s: %w", value, ErrUnknown)
}

// Payout moves our balance to our bank, and takes a monthly fee: movements that no payment makes.
func (g *Gateway) Payout(amount int64, currency string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.move("payout", "payout", -amount, 0, currency, nil).Description = "STRIPE PAYOUT"
	g.move("stripe_fee", "fee", -200, 0, currency, nil).Description = "Billing - Usage Fee (" + time.Unix(g.now(), 0).UTC().Format(time.DateOnly) + ")"
}

// Sessions counts the sessions of a number.
func (g *Gateway) Sessions(number string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	count := 0
	for _, s := range g.sessions {
		if s.Reference == number {
			count++
		}
	}
	return count
}

// Locale is the language that was asked for a number's page.
func (g *Gateway) Locale(number string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.byReference(number); s != nil {
		return s.Locale
	}
	return ""
}

// Captured is what was taken for a number, in Stripe's unit of its currency.
func (g *Gateway) Captured(number string) int64 {
	return g.sum(number, func(c *charge) int64 { return c.Amount })
}

// Refunded is what went back of a number, in Stripe's unit of its currency.
func (g *Gateway) Refunded(number string) int64 {
	return g.sum(number, func(c *charge) int64 { return c.Refunded })
}

func (g *Gateway) sum(number string, of func(*charge) int64) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	var sum int64
	for _, s := range g.sessions {
		if s.Reference == number && s.Intent != nil && s.Intent.Charge != nil {
			sum += of(s.Intent.Charge)
		}
	}
	return sum
}

// RefundByHand gives an amount of a payment back in the dashboard: nothing of ours is written on it.
func (g *Gateway) RefundByHand(number string, amount int64) (id string, err error) {
	err = g.act(number, func(s *session) error {
		if s.Intent == nil {
			return fmt.Errorf("%s: %w", number, ErrUnknown)
		}
		made, refused := g.createRefund(params{"payment_intent": s.Intent.ID, "amount": strconv.FormatInt(amount, 10)}, "")
		if refused != nil {
			return refused
		}
		id, _ = made.(object)["id"].(string)
		return nil
	})
	return id, err
}

// Adjust moves our balance for a reason of Stripe's own.
func (g *Gateway) Adjust(amount int64, currency, why string) (id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.move("adjustment", "other_adjustment", amount, 0, currency, nil)
	m.Description = why
	return m.ID
}
