package ticketing_test

import (
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/ticketing"
)

// goods is an event without fees and taxes and a session that sells: tickets of 100.00 and a surcharge of 5.00, tickets
// of 150.00 and 1.00 of which the first ten cost 120.00, then ten 130.00; the same in yen and in dinars of a thousand fils.
func goods() (ticketing.Event, ticketing.Session) {
	kind := func(id, currency string, price, surcharge int64) ticketing.TicketType {
		return ticketing.TicketType{
			ID: id, Currency: currency, BasePrice: price, Surcharge: surcharge, MaxPerOrder: 20,
			SaleFrom: noon.AddDate(0, -1, 0), SaleUntil: noon.AddDate(0, 1, 0),
		}
	}
	tiers := kind("tiers", "CNY", 15000, 100)
	for _, tier := range []ticketing.PricePhase{{ID: "first", BasePrice: 12000, Limit: 10}, {ID: "second", BasePrice: 13000, Limit: 10}} {
		tier.From, tier.Until = noon.AddDate(0, -1, 0), noon.Add(time.Hour)
		tiers.Phases = append(tiers.Phases, tier)
	}
	return ticketing.Event{ID: "show", OrganiserID: "hall", State: ticketing.EventOnSale, MaxPerOrder: 40}, ticketing.Session{
		ID: "show-1", EventID: "show", TicketTypes: []ticketing.TicketType{
			kind("plain", "CNY", 10000, 500), tiers, kind("yen", "JPY", 4500, 0), kind("odd", "JPY", 333, 0), kind("dinar", "KWD", 12500, 250), kind("penny", "CNY", 10, 0),
		},
	}
}

func voucher(kind ticketing.VoucherKind, value int64, change ...func(*ticketing.Voucher)) ticketing.Voucher {
	v := ticketing.Voucher{
		ID: string(kind), Kind: kind, Value: value, OrganiserID: "hall", From: noon.Add(-time.Hour), Until: noon.Add(time.Hour), Stackable: true,
	}
	if kind != ticketing.VoucherPercent {
		v.Currency = "CNY"
	}
	for _, c := range change {
		c(&v)
	}
	return v
}

// line is what a line of the table below is expected to come to.
type line struct{ amount, discount, fee, tax int64 }

