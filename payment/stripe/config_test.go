package stripe_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/stripe"
)

func valid() stripe.Config {
	return stripe.Config{SecretKey: "sk_test_0123456789abcdef", WebhookSecrets: []string{"whsec_0123456789abcdef"}}
}

func TestAKeyIsEnough(t *testing.T) {
	p, err := stripe.New(valid())
	require.NoError(t, err)
	require.Equal(t, "stripe", p.Name())
	require.Equal(t, []string{"stripe_checkout"}, p.Methods())
	c := valid()
	c.Name, c.SecretKey, c.Account = "stripe-acme", "rk_live_0123456789abcdef", "acct_1032D82eZvKYlo2C"
	p, err = stripe.New(c)
	require.NoError(t, err)
	require.Equal(t, "stripe-acme", p.Name())
}

func TestConfigurationsThatCannotWork(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*stripe.Config)
		says   string
	}{
		"no key":             {func(c *stripe.Config) { c.SecretKey = "" }, "a secret key is required"},
		"publishable key":    {func(c *stripe.Config) { c.SecretKey = "pk_test_0123456789abcdef" }, "publishable"},
		"something else":     {func(c *stripe.Config) { c.SecretKey = "hunter2hunter2" }, "must begin with sk_test_"},
		"key with a newline": {func(c *stripe.Config) { c.SecretKey += "\n" }, "must begin with sk_test_"},
		"no secret":          {func(c *stripe.Config) { c.WebhookSecrets = nil }, "a webhook signing secret is required"},
		"key as secret":      {func(c *stripe.Config) { c.WebhookSecrets = append(c.WebhookSecrets, c.SecretKey) }, "signing secret 2 must begin with whsec_"},
		"name":               {func(c *stripe.Config) { c.Name = "Stripe ACME" }, `name "Stripe ACME"`},
		"long name":          {func(c *stripe.Config) { c.Name = strings.Repeat("a", 33) }, "1 to 32"},
		"account":            {func(c *stripe.Config) { c.Account = "acme" }, `account "acme" must begin with acct_`},
		"method":             {func(c *stripe.Config) { c.PaymentMethods = []string{"Credit Card"} }, `payment method "Credit Card"`},
		"currency":           {func(c *stripe.Config) { c.Currencies = []string{"USD", "usd"} }, `currency "usd"`},
		"URL":                {func(c *stripe.Config) { c.URL = "api.stripe.com" }, "must be http(s)://host"},
		"URL with a path":    {func(c *stripe.Config) { c.URL = "https://api.stripe.com/v1" }, "without a path"},
		"live in clear": {func(c *stripe.Config) {
			c.SecretKey, c.URL = "sk_live_0123456789abcdef", "http://stripe.internal"
		}, "a live key would be readable"},
		"negative time": {func(c *stripe.Config) { c.Tolerance = -time.Second }, "durations must not be negative"},
	} {
		t.Run(name, func(t *testing.T) {
			c := valid()
			test.change(&c)
			p, err := stripe.New(c)
			require.ErrorContains(t, err, test.says)
			require.Nil(t, p)
			for _, secret := range append([]string{c.SecretKey}, c.WebhookSecrets...) {
				if secret != "" {
					require.NotContains(t, err.Error(), strings.TrimSpace(secret), "keys are never quoted")
				}
			}
		})
	}
	_, err := stripe.New(stripe.Config{Name: "?", URL: "?", Account: "?"})
	require.Len(t, strings.Split(err.Error(), "\n"), 5, "all mistakes at once")
}

func TestLiveKeysMayGoToThisMachine(t *testing.T) {
	for _, origin := range []string{"http://127.0.0.1:12111", "http://[::1]:1", "http://localhost:1/", "https://api.stripe.com"} {
		c := valid()
		c.SecretKey, c.URL = "sk_live_0123456789abcdef", origin
		_, err := stripe.New(c)
		require.NoError(t, err)
	}
}

// What pretends to be Stripe's API must not fill the memory, nor send the key elsewhere.
func TestAnswersAreBounded(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the request was sent on, with %q", r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	for name, answer := range map[string]http.HandlerFunc{
		"endless": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"id":"`)
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		},
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
		"a session of nobody": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"id":"cs_1","object":"checkout.session"}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(answer)
			defer server.Close()
			w := newWorld(t)
			p := w.adapter(t, func(c *stripe.Config) { c.URL = server.URL })
			w.unavailable(t, p, payment.Status{Number: w.order().Number, GatewayID: "pi_1", Captured: dollars(38_000)})
		})
	}
}

func TestListsThatDoNotEnd(t *testing.T) {
	for name, data := range map[string]string{"more of nothing": `[]`, "in circles": `[{"id":"x"}]`, "without ids": `[{},{}]`} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"object":"list","url":"/v1/things","has_more":true,"data":`+data+`}`)
			}))
			defer server.Close()
			w := newWorld(t)
			p := w.adapter(t, func(c *stripe.Config) { c.URL = server.URL })
			_, err := p.Query(t.Context(), w.order().Number)
			require.ErrorIs(t, err, payment.ErrUnavailable)
			lines, err := p.Bill(t.Context(), w.now())
			require.True(t, errors.Is(err, payment.ErrTruncatedBill) || errors.Is(err, payment.ErrUnavailable), "%v", err)
			require.Empty(t, lines)
		})
	}
}

// The description of Stripe's API that tests use is larger than the product.
func TestTheProductDoesNotHoldWhatTestsNeed(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".", "../../cmd/...").Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "github.com/stripe/stripe-go/v86")
	require.NotContains(t, string(out), "stripe-mock")
	require.NotContains(t, string(out), "stripetest")
}
