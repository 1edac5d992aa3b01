package twilio

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/nyaruka/phonenumbers"
)

// Name is the carrier's, unless its account has another.
const Name = "twilio"

// Config is an account at Twilio.
type Config struct {
	// Name is the carrier's: [a-z0-9-]{1,32}. Default "twilio".
	Name string
	// AccountSID is the account, AC….
	AccountSID string
	// AuthTokens sign status callbacks; the first also authenticates requests, unless there is an API key. Several are believed
	// during a rotation.
	AuthTokens []string
	// APIKey (SK…) and APISecret are both given or none.
	APIKey, APISecret string
	// Sender is a messaging service (MG…), a number in E.164 form or a name of up to 11 characters; Senders those of single
	// countries, by ISO code.
	Sender  string
	Senders map[string]string
	// Countries are the ISO codes of those to which SMS go. Required: numbers that cost dearly are what abusers want.
	Countries []string
	// StatusURL is where Twilio says what became of a message: https, or http on this machine.
	StatusURL string
	// URL is the API's origin. Default https://api.twilio.com.
	URL string
	// Timeout bounds one request. Default 10 s.
	Timeout time.Duration
	// Transport carries requests. Default: one that keeps connections for dozens of requests at once.
	Transport http.RoundTripper
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Sender hands SMS to Twilio. It implements notify.Finder.
type Sender struct {
	config Config
	url    *url.URL
	user   string
	secret string
}

var (
	validName    = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	validAccount = regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`)
	validKey     = regexp.MustCompile(`^SK[0-9a-fA-F]{32}$`)
	validToken   = regexp.MustCompile(`^[0-9A-Za-z]{16,64}$`)
	service      = regexp.MustCompile(`^MG[0-9a-fA-F]{32}$`)
	number       = regexp.MustCompile(`^\+[1-9][0-9]{4,14}$`)
	senderName   = regexp.MustCompile(`^[A-Za-z0-9 ]{0,10}[A-Za-z][A-Za-z0-9 ]{0,10}$`)
)

// New checks an account. Its error names every mistake.
func New(c Config) (*Sender, error) {
	var mistakes []error
	add := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	if c.Name == "" {
		c.Name = Name
	}
	if !validName.MatchString(c.Name) {
		add("the name %q is not [a-z0-9-]{1,32}", c.Name)
	}
	if !validAccount.MatchString(c.AccountSID) {
		add("the account %q is not AC and 32 hexadecimal digits", c.AccountSID)
	}
	if len(c.AuthTokens) == 0 || slices.ContainsFunc(c.AuthTokens, func(t string) bool { return !validToken.MatchString(t) }) {
		add("an auth token is missing, or is not 16 to 64 letters and digits")
	}
	if (c.APIKey == "") != (c.APISecret == "") || c.APIKey != "" && (!validKey.MatchString(c.APIKey) || !validToken.MatchString(c.APISecret)) {
		add("the API key is SK and 32 hexadecimal digits with its secret, or neither is given")
	}
	if c.Sender == "" && len(c.Senders) == 0 {
		add("a sender is missing")
	}
	for _, sender := range append([]string{c.Sender}, slices.Collect(maps.Values(c.Senders))...) {
		if sender != "" && !service.MatchString(sender) && !number.MatchString(sender) && (len(sender) > 11 || !senderName.MatchString(sender)) {
			add("the sender %q is no messaging service (MG…), number or name of up to 11 characters", sender)
		}
	}
	if len(c.Countries) == 0 {
		add("no countries to send to")
	}
	for _, country := range append(slices.Sorted(maps.Keys(c.Senders)), c.Countries...) {
		if phonenumbers.GetCountryCodeForRegion(country) == 0 {
			add("the country %q has no telephone code", country)
		}
	}
	for country, sender := range c.Senders {
		if sender == "" {
			add("the sender for %s is empty", country)
		}
		if !slices.Contains(c.Countries, country) {
			add("there is a sender for %s, to which no SMS go", country)
		}
	}
	for _, country := range c.Countries {
		if c.Sender == "" && len(c.Senders) > 0 && c.Senders[country] == "" {
			add("there is no sender for %s", country)
		}
	}
	if !safe(c.StatusURL) {
		add("the address for status callbacks %q is not https", c.StatusURL)
	}
	if c.URL == "" {
		c.URL = "https://api.twilio.com"
	}
	origin, err := url.Parse(c.URL)
	if err != nil || !safe(c.URL) {
		add("the API's address %q is not https", c.URL)
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	if c.Timeout < 0 {
		add("the time-out must be positive")
	}
	if c.Transport == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = 64
		c.Transport = transport
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, fmt.Errorf("twilio: %w", err)
	}
	s := &Sender{config: c, url: origin, user: c.AccountSID, secret: c.AuthTokens[0]}
	if c.APIKey != "" {
		s.user, s.secret = c.APIKey, c.APISecret
	}
	return s, nil
}

// safe says whether an address is https, or on this machine.
func safe(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	here := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && here
}
