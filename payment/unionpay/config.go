package unionpay

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

	"software.sslmate.com/src/go-pkcs12"

	"github.com/boxoffice/boxoffice/payment/gatewayclient"
)

// Name is the provider's name unless Config says another.
const Name = "unionpay"

// The gateway's own addresses; Config.URL and Config.FileURL default to those of production.
const (
	ProductionURL     = "https://gateway.95516.com"
	ProductionFileURL = "https://filedownload.95516.com"
	TestURL           = "https://gateway.test.95516.com"
	TestFileURL       = "https://filedownload.test.95516.com"
)

// NoNotice is what UnionPay's documentation gives as the address of who wants no callback.
const NoNotice = "http://www.specialUrl.com"

// Config is what the adapter needs.
type Config struct {
	// Name tells several merchants of the gateway apart: 1 to 32 characters of [a-z0-9-]. Default "unionpay".
	Name string
	// Merchant is our merId, 15 digits or capitals.
	Merchant string
	// PFX is the file with our certificate and key as UnionPay's authority (CFCA) hands it out, opened by PFXPassword.
	// Instead of it, Certificate and Key may be given in PEM; the key in PKCS#1 or PKCS#8.
	PFX         []byte
	PFXPassword string
	Certificate []byte
	Key         []byte
	// Roots and Intermediates are certificates in PEM, as many as are valid: acp_prod_root.cer and acp_prod_middle.cer of
	// UnionPay's developer kit, and their successors during a rotation. A certificate of the gateway's own among Roots is
	// believed without a chain.
	Roots         []byte
	Intermediates []byte
	// SignerNames are the names that the gateway's certificate may carry: the third part of its common name, or all of it.
	// Default "中国银联股份有限公司", the company; the test environment has also used "00040000:SIGN".
	SignerNames []string
	// AcceptSHA1 believes chains whose certificates are signed with SHA-1, as those of UnionPay's authority are in
	// the developer kit. Who can make two certificates of one SHA-1 could then pass for the gateway if the authority signs one of them.
	// Without it, Roots must hold the gateway's own certificate, which has to be replaced by hand when it expires.
	AcceptSHA1 bool
	// RefundNotifyURL receives callbacks about refunds. Default NoNotice: refunds are asked about.
	RefundNotifyURL string
	// URL and FileURL are the gateway's origins, without a path. Default: production.
	URL     string
	FileURL string
	// Timeout bounds each call (default 5 s), BillTimeout the fetching of a bill (default 60 s).
	Timeout     time.Duration
	BillTimeout time.Duration
	// Settling is how long after a payment's end the gateway may still find out that it was paid. Default 30 s.
	Settling time.Duration
	// HTTPClient sends the requests. Default: one that keeps connections for hundreds of calls at once.
	// Redirects are never followed, whatever it says.
	HTTPClient *http.Client
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// signingKey is our key and the id by which the gateway finds our certificate.
type signingKey struct {
	private *rsa.PrivateKey
	id      string
}

var merchantShape = regexp.MustCompile(`^[0-9A-Z]{15}$`)

// New makes a provider. It returns an error that lists everything in the configuration that is wrong.
func New(config Config) (*Provider, error) {
	p := &Provider{config: withDefaults(config)}
	c := &p.config
	var mistakes []error
	wrong := func(format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf("unionpay: "+format, args...))
	}
	if err := gatewayclient.CheckName(c.Name); err != nil {
		wrong("%w", err)
	}
	if !merchantShape.MatchString(c.Merchant) {
		wrong("merchant %q must be 15 digits or capitals", c.Merchant)
	}
	for name, address := range map[string]*string{"URL": &c.URL, "file URL": &c.FileURL} {
		origin, err := url.Parse(*address)
		if err != nil || origin.Scheme != "http" && origin.Scheme != "https" || origin.Host == "" || strings.Trim(origin.Path, "/") != "" || origin.RawQuery != "" {
			wrong("%s %q must be http(s)://host, without a path", name, *address)
		}
		*address = strings.TrimSuffix(*address, "/")
	}
	if notify, err := url.Parse(c.RefundNotifyURL); err != nil || notify.Scheme != "http" && notify.Scheme != "https" || notify.Host == "" || len(c.RefundNotifyURL) > maxURL {
		wrong("refund notify URL %q must be http(s) of at most %d characters", c.RefundNotifyURL, maxURL)
	}
	var err error
	if p.key, err = ownKey(*c, c.Now()); err != nil {
		wrong("%w", err)
	}
	p.trust = trust{names: c.SignerNames, sha1: c.AcceptSHA1}
	if p.trust.roots, err = certificates(c.Roots); err != nil {
		wrong("roots: %w", err)
	} else if len(p.trust.roots) == 0 {
		wrong("roots are required: the gateway's messages cannot be verified without")
	}
	if p.trust.intermediates, err = certificates(c.Intermediates); err != nil {
		wrong("intermediates: %w", err)
	}
	if slices.Contains(c.SignerNames, "") {
		wrong("an accepted signer's name is empty")
	}
	if c.Timeout < 0 || c.BillTimeout < 0 || c.Settling < 0 {
		wrong("durations must not be negative")
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	return p, nil
}

func withDefaults(c Config) Config {
	for value, fallback := range map[*string]string{
		&c.Name: Name, &c.URL: ProductionURL, &c.FileURL: ProductionFileURL, &c.RefundNotifyURL: NoNotice,
	} {
		if *value == "" {
			*value = fallback
		}
	}
	for value, fallback := range map[*time.Duration]time.Duration{
		&c.Timeout: 5 * time.Second, &c.BillTimeout: time.Minute, &c.Settling: 30 * time.Second,
	} {
		if *value == 0 {
			*value = fallback
		}
	}
	if c.SignerNames == nil {
		c.SignerNames = []string{"中国银联股份有限公司"}
	}
	c.HTTPClient = gatewayclient.HTTP(c.HTTPClient)
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// ownKey reads our certificate and key.
func ownKey(c Config, now time.Time) (signingKey, error) {
	key, certificate, err := keyPair(c)
	switch {
	case err != nil:
		return signingKey{}, err
	case !key.PublicKey.Equal(certificate.PublicKey):
		return signingKey{}, errors.New("our certificate and our key do not belong together")
	case now.After(certificate.NotAfter):
		return signingKey{}, fmt.Errorf("our certificate expired at %s", certificate.NotAfter.UTC().Format(time.RFC3339))
	}
	return signingKey{private: key, id: certificate.SerialNumber.String()}, nil
}

func keyPair(c Config) (key *rsa.PrivateKey, certificate *x509.Certificate, err error) {
	switch {
	case len(c.PFX) > 0 && len(c.Certificate)+len(c.Key) > 0:
		return nil, nil, errors.New("our key is given twice: as PFX and in PEM")
	case len(c.PFX) > 0:
		private, certificate, _, err := pkcs12.DecodeChain(c.PFX, c.PFXPassword)
		if err != nil {
			return nil, nil, fmt.Errorf("our PFX file: %w", err)
		}
		key, err = gatewayclient.RSA(private)
		return key, certificate, err
	case len(c.Certificate) == 0 || len(c.Key) == 0:
		return nil, nil, errors.New("our certificate and key are required: a PFX file, or both in PEM")
	}
	own, err := certificates(c.Certificate)
	if err != nil || len(own) != 1 {
		return nil, nil, fmt.Errorf("our certificate: %d in the file (%w)", len(own), errors.Join(err))
	}
	block, _ := pem.Decode(c.Key)
	if block == nil {
		return nil, nil, errors.New("our key is not PEM")
	}
	key, err = gatewayclient.PrivateKey(block.Bytes)
	return key, own[0], err
}
