package config

import (
	"errors"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Merchant is one account at a payment gateway, read from variables that begin with its name: those
// of "alipay" are BOXOFFICE_ALIPAY_…, those of a second account "alipay-acme" BOXOFFICE_ALIPAY_ACME_…
type Merchant struct {
	// Name is the kind of gateway, and after a dash what tells accounts apart.
	Name string `env:"-"`
	// OrganiserID is whose account it is; empty for the house's.
	OrganiserID string `env:"ORGANISER"`
	// Exactly one of these is set, by the kind; none for the sandbox, whose settings are Config's own.
	Alipay    *Alipay    `env:"-"`
	UnionPay  *UnionPay  `env:"-"`
	WechatPay *WechatPay `env:"-"`
	Stripe    *Stripe    `env:"-"`
}

// Kind is the gateway an account is at, such as "alipay".
func (m Merchant) Kind() string {
	kind, _, _ := strings.Cut(m.Name, "-")
	return kind
}

// File is the content of a file a variable names.
type File []byte

// UnmarshalText implements encoding.TextUnmarshaler: text is the path.
func (f *File) UnmarshalText(path []byte) error {
	content, err := os.ReadFile(string(path))
	if err != nil {
		return errors.Unwrap(err) // the path is known to who reads this
	}
	*f = content
	return nil
}

// Files are the contents of files a variable names, by ids: "id:path,id2:path2".
type Files map[string][]byte

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *Files) UnmarshalText(text []byte) error {
	*f = Files{}
	for entry := range strings.SplitSeq(string(text), ",") {
		id, path, ok := strings.Cut(strings.TrimSpace(entry), ":")
		if !ok || id == "" {
			return errors.New("must be id:path, several separated by commas")
		}
		var file File
		if err := file.UnmarshalText([]byte(path)); err != nil {
			return err
		}
		(*f)[id] = file
	}
	return nil
}

// UnionPay is an account at UnionPay's gateway.
type UnionPay struct {
	// Merchant is our merId.
	Merchant string `env:"MERCHANT"`
	// PFX is the file with our certificate and key, PFXPassword opens it; or both are given in PEM.
	PFX         File   `env:"PFX_FILE"`
	PFXPassword Secret `env:"PFX_PASSWORD"`
	Certificate File   `env:"CERTIFICATE_FILE"`
	Key         File   `env:"KEY_FILE"`
	// Roots and Intermediates are UnionPay's certificates in PEM; during a rotation the old and the new in one file.
	Roots         File `env:"ROOTS_FILE"`
	Intermediates File `env:"INTERMEDIATES_FILE"`
	// SignerNames are the names their certificate may carry; AcceptSHA1 believes chains signed with SHA-1.
	SignerNames []string `env:"SIGNER_NAMES"`
	AcceptSHA1  bool     `env:"ACCEPT_SHA1"`
	// URL and FileURL are the gateway's origins. Default: production.
	URL     string `env:"URL"`
	FileURL string `env:"FILE_URL"`
}

// Alipay is an account at Alipay.
type Alipay struct {
	// AppID is our application there, SellerID the account that is paid.
	AppID    string `env:"APP_ID"`
	SellerID string `env:"SELLER_ID"`
	// Key is our application's key.
	Key File `env:"KEY_FILE"`
	// PublicKeys are theirs for our application, by a name of ours: "old:path,new:path" during a rotation.
	PublicKeys Files `env:"PUBLIC_KEY_FILES"`
	// Certificates are theirs instead, AppCertificate our application's, Roots those that issued them.
	Certificates   File `env:"CERTIFICATES_FILE"`
	AppCertificate File `env:"APP_CERTIFICATE_FILE"`
	Roots          File `env:"ROOTS_FILE"`
	// URL is the gateway's address. Default: production.
	URL string `env:"URL"`
}

// WechatPay is an account at WeChat Pay.
type WechatPay struct {
	// Merchant is our mchid, AppID the application bound to it.
	Merchant string `env:"MERCHANT"`
	AppID    string `env:"APP_ID"`
	// Key is our API key in PEM, Serial its certificate's number.
	Key    File   `env:"KEY_FILE"`
	Serial string `env:"SERIAL"`
	// APIv3Key opens what callbacks carry.
	APIv3Key Secret `env:"API_V3_KEY"`
	// PublicKeys are theirs in PEM, by their ids: "PUB_KEY_ID_…:path,…". Certificates are their platform's, in one file.
	PublicKeys   Files `env:"PUBLIC_KEY_FILES"`
	Certificates File  `env:"CERTIFICATES_FILE"`
	// SiteName is what a payment on a phone shows. URL is the gateway's origin. Default: production.
	SiteName string `env:"SITE_NAME"`
	URL      string `env:"URL"`
}

// Stripe is an account at Stripe.
type Stripe struct {
	// SecretKey is the account's, or a restricted one; whether it is a test or a live key decides which events are believed.
	SecretKey Secret `env:"SECRET_KEY"`
	// WebhookSecrets sign its events; two during a rotation.
	WebhookSecrets []Secret `env:"WEBHOOK_SECRETS"`
	// Account is the connected account that sells, where SecretKey is its platform's.
	Account string `env:"ACCOUNT"`
	// PaymentMethods are what its page offers, Currencies what it collects. Default: cards, any.
	PaymentMethods []string `env:"PAYMENT_METHODS"`
	Currencies     []string `env:"CURRENCIES"`
	// URL is the API's origin. Default: production.
	URL string `env:"URL"`
}

// kinds makes the settings of each kind of gateway.
var kinds = map[string]func(*Merchant) any{
	"sandbox":   func(*Merchant) any { return nil },
	"alipay":    func(m *Merchant) any { m.Alipay = &Alipay{}; return m.Alipay },
	"unionpay":  func(m *Merchant) any { m.UnionPay = &UnionPay{}; return m.UnionPay },
	"wechatpay": func(m *Merchant) any { m.WechatPay = &WechatPay{}; return m.WechatPay },
	"stripe":    func(m *Merchant) any { m.Stripe = &Stripe{}; return m.Stripe },
}

var merchantName = regexp.MustCompile(`^[a-z]+(-[a-z0-9]{1,20})?$`)

// merchants reads the account of every gateway that is named.
func merchants(names []string, environment map[string]string) ([]Merchant, []error) {
	var (
		read     []Merchant
		mistakes []error
	)
	for i, name := range names {
		m := Merchant{Name: name}
		settings, known := kinds[m.Kind()]
		switch {
		case !merchantName.MatchString(name) || !known:
			mistakes = append(mistakes, mistake("GATEWAYS", "%q is none of %s, with a dash and a name behind it for another account there", name, strings.Join(slices.Sorted(maps.Keys(kinds)), ", ")))
			continue
		case slices.Contains(names[:i], name):
			mistakes = append(mistakes, mistake("GATEWAYS", "%q is named twice", name))
			continue
		}
		prefix := strings.ToUpper(strings.ReplaceAll(name, "-", "_")) + "_"
		parse := func(into any) {
			if err := env.ParseWithOptions(into, env.Options{Prefix: Prefix + prefix, Environment: environment}); err != nil {
				mistakes = append(mistakes, readable(err, prefix, reflect.TypeOf(into).Elem())...)
			}
		}
		parse(&m) // before it has settings, which would be read with it
		if of := settings(&m); of != nil {
			parse(of)
		}
		read = append(read, m)
	}
	return read, mistakes
}
