package wording

import "strings"

const (
	// maxSegments bounds an SMS.
	maxSegments = 2
	// readable is how much of a title may be cut off to save a segment: what is left must be known again.
	readable = 20
)

// plainSigns are for English, where one of the signs on the left makes a segment of 160 characters one of 70.
var plainSigns = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u2019", "'", "\u2018", "'", "\u201c", `"`, "\u201d", `"`,
	"\u2013", "-", "\u2014", "-", "\u2212", "-", "\u2026", "...")

// short is the SMS: in one segment if a readable title fits, else in two with as much of the title as fits. Where not even that
// is enough, for the address of the order is long, it goes without: what happened is said, and the mail has the link.
func (s *saying) short(v view) string {
	brand := s.say("brand", v)
	if v.language == en {
		brand += " "
	}
	longest := max(len([]rune(v.Title)), len([]rune(v.ShortVenue)))
	write := func(length int, link bool) string {
		cutView := v
		cutView.Title, cutView.ShortVenue = cut(v.Title, length), cut(v.ShortVenue, length)
		text := brand + s.say("sms", cutView)
		if link {
			if v.language == en {
				text += " "
			}
			text += s.say("link", cutView)
		}
		if simple := plainSigns.Replace(text); v.language == en && septets(simple) >= 0 {
			return simple
		}
		return text
	}
	for _, try := range []struct {
		link             bool
		segments, atMost int
	}{{true, 1, readable}, {true, maxSegments, 1}, {false, maxSegments, 1}} {
		for length := longest; length >= min(try.atMost, longest); length-- {
			if text := write(length, try.link); s.err != nil || Segments(text) <= try.segments {
				return text
			}
		}
	}
	return brand + s.say("untitled", v)
}
