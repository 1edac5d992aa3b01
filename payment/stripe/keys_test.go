package stripe_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/stripe"
	"github.com/boxoffice/boxoffice/payment/stripe/stripetest"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestTheSameOldRefundSentAtOnceIsOne: a day later one process remembers which keys are spent and another does not.
func TestTheSameOldRefundSentAtOnceIsOne(t *testing.T) {
	w := newWorld(t, quick)
	paid := w.paid(t)
	r := w.refund(paid, 1000)
	restore := w.faults(stripetest.Faults{LowBalance: true})
	for range 2 {
		_, err := w.provider.Refund(t.Context(), r)
		require.ErrorIs(t, err, payment.ErrLowBalance)
	}
	restore()
	w.wait(25 * time.Hour)
	looked, release := make(chan struct{}), make(chan struct{})
	other := w.adapter(t, func(c *stripe.Config) {
		next := c.HTTPClient.Transport
		c.HTTPClient = &http.Client{Transport: roundTrip(func(q *http.Request) (*http.Response, error) {
			if q.Method == http.MethodPost {
				close(looked)
				<-release
			}
			return next.RoundTrip(q)
		})}
		c.Timeout = 5 * time.Second
	})
	done := make(chan error)
	go func() { _, err := other.Refund(t.Context(), r); done <- err }()
	<-looked
	_, err := w.provider.Refund(t.Context(), r)
	require.NoError(t, err)
	close(release)
	require.NoError(t, <-done)
	require.EqualValues(t, 1000, w.gateway.Refunded(paid.Number))
}
