package encryption

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// NumberLength is the length of order ids, attempt numbers, refund ids and
// ticket codes: 26 characters of 5 bits, of the alphabet every gateway accepts.
const NumberLength = 26

// alphabet is Crockford's: digits and capitals without I, L, O and U, which people misread.
var alphabet = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// OrderID returns the id of the order a buyer asks for with an idempotency key.
// The same buyer and key always mean the same order; the id says nothing of either.
func (k *Keyring) OrderID(email, idempotencyKey string) string {
	sum := mac(k.oldest().orderIDs, normal(email), "\x00", idempotencyKey)
	return alphabet.EncodeToString(sum)[:NumberLength]
}

// OrderToken returns the bearer token that proves to be the buyer of an order.
func (k *Keyring) OrderToken(orderID string) string {
	return base64.RawURLEncoding.EncodeToString(mac(k.keys[0].orderTokens, orderID))
}

// VerifyOrderToken says whether token was issued for the order, by any key of
// the ring. It takes the same time whatever the token is.
func (k *Keyring) VerifyOrderToken(orderID, token string) bool {
	given, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return false
	}
	valid := false
	for _, key := range k.keys {
		if hmac.Equal(given, mac(key.orderTokens, orderID)) {
			valid = true
		}
	}
	return valid
}

// MemberCode returns the code that proves to be a member: NumberLength characters that nobody can guess, always the same ones for
// the same member. It need not be stored to be told again.
func (k *Keyring) MemberCode(memberID string) string {
	return alphabet.EncodeToString(mac(k.oldest().memberCodes, memberID))[:NumberLength]
}

// Fingerprint returns a hash by which two requests are told apart without
// keeping what they said. It is 64 hexadecimal digits.
func (k *Keyring) Fingerprint(request []byte) string {
	return hex.EncodeToString(mac(k.oldest().fingerprints, string(request)))
}

// NewNumber returns 26 random characters of [0-9A-Z], 130 bits: an attempt
// number, a refund id or a ticket code that nobody can guess.
func NewNumber() string {
	random := make([]byte, 17)
	_, _ = rand.Read(random) // never fails: the program ends first
	return alphabet.EncodeToString(random)[:NumberLength]
}

// BlindIndex returns what finds a sealed value again without opening it: the
// same for the same value in the same place, and meaningless without the key.
// Capitals and surrounding space do not matter. The place is "table.column".
func (k *Keyring) BlindIndex(place, value string) []byte {
	return mac(k.oldest().indexes, place, "\x00", normal(value))
}

func normal(value string) string { return strings.ToLower(strings.TrimSpace(value)) }

func mac(key []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		h.Write([]byte(part))
	}
	return h.Sum(nil)
}
