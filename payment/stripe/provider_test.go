package stripe_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/stripe"
	"github.com/boxoffice/boxoffice/payment/stripe/stripetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

const (
	createCall = "POST /v1/checkout/sessions"
	listCall   = "GET /v1/checkout/sessions"
	readCall   = "GET /v1/checkout/sessions/{id}"
	expireCall = "POST /v1/checkout/sessions/{id}/expire"
	refundCall = "POST /v1/refunds"
)

func TestHazard12AnotherProcessKnowsWhatWasCreated(t *testing.T) {
	w := newWorld(t)
	order := w.order()
	restore := w.faults(stripetest.Faults{Cut: true})
	_, err := w.provider.Create(t.Context(), order, stripe.MethodCheckout)
	require.ErrorIs(t, err, payment.ErrUnavailable)
	restore()
	status, err := w.another(t).Query(t.Context(), order.Number)
	require.NoError(t, err)
	require.Equal(t, payment.StatePending, status.State)
	again, err := w.another(t).Create(t.Context(), order, stripe.MethodCheckout)
	require.NoError(t, err)
	require.Equal(t, w.gateway.PayURL(order.Number), again.PayURL, "the same page")
	require.Equal(t, 1, w.gateway.Sessions(order.Number))
}

// Stripe repeats a failure of its own to the idempotency key it happened with.
func TestAStoredFailureOfCreateIsGotOver(t *testing.T) {
	for name, after := range map[string]bool{"nothing was made": false, "the session was made": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			order := w.order()
			w.gateway.SetFaults(stripetest.Faults{Failures: 1, FailAfter: after})
			_, err := w.provider.Create(t.Context(), order, stripe.MethodCheckout)
			require.ErrorIs(t, err, payment.ErrUnavailable)
			require.Equal(t, 1, w.gateway.Asked(createCall), "it does not repeat by itself")
			checkout, err := w.another(t).Create(t.Context(), order, stripe.MethodCheckout)
			require.NoError(t, err)
			require.Equal(t, w.gateway.PayURL(order.Number), checkout.PayURL)
			require.Equal(t, 1, w.gateway.Sessions(order.Number))
			require.NoError(t, w.gateway.Pay(order.Number))
			status, err := w.another(t).Query(t.Context(), order.Number)
			require.NoError(t, err)
			require.Equal(t, payment.StatePaid, status.State)
		})
	}
}

func TestAFailureThatGoesOnStaysOne(t *testing.T) {
	w := newWorld(t)
	order := w.order()
	w.gateway.SetFaults(stripetest.Faults{Failures: 3})
	for range 3 {
		_, err := w.provider.Create(t.Context(), order, stripe.MethodCheckout)
		require.ErrorIs(t, err, payment.ErrUnavailable)
	}
	_, err := w.provider.Create(t.Context(), order, stripe.MethodCheckout)
	require.NoError(t, err)
	require.Equal(t, 1, w.gateway.Sessions(order.Number))
}

// Another process has nothing but the number.
func TestASessionIsFoundByItsNumberAlone(t *testing.T) {
	w := newWorld(t)
	for name, late := range map[string]time.Duration{
		"at once": 0, "in the last second of the near window": 12 * time.Second, "after it": 14 * time.Second,
		"as late as it can be": 5*time.Minute - 2*time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			order := w.order()
			w.wait(late)
			_, err := w.provider.Create(t.Context(), order, stripe.MethodCheckout)
			require.NoError(t, err)
			require.NoError(t, w.gateway.Pay(order.Number))
			w.wait(48 * time.Hour)
			status, err := w.another(t).Query(t.Context(), order.Number)
			require.NoError(t, err)
			require.Equal(t, payment.StatePaid, status.State)
			require.Equal(t, order.Number, status.Number)
		})
	}
}

