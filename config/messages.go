package config

import (
	"cmp"
	"errors"
	"net"
	"net/mail"
	"net/netip"
	"regexp"
	"strings"
	"time"
)

// Messages is how buyers are told what happened to their orders. Without a mail server, and without an account for SMS,
// the local inbox keeps what would be sent.
type Messages struct {
	// SMTPAddress is the mail server's host:port. Empty: mails go to the local inbox.
	SMTPAddress  string `env:"SMTP_ADDRESS"`
	SMTPUser     string `env:"SMTP_USER"`
	SMTPPassword Secret `env:"SMTP_PASSWORD"`
	// SMTPTLS is "starttls", "implicit", or, on this machine only, "none".
	SMTPTLS string `env:"SMTP_TLS" envDefault:"starttls"`
	// MailFrom is "Name <address>", whom mails come from; MailReplyTo is where answers go, if elsewhere.
	MailFrom    string `env:"MAIL_FROM" envDefault:"Boxoffice <tickets@boxoffice.invalid>"`
	MailReplyTo string `env:"MAIL_REPLY_TO"`
	// MailConcurrency bounds the mails handed over at once, MailPerSecond those of a second.
	MailConcurrency int     `env:"MAIL_CONCURRENCY" envDefault:"8"`
	MailPerSecond   float64 `env:"MAIL_PER_SECOND" envDefault:"50"`

	// TwilioAccountSID is our account. Empty: SMS go to the local inbox.
	TwilioAccountSID string `env:"TWILIO_ACCOUNT_SID"`
	// TwilioAuthTokens sign status callbacks, and our requests unless there is an API key; several during a rotation.
	TwilioAuthTokens []Secret `env:"TWILIO_AUTH_TOKEN"`
	TwilioAPIKey     string   `env:"TWILIO_API_KEY"`
	TwilioAPISecret  Secret   `env:"TWILIO_API_SECRET"`
	// TwilioSender is a messaging service, a number or a name; TwilioSenders those of single countries, "US:+1…,GB:Name".
	TwilioSender  string    `env:"TWILIO_SENDER"`
	TwilioSenders Countries `env:"TWILIO_SENDERS"`
	// SMSCountries are the countries SMS go to, as ISO codes. Everybody else is told by mail only.
	SMSCountries []string `env:"SMS_COUNTRIES"`
	// TwilioURL is the API's origin. Default: production.
	TwilioURL      string  `env:"TWILIO_URL"`
	SMSConcurrency int     `env:"SMS_CONCURRENCY" envDefault:"4"`
	SMSPerSecond   float64 `env:"SMS_PER_SECOND" envDefault:"10"`
	// SMSPerDay bounds the SMS to one number on one day.
	SMSPerDay int `env:"SMS_PER_DAY" envDefault:"10"`

	// HoldWarning is how long before its end the buyer of an unpaid order is warned at the earliest, ReminderLead how long
	// before a session its visitors are reminded; 0 switches it off.
	HoldWarning  time.Duration `env:"HOLD_WARNING" envDefault:"5m"`
	ReminderLead time.Duration `env:"REMINDER_LEAD" envDefault:"24h"`

	// InboxFolder is where the local inbox keeps messages, InboxAddress where its pages are. They ask for no
	// password: nobody but whoever runs this may reach them.
	InboxFolder  string `env:"INBOX_FOLDER" envDefault:".boxoffice/inbox"`
	InboxAddress string `env:"INBOX_ADDRESS" envDefault:"127.0.0.1:8025"`
}

// Countries are texts by ISO code of a country: "US:text,GB:text".
type Countries map[string]string

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Countries) UnmarshalText(text []byte) error {
	*c = Countries{}
	for entry := range strings.SplitSeq(string(text), ",") {
		country, value, ok := strings.Cut(strings.TrimSpace(entry), ":")
		if !ok || !countryCode.MatchString(country) || value == "" {
			return errors.New("must be ISO code:sender, several separated by commas")
		}
		(*c)[country] = value
	}
	return nil
}

var countryCode = regexp.MustCompile(`^[A-Z]{2}$`)

// SendsMail and SendsSMS say whether a carrier is configured, and not the local inbox.
func (m Messages) SendsMail() bool { return m.SMTPAddress != "" }

// SendsSMS is SendsMail for SMS.
func (m Messages) SendsSMS() bool { return m.TwilioAccountSID != "" }

