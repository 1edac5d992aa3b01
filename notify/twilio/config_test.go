package twilio_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/notify/twilio"
)

func TestAnAccountThatCannotWorkIsRefusedWithEveryMistake(t *testing.T) {
	_, err := twilio.New(twilio.Config{
		Name: "T!", AccountSID: "x", APIKey: "SK1", Senders: map[string]string{"XX": "much too long a name"}, StatusURL: "http://tickets.example", URL: "ftp://x", Timeout: -1,
	})
	for _, want := range []string{"name", "account", "auth token", "API key", "sender", "countries", "status callbacks", "API's address", "time-out", `country "XX"`} {
		require.ErrorContains(t, err, want)
	}
}

func TestEveryMistakeOfAnAccountHasItsReason(t *testing.T) {
	good := func() twilio.Config {
		return twilio.Config{AccountSID: account, AuthTokens: []string{token}, Sender: "Boxoffice", Countries: []string{"CN"}, StatusURL: status}
	}
	_, err := twilio.New(good())
	require.NoError(t, err)
	for want, change := range map[string]func(*twilio.Config){
		"the account":              func(c *twilio.Config) { c.AccountSID = "AC123" },
		"an auth token is missing": func(c *twilio.Config) { c.AuthTokens = nil },
		"16 to 64 letters":         func(c *twilio.Config) { c.AuthTokens = []string{token, ""} },
		"or neither is given":      func(c *twilio.Config) { c.APISecret = older },
		"SK and 32":                func(c *twilio.Config) { c.APIKey, c.APISecret = "AC1", older },
		"a sender is missing":      func(c *twilio.Config) { c.Sender = "" },
		"no messaging service":     func(c *twilio.Config) { c.Sender = "MG0123456789" },
		`sender "12345678"`:        func(c *twilio.Config) { c.Sender = "12345678" },
		"there is no sender for CN": func(c *twilio.Config) {
			c.Sender, c.Countries, c.Senders = "", []string{"CN", "GB"}, map[string]string{"GB": "Box"}
		},
		"sender for US, to which no SMS":  func(c *twilio.Config) { c.Senders = map[string]string{"US": "+15005550006"} },
		"the sender for CN is empty":      func(c *twilio.Config) { c.Senders = map[string]string{"CN": ""} },
		"no countries":                    func(c *twilio.Config) { c.Countries = nil },
		`the country "cn"`:                func(c *twilio.Config) { c.Countries = []string{"cn"} },
		"callbacks \"http://127.evil.com": func(c *twilio.Config) { c.StatusURL = "http://127.evil.com/x" },
		`callbacks ""`:                    func(c *twilio.Config) { c.StatusURL = "" },
		"API's address":                   func(c *twilio.Config) { c.URL = "http://api.twilio.com" },
		"the time-out":                    func(c *twilio.Config) { c.Timeout = -1 },
	} {
		c := good()
		change(&c)
		_, err := twilio.New(c)
		require.ErrorContains(t, err, want)
	}
	for name, address := range map[string]string{"IPv4": "http://127.0.0.1:1/x", "IPv6": "http://[::1]/x", "by name": "http://localhost:8080/x"} {
		c := good()
		c.StatusURL, c.URL = address, address
		_, err := twilio.New(c)
		require.NoError(t, err, name)
	}
}
