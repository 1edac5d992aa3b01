package wording

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/bojanz/currency"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/ticketing"
)

// view is what the words are made from, ready to be read by people. What a text needs and is not known is an error,
// not a gap in a sentence.
type view struct {
	Name, Order, Title, Organiser string
	// Venue is the place in short, Place with its address, ShortVenue its name alone; each may be empty.
	Venue, Place, ShortVenue string
	// Fee is what was kept of a refund; empty if that is nothing.
	Fee    string
	Reason string
	// Programme is what the buyer is a member of.
	Programme string
	// Tickets is how many are valid.
	Tickets int
	// DateUnknown says that the event is postponed and has no new date yet.
	DateUnknown bool
	// URL is the order's page, with its key in a mail.
	URL string

	language     string
	start, payBy time.Time // of the venue's zone; zero if not known
	amount       ticketing.Money
	plainMoney   bool // for an SMS
	// total is what the order costs, empty if not known; lines and charges add up to it, or are not told.
	total   string
	lines   []row
	charges []charge
}

// charge is money of an order that is not the price of its tickets; label is the part of the words that names it.
type charge struct {
	label  string
	amount ticketing.Money
}

// charges are all that an order can have, as they are told. The amount of what is taken off is negative.
func charges(f notify.Facts) []charge {
	return []charge{
		{"label.discount", ticketing.Money{Amount: -f.Discount.Amount, Currency: f.Discount.Currency}},
		{"label.ticket_fees", f.TicketFees},
		{"label.order_fee", f.OrderFee},
		{"label.tax", f.Tax},
	}
}

// Start is the session's beginning with its zone, ShortStart without year and zone.
func (v view) Start() (string, error) { return v.at("the session's beginning", v.start, moment) }

// ShortStart is for SMS.
func (v view) ShortStart() (string, error) {
	return v.at("the session's beginning", v.start, shortMoment)
}

// PayBy is the end of the hold with its zone, ShortPayBy without the day.
func (v view) PayBy() (string, error) { return v.at("the end of the hold", v.payBy, moment) }

// ShortPayBy is for subjects and SMS.
func (v view) ShortPayBy() (string, error) { return v.at("the end of the hold", v.payBy, clock) }

// Amount is the money that a payment or refund is about.
func (v view) Amount() (string, error) {
	if v.amount.Currency == "" {
		return "", errors.New("the amount is not known")
	}
	return v.money(v.amount), nil
}

// Total is what the order costs.
func (v view) Total() (string, error) {
	if v.total == "" {
		return "", errors.New("the total is not known")
	}
	return v.total, nil
}

func (v view) at(what string, at time.Time, say func(string, time.Time) string) (string, error) {
	if at.IsZero() {
		return "", errors.New(what + " is not known")
	}
	return say(v.language, at), nil
}

func newView(language string, f notify.Facts, sms bool) (view, error) {
	zone, err := location(f.Zone)
	if err != nil {
		return view{}, err
	}
	named := func(text ticketing.Text) string { return cut(line(text.In(language)), maxTitle) }
	v := view{
		Name: greeted(f.Name), Order: f.OrderID, Title: named(f.Title), Organiser: cut(line(f.Organiser), maxTitle), ShortVenue: named(f.Venue),
		Reason: string(f.Reason), Programme: named(f.Programme), Tickets: len(f.Tickets), DateUnknown: f.DateUnknown || f.Kind == ticketing.MessageEventPostponed, URL: f.OrderURL,
		language: language, amount: f.Amount, plainMoney: sms && language == en,
	}
	if !sms && f.PrivateURL != "" {
		v.URL = f.PrivateURL
	}
	city, address := named(f.City), named(f.Address)
	if language == zhCN {
		v.Venue, v.Place = join("", city, v.ShortVenue), join("，", join("", city, v.ShortVenue), address)
	} else {
		v.Venue, v.Place = join(", ", v.ShortVenue, city), join(", ", v.ShortVenue, address, city)
	}
	if !f.StartsAt.IsZero() {
		v.start = f.StartsAt.In(zone)
	}
	if !f.PayBy.IsZero() {
		v.payBy = f.PayBy.In(zone)
	}
	if f.Fee.Amount > 0 {
		v.Fee = v.money(f.Fee)
	}
	v.price(f)
	return v, nil
}

// price is what the order costs, line by line. Lines that do not add up to the total would raise questions that the mail
// cannot answer: it tells the total alone, and the order page the rest.
func (v *view) price(f notify.Facts) {
	if f.Total.Currency == "" {
		return
	}
	v.total = v.money(f.Total)
	var sum int64
	for _, l := range f.Lines {
		sum += l.Amount.Amount
		v.lines = append(v.lines, row{Label: fmt.Sprintf("%d × %s", l.Quantity, cut(line(l.Name.In(v.language)), maxTitle)), Value: v.money(l.Amount)})
	}
	for _, c := range charges(f) {
		if c.amount.Amount != 0 {
			sum += c.amount.Amount
			v.charges = append(v.charges, c)
		}
	}
	if sum != f.Total.Amount {
		v.lines, v.charges = nil, nil
	}
}

// location is an IANA zone; none is UTC.
func location(zone string) (*time.Location, error) {
	if zone == time.Local.String() { //nolint:gosmopolitan // it is refused: that of this machine is nobody's
		return nil, errors.New("the venue's zone: that of this machine is not one")
	}
	known, _ := zones.Load(zone)
	if at, ok := known.(*time.Location); ok {
		return at, nil
	}
	at, err := time.LoadLocation(zone)
	if err != nil {
		return nil, fmt.Errorf("the venue's zone: %w", err)
	}
	zones.Store(zone, at)
	return at, nil
}

// zones are those of venues by name, each a *time.Location that was read from a file.
var zones sync.Map

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

// money is an amount as the language writes it, with as many digits as the currency has. In an SMS a sign that would make
// all of it one of the larger alphabet gives way to the currency's code.
func (v view) money(m ticketing.Money) string {
	a, err := currency.NewAmountFromInt64(m.Amount, m.Currency)
	if err != nil {
		return m.String()
	}
	format := currency.NewFormatter(currency.NewLocale(v.language))
	text := format.Format(a)
	if !v.plainMoney {
		return text
	}
	if text = onlySpaces.Replace(text); septets(text) < 0 {
		format.CurrencyDisplay = currency.DisplayCode
		text = onlySpaces.Replace(format.Format(a))
	}
	return text
}

var onlySpaces = strings.NewReplacer("\u00a0", " ", "\u202f", " ")