// TestPriceTable: every number below was worked out by hand from docs/pricing.md.
func TestPriceTable(t *testing.T) {
	added := func(basisPoints int64) ticketing.TaxRule { return ticketing.TaxRule{BasisPoints: basisPoints} }
	included := func(basisPoints int64) ticketing.TaxRule {
		return ticketing.TaxRule{BasisPoints: basisPoints, Included: true}
	}
	type vouchers = []ticketing.Voucher
	tests := []struct {
		name                string
		asks                []ticketing.Ask
		orderFee, ticketFee int64
		tax                 ticketing.TaxRule
		vouchers            vouchers
		left                map[string]int

		lines       []line
		orderFeeTax int64
		total       int64
	}{
		{
			name: "(100.00 + 5.00) × 3, 2.00 for each ticket, 3.00 for the order", asks: ask("plain", 3), orderFee: 300, ticketFee: 200,
			lines: []line{{31500, 0, 600, 0}}, total: 32400,
		},
		{
			// 6 % of 321.00 is 19.26, of 3.00 is 0.18.
			name: "tax on top of tickets and fees", asks: ask("plain", 3), orderFee: 300, ticketFee: 200, tax: added(600),
			lines: []line{{31500, 0, 600, 1926}}, orderFeeTax: 18, total: 34344,
		},
		{
			// 321.00 × 6/106 is 18.1698…, 3.00 × 6/106 is 0.1698….
			name: "tax contained changes nothing of the total", asks: ask("plain", 3), orderFee: 300, ticketFee: 200, tax: included(600),
			lines: []line{{31500, 0, 600, 1817}}, orderFeeTax: 17, total: 32400,
		},
		{
			// 9000 × 10/110 is 818.18…, 110 × 10/110 is 10: a currency without decimals.
			name: "yen, tax contained", asks: ask("yen", 2), orderFee: 110, tax: included(1000),
			lines: []line{{9000, 0, 0, 818}}, orderFeeTax: 10, total: 9110,
		},
		{
			name: "yen, tax added: 8 % of 333 is 26.64", asks: ask("odd", 1), tax: added(800),
			lines: []line{{333, 0, 0, 27}}, total: 360,
		},
		{
			name: "dinars of a thousand fils: 5 % of 25.500 is 1.275", asks: ask("dinar", 2), tax: added(500),
			lines: []line{{25500, 0, 0, 1275}}, total: 26775,
		},
		{name: "half a fen of tax is rounded up: 5 % of 0.10", asks: ask("penny", 1), tax: added(500), lines: []line{{10, 0, 0, 1}}, total: 11},
		{name: "less than half is rounded down: 4.4 % of 0.10", asks: ask("penny", 1), tax: added(440), lines: []line{{10, 0, 0, 0}}, total: 10},
		{name: "a line is rounded, not a ticket: 5 % of 0.30", asks: ask("penny", 3), tax: added(500), lines: []line{{30, 0, 0, 2}}, total: 32},
		{
			// Taxed is 105.00 − 10.50 + 2.00 = 96.50; 6 % of it is 5.79, of 3.00 is 0.18.
			name: "per cent off before fees and tax", asks: ask("plain", 1), orderFee: 300, ticketFee: 200, tax: added(600),
			vouchers: vouchers{voucher(ticketing.VoucherPercent, 1000)},
			lines:    []line{{10500, 1050, 200, 579}}, orderFeeTax: 18, total: 10547,
		},
		{
			// 105.00 and 302.00 are 407.00; 50.00 × 105/407 is 12.899…, rounded down, and the rest is of the other line.
			name: "an amount off is split by what lines cost", asks: ask("plain", 1, "tiers", 2), orderFee: 300,
			vouchers: vouchers{voucher(ticketing.VoucherFixed, 5000)},
			lines:    []line{{10500, 1289, 0, 0}, {30200, 3711, 0, 0}}, total: 36000,
		},
		{
			name: "no more comes off than there is, and fees stay", asks: ask("plain", 1), orderFee: 300, ticketFee: 200,
			vouchers: vouchers{voucher(ticketing.VoucherFixed, 100000)},
			lines:    []line{{10500, 10500, 200, 0}}, total: 500,
		},
		{
			name: "every ticket for 80.00", asks: ask("plain", 2), orderFee: 300,
			vouchers: vouchers{voucher(ticketing.VoucherPrice, 8000)},
			lines:    []line{{21000, 5000, 0, 0}}, total: 16300,
		},
		{
			// 210.00 → 160.00 → 144.00 → 143.00, whatever the order of the codes.
			name: "price, then per cent, then amount", asks: ask("plain", 2), orderFee: 300,
			vouchers: vouchers{voucher(ticketing.VoucherFixed, 100), voucher(ticketing.VoucherPercent, 1000), voucher(ticketing.VoucherPrice, 8000)},
			lines:    []line{{21000, 6700, 0, 0}}, total: 14600,
		},
		{
			name: "only off what it is for", asks: ask("plain", 1, "tiers", 2),
			vouchers: vouchers{voucher(ticketing.VoucherPercent, 5000, func(v *ticketing.Voucher) { v.TicketTypeID = "plain" })},
			lines:    []line{{10500, 5250, 0, 0}, {30200, 0, 0, 0}}, total: 35450,
		},
		{
			name: "the minimum is reached before anything is taken off", asks: ask("plain", 2),
			vouchers: vouchers{voucher(ticketing.VoucherPrice, 100), voucher(ticketing.VoucherFixed, 100, func(v *ticketing.Voucher) { v.MinimumSpend = 21000 })},
			lines:    []line{{21000, 20900, 0, 0}}, total: 100,
		},
		{
			name: "the first ten cost less", asks: ask("tiers", 3), left: map[string]int{"tiers/first": 3, "tiers/second": 10},
			lines: []line{{36300, 0, 0, 0}}, total: 36300,
		},
		{
			name: "tickets of one line do not differ in price", asks: ask("tiers", 4), left: map[string]int{"tiers/first": 3, "tiers/second": 10},
			lines: []line{{52400, 0, 0, 0}}, total: 52400,
		},
		{
			name: "and none is left at less", asks: ask("tiers", 1), left: map[string]int{"tiers/first": 0, "tiers/second": 0},
			lines: []line{{15100, 0, 0, 0}}, total: 15100,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			event, session := goods()
			event.OrderFee, event.TicketFee, event.Tax = test.orderFee, test.ticketFee, test.tax
			quote, err := ticketing.PriceOrder(event, session, ticketing.Basket{Lines: test.asks, Vouchers: test.vouchers, PhaseLeft: test.left, At: noon})
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range test.lines {
				l := quote.Lines[i]
				if have := (line{l.Amount, l.Discount, l.Fee, l.Tax}); have != want {
					t.Errorf("line %d is %+v, want %+v", i, have, want)
				}
			}
			if quote.OrderFeeTax != test.orderFeeTax || quote.Total.Amount != test.total {
				t.Errorf("tax on the fee %d, total %v, want %d and %d", quote.OrderFeeTax, quote.Total, test.orderFeeTax, test.total)
			}
		})
	}
}

