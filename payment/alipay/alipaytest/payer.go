package alipaytest

import (
	"errors"
	"fmt"
	"time"
)

// Errors of what a payer cannot do.
var (
	ErrUnknown = errors.New("no order of this number was offered here")
	ErrEnded   = errors.New("the order cannot be paid any more")
)

// Scan scans a number's page or code as its payer would, or logs in there: from now on there is a trade. Scanning again changes nothing.
func (g *Gateway) Scan(number string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, err := g.scanned(number)
	return err
}

// Pay scans, and pays a number as its payer would. Paying again changes nothing.
func (g *Gateway) Pay(number string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, err := g.scanned(number)
	if err != nil {
		return err
	}
	return g.pay(t)
}

// PayOther takes another amount, in fen or a hundredth of another currency, than was asked for.
func (g *Gateway) PayOther(number string, amount int64, currency string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, err := g.scanned(number)
	if err != nil {
		return err
	}
	g.capture(t, amount, currency)
	return nil
}

// PayLate takes the money although the payment has ended, as a bank that was asked before may.
func (g *Gateway) PayLate(number string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.trades[number]
	if t == nil {
		o := g.latest[number]
		if o == nil {
			return fmt.Errorf("%s: %w", number, ErrUnknown)
		}
		t = g.made(o)
	}
	g.capture(t, t.Amount, "CNY")
	return nil
}

// Finish ends a paid trade: it cannot be refunded any more.
func (g *Gateway) Finish(number string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.trades[number]
	if t == nil || t.State != paid {
		return fmt.Errorf("%s: %w", number, ErrUnknown)
	}
	t.State = finished
	g.deliver(t.NotifyURL, g.told(t, nil, g.notifyID(g.config.Now())))
	return nil
}

// Settle moves the money of refunds that were accepted for later.
func (g *Gateway) Settle() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.trades {
		for _, r := range t.refunds {
			if r.Done.IsZero() {
				g.settle(t, r)
			}
		}
	}
}

// Trade is what the gateway knows of a number; false where nobody has scanned.
func (g *Gateway) Trade(number string) (Trade, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t := g.trade(number); t != nil {
		return *t, true
	}
	return Trade{}, false
}

// scanned finds a trade, or makes it of the latest offer. The caller holds the lock.
func (g *Gateway) scanned(number string) (*Trade, error) {
	if t := g.trade(number); t != nil {
		return t, nil
	}
	o := g.latest[number]
	switch {
	case o == nil:
		return nil, fmt.Errorf("%s: %w", number, ErrUnknown)
	case !o.Expire.IsZero() && !g.config.Now().Before(o.Expire):
		return nil, fmt.Errorf("%s: %w", number, ErrEnded)
	}
	return g.made(o), nil
}

func (g *Gateway) made(o *offer) *Trade {
	now := g.config.Now()
	t := &Trade{
		Number: o.Number, TradeNo: g.newID(now), State: waiting, Amount: o.Amount, Currency: "CNY", Created: now, NotifyURL: o.NotifyURL,
		offer: o, refunds: map[string]*Refund{},
	}
	g.trades[o.Number] = t
	return t
}

// pay pays a trade that is open, or says why not. The caller holds the lock.
func (g *Gateway) pay(t *Trade) error {
	switch t.State {
	case waiting:
		g.capture(t, t.Amount, "CNY")
	case ended:
		if t.Paid.IsZero() {
			return fmt.Errorf("%s: %w", t.Number, ErrEnded)
		}
	}
	return nil
}

// capture takes money and says so. The caller holds the lock.
func (g *Gateway) capture(t *Trade, amount int64, currency string) {
	if !t.Paid.IsZero() {
		return
	}
	t.State, t.Captured, t.Currency, t.Paid, t.Closed = paid, amount, currency, g.config.Now(), time.Time{}
	t.notifyID = g.notifyID(t.Paid)
	g.moved = append(g.moved, movement{t, nil, amount, t.Paid})
	g.deliver(t.NotifyURL, g.told(t, nil, t.notifyID))
}