func TestHazard29NumbersTellWhereToLook(t *testing.T) {
	w := newWorld(t)
	create := func(ahead time.Duration) error {
		order := w.order()
		order.Number = ticketing.NewNumber(w.now().Add(ahead))
		order.ExpiresAt = w.now().Add(time.Hour)
		_, err := w.provider.Create(t.Context(), order, stripe.MethodCheckout)
		if err == nil { // and it is found again
			_, err = w.another(t).Query(t.Context(), order.Number)
		}
		return err
	}
	require.NoError(t, create(-5*time.Minute+2*time.Second))
	require.ErrorIs(t, create(-5*time.Minute-2*time.Second), payment.ErrRejected)
	require.NoError(t, create(time.Minute-2*time.Second))
	require.ErrorIs(t, create(time.Minute+2*time.Second), payment.ErrRejected)
	for _, number := range []string{"", "SHOP2-00001", strings.Repeat("U", 26), strings.Repeat("a", 26)} {
		_, err := w.provider.Query(t.Context(), number)
		require.ErrorIs(t, err, payment.ErrNotFound, number)
		_, err = w.provider.Close(t.Context(), number)
		require.ErrorIs(t, err, payment.ErrNotFound, number)
	}
}

func TestInARushOneLookFindsMany(t *testing.T) {
	w := newWorld(t, quick)
	const many = 230
	orders := make([]payment.Order, many)
	for i := range orders {
		orders[i] = w.opened(t)
	}
	other := w.another(t)
	for _, order := range orders {
		status, err := other.Query(t.Context(), order.Number)
		require.NoError(t, err)
		require.Equal(t, payment.StatePending, status.State)
	}
	require.Equal(t, many, w.gateway.Asked(readCall), "each is read once")
	require.LessOrEqual(t, w.gateway.Asked(listCall), 9, "and found on a handful of pages")

	looks := w.gateway.Asked(listCall)
	_, err := w.provider.Query(t.Context(), orders[0].Number)
	require.NoError(t, err)
	require.Equal(t, looks, w.gateway.Asked(listCall), "who created it has nothing to look for")
}

func TestHazard16ASessionThatOutlivesTheHoldIsExpired(t *testing.T) {
	w := newWorld(t)
	order := w.opened(t)
	w.wait(order.ExpiresAt.Sub(w.now()))
	w.query(t, order.Number, payment.StatePending)
	closed, err := w.another(t).Close(t.Context(), order.Number)
	require.NoError(t, err)
	require.Equal(t, payment.StateClosed, closed.State)
	require.ErrorIs(t, w.gateway.Pay(order.Number), stripetest.ErrEnded)
	require.Equal(t, 1, w.gateway.Asked(expireCall))
	_, err = w.provider.Close(t.Context(), order.Number)
	require.NoError(t, err)
	require.Equal(t, 1, w.gateway.Asked(expireCall), "once is enough")
}

func TestStripesOwnEnd(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct{ hold, own time.Duration }{
		"too short for Stripe": {10 * time.Minute, 40 * time.Minute},
		"as it is":             {2 * time.Hour, 2 * time.Hour},
		"too long for Stripe":  {48 * time.Hour, 24*time.Hour - 5*time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			order := w.order()
			order.ExpiresAt = w.now().Add(test.hold)
			_, err := w.provider.Create(t.Context(), order, stripe.MethodCheckout)
			require.NoError(t, err)
			w.wait(test.own - 3*time.Second)
			w.query(t, order.Number, payment.StatePending)
			w.wait(6 * time.Second)
			w.query(t, order.Number, payment.StateClosed)
		})
	}
	order := w.order()
	w.wait(10 * time.Minute)
	_, err := w.provider.Create(t.Context(), order, stripe.MethodCheckout)
	require.ErrorIs(t, err, payment.ErrRejected, "nobody can pay any more")
}

