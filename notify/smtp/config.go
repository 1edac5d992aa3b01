package smtp

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// TLS says how the connection is protected.
type TLS string

// The ways to protect a connection.
const (
	STARTTLS TLS = "starttls" // required: a server that does not offer it gets no mail
	Implicit TLS = "implicit" // from the first byte, as on port 465
	None     TLS = "none"     // only for a server on this machine
)

// Config is an account at a mail server.
type Config struct {
	// Name is the carrier's: [a-z0-9-]{1,32}. Default "smtp".
	Name string
	// Address is the server's host:port.
	Address string
	// User and Password are both given, or the server wants none.
	User, Password string
	// TLS is STARTTLS by default. Certificates, if set, are believed besides those of the system.
	TLS          TLS
	Certificates *tls.Config
	// From is "Name <address>" or an address, ReplyTo where answers go if elsewhere.
	From, ReplyTo string
	// Domain is that of message ids. Default: From's.
	Domain string
	// Timeout bounds one hand-over from the first connection to the last answer. Default 1 minute.
	Timeout time.Duration
}

var validName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// Sender hands mails to a server. It implements notify.Sender.
type Sender struct {
	config  Config
	host    string
	port    int
	from    *netmail.Address
	replyTo *netmail.Address
}

// New checks an account. Its error names every mistake.
func New(c Config) (*Sender, error) {
	var mistakes []error
	add := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	if c.Name == "" {
		c.Name = "smtp"
	}
	if !validName.MatchString(c.Name) {
		add("the name %q is not [a-z0-9-]{1,32}", c.Name)
	}
	s := &Sender{}
	host, port, err := net.SplitHostPort(c.Address)
	if s.port, _ = strconv.Atoi(port); err != nil || host == "" || s.port < 1 || s.port > 65535 {
		add("the address %q is not host:port", c.Address)
	}
	s.host = host
	if (c.User == "") != (c.Password == "") {
		add("user and password are given both or not at all")
	}
	if c.TLS == "" {
		c.TLS = STARTTLS
	}
	switch c.TLS {
	case STARTTLS, Implicit:
	case None:
		if at, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !at.IsLoopback()) {
			add("without TLS mails may only go to this machine, not to %q", host)
		}
	default:
		add("TLS is %q, %q or %q, not %q", STARTTLS, Implicit, None, c.TLS)
	}
	if s.from, err = netmail.ParseAddress(c.From); err != nil {
		add("the sender %q is no address", c.From)
	}
	if c.ReplyTo != "" {
		if s.replyTo, err = netmail.ParseAddress(c.ReplyTo); err != nil {
			add("the address for answers %q is none", c.ReplyTo)
		}
	}
	if c.Domain == "" && s.from != nil {
		c.Domain = s.from.Address[strings.LastIndex(s.from.Address, "@")+1:]
	}
	if c.Timeout == 0 {
		c.Timeout = time.Minute
	}
	if c.Timeout < 0 {
		add("the time-out must be positive")
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	s.config = c
	return s, nil
}

// options are go-mail's for one connection, which dial makes.
func (s *Sender) options(dial mail.DialContextFunc) []mail.Option {
	options := []mail.Option{
		mail.WithPort(s.port), mail.WithTimeout(s.config.Timeout), mail.WithHELO(s.config.Domain), mail.WithTLSConfig(s.tls()), mail.WithoutNoop(),
		mail.WithDialContextFunc(dial),
	}
	auth := mail.SMTPAuthAutoDiscover
	switch s.config.TLS {
	case STARTTLS:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case Implicit:
		options = append(options, mail.WithSSL())
		auth = mail.SMTPAuthPlain // go-mail does not see that a connection we dialled is protected, and would not choose it
	case None:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	}
	if s.config.User != "" {
		options = append(options, mail.WithSMTPAuth(auth), mail.WithUsername(s.config.User), mail.WithPassword(s.config.Password))
	}
	return options
}

func (s *Sender) tls() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.config.Certificates != nil {
		c = s.config.Certificates.Clone()
	}
	c.ServerName = s.host
	return c
}
