package stripe

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v86"

	"github.com/boxoffice/boxoffice/payment/gatewayclient"
)

// Name is the provider's name unless Config says another.
const Name = "stripe"

// ProductionURL is the address of Stripe's API, for live and for test keys.
const ProductionURL = "https://api.stripe.com"

// Config is what the adapter needs.
type Config struct {
	// Name tells several accounts apart: 1 to 32 characters of [a-z0-9-]. Default "stripe".
	Name string
	// SecretKey is the account's, or a restricted key (rk_…) that may write Checkout Sessions and refunds and read
	// payment intents, charges, disputes and balance transactions. Whether it is a test or a live key decides which events are believed.
	SecretKey string
	// WebhookSecrets are the signing secrets (whsec_…) of our webhook endpoint; two while one is being replaced.
	WebhookSecrets []string
	// Account is the connected account (acct_…) that sells, where SecretKey is its platform's. Empty: SecretKey's own account.
	Account string
	// PaymentMethods are what Stripe's page offers, in Stripe's words. Default "card", with which go Apple Pay and Google Pay. Most others
	// are decided days after the buyer has left: their payments are unknown until then.
	PaymentMethods []string
	// Currencies are what the account collects, in capitals. Default: everything Stripe can show a payer.
	Currencies []string
	// URL is the API's origin, without a path. Default: production.
	URL string
	// Timeout bounds each request (default 5 s), SearchTimeout each call that may need many (default 30 s), BillTimeout
	// the fetching of a bill (default 10 min), of which one page may take a tenth.
	Timeout       time.Duration
	SearchTimeout time.Duration
	BillTimeout   time.Duration
	// Tolerance is by how much the moment an event was signed may differ from ours. Default 5 min.
	Tolerance time.Duration
	// HTTPClient sends the requests. Default: one that keeps connections for hundreds of calls at once. Redirects are never
	// followed, whatever it says.
	HTTPClient *http.Client
	// Now is the clock. Default time.Now. It must be right to within a minute: that is how payments are found again.
	Now func() time.Time
}

var (
	keyShape     = regexp.MustCompile(`^(sk|rk)_(test|live)_[0-9A-Za-z_]{8,240}$`)
	secretShape  = regexp.MustCompile(`^whsec_[0-9A-Za-z+/=_]{8,240}$`)
	accountShape = regexp.MustCompile(`^acct_[0-9A-Za-z]{1,64}$`)
	methodShape  = regexp.MustCompile(`^[a-z0-9_]{1,50}$`)
)

// New makes a provider. It returns an error that lists everything in the configuration that is wrong.
func New(config Config) (*Provider, error) {
	p := &Provider{config: withDefaults(config)}
	c := &p.config
	var mistakes []error
	wrong := func(format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf("stripe: "+format, args...))
	}
	if err := gatewayclient.CheckName(c.Name); err != nil {
		wrong("%w", err)
	}
	p.live = strings.Contains(c.SecretKey, "k_live_")
	switch { // keys are never quoted
	case c.SecretKey == "":
		wrong("a secret key is required")
	case strings.HasPrefix(c.SecretKey, "pk_"):
		wrong("the secret key is a publishable one (pk_…)")
	case !keyShape.MatchString(c.SecretKey):
		wrong("the secret key must begin with sk_test_, sk_live_, rk_test_ or rk_live_")
	}
	if len(c.WebhookSecrets) == 0 {
		wrong("a webhook signing secret is required: events cannot be verified without")
	}
	for i, secret := range c.WebhookSecrets {
		if !secretShape.MatchString(secret) {
			wrong("webhook signing secret %d must begin with whsec_", i+1)
		}
	}
	if c.Account != "" && !accountShape.MatchString(c.Account) {
		wrong("account %q must begin with acct_", c.Account)
	}
	for _, method := range c.PaymentMethods {
		if !methodShape.MatchString(method) {
			wrong("payment method %q must be one of Stripe's, such as card", method)
		}
	}
	for _, currency := range c.Currencies {
		if !slices.Contains(presentable, currency) {
			wrong("currency %q is not collected by Stripe", currency)
		}
	}
	if err := checkOrigin(c.URL, p.live); err != nil {
		wrong("%w", err)
	}
	c.URL = strings.TrimSuffix(c.URL, "/")
	if c.Timeout < 0 || c.SearchTimeout < 0 || c.BillTimeout < 0 || c.Tolerance < 0 {
		wrong("durations must not be negative")
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	p.api = c.client(c.Timeout, maxAnswer)
	p.bills = c.client(max(c.Timeout, c.BillTimeout/10), maxBillAnswer)
	return p, nil
}

// checkOrigin refuses addresses to which a key must not be sent.
func checkOrigin(address string, live bool) error {
	origin, err := url.Parse(address)
	if err != nil || origin.Scheme != "http" && origin.Scheme != "https" || origin.Hostname() == "" || strings.Trim(origin.Path, "/") != "" || origin.RawQuery != "" {
		return fmt.Errorf("URL %q must be http(s)://host, without a path", address)
	}
	ip := net.ParseIP(origin.Hostname())
	here := origin.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if origin.Scheme == "http" && live && !here {
		return fmt.Errorf("URL %q must be https: a live key would be readable on the way", address)
	}
	return nil
}

func withDefaults(c Config) Config {
	for value, fallback := range map[*string]string{&c.Name: Name, &c.URL: ProductionURL} {
		if *value == "" {
			*value = fallback
		}
	}
	for value, fallback := range map[*time.Duration]time.Duration{
		&c.Timeout: 5 * time.Second, &c.SearchTimeout: 30 * time.Second, &c.BillTimeout: 10 * time.Minute, &c.Tolerance: 5 * time.Minute,
	} {
		if *value == 0 {
			*value = fallback
		}
	}
	c.WebhookSecrets = slices.Clone(c.WebhookSecrets)
	c.PaymentMethods = slices.Clone(c.PaymentMethods)
	if len(c.PaymentMethods) == 0 {
		c.PaymentMethods = []string{"card"}
	}
	c.Currencies = slices.Clone(c.Currencies)
	if len(c.Currencies) == 0 {
		c.Currencies = presentable
	}
	c.HTTPClient = gatewayclient.HTTP(c.HTTPClient)
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

const (
	maxAnswer     = 4 << 20  // bytes
	maxBillAnswer = 64 << 20 // bytes
)

// client is Stripe's library, told not to retry, not to log, not to report on us, and to wait and read within bounds.
func (c *Config) client(bound time.Duration, limit int64) *sdk.Client {
	own := *c.HTTPClient
	own.Timeout = bound
	own.Transport = &bounded{next: own.Transport, limit: limit}
	backend := sdk.GetBackendWithConfig(sdk.APIBackend, &sdk.BackendConfig{
		URL: sdk.String(c.URL), HTTPClient: &own, MaxNetworkRetries: sdk.Int64(0), EnableTelemetry: new(false),
		LeveledLogger: &sdk.LeveledLogger{Level: sdk.LevelNull},
	})
	return sdk.NewClient(c.SecretKey, sdk.WithBackends(&sdk.Backends{API: backend, Connect: backend, Uploads: backend, MeterEvents: backend}))
}

// bounded limits what is read of an answer, and what the library tells of the machine it runs on.
type bounded struct {
	next  http.RoundTripper
	limit int64
}

func (b *bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Del("X-Stripe-Client-User-Agent")
	r.Header.Set("User-Agent", "Boxoffice")
	response, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = gatewayclient.Limit(response.Body, b.limit)
	return response, nil
}