// The payer pays between our look and our word.
func TestHazard10CloseLosesTheRace(t *testing.T) {
	for name, pay := range map[string]func(*stripetest.Gateway, string) error{
		"paid": (*stripetest.Gateway).Pay, "unknown": (*stripetest.Gateway).PayLater,
	} {
		t.Run(name, func(t *testing.T) {
			var before atomic.Pointer[func()]
			w := newWorld(t, func(c *stripetest.Config) {
				check := c.Check
				c.Check = func(r *http.Request, body []byte) error {
					if do := before.Load(); do != nil && strings.HasSuffix(r.URL.Path, "/expire") {
						(*do)()
					}
					return check(r, body)
				}
			})
			order := w.opened(t)
			do := func() { require.NoError(t, pay(w.gateway, order.Number)) }
			before.Store(&do)
			status, err := w.provider.Close(t.Context(), order.Number)
			require.NoError(t, err)
			require.Equal(t, payment.State(name), status.State)
			require.Equal(t, 1, w.gateway.Asked(expireCall))
		})
	}
}

func TestACardThatIsDeclinedLeavesThePageOpen(t *testing.T) {
	w := newWorld(t)
	order := w.opened(t)
	require.NoError(t, w.gateway.DeclineCard(order.Number))
	w.query(t, order.Number, payment.StatePending)
	require.NoError(t, w.gateway.Pay(order.Number))
	w.query(t, order.Number, payment.StatePaid)
}

func TestHazard17AMethodThatTellsLater(t *testing.T) {
	w := newWorld(t)
	arrives, bounces := w.opened(t), w.opened(t)
	for _, order := range []payment.Order{arrives, bounces} {
		require.NoError(t, w.gateway.PayLater(order.Number))
		w.query(t, order.Number, payment.StateUnknown)
	}
	w.wait(72 * time.Hour)
	require.NoError(t, w.gateway.Arrive(arrives.Number))
	require.NoError(t, w.gateway.Bounce(bounces.Number))
	paid := w.query(t, arrives.Number, payment.StatePaid)
	require.WithinDuration(t, w.now(), paid.At, time.Minute, "when it came")
	w.query(t, bounces.Number, payment.StateDeclined)
}

// What is no answer of Stripe's, or one that something in between will mend, says nothing about the payment.
func TestAnswersThatSayNothing(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	for name, f := range map[string]stripetest.Faults{
		"a proxy's page": {Status: http.StatusBadGateway}, "a page instead of an answer": {Status: http.StatusOK},
		"a page not found": {Status: http.StatusNotFound}, "somebody else's refusal": {Status: http.StatusBadRequest},
		"a redirect": {Status: http.StatusFound}, "too many requests": {RateLimited: true}, "somebody holds it": {Locked: true},
		"still at work on the first": {InUse: true}, "half an answer": {Cut: true},
	} {
		t.Run(name, func(t *testing.T) {
			defer w.faults(f)()
			w.unavailable(t, w.provider, paid)
		})
	}
	t.Run("another key", func(t *testing.T) {
		w.unavailable(t, w.adapter(t, func(c *stripe.Config) { c.SecretKey = "sk_test_revoked12345" }), paid)
	})
	t.Run("no rights on the account", func(t *testing.T) {
		w.unavailable(t, w.adapter(t, func(c *stripe.Config) { c.Account = "acct_other" }), paid)
	})
}

// unavailable asks everything of a provider whose gateway says nothing useful.
func (w *world) unavailable(t *testing.T, p *stripe.Provider, paid payment.Status) {
	t.Helper()
	_, err := p.Create(t.Context(), w.order(), stripe.MethodCheckout)
	require.ErrorIs(t, err, payment.ErrUnavailable)
	require.NotErrorIs(t, err, payment.ErrRejected)
	for _, ask := range []func() error{
		func() error { _, err := p.Query(t.Context(), paid.Number); return err },
		func() error { _, err := p.Close(t.Context(), paid.Number); return err },
		func() error { _, err := p.Refund(t.Context(), w.refund(paid, 100)); return err },
		func() error { _, err := p.QueryRefund(t.Context(), w.refund(paid, 100)); return err },
		func() error { _, err := p.Bill(t.Context(), w.now()); return err },
	} {
		err := ask()
		require.ErrorIs(t, err, payment.ErrUnavailable)
		require.NotErrorIs(t, err, payment.ErrNotFound)
		require.NotContains(t, err.Error(), w.config.SecretKey)
	}
}

