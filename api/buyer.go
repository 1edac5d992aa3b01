package api

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"github.com/boxoffice/boxoffice/ticketing"
)

const (
	maxName  = 100 // characters
	maxEmail = 254 // bytes, RFC 5321
	maxLocal = 64
	maxPhone = 40 // characters as typed
)

// buyerRequest is who buys, as submitted.
type buyerRequest struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	Phone string `json:"phone"`
}

// validBuyer checks and normalises who buys. Its errors never repeat what was submitted.
func validBuyer(r buyerRequest, language string) (ticketing.Buyer, error) {
	refuse := func(field, format string) (ticketing.Buyer, error) {
		return ticketing.Buyer{}, ticketing.FieldErrorf(ticketing.CodeInvalid, field, "%s", format)
	}
	switch language {
	case "":
		language = "en"
	case "en", "zh-CN":
	default:
		return refuse("/language", `must be "en" or "zh-CN"`)
	}
	name := strings.TrimSpace(r.Name)
	switch {
	case name == "":
		return refuse("/buyer/name", "must not be empty")
	case utf8.RuneCountInString(name) > maxName:
		return refuse("/buyer/name", "must have at most 100 characters")
	case strings.ContainsFunc(name, unprintable):
		return refuse("/buyer/name", "must not contain control characters")
	}
	email := strings.TrimSpace(r.Email)
	if !validEmail(email) {
		return refuse("/buyer/email", "must be a mail address such as name@example.com")
	}
	phone, ok := validPhone(strings.TrimSpace(r.Phone), language)
	if !ok {
		return refuse("/buyer/phone", "must be a phone number with its country code, such as +86 138 0013 8000")
	}
	return ticketing.Buyer{Name: name, Email: email, Phone: phone, Language: language}, nil
}

// unprintable covers control characters, line and paragraph separators, and the marks that turn
// text around, with which a name could pass for another.
func unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) ||
		r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069
}

func validEmail(email string) bool {
	if len(email) > maxEmail || strings.ContainsFunc(email, unprintable) || strings.ContainsAny(email, " \"<>[](),;:\\") {
		return false
	}
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email {
		return false
	}
	local, domain, _ := strings.Cut(email, "@")
	if len(local) > maxLocal {
		return false
	}
	labels := strings.Split(domain, ".")
	if len(labels) < 2 {
		return false
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
	}
	return true
}

// validPhone returns a number in E.164 form. Without a country code it is taken for a Chinese one
// when the buyer reads Chinese.
func validPhone(phone, language string) (string, bool) {
	if phone == "" {
		return "", true
	}
	if utf8.RuneCountInString(phone) > maxPhone {
		return "", false
	}
	region := phonenumbers.UNKNOWN_REGION
	if language == "zh-CN" {
		region = "CN"
	}
	number, err := phonenumbers.Parse(phone, region)
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return "", false
	}
	return phonenumbers.Format(number, phonenumbers.E164), true
}
