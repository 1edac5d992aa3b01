package wechatpay

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/boxoffice/boxoffice/payment/gatewayclient"
)

// Name is the provider's name unless Config says another.
const Name = "wechatpay"

// ProductionURL is the gateway's own address; there is no other for tests.
const ProductionURL = "https://api.mch.weixin.qq.com"

// Config is what the adapter needs.
type Config struct {
	// Name tells several merchants of the gateway apart: 1 to 32 characters of [a-z0-9-]. Default "wechatpay".
	Name string
	// Merchant is our mchid, AppID the application that is bound to it.
	Merchant string
	AppID    string
	// Key is our API key in PEM (apiclient_key.pem), Serial the serial number of its certificate in hexadecimal.
	Key    []byte
	Serial string
	// APIv3Key opens what callbacks carry: 32 bytes, chosen at the gateway.
	APIv3Key string
	// PublicKeys are the gateway's public keys in PEM by their ids, such as "PUB_KEY_ID_0112345678901234567890".
	PublicKeys map[string][]byte
	// Certificates are the gateway's platform certificates in PEM, as many as are valid. One of PublicKeys and
	// Certificates is required; both are believed side by side.
	Certificates []byte
	// RefundNotifyURL receives callbacks about refunds. Default: none, refunds are asked about.
	RefundNotifyURL string
	// SiteName is what the gateway shows as the site of an H5 payment. Optional.
	SiteName string
	// URL is the gateway's origin, without a path. Default: production.
	URL string
	// Timeout bounds each call (default 5 s), BillTimeout the fetching of a bill (default 60 s).
	Timeout     time.Duration
	BillTimeout time.Duration
	// HTTPClient sends the requests. Default: one that keeps connections for hundreds of calls at once.
	// Redirects are never followed, whatever it says.
	HTTPClient *http.Client
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

var (
	merchantShape = regexp.MustCompile(`^[0-9]{8,32}$`)
	appShape      = regexp.MustCompile(`^[0-9A-Za-z]{8,32}$`)
	serialShape   = regexp.MustCompile(`^[0-9A-F]{8,64}$`)
	keyIDShape    = regexp.MustCompile(`^[0-9A-Z_]{1,64}$`)
)

// New makes a provider. It returns an error that lists everything in the configuration that is wrong.
func New(config Config) (*Provider, error) {
	p := &Provider{config: withDefaults(config), maxBill: maxBill}
	c := &p.config
	var mistakes []error
	wrong := func(format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf("wechatpay: "+format, args...))
	}
	if err := gatewayclient.CheckName(c.Name); err != nil {
		wrong("%w", err)
	}
	if !merchantShape.MatchString(c.Merchant) {
		wrong("merchant %q must be 8 to 32 digits", c.Merchant)
	}
	if !appShape.MatchString(c.AppID) {
		wrong("app id %q must be 8 to 32 letters or digits", c.AppID)
	}
	if !serialShape.MatchString(c.Serial) {
		wrong("serial %q must be our certificate's serial number in hexadecimal", c.Serial)
	}
	if len(c.APIv3Key) != 32 {
		wrong("the APIv3 key has %d bytes instead of 32", len(c.APIv3Key))
	}
	if origin, err := url.Parse(c.URL); err != nil || !isWeb(origin) || strings.Trim(origin.Path, "/") != "" || origin.RawQuery != "" {
		wrong("URL %q must be http(s)://host, without a path", c.URL)
	}
	c.URL = strings.TrimSuffix(c.URL, "/")
	if c.RefundNotifyURL != "" && !callable(c.RefundNotifyURL) {
		wrong("refund notify URL %q must be http(s) without a query, of at most %d characters", c.RefundNotifyURL, maxURL)
	}
	var err error
	if p.key, err = privateKey(c.Key); err != nil {
		wrong("%w", err)
	}
	if err := p.learn(); err != nil {
		wrong("%w", err)
	}
	if c.Timeout < 0 || c.BillTimeout < 0 {
		wrong("durations must not be negative")
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	return p, nil
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
	c.Serial = strings.ToUpper(c.Serial)
	return c
}

func isWeb(u *url.URL) bool { return (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" }

// callable says whether the gateway may call an address: it wants no query there.
func callable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && isWeb(u) && u.RawQuery == "" && len(address) <= maxURL
}

func privateKey(file []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(file)
	if block == nil {
		return nil, errors.New("our key is required, in PEM")
	}
	return gatewayclient.PrivateKey(block.Bytes)
}

// learn reads the gateway's keys.
func (p *Provider) learn() error {
	p.gateway = map[string]*trusted{}
	var mistakes []error
	for id, file := range p.config.PublicKeys {
		block, _ := pem.Decode(file)
		if block == nil || !keyIDShape.MatchString(id) {
			mistakes = append(mistakes, fmt.Errorf("the gateway's public key %q: not PEM, or no id", id))
			continue
		}
		parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
		key, ok := gatewayclient.Verifying(parsed)
		if err != nil || !ok {
			mistakes = append(mistakes, fmt.Errorf("the gateway's public key %q is no RSA key of %d bits", id, gatewayclient.MinimalBits))
			continue
		}
		p.gateway[id] = &trusted{key: key}
		p.wanted = append(p.wanted, id)
	}
	slices.Sort(p.wanted)
	for rest := p.config.Certificates; len(strings.TrimSpace(string(rest))) > 0; {
		block, next := pem.Decode(rest)
		if block == nil {
			mistakes = append(mistakes, errors.New("the gateway's certificates: not PEM"))
			break
		}
		rest = next
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("the gateway's certificates: %w", err))
			continue
		}
		key, ok := gatewayclient.Verifying(certificate.PublicKey)
		if !ok {
			mistakes = append(mistakes, fmt.Errorf("the gateway's certificate %X has no RSA key of %d bits", certificate.SerialNumber, gatewayclient.MinimalBits))
			continue
		}
		p.gateway[fmt.Sprintf("%X", certificate.SerialNumber)] = &trusted{key: key, from: certificate.NotBefore, until: certificate.NotAfter}
	}
	if len(p.gateway) == 0 && len(mistakes) == 0 {
		return errors.New("a public key or certificate of the gateway is required: its messages cannot be verified without")
	}
	return errors.Join(mistakes...)
}