// validate reports every mistake with add.
func (m Messages) validate(add func(name, format string, args ...any)) {
	if m.SMTPAddress != "" && !validAddress(m.SMTPAddress) {
		add("SMTP_ADDRESS", "must be host:port, not %q", m.SMTPAddress)
	}
	host, _, _ := net.SplitHostPort(m.SMTPAddress)
	switch m.SMTPTLS {
	case "starttls", "implicit":
	case "none":
		if at, err := netip.ParseAddr(host); m.SMTPAddress != "" && host != "localhost" && (err != nil || !at.IsLoopback()) {
			add("SMTP_TLS", `"none" is for a mail server on this machine, not for %q`, host)
		}
	default:
		add("SMTP_TLS", `must be "starttls", "implicit" or "none", not %q`, m.SMTPTLS)
	}
	if (m.SMTPUser == "") == m.SMTPPassword.IsSet() {
		add("SMTP_USER", "and SMTP_PASSWORD are given both or not at all")
	}
	for name, address := range map[string]string{"MAIL_FROM": m.MailFrom, "MAIL_REPLY_TO": m.MailReplyTo} {
		if _, err := mail.ParseAddress(address); address != "" && err != nil {
			add(name, "must be an address, or Name <address>, not %q", address)
		}
	}
	if m.SendsMail() && strings.HasSuffix(m.MailFrom, ".invalid>") {
		add("MAIL_FROM", "is required with a mail server")
	}
	m.validateSMS(add)
	for name, n := range map[string]int{"MAIL_CONCURRENCY": m.MailConcurrency, "SMS_CONCURRENCY": m.SMSConcurrency} {
		if n < 1 || n > 100 {
			add(name, "must be 1 to 100, not %d", n)
		}
	}
	for name, n := range map[string]float64{"MAIL_PER_SECOND": m.MailPerSecond, "SMS_PER_SECOND": m.SMSPerSecond} {
		if n < 1 || n > 10000 {
			add(name, "must be 1 to 10000, not %g", n)
		}
	}
	for name, d := range map[string]time.Duration{"HOLD_WARNING": m.HoldWarning, "REMINDER_LEAD": m.ReminderLead} {
		if d < 0 || d > 30*24*time.Hour {
			add(name, "must be 0 to 720h, not %s", d)
		}
	}
	if !validAddress(m.InboxAddress) {
		add("INBOX_ADDRESS", "must be host:port, not %q", m.InboxAddress)
	}
}

func (m Messages) validateSMS(add func(name, format string, args ...any)) {
	if m.SMSPerDay < 0 {
		add("SMS_PER_DAY", "must not be negative; 0 sends none")
	}
	for _, country := range m.SMSCountries {
		if !countryCode.MatchString(country) {
			add("SMS_COUNTRIES", "must be ISO codes such as CN,DE, not %q", country)
		}
	}
	if !m.SendsSMS() {
		for name, given := range map[string]bool{
			"TWILIO_AUTH_TOKEN": len(m.TwilioAuthTokens) > 0, "TWILIO_API_KEY": m.TwilioAPIKey != "", "TWILIO_API_SECRET": m.TwilioAPISecret.IsSet(),
			"TWILIO_SENDER": cmp.Or(m.TwilioSender, m.TwilioURL) != "", "TWILIO_SENDERS": len(m.TwilioSenders) > 0,
		} {
			if given {
				add(name, "is of no use without TWILIO_ACCOUNT_SID")
			}
		}
		return
	}
	if len(m.TwilioAuthTokens) == 0 {
		add("TWILIO_AUTH_TOKEN", "is required with TWILIO_ACCOUNT_SID: status callbacks are signed with it")
	}
	if (m.TwilioAPIKey == "") == m.TwilioAPISecret.IsSet() {
		add("TWILIO_API_KEY", "and TWILIO_API_SECRET are given both or not at all")
	}
	if m.TwilioSender == "" && len(m.TwilioSenders) == 0 {
		add("TWILIO_SENDER", "is required with TWILIO_ACCOUNT_SID")
	}
	if len(m.SMSCountries) == 0 {
		add("SMS_COUNTRIES", "is required with TWILIO_ACCOUNT_SID, such as CN,HK: SMS to everywhere invite abuse")
	}
}
