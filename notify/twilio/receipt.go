package twilio

import (
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"regexp"

	"github.com/twilio/twilio-go/client"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/ticketing"
)

var (
	validSID    = regexp.MustCompile(`^(SM|MM)[0-9a-fA-F]{32}$`)
	validStatus = regexp.MustCompile(`^[a-z_]{1,32}$`)
	validCode   = regexp.MustCompile(`^[0-9]{0,8}$`)
)

// states are what Twilio's words mean; of any other word nothing new is learnt.
var states = map[string]ticketing.MessageState{
	"delivered": ticketing.MessageDelivered, "read": ticketing.MessageDelivered,
	"undelivered": ticketing.MessageUndelivered, "failed": ticketing.MessageFailed, "canceled": ticketing.MessageFailed,
}

// ParseReceipt verifies and reads a status callback. address is the public one, with its query, that Twilio was told: behind a proxy
// not the one that was asked. Errors: notify.ErrForged, notify.ErrMalformed.
func (s *Sender) ParseReceipt(header http.Header, body []byte, address string) (notify.Delivery, error) {
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return notify.Delivery{}, fmt.Errorf("%w: not a form", notify.ErrMalformed)
	}
	if header.Get("Content-Encoding") != "" {
		return notify.Delivery{}, fmt.Errorf("%w: compressed", notify.ErrMalformed)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return notify.Delivery{}, fmt.Errorf("%w: %w", notify.ErrMalformed, err)
	}
	params := make(map[string]string, len(form))
	for name, values := range form {
		if len(values) != 1 {
			return notify.Delivery{}, fmt.Errorf("%w: %q is given %d times", notify.ErrMalformed, name, len(values))
		}
		params[name] = values[0]
	}
	if !s.signed(address, params, header.Get("X-Twilio-Signature")) {
		return notify.Delivery{}, fmt.Errorf("%w: twilio", notify.ErrForged)
	}
	d := notify.Delivery{Carrier: s.config.Name, ReceiptID: params["MessageSid"], Status: params["MessageStatus"], Code: params["ErrorCode"], State: ticketing.MessageSent}
	if !validSID.MatchString(d.ReceiptID) || !validStatus.MatchString(d.Status) || !validCode.MatchString(d.Code) {
		return notify.Delivery{}, fmt.Errorf("%w: no message or no status", notify.ErrMalformed)
	}
	if account := params["AccountSid"]; account != s.config.AccountSID {
		return notify.Delivery{}, fmt.Errorf("%w: of another account", notify.ErrForged)
	}
	if state, ok := states[d.Status]; ok {
		d.State = state
	}
	return d, nil
}

func (s *Sender) signed(address string, params map[string]string, signature string) bool {
	if signature == "" {
		return false
	}
	for _, token := range s.config.AuthTokens {
		validator := client.NewRequestValidator(token)
		if validator.Validate(address, params, signature) {
			return true
		}
	}
	return false
}