// TestVouchersThatTakeNothingOffAreAnsweredAlike: whoever guesses does not learn what there is.
func TestVouchersThatTakeNothingOffAreAnsweredAlike(t *testing.T) {
	percent := func(change func(*ticketing.Voucher)) ticketing.Voucher {
		return voucher(ticketing.VoucherPercent, 1000, change)
	}
	tests := map[string]ticketing.Voucher{
		"there is none":        {},
		"of another organiser": percent(func(v *ticketing.Voucher) { v.OrganiserID = "another" }),
		"of another event":     percent(func(v *ticketing.Voucher) { v.EventID = "another" }),
		"of another session":   percent(func(v *ticketing.Voucher) { v.SessionID = "another" }),
		"of another type":      percent(func(v *ticketing.Voucher) { v.TicketTypeID = "tiers" }),
		"in another currency":  percent(func(v *ticketing.Voucher) { v.Currency = "EUR" }),
		"not yet":              percent(func(v *ticketing.Voucher) { v.From = noon.Add(time.Second) }),
		"over since now":       percent(func(v *ticketing.Voucher) { v.Until = noon }),
		"used up":              percent(func(v *ticketing.Voucher) { v.MaxUses, v.Uses = 3, 3 }),
		"no cheaper":           voucher(ticketing.VoucherPrice, 10500),
	}
	event, session := goods()
	for name, v := range tests {
		_, err := ticketing.PriceOrder(event, session, ticketing.Basket{
			Lines: ask("plain", 1), Vouchers: []ticketing.Voucher{voucher(ticketing.VoucherFixed, 100), v}, At: noon,
		})
		refusal, ok := ticketing.RefusalOf(err)
		if !ok || refusal.Code != ticketing.CodeVoucherInvalid || refusal.Field != "/vouchers/1" || refusal.Err().Error() != ticketing.VoucherInvalid(1).Error() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVouchersThatAreRefusedWithAReason(t *testing.T) {
	alone := voucher(ticketing.VoucherPercent, 1000, func(v *ticketing.Voucher) { v.Stackable = false })
	dear := voucher(ticketing.VoucherFixed, 100, func(v *ticketing.Voucher) { v.MinimumSpend = 10501 })
	tests := []struct {
		name     string
		vouchers []ticketing.Voucher
		code     ticketing.Code
		field    string
	}{
		{"not enough is bought", []ticketing.Voucher{dear}, ticketing.CodeVoucherMinimum, "/vouchers/0"},
		{"not with others", []ticketing.Voucher{voucher(ticketing.VoucherFixed, 100), alone}, ticketing.CodeInvalid, "/vouchers"},
		{"twice", []ticketing.Voucher{alone, alone}, ticketing.CodeInvalid, "/vouchers/1"},
		{"too many", make([]ticketing.Voucher, ticketing.MaxVouchers+1), ticketing.CodeInvalid, "/vouchers"},
	}
	event, session := goods()
	for _, test := range tests {
		_, err := ticketing.PriceOrder(event, session, ticketing.Basket{Lines: ask("plain", 1), Vouchers: test.vouchers, At: noon})
		if refusal, ok := ticketing.RefusalOf(err); !ok || refusal.Code != test.code || refusal.Field != test.field {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
