package wechatpaytest

import (
	"errors"
	"fmt"
	"html"
	"net/http"
)

// Errors of what a payer cannot do.
var (
	ErrUnknown = errors.New("no order of this number was made here")
	ErrEnded   = errors.New("the order cannot be paid any more")
)

// Pay pays a number as its payer would. Paying again changes nothing.
func (g *Gateway) Pay(number string) error {
	return g.act(number, func(p *Payment) error {
		switch {
		case p.State == "SUCCESS" || p.State == "REFUND":
			return nil
		case p.State == "CLOSED" || !g.config.Now().Before(p.Expire):
			return fmt.Errorf("%s: %w", number, ErrEnded)
		}
		g.capture(p, p.Amount, "CNY")
		return nil
	})
}

// PayOther takes another amount, or another currency, than was asked for.
func (g *Gateway) PayOther(number string, amount int64, currency string) error {
	return g.act(number, func(p *Payment) error { g.capture(p, amount, currency); return nil })
}

// PayLate takes the money whatever happened before: after the end, or after a close that the payer was faster than.
func (g *Gateway) PayLate(number string) error {
	return g.act(number, func(p *Payment) error {
		if p.TransactionID == "" {
			g.capture(p, p.Amount, "CNY")
		}
		return nil
	})
}

// Decline has the payment fail for good (PAYERROR), Hesitate has the payer still enter a password (USERPAYING).
func (g *Gateway) Decline(number string) error {
	return g.act(number, func(p *Payment) error { p.State = "PAYERROR"; return nil })
}

// Hesitate leaves the outcome open.
func (g *Gateway) Hesitate(number string) error {
	return g.act(number, func(p *Payment) error { p.State = "USERPAYING"; return nil })
}

func (g *Gateway) act(number string, do func(*Payment) error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.payments[number]
	if p == nil {
		return fmt.Errorf("%s: %w", number, ErrUnknown)
	}
	return do(p)
}

// capture takes money, writes it down and tells the merchant. The caller holds the lock.
func (g *Gateway) capture(p *Payment, amount int64, currency string) {
	now := g.config.Now()
	p.State, p.Captured, p.Currency, p.Paid = "SUCCESS", amount, currency, now
	p.TransactionID, p.eventID = g.newID("4200", now), eventID()
	g.moved = append(g.moved, movement{payment: *p, at: now})
	g.deliver(p.NotifyURL, g.event("TRANSACTION.SUCCESS", p.eventID, "transaction", g.told(p)))
}

// cashier is the page behind an h5_url.
func (g *Gateway) cashier(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	p := g.cashiers[r.PathValue("token")]
	var number string
	var fen int64
	if p != nil {
		number, fen = p.Number, p.Amount
	}
	g.mu.Unlock()
	if p == nil {
		http.NotFound(w, r)
		return
	}
	back := r.URL.Query().Get("redirect_url")
	if r.Method == http.MethodPost {
		if err := g.Pay(number); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		if back == "" {
			back = r.URL.String()
		}
		http.Redirect(w, r, back, http.StatusSeeOther) //nolint:gosec // the real one goes where the merchant says, too
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, `<!doctype html><title>WeChat Pay (test)</title><h1>¥%d.%02d</h1><form method="post"><button id="pay">支付</button></form><p><a id="back" href="%s">返回</a></p>`,
		fen/100, fen%100, html.EscapeString(back))
}
