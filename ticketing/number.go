package ticketing

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"time"
)

// A number is 26 of these characters: Crockford's, digits and capitals without I, L, O and U, which
// people misread. The first seven are the second in which the number was made.
const (
	numberAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	numberLength   = 26
	numberSeconds  = 7
)

// NewNumber names a payment attempt or a refund: 26 characters of [0-9A-Z], which every gateway
// accepts. It tells the second in which it was made; the rest is random, 95 bits, so that nobody
// guesses it.
//
// It tells its time because some gateways know a payment only by its number and the time it was sent
// with: whoever has the number can ask about it and has nothing else to remember.
func NewNumber(now time.Time) string {
	var number [numberLength]byte
	_, _ = rand.Read(number[numberSeconds:]) // never fails: the program ends first
	return writeNumber(number, now)
}

// NumberFrom is NewNumber with the rest made of a seed: the same in the same second, and never that of another seed.
func NumberFrom(now time.Time, seed string) string {
	var number [numberLength]byte
	sum := sha256.Sum256([]byte(seed))
	copy(number[numberSeconds:], sum[:])
	return writeNumber(number, now)
}

// writeNumber writes the second before what follows it, all in the alphabet.
func writeNumber(number [numberLength]byte, now time.Time) string {
	for i := numberSeconds; i < numberLength; i++ {
		number[i] = numberAlphabet[number[i]%32]
	}
	seconds := uint64(now.Unix())
	for i := numberSeconds - 1; i >= 0; i-- {
		number[i] = numberAlphabet[seconds%32]
		seconds /= 32
	}
	return string(number[:])
}

// NumberTime is the second in which NewNumber made a number. It returns false for what cannot be one.
// Another string of the same characters has a time, too, but hardly one near to now.
func NumberTime(number string) (time.Time, bool) {
	if len(number) != numberLength {
		return time.Time{}, false
	}
	var seconds int64
	for i := range numberLength {
		digit := strings.IndexByte(numberAlphabet, number[i])
		if digit < 0 {
			return time.Time{}, false
		}
		if i < numberSeconds {
			seconds = seconds*32 + int64(digit)
		}
	}
	return time.Unix(seconds, 0).UTC(), true
}
