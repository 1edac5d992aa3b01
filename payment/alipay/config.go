package alipay

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/smartwalle/alipay/v3"
	"github.com/smartwalle/nsign"

	"github.com/boxoffice/boxoffice/payment/gatewayclient"
)

// Name is the provider's name unless Config says another.
const Name = "alipay"

// The gateway's own addresses.
const (
	ProductionURL = "https://openapi.alipay.com/gateway.do"
	SandboxURL    = "https://openapi-sandbox.dl.alipaydev.com/gateway.do"
)

// Config is what the adapter needs.
type Config struct {
	// Name tells several merchants of the gateway apart: 1 to 32 characters of [a-z0-9-]. Default "alipay".
	Name string
	// AppID is our application there, 16 digits. SellerID is the account that is paid (PID), 2088 and 12 digits.
	AppID    string
	SellerID string
	// Key is our application's RSA key: PEM, or the bare base64 that Alipay's key tool writes; PKCS#1 or PKCS#8.
	Key []byte
	// PublicKeys are Alipay's keys for our application (not our own): PEM or bare base64. Two during a rotation.
	// Either they or the certificates are required.
	PublicKeys [][]byte
	// Certificates are Alipay's, in PEM, two during a rotation (alipayCertPublicKey_RSA2.crt); AppCertificate is our
	// application's, Roots are Alipay's (alipayRootCert.crt).
	Certificates   []byte
	AppCertificate []byte
	Roots          []byte
	// URL is the gateway's address. Default: production.
	URL string
	// Timeout bounds each call (default 5 s), BillTimeout the fetching of a bill (default 60 s).
	Timeout     time.Duration
	BillTimeout time.Duration
	// HTTPClient sends the requests. Default: one that keeps connections for hundreds of calls at once.
	// Redirects are never followed, whatever it says.
	HTTPClient *http.Client
	// Now is the clock. Default time.Now. The moment within a request comes from the library, which asks time.Now.
	Now func() time.Time
}

var (
	appShape    = regexp.MustCompile(`^[0-9]{16}$`)
	sellerShape = regexp.MustCompile(`^2088[0-9]{12}$`)
)

// New makes a provider. It returns an error that lists everything in the configuration that is wrong.
func New(config Config) (*Provider, error) {
	p := &Provider{config: withDefaults(config)}
	c := &p.config
	var mistakes []error
	wrong := func(format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf("alipay: "+format, args...))
	}
	if err := gatewayclient.CheckName(c.Name); err != nil {
		wrong("%w", err)
	}
	if !appShape.MatchString(c.AppID) {
		wrong("app id %q must be 16 digits", c.AppID)
	}
	if !sellerShape.MatchString(c.SellerID) {
		wrong("seller id %q must be 2088 and 12 digits", c.SellerID)
	}
	gateway, err := url.Parse(c.URL)
	if err != nil || !isWeb(gateway) || gateway.RawQuery != "" || gateway.Fragment != "" {
		wrong("URL %q must be http(s)://host/path", c.URL)
	}
	key, err := privateKey(c.Key)
	if err != nil {
		wrong("%w", err)
	}
	serials, err := p.learn(key)
	if err != nil {
		wrong("%w", err)
	}
	if c.Timeout < 0 || c.BillTimeout < 0 {
		wrong("durations must not be negative")
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	p.origin = gateway.Scheme + "://" + gateway.Host
	p.http = guarded(c.HTTPClient)
	return p, p.connect(key, serials)
}

// connect makes the library's client. It is told that this is not production, since in production it would fetch
// certificates it does not know, and believe them, even while it reads a callback; only the address differs otherwise.
func (p *Provider) connect(key *rsa.PrivateKey, serials []string) error {
	options := []alipay.OptionFunc{
		alipay.WithTimeLocation(beijing), alipay.WithHTTPClient(p.http), alipay.WithSandboxGateway(p.config.URL),
	}
	for _, serial := range append(serials, "any") { // the last is for messages that name no certificate
		options = append(options, alipay.WithVerifier(serial, (*verifier)(p)))
	}
	signer := nsign.New(nsign.WithMethod(nsign.NewRSAMethod(crypto.SHA256, key, nil)), nsign.WithEncoder(alipay.Encoder{}))
	client, err := alipay.NewWithSigner(p.config.AppID, signer, false, options...)
	if err != nil {
		return fmt.Errorf("alipay: %w", err)
	}
	if len(p.config.Certificates) > 0 {
		if err := client.LoadAppCertPublicKey(string(p.config.AppCertificate)); err != nil {
			return fmt.Errorf("alipay: our certificate: %w", err)
		}
		if err := client.LoadAliPayRootCert(string(p.config.Roots)); err != nil {
			return fmt.Errorf("alipay: the roots: %w", err)
		}
	}
	p.client = client
	return nil
}

func withDefaults(c Config) Config {
	if c.Name == "" {
		c.Name = Name
	}
	if c.URL == "" {
		c.URL = ProductionURL
	}
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Second
	}
	if c.BillTimeout == 0 {
		c.BillTimeout = time.Minute
	}
	c.HTTPClient = gatewayclient.HTTP(c.HTTPClient)
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func isWeb(u *url.URL) bool { return (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" }

// callable says whether the gateway may call an address: it wants no query of ours there.
func callable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && isWeb(u) && u.RawQuery == "" && u.Fragment == "" && len(address) <= maxURL
}

func blank(text []byte) bool { return strings.TrimSpace(string(text)) == "" }
