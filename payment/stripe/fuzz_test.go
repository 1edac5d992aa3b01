package stripe_test

import (
	"bytes"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdk "github.com/stripe/stripe-go/v86"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/paymenttest"
	"github.com/boxoffice/boxoffice/payment/stripe"
	"github.com/boxoffice/boxoffice/payment/stripe/stripetest"
)

// FuzzParseCallback mutates genuine events: as they come, nothing that was altered is believed; signed anew, nothing makes the
// reader panic or say what it was not told.
func FuzzParseCallback(f *testing.F) {
	w := newWorld(f, func(c *stripetest.Config) { quick(c); c.WebhookSecret = "whsec_ofthefuzzer0123456789" })
	paid := w.paid(f)
	refund := w.refund(paid, 100)
	_, err := w.provider.Refund(f.Context(), refund)
	require.NoError(f, err)
	require.NoError(f, w.gateway.FailRefund(refund.ID, "declined"))
	later := w.opened(f)
	require.NoError(f, w.gateway.PayLater(later.Number))
	require.NoError(f, w.gateway.Bounce(later.Number))
	dispute, err := w.gateway.Dispute(paid.Number, 300)
	require.NoError(f, err)
	require.NoError(f, w.gateway.Decide(dispute, true))
	genuine := map[string][]byte{}
	for _, c := range w.gateway.Events() {
		header := c.Header.Get("Stripe-Signature")
		genuine[header] = c.Body
		f.Add(header, c.Body)
	}
	for _, how := range []paymenttest.Forgery{paymenttest.Tampered, paymenttest.OtherMerchant, paymenttest.Malformed} {
		c := w.forge(f, paid.Number, how)
		f.Add(c.Header.Get("Stripe-Signature"), c.Body)
	}
	now := w.now()
	known := func(err error) bool {
		return errors.Is(err, payment.ErrSignature) || errors.Is(err, payment.ErrMalformed) || errors.Is(err, payment.ErrWrongMerchant)
	}
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		kept := bytes.Clone(body)
		notice, err := w.provider.ParseCallback(http.Header{"Stripe-Signature": {header}}, body, now)
		switch {
		case !bytes.Equal(kept, body):
			t.Error("the body was changed")
		case err == nil && !bytes.Equal(genuine[header], body):
			// Another spelling of a genuine header is as good; another body never is.
			if sdk.ValidatePayload(body, header, w.config.WebhookSecrets[0], sdk.WithIgnoreTolerance()) != nil {
				t.Errorf("believed %q %q", header, body)
			}
		case err != nil && (!known(err) || notice != payment.Notice{}):
			t.Errorf("%v with %+v", err, notice)
		}
		signed := sdk.GenerateTestSignedPayload(&sdk.UnsignedPayload{Payload: body, Secret: w.config.WebhookSecrets[0], Timestamp: now})
		notice, err = w.provider.ParseCallback(http.Header{"Stripe-Signature": {signed.Header}}, body, now)
		if err != nil {
			if !known(err) || notice != (payment.Notice{}) {
				t.Errorf("%v with %+v", err, notice)
			}
			return
		}
		sensible(t, notice)
	})
}

// sensible checks what a notice must be whatever was signed.
func sensible(t *testing.T, n payment.Notice) {
	t.Helper()
	if n.Provider != stripe.Name || n.EventID == "" {
		t.Errorf("whose event? %+v", n)
	}
	switch n.Kind {
	case payment.NoticePayment:
		if (n.Payment.State == payment.StatePaid) != (n.Payment.Captured.Amount > 0) || n.Payment.Number == "" || n.Payment.At.Before(time.Unix(1, 0)) {
			t.Errorf("payment %+v", n.Payment)
		}
	case payment.NoticeRefund:
		if n.Refund.ID == "" || n.Refund.GatewayID == "" || n.Refund.State == "" {
			t.Errorf("refund %+v", n.Refund)
		}
	case payment.NoticeDispute:
		if n.Dispute.ID == "" || n.Dispute.GatewayID == "" || n.Dispute.Amount.Amount <= 0 || n.Dispute.Fee.Amount < 0 {
			t.Errorf("dispute %+v", n.Dispute)
		}
	case payment.NoticeOther:
		if (n.Payment != payment.Status{} || n.Refund != payment.RefundStatus{} || n.Dispute != payment.Dispute{}) {
			t.Errorf("other, with %+v", n)
		}
	default:
		t.Errorf("kind %q", n.Kind)
	}
}
