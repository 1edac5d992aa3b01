package ticketing

import (
	"regexp"
	"strings"
	"time"
)

// DocumentType is a kind of identity document by which people are told apart.
type DocumentType string

// The identity documents that are taken.
const (
	// DocumentResidentID is the mainland resident identity card; its number has the form of GB 11643-1999. The residence permits of
	// people from Hong Kong, Macao and Taiwan (State Council, 2018) carry numbers of the same form and count as the same.
	DocumentResidentID DocumentType = "resident_id"
	// DocumentPassport is any passport: up to nine capital letters and digits (ICAO Doc 9303, part 4). Shorter than five is no number
	// in use, nor is one without a digit.
	DocumentPassport DocumentType = "passport"
	// DocumentHongKongMacaoPermit is the mainland travel permit for Hong Kong and Macao residents: H or M with the eight digits that
	// stay with a person for life. Cards made before 2013 add two that count renewals (Ministry of Public Security, March 2010).
	DocumentHongKongMacaoPermit DocumentType = "hk_macao_permit"
	// DocumentTaiwanPermit is the mainland travel permit for Taiwan residents: the eight digits of the card issued since 2015, which
	// stay with a person for life.
	DocumentTaiwanPermit DocumentType = "taiwan_permit"
	// DocumentPermanentResidentID is the foreign permanent resident's card: since December 2023 eighteen places, of which the first is 9
	// and the last a check digit as in GB 11643; before, three letters and twelve digits (National Immigration Administration, 2023).
	DocumentPermanentResidentID DocumentType = "permanent_resident_id"
)

// DocumentTypes lists every kind in the order forms offer them.
var DocumentTypes = []DocumentType{
	DocumentResidentID, DocumentPassport, DocumentHongKongMacaoPermit, DocumentTaiwanPermit, DocumentPermanentResidentID,
}

var (
	eighteen           = regexp.MustCompile(`^[0-9]{17}[0-9X]$`)
	passport           = regexp.MustCompile(`^[A-Z0-9]{5,9}$`)
	hongKongMacao      = regexp.MustCompile(`^[HM][0-9]{8}$`)
	hongKongMacaoCount = regexp.MustCompile(`^[HM][0-9]{10}$`)
	taiwan             = regexp.MustCompile(`^[0-9]{8}$`)
	olderPermanent     = regexp.MustCompile(`^[A-Z]{3}[0-9]{12}$`)
)

// provinces are the first two digits of a place of registration (GB/T 2260), and 83 for residence permits of people from Taiwan.
const provinces = " 11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83 "

// normalise writes a number the one way it is compared: full-width characters as ordinary ones, capitals, nothing between.
// What counts the renewals of a document is left out, so that a person stays the same.
func (t DocumentType) normalise(number string) string {
	number = strings.Map(func(r rune) rune {
		switch r = narrow(r); r {
		case ' ', '\t', '-', '\u00A0', '\u2010', '\u2011', '\u2013':
			return -1
		}
		return r
	}, strings.TrimSpace(number))
	number = strings.ToUpper(number)
	if t == DocumentHongKongMacaoPermit && hongKongMacaoCount.MatchString(number) {
		number = number[:len("H12345678")]
	}
	return number
}

// narrow is the ordinary character of a full-width one.
func narrow(r rune) rune {
	switch {
	case r >= '！' && r <= '～':
		return r - '！' + '!'
	case r == '\u3000':
		return ' '
	}
	return r
}

// check says what is wrong with a normalised number, or nothing.
func (t DocumentType) check(number string, now time.Time) string {
	switch t {
	case DocumentResidentID:
		if !eighteen.MatchString(number) || !strings.Contains(provinces, " "+number[:2]+" ") {
			return "must be the 18 places of a resident identity card"
		}
		return checkEighteen(number, now)
	case DocumentPassport:
		if !passport.MatchString(number) || !strings.ContainsAny(number, "0123456789") {
			return "must be a passport number of 5 to 9 letters and digits"
		}
	case DocumentHongKongMacaoPermit:
		if !hongKongMacao.MatchString(number) {
			return "must be H or M with 8 digits"
		}
	case DocumentTaiwanPermit:
		if !taiwan.MatchString(number) {
			return "must be 8 digits"
		}
	case DocumentPermanentResidentID:
		if eighteen.MatchString(number) && number[0] == '9' {
			return checkEighteen(number, now)
		}
		if !olderPermanent.MatchString(number) {
			return "must be the 18 places beginning with 9, or the 3 letters and 12 digits, of a permanent resident's card"
		}
	}
	return ""
}

// checkEighteen checks the date of birth, places 7 to 14, and the check digit of a number of 18 places.
func checkEighteen(number string, now time.Time) string {
	china := time.FixedZone("UTC+8", int((8 * time.Hour).Seconds()))
	born, err := time.ParseInLocation("20060102", number[6:14], china)
	if err != nil || born.Year() < 1900 || born.After(now) {
		return "must have a possible date of birth"
	}
	if number[17] != checkDigit(number[:17]) {
		return "must have the right last place: please look for a mistyped digit"
	}
	return ""
}

// checkDigit is the last place of a number of 18 places by ISO/IEC 7064, MOD 11-2. It is another one whenever one of the digits is.
func checkDigit(digits string) byte {
	sum := 0
	for i := range len(digits) {
		sum = (sum + int(digits[i]-'0')) * 2 % 11
	}
	return "0123456789X"[(12-sum)%11]
}

// mask leaves enough of a number to tell one's own, and no more.
func mask(number string) string {
	head, tail := 1, 2
	if len(number) >= 15 {
		head, tail = 3, 4
	}
	if len(number) < head+tail+2 {
		return strings.Repeat("*", len(number))
	}
	return number[:head] + strings.Repeat("*", len(number)-head-tail) + number[len(number)-tail:]
}
