package wording

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

const (
	maxName  = 60 // characters of a person's name
	maxTitle = 120
	// maxSubject bounds the title in a subject, of which inboxes show some 70 characters.
	maxSubject = 70
	// maxMarks bounds the marks above and below one letter; no script needs more.
	maxMarks = 4
	// maxCluster bounds the runes of what is seen as one character: a family of emoji has up to 11.
	maxCluster = 11

	joiner, nonJoiner = '\u200d', '\u200c'
)

// line is a text of others on one line: no line breaks, no control characters, nothing that turns the direction of what
// follows, no towers of marks.
func line(text string) string {
	marks := 0
	text = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Mn, unicode.Me) {
			if marks++; marks > maxMarks {
				return -1
			}
			return r
		}
		marks = 0
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == joiner, r == nonJoiner: // hold emoji together, and shape Persian and Indian words
			return r
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	return strings.Join(strings.Fields(text), " ")
}

// cut shortens a text to so many characters as they are seen, the dots at its end included.
func cut(text string, most int) string {
	dots := "…"
	if septets(text) >= 0 {
		dots = "..." // the sign would turn the whole SMS into one of the larger alphabet
	}
	keep := max(most-uniseg.GraphemeClusterCount(dots), 1)
	clusters := uniseg.NewGraphemes(text)
	seen, end := 0, 0
	for clusters.Next() {
		if seen++; seen > most || len(clusters.Runes()) > maxCluster {
			return strings.TrimSpace(text[:end]) + dots
		}
		if seen <= keep {
			_, end = clusters.Positions()
		}
	}
	return text
}

// address looks like something to open. Whoever orders in somebody else's name could send them there.
var address = regexp.MustCompile(`[/@\\]|(?i:www)|[\p{L}\p{N}][.。][\p{L}\p{N}]{2}`)

// greeted is the name by which a buyer is greeted; empty if it cannot be one.
func greeted(name string) string {
	name = line(name)
	if address.MatchString(name) {
		return ""
	}
	return cut(name, maxName)
}
