package gateway

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/ticketing"
)

var (
	numberForm = regexp.MustCompile(`^[0-9A-Z]{8,32}$`)
	methods    = []string{sandbox.MethodWallet, sandbox.MethodCard, sandbox.MethodQR}
	currencies = []string{"CNY", "EUR", "GBP", "JPY", "KWD", "USD"}
)

// mostAmount is the most one payment may ask for, in minor units.
const mostAmount = 1_000_000_000

// refused is an answer other than success.
type refused struct {
	status  int
	code    string
	message string
}

func (r *refused) Error() string { return r.code + ": " + r.message }

func refuse(status int, code, format string, args ...any) error {
	return &refused{status, code, fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) error {
	return refuse(http.StatusBadRequest, sandbox.CodeInvalid, format, args...)
}

// create opens a payment, or answers what became of it when it was opened before.
func (g *Gateway) create(o sandbox.Order) (sandbox.Payment, error) {
	if err := checkOrder(o); err != nil {
		return sandbox.Payment{}, err
	}
	if known, ok := g.ledger.payments[o.Number]; ok {
		if !sameOrder(known.Order, o) {
			return sandbox.Payment{}, refuse(http.StatusConflict, "number_used", "number %s was used with other terms", o.Number)
		}
		p, err := g.find(o.Number)
		if err != nil {
			return sandbox.Payment{}, err
		}
		return p.Payment, nil
	}
	if !o.ExpiresAt.After(g.now()) {
		return sandbox.Payment{}, refuse(http.StatusConflict, "expired", "expires_at is in the past")
	}
	p := &Payment{
		Payment: sandbox.Payment{
			ID: "SB" + rand.Text(), Merchant: g.config.Merchant, Number: o.Number,
			State: sandbox.Pending, Amount: o.Amount, At: g.now(),
		},
		Order: o, Made: g.now(),
	}
	page := g.config.PublicURL + "/pay/" + p.ID
	if o.Method == sandbox.MethodQR {
		p.QR = page
	} else {
		p.PayURL = page
	}
	return p.Payment, g.ledger.commit(change{payment: p})
}

func checkOrder(o sandbox.Order) error {
	switch {
	case !numberForm.MatchString(o.Number):
		return invalid("number must be 8 to 32 characters of [0-9A-Z]")
	case o.Amount.Amount <= 0 || o.Amount.Amount > mostAmount:
		return invalid("amount must be 1 to %d minor units", mostAmount)
	case !slices.Contains(currencies, o.Amount.Currency):
		return invalid("currency is not supported")
	case !slices.Contains(methods, o.Method):
		return invalid("method is not offered")
	case o.Description == "" || len(o.Description) > 256:
		return invalid("description must have 1 to 256 bytes")
	case len(o.Language) > 35:
		return invalid("language must be a BCP 47 tag")
	case !absolute(o.NotifyURL) || !absolute(o.ReturnURL):
		return invalid("notify_url and return_url must be http(s) URLs of at most 1024 bytes")
	}
	return nil
}

func absolute(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && len(raw) <= 1024
}

func sameOrder(a, b sandbox.Order) bool {
	expiry := a.ExpiresAt.Equal(b.ExpiresAt)
	a.ExpiresAt, b.ExpiresAt = time.Time{}, time.Time{}
	return expiry && a == b
}

// find returns a payment as it is now: one whose time is up is closed.
func (g *Gateway) find(number string) (*Payment, error) {
	p, ok := g.ledger.payments[number]
	if !ok {
		return nil, refuse(http.StatusNotFound, sandbox.CodeUnknown, "no payment %s", number)
	}
	if p.State == sandbox.Pending && !p.Order.ExpiresAt.After(g.now()) {
		return g.closed(p, p.Order.ExpiresAt)
	}
	return p, nil
}

// close forbids a payment; the answer says whether the payer was faster.
func (g *Gateway) close(number string) (sandbox.Payment, error) {
	p, err := g.find(number)
	if err == nil && p.State == sandbox.Pending {
		p, err = g.closed(p, g.now())
	}
	if err != nil {
		return sandbox.Payment{}, err
	}
	return p.Payment, nil
}

func (g *Gateway) closed(p *Payment, at time.Time) (*Payment, error) {
	next := *p
	next.State, next.At = sandbox.Closed, at.UTC()
	return &next, g.ledger.commit(change{payment: &next})
}

// refund gives money back, once per id.
func (g *Gateway) refund(o sandbox.RefundOrder) (sandbox.Refund, error) {
	switch {
	case !numberForm.MatchString(o.ID):
		return sandbox.Refund{}, invalid("id must be 8 to 32 characters of [0-9A-Z]")
	case o.Amount.Amount <= 0:
		return sandbox.Refund{}, invalid("amount must be positive")
	case len(o.Reason) > 256:
		return sandbox.Refund{}, invalid("reason must have at most 256 bytes")
	}
	if known, ok := g.ledger.refunds[o.ID]; ok {
		if known.Number != o.Number || known.Amount != o.Amount {
			return sandbox.Refund{}, refuse(http.StatusConflict, "refund_used", "refund %s was used with other terms", o.ID)
		}
		return known.Refund, nil
	}
	p, err := g.find(o.Number)
	if err != nil {
		return sandbox.Refund{}, err
	}
	switch {
	case p.Captured == nil:
		return sandbox.Refund{}, refuse(http.StatusConflict, "not_paid", "payment %s has captured nothing", o.Number)
	case p.Captured.Currency != o.Amount.Currency || o.Amount.Amount > p.Captured.Amount-g.ledger.refunded(o.Number):
		return sandbox.Refund{}, refuse(http.StatusConflict, "too_much", "refunds would exceed what was captured")
	case g.faults.RefundWindow > 0 && g.now().Sub(p.At) > time.Duration(g.faults.RefundWindow)*time.Millisecond:
		return sandbox.Refund{}, refuse(http.StatusConflict, "window_passed", "payment %s is too old to be refunded", o.Number)
	case g.disputed(o.Number):
		return sandbox.Refund{}, refuse(http.StatusConflict, "disputed", "the payer disputes payment %s", o.Number)
	case g.faults.LowBalance:
		return sandbox.Refund{}, refuse(http.StatusPaymentRequired, sandbox.CodeLowBalance, "the merchant's balance is too low")
	}
	r := &Refund{Refund: sandbox.Refund{
		ID: o.ID, GatewayID: "SR" + rand.Text(), Merchant: g.config.Merchant, Number: o.Number,
		State: sandbox.RefundPending, Amount: o.Amount, At: g.now(),
	}}
	if g.faults.RefundPending > 0 {
		r.SettleAt = g.now().Add(time.Duration(g.faults.RefundPending) * time.Millisecond)
		if err := g.ledger.commit(change{refund: r}); err != nil {
			return sandbox.Refund{}, err
		}
		g.after(r.SettleAt, func() { g.settleLater(r.ID) })
		return r.Refund, nil
	}
	return g.settle(r)
}

// settle ends a refund, as the switches say.
func (g *Gateway) settle(r *Refund) (sandbox.Refund, error) {
	next := *r
	next.At, next.SettleAt = g.now(), time.Time{}
	c := change{refund: &next}
	if g.faults.RefundFails {
		next.State, next.Reason = sandbox.RefundFailed, "the payer's account is closed"
	} else {
		next.State, c.movement = sandbox.RefundSucceeded, given(next)
	}
	return next.Refund, g.record(c, g.ledger.payments[next.Number].Order.NotifyURL, sandbox.Notice{Refund: &next.Refund})
}

// settleByHand makes a refund succeed that failed or is pending, as a clerk of the gateway would
// after a call; no callback tells of it.
func (g *Gateway) settleByHand(id string) error {
	r, ok := g.ledger.refunds[id]
	if !ok {
		return refuse(http.StatusNotFound, sandbox.CodeUnknown, "no refund %s", id)
	}
	if r.State == sandbox.RefundSucceeded {
		return nil
	}
	p := g.ledger.payments[r.Number]
	if r.State == sandbox.RefundFailed && r.Amount.Amount > p.Captured.Amount-g.ledger.refunded(r.Number) {
		return refuse(http.StatusConflict, "too_much", "other refunds have taken what was captured")
	}
	next := *r
	next.State, next.Reason, next.At, next.SettleAt = sandbox.RefundSucceeded, "", g.now(), time.Time{}
	return g.ledger.commit(change{refund: &next, movement: given(next)})
}

// given is the movement of a refund that succeeded.
func given(r Refund) *sandbox.Movement {
	return &sandbox.Movement{
		Kind: sandbox.KindRefund, GatewayID: r.GatewayID, Merchant: r.Merchant, Number: r.Number, RefundID: r.ID,
		Amount: ticketing.Money{Amount: -r.Amount.Amount, Currency: r.Amount.Currency}, At: r.At,
	}
}

func (g *Gateway) settleLater(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.ledger.refunds[id]
	if r == nil || r.State != sandbox.RefundPending {
		return
	}
	if _, err := g.settle(r); err != nil {
		g.log.Error("cannot settle a refund", "refund_id", id, "error", err)
	}
}