func TestOrdersThatStripeCannotTake(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*payment.Order){
		"no amount":               func(o *payment.Order) { o.Amount.Amount = 0 },
		"less than Stripe takes":  func(o *payment.Order) { o.Amount.Amount = 49 },
		"more than Stripe takes":  func(o *payment.Order) { o.Amount.Amount = 100_000_000 },
		"an unknown currency":     func(o *payment.Order) { o.Amount.Currency = "XTS" },
		"no address to return to": func(o *payment.Order) { o.ReturnURL = "javascript:alert(1)" },
		"an address too long":     func(o *payment.Order) { o.ReturnURL += strings.Repeat("x", 5000) },
		"a number of others":      func(o *payment.Order) { o.Number = "SHOP2-00001" },
		"over already":            func(o *payment.Order) { o.ExpiresAt = w.now().Add(-time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			order := w.order()
			change(&order)
			_, err := w.provider.Create(t.Context(), order, stripe.MethodCheckout)
			require.ErrorIs(t, err, payment.ErrRejected)
			require.Zero(t, w.gateway.Sessions(order.Number))
		})
	}
	_, err := w.provider.Create(t.Context(), w.order(), "stripe_cash")
	require.ErrorIs(t, err, payment.ErrRejected)
}

func TestWhatThePayerReads(t *testing.T) {
	w := newWorld(t)
	for name, text := range map[string]string{
		"nothing": "", "long": strings.Repeat("哈姆雷特 ", 200), "control characters": "Ham\x00let\r\n\tII", "broken": "Ham\xfflet",
	} {
		t.Run(name, func(t *testing.T) {
			order := w.order()
			order.Description = text
			_, err := w.provider.Create(t.Context(), order, stripe.MethodCheckout)
			require.NoError(t, err)
		})
	}
	for language, spoken := range map[string]string{
		"": "auto", "en": "en", "en-US": "en", "zh-CN": "zh", "zh-TW": "zh-TW", "zh-Hant": "zh-TW", "pt-BR": "pt-BR", "de-AT": "de", "tlh": "auto",
	} {
		order := w.order()
		order.Language = language
		_, err := w.provider.Create(t.Context(), order, stripe.MethodCheckout)
		require.NoError(t, err)
		require.Equal(t, spoken, w.gateway.Locale(order.Number), language)
	}
}

// Stripe's library would tell Stripe about the machine it runs on.
func TestRequestsTellNothingOfTheMachine(t *testing.T) {
	w := newWorld(t, func(c *stripetest.Config) {
		check := c.Check
		c.Check = func(r *http.Request, body []byte) error {
			if agent := r.Header.Get("User-Agent"); agent != "Boxoffice" {
				t.Errorf("User-Agent %q", agent)
			}
			for name := range r.Header {
				if strings.HasPrefix(name, "X-Stripe-Client") {
					t.Errorf("%s: %s", name, r.Header.Get(name))
				}
			}
			return check(r, body)
		}
	})
	w.paid(t)
}

// An organiser's account connected to the platform whose key we have.
func TestAConnectedAccount(t *testing.T) {
	w := newWorld(t, func(c *stripetest.Config) { c.Account = "acct_organiser" })
	order := w.opened(t)
	closed, err := w.another(t).Close(t.Context(), order.Number)
	require.NoError(t, err)
	require.Equal(t, payment.StateClosed, closed.State)
	paid := w.paid(t)
	refunded, err := w.provider.Refund(t.Context(), w.refund(paid, 100))
	require.NoError(t, err)
	require.Equal(t, payment.RefundSucceeded, refunded.State)
	lines, err := w.provider.Bill(t.Context(), w.now())
	require.NoError(t, err)
	require.Len(t, lines, 2)
	callback := w.mailbox.about(t, "checkout.session.completed", paid.Number, 1)[0]
	_, err = w.provider.ParseCallback(callback.Header, callback.Body, w.now())
	require.NoError(t, err)
	_, err = w.adapter(t, func(c *stripe.Config) { c.Account = "" }).ParseCallback(callback.Header, callback.Body, w.now())
	require.ErrorIs(t, err, payment.ErrWrongMerchant)
}
