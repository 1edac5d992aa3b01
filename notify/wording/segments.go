package wording

import (
	"strings"
	"unicode/utf16"
)

// gsm is the alphabet of SMS of seven bits (3GPP TS 23.038), gsmExtension what takes two places in it.
const (
	gsm = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtension = "\f^{}\\[~]|€"
)

// Segments is how many SMS a text is billed as: 160 places of the GSM alphabet in one, and 153 in each of several; with any
// other character 70 and 67, those outside the basic plane counted twice. No character is torn apart between two.
func Segments(text string) int {
	if septets(text) >= 0 {
		return parts(text, 160, 153, func(r rune) int {
			if strings.ContainsRune(gsmExtension, r) {
				return 2
			}
			return 1
		})
	}
	return parts(text, 70, 67, utf16.RuneLen)
}

// septets is how many places of the GSM alphabet a text takes; -1 if it has anything else in it.
func septets(text string) int {
	n := 0
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsm, r):
			n++
		case strings.ContainsRune(gsmExtension, r):
			n += 2
		default:
			return -1
		}
	}
	return n
}

// parts fills segments one after the other: what does not fit whole goes to the next.
func parts(text string, one, each int, width func(rune) int) int {
	all := 0
	for _, r := range text {
		all += width(r)
	}
	if all <= one {
		return 1
	}
	n, used := 1, 0
	for _, r := range text {
		if used+width(r) > each {
			n, used = n+1, 0
		}
		used += width(r)
	}
	return n
}
