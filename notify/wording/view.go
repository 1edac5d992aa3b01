package wording

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // the zones of venues, wherever this runs
	"unicode"

	"github.com/bojanz/currency"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/ticketing"
)

// view is what the words are made from, ready to be read by people.
type view struct {
	Name, Order, Title, Organiser string
	// Venue is the place in short, Place with its address, ShortVenue its name alone.
	Venue, Place, ShortVenue string
	// Start is the session's beginning with its zone, ShortStart without year and zone; empty if it is not known.
	Start, ShortStart string
	// PayBy is the end of the hold, a time of the venue's zone.
	PayBy string
	// Total, Amount and Fee are money in words; Fee is empty if it is nothing.
	Total, Amount, Fee string
	Reason             string
	Tickets            int
	Lines              []row
	// URL is the order's page, PrivateURL with its key.
	URL, PrivateURL string
}

const (
	maxName  = 60 // characters of a person's name
	maxTitle = 120
)

func newView(language string, f notify.Facts) (view, error) {
	zone := time.UTC
	if f.Zone != "" {
		var err error
		if zone, err = time.LoadLocation(f.Zone); err != nil {
			return view{}, fmt.Errorf("the venue's zone: %w", err)
		}
	}
	money := func(m ticketing.Money) string { return amount(language, m) }
	v := view{
		Name: cut(line(f.Name), maxName), Order: f.OrderID, Title: cut(line(f.Title.In(language)), maxTitle), Organiser: cut(line(f.Organiser), maxTitle),
		Total: money(f.Total), Amount: money(f.Amount), Reason: string(f.Reason), Tickets: len(f.Tickets), URL: f.OrderURL, PrivateURL: f.PrivateURL,
	}
	v.ShortVenue = cut(line(f.Venue.In(language)), maxTitle)
	city, address := line(f.City.In(language)), line(f.Address.In(language))
	if language == "zh-CN" {
		v.Venue, v.Place = join("", city, v.ShortVenue), join("，", join("", city, v.ShortVenue), address)
	} else {
		v.Venue, v.Place = join(", ", v.ShortVenue, city), join(", ", v.ShortVenue, address, city)
	}
	if !f.StartsAt.IsZero() {
		v.Start, v.ShortStart = moment(language, f.StartsAt.In(zone), f.Zone), shortMoment(language, f.StartsAt.In(zone))
	}
	if !f.PayBy.IsZero() {
		v.PayBy = clock(language, f.PayBy.In(zone))
	}
	if f.Fee.Amount > 0 {
		v.Fee = money(f.Fee)
	}
	for _, l := range f.Lines {
		v.Lines = append(v.Lines, row{fmt.Sprintf("%d × %s", l.Quantity, cut(line(l.Name.In(language)), maxTitle)), money(l.Amount)})
	}
	return v, nil
}

// join puts what there is together.
func join(with string, parts ...string) string {
	var there []string
	for _, p := range parts {
		if p != "" {
			there = append(there, p)
		}
	}
	return strings.Join(there, with)
}

// amount is money as the language writes it, with as many digits as the currency has.
func amount(language string, m ticketing.Money) string {
	if m.Currency == "" {
		return ""
	}
	a, err := currency.NewAmountFromInt64(m.Amount, m.Currency)
	if err != nil {
		return m.String()
	}
	return currency.NewFormatter(currency.NewLocale(language)).Format(a)
}

var weekdays = [...]string{"周日", "周一", "周二", "周三", "周四", "周五", "周六"}

// moment is a time with its zone: the zone's name and how far it is from UTC.
func moment(language string, at time.Time, zone string) string {
	offset := "UTC" + at.Format("-07:00")
	offset = strings.TrimSuffix(strings.Replace(offset, "UTC+00:00", "UTC", 1), ":00")
	offset = strings.NewReplacer("+0", "+", "-0", "-").Replace(offset)
	if zone != "" {
		offset = zone + ", " + offset
	}
	if language == "zh-CN" {
		return at.Format("2006年1月2日 ") + weekdays[at.Weekday()] + at.Format(" 15:04") + "（" + strings.Replace(offset, ", ", "，", 1) + "）"
	}
	return at.Format("Mon, 2 Jan 2006, 15:04") + " (" + offset + ")"
}

func shortMoment(language string, at time.Time) string {
	if language == "zh-CN" {
		return at.Format("1月2日15:04")
	}
	return at.Format("2 Jan 15:04")
}

// clock is the time of a deadline that is at most a day away, told with its zone.
func clock(language string, at time.Time) string {
	offset := strings.NewReplacer("UTC+00:00", "UTC", "+0", "+", "-0", "-").Replace("UTC" + at.Format("-07:00"))
	offset = strings.TrimSuffix(offset, ":00")
	if language == "zh-CN" {
		return at.Format("15:04") + "（" + offset + "）"
	}
	return at.Format("15:04") + " (" + offset + ")"
}

// joiner holds the parts of an emoji together.
const joiner = '\u200d'

// line is a text of others on one line: no line breaks, no control characters, nothing that turns the direction of what follows.
func line(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r) && r != joiner, r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	return strings.Join(strings.Fields(text), " ")
}

// cut shortens a text to so many characters, an ellipsis of three dots or one sign included.
func cut(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	end := most - 1
	for end > 1 && unicode.In(runes[end], unicode.Mn, unicode.Me, unicode.Variation_Selector) || end > 1 && runes[end] == joiner {
		end--
	}
	dots := "…"
	if ascii(text) {
		dots = "..." // the sign would make the whole SMS one of the larger alphabet
		end = max(most-3, 1)
	}
	return strings.TrimSpace(string(runes[:end])) + dots
}

func ascii(text string) bool {
	for _, r := range text {
		if r > unicode.MaxASCII {
			return false
		}
	}
	return true
}
