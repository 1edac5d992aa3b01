package judge_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/paymenttest"
	"github.com/boxoffice/boxoffice/payment/stripe"
	"github.com/boxoffice/boxoffice/payment/stripe/stripetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStripesOwnLibraryForNode(t *testing.T) {
	g, err := stripetest.Open(stripetest.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, g.Close()) })
	number := sold(t, g)

	c := g.Credentials()
	type callback struct {
		Header string `json:"header"`
		Body   string `json:"body"`
	}
	var callbacks []callback
	for _, e := range g.Events() {
		callbacks = append(callbacks, callback{e.Header.Get("Stripe-Signature"), string(e.Body)})
	}
	said, complaints, err := paymenttest.Node(t, "stripe", "shop.mjs", map[string]any{
		"url": g.URL(), "key": c.SecretKey, "secret": c.WebhookSecret, "number": number, "callbacks": callbacks,
	})
	require.NoError(t, err, complaints)
	var saw struct{ Verified, Sessions, Events int }
	require.NoError(t, json.Unmarshal(said, &saw), string(said))
	require.Equal(t, len(callbacks), saw.Verified)
	require.Greater(t, saw.Verified, 5)
	require.Equal(t, 1, saw.Sessions)
	require.Greater(t, saw.Events, 5)
}

// sold has the adapter sell something, give part of it back, and lose the rest to a dispute. It returns the number.
func sold(t *testing.T, g *stripetest.Gateway) string {
	t.Helper()
	c := g.Credentials()
	p, err := stripe.New(stripe.Config{SecretKey: c.SecretKey, WebhookSecrets: []string{c.WebhookSecret}, URL: g.URL()})
	require.NoError(t, err)
	order := payment.Order{
		Number: ticketing.NewNumber(time.Now()), Amount: ticketing.Money{Amount: 38_000, Currency: "USD"}, Description: "哈姆雷特 & co", Language: "zh-CN",
		ExpiresAt: time.Now().Add(10 * time.Minute), ReturnURL: "https://shop.example/orders/1?returned=1",
	}
	_, err = p.Create(t.Context(), order, stripe.MethodCheckout)
	require.NoError(t, err)
	require.NoError(t, g.Pay(order.Number))
	paid, err := p.Query(t.Context(), order.Number)
	require.NoError(t, err)
	_, err = p.Refund(t.Context(), payment.Refund{
		ID: ticketing.NewNumber(time.Now()), Number: order.Number, GatewayID: paid.GatewayID,
		Amount: ticketing.Money{Amount: 100, Currency: "USD"}, Total: paid.Captured,
	})
	require.NoError(t, err)
	_, err = g.Dispute(order.Number, 37_900)
	require.NoError(t, err)
	return order.Number
}
