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
)

var (
	numberForm = regexp.MustCompile(`^[0-9A-Z]{8,32}$`)
	methods    = []string{sandbox.MethodWallet, sandbox.MethodCard, sandbox.MethodQR}
	currencies = []string{"CNY", "EUR", "USD", "GBP", "JPY", "KWD"}
)

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

// create opens a payment, or answers what it did the first time.
func (g *Gateway) create(o sandbox.Order) (sandbox.Payment, error) {
	if err := checkOrder(o); err != nil {
		return sandbox.Payment{}, err
	}
	if known, ok := g.ledger.payments[o.Number]; ok {
		if !sameOrder(known.Order, o) {
			return sandbox.Payment{}, refuse(http.StatusConflict, "number_used", "number %s was used with other terms", o.Number)
		}
		return known.Payment, nil
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
	return p.Payment, g.ledger.putPayment(p)
}

func checkOrder(o sandbox.Order) error {
	invalid := func(what string) error { return refuse(http.StatusBadRequest, "invalid", "%s", what) }
	switch {
	case !numberForm.MatchString(o.Number):
		return invalid("number must be 8 to 32 characters of [0-9A-Z]")
	case o.Amount.Amount <= 0 || o.Amount.Amount > 1_000_000_000:
		return invalid("amount must be 1 to 1000000000 minor units")
	case !slices.Contains(currencies, o.Amount.Currency):
		return invalid("currency is not supported")
	case !slices.Contains(methods, o.Method):
		return invalid("method is not offered")
	case o.Description == "" || len(o.Description) > 256:
		return invalid("description must have 1 to 256 bytes")
	case !absolute(o.NotifyURL) || !absolute(o.ReturnURL):
		return invalid("notify_url and return_url must be http(s) URLs")
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

// find returns a payment as it is now: one whose time is up can no longer be paid.
func (g *Gateway) find(number string) (*Payment, error) {
	p, ok := g.ledger.payments[number]
	if !ok {
		return nil, refuse(http.StatusNotFound, "unknown", "no payment %s", number)
	}
	if p.State == sandbox.Pending && !p.Order.ExpiresAt.After(g.now()) {
		p.State, p.At = sandbox.Closed, p.Order.ExpiresAt
		if err := g.ledger.putPayment(p); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// close forbids a payment; the answer says whether the payer was faster.
func (g *Gateway) close(number string) (sandbox.Payment, error) {
	p, err := g.find(number)
	if err != nil {
		return sandbox.Payment{}, err
	}
	if p.State == sandbox.Pending {
		p.State, p.At = sandbox.Closed, g.now()
		err = g.ledger.putPayment(p)
	}
	return p.Payment, err
}

// refund gives money back, once per id.
func (g *Gateway) refund(o sandbox.RefundOrder) (sandbox.Refund, error) {
	if !numberForm.MatchString(o.ID) || o.Amount.Amount <= 0 {
		return sandbox.Refund{}, refuse(http.StatusBadRequest, "invalid", "id or amount")
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
	case p.Captured.Currency != o.Amount.Currency || g.ledger.refunded(o.Number)+o.Amount.Amount > p.Captured.Amount:
		return sandbox.Refund{}, refuse(http.StatusConflict, "too_much", "refunds would exceed what was captured")
	case g.faults.LowBalance:
		return sandbox.Refund{}, refuse(http.StatusPaymentRequired, "balance_too_low", "the merchant's balance is too low")
	}
	r := &Refund{sandbox.Refund{
		ID: o.ID, GatewayID: "SR" + rand.Text(), Merchant: g.config.Merchant, Number: o.Number,
		State: sandbox.RefundSucceeded, Amount: o.Amount, At: g.now(),
	}}
	if g.faults.RefundFails {
		r.State, r.Reason = sandbox.RefundFailed, "the payer's account is closed"
	}
	if err := g.ledger.putRefund(r); err != nil {
		return sandbox.Refund{}, err
	}
	return r.Refund, g.notify(p.Order.NotifyURL, sandbox.Notice{Refund: &r.Refund})
}

// capture takes the payer's money, whatever the clock says: real gateways, too, sometimes do so late.
func (g *Gateway) capture(p *Payment) error {
	if p.State == sandbox.Paid {
		return nil
	}
	taken := p.Amount
	if g.faults.CaptureAmount != 0 {
		taken.Amount = g.faults.CaptureAmount
	}
	if g.faults.CaptureCurrency != "" {
		taken.Currency = g.faults.CaptureCurrency
	}
	p.State, p.Captured, p.At, p.PaidAt, p.CaptureAt = sandbox.Paid, &taken, g.now(), g.now(), time.Time{}
	if err := g.ledger.putPayment(p); err != nil {
		return err
	}
	return g.notifyPayment(p)
}

// pay is the payer's "pay": only what is pending can be paid.
func (g *Gateway) pay(number string) error {
	p, err := g.find(number)
	if err != nil {
		return err
	}
	if p.State == sandbox.Paid {
		return nil
	}
	if p.State != sandbox.Pending {
		return refuse(http.StatusConflict, "not_payable", "payment %s is %s", number, p.State)
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
		return refuse(http.StatusConflict, "not_payable", "payment %s is %s", number, p.State)
	}
	p.State, p.At = sandbox.Declined, g.now()
	if err := g.ledger.putPayment(p); err != nil {
		return err
	}
	return g.notifyPayment(p)
}

// payLate captures the money after a while, even if the payment is closed by then.
func (g *Gateway) payLate(number string, after time.Duration) error {
	p, err := g.find(number)
	if err != nil {
		return err
	}
	if p.State == sandbox.Paid {
		return refuse(http.StatusConflict, "not_payable", "payment %s is %s", number, p.State)
	}
	p.CaptureAt = g.now().Add(after)
	g.after(p.CaptureAt, func() { g.captureLater(number) })
	return g.ledger.putPayment(p)
}

// process leaves the outcome open for a while, then captures.
func (g *Gateway) process(number string, lasts time.Duration) error {
	p, err := g.find(number)
	if err != nil {
		return err
	}
	if p.State != sandbox.Pending {
		return refuse(http.StatusConflict, "not_payable", "payment %s is %s", number, p.State)
	}
	p.State, p.At = sandbox.Processing, g.now()
	return g.payLate(number, lasts)
}

func (g *Gateway) captureLater(number string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.capture(g.ledger.payments[number]); err != nil {
		g.log.Error("cannot capture late", "number", number, "error", err)
	}
}
