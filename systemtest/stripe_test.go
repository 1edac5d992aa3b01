package systemtest

import (
	"net/http"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/stripe"
	"github.com/boxoffice/boxoffice/payment/stripe/stripetest"
	"github.com/boxoffice/boxoffice/systemtest/stack"
)

func openStripe(t testing.TB) bank {
	t.Helper()
	g, err := stripetest.Open(stripetest.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = g.Close() })
	c := g.Credentials()
	return bank{
		provider: stripe.Name, method: stripe.MethodCheckout, zone: time.UTC,
		env: []string{
			"BOXOFFICE_GATEWAYS=sandbox,stripe", "BOXOFFICE_STRIPE_URL=" + g.URL(),
			"BOXOFFICE_STRIPE_SECRET_KEY=" + c.SecretKey, "BOXOFFICE_STRIPE_WEBHOOK_SECRETS=" + c.WebhookSecret,
		},
		// Stripe is told in its dashboard where callbacks go, not by each payment.
		started: func(s *stack.Stack) { g.Notify(s.Setting("BOXOFFICE_PUBLIC_URL") + "/api/v1/callbacks/stripe") },
		pay:     g.Pay,
		payLate: func(number string) error { return g.PayOther(number, 100_00, "cny") },
		refunded: func(_, refundID string) (sum int64) {
			for _, r := range stripeRefunds(t, g) {
				for _, value := range r.Metadata {
					if value == refundID {
						sum += r.Amount
					}
				}
			}
			return sum
		},
	}
}

type stripeRefund struct {
	Amount   int64             `json:"amount"`
	Metadata map[string]string `json:"metadata"`
}

// stripeRefunds asks the gateway for all its refunds, as its owner would.
func stripeRefunds(t testing.TB, g *stripetest.Gateway) []stripeRefund {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.URL()+"/v1/refunds?limit=100", nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+g.Credentials().SecretKey)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	var list struct {
		Data []stripeRefund `json:"data"`
	}
	require.NoError(t, json.UnmarshalRead(response.Body, &list))
	return list.Data
}
