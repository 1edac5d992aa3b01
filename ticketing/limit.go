package ticketing

import "strings"

// LimitIdentity is the mail address by which a buyer's tickets are counted, so that spelling it otherwise makes no other
// buyer: capitals do not matter, and nor does what follows a plus sign. Dots do: only some providers ignore them.
func LimitIdentity(email string) string {
	email = strings.ToLower(strings.TrimSpace(email))
	at := strings.LastIndexByte(email, '@')
	if at < 0 {
		return email
	}
	if local, _, tagged := strings.Cut(email[:at], "+"); tagged && local != "" {
		return local + email[at:]
	}
	return email
}
