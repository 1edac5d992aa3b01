package ticketing_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/ticketing"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// priceList is an event with a plain type, one with phases, one whose sale is bounded, and one in another currency.
func priceList() (ticketing.Event, ticketing.Session) {
	kind := func(id, currency string, price, surcharge int64, most int) ticketing.TicketType {
		return ticketing.TicketType{
			ID: id, Currency: currency, BasePrice: price, Surcharge: surcharge, MaxPerOrder: most,
			SaleFrom: noon.AddDate(0, -1, 0), SaleUntil: noon.AddDate(0, 1, 0),
		}
	}
	phased := kind("phased", "CNY", 30000, 100, 6)
	phased.Phases = []ticketing.PricePhase{
		{From: noon.Add(-48 * time.Hour), Until: noon.Add(48 * time.Hour), BasePrice: 20000},
		{From: noon.Add(-time.Hour), Until: noon.Add(time.Hour), BasePrice: 15000},
	}
	bounded := kind("bounded", "CNY", 1000, 0, 6)
	bounded.SaleFrom, bounded.SaleUntil = noon, noon.Add(time.Hour)
	return ticketing.Event{State: ticketing.EventOnSale, OrderFee: 300, MaxPerOrder: 8}, ticketing.Session{
		TicketTypes: []ticketing.TicketType{kind("plain", "CNY", 10000, 500, 4), phased, bounded, kind("yen", "JPY", 4500, 0, 4), kind("gold", "CNY", math.MaxInt64, 0, 4)},
	}
}

func ask(pairs ...any) []ticketing.Ask {
	var asks []ticketing.Ask
	for i := 0; i < len(pairs); i += 2 {
		asks = append(asks, ticketing.Ask{TicketTypeID: pairs[i].(string), Quantity: pairs[i+1].(int)})
	}
	return asks
}

func TestPriceOrder(t *testing.T) {
	tests := []struct {
		name  string
		state ticketing.EventState
		asks  []ticketing.Ask
		at    time.Time
		total ticketing.Money
		code  ticketing.Code
		field string
	}{
		{name: "base and surcharge by quantity, one fee", asks: ask("plain", 3), total: cny(3*10500 + 300)},
		{name: "two lines, one fee", asks: ask("plain", 1, "phased", 2), total: cny(10500 + 2*15100 + 300)},
		{name: "the phase that started last counts", asks: ask("phased", 1), total: cny(15100 + 300)},
		{name: "a phase ends on the second", asks: ask("phased", 1), at: noon.Add(time.Hour), total: cny(20100 + 300)},
		{name: "a phase begins on the second", asks: ask("phased", 1), at: noon.Add(-time.Hour), total: cny(15100 + 300)},
		{name: "one second before a phase", asks: ask("phased", 1), at: noon.Add(-time.Hour - time.Second), total: cny(20100 + 300)},
		{name: "no phase any more", asks: ask("phased", 1), at: noon.Add(48 * time.Hour), total: cny(30100 + 300)},
		{name: "other currency", asks: ask("yen", 2), total: ticketing.Money{Amount: 9300, Currency: "JPY"}},
		{name: "the sale begins on the second", asks: ask("bounded", 1), total: cny(1300)},
		{name: "before the sale", asks: ask("bounded", 1), at: noon.Add(-time.Second), code: ticketing.CodeWindowClosed, field: "/lines/0/ticket_type_id"},
		{name: "the sale ends on the second", asks: ask("plain", 1, "bounded", 1), at: noon.Add(time.Hour), code: ticketing.CodeWindowClosed, field: "/lines/1/ticket_type_id"},
		{name: "not on sale", state: ticketing.EventPaused, asks: ask("plain", 1), code: ticketing.CodeNotOnSale},
		{name: "no lines", code: ticketing.CodeInvalid, field: "/lines"},
		{name: "too many lines", asks: slices.Repeat(ask("plain", 1), ticketing.MaxLines+1), code: ticketing.CodeInvalid, field: "/lines"},
		{name: "unknown type", asks: ask("plain", 1, "nothing", 1), code: ticketing.CodeInvalid, field: "/lines/1/ticket_type_id"},
		{name: "named twice", asks: ask("plain", 1, "plain", 1), code: ticketing.CodeInvalid, field: "/lines/1/ticket_type_id"},
		{name: "none of it", asks: ask("plain", 0), code: ticketing.CodeInvalid, field: "/lines/0/quantity"},
		{name: "less than none", asks: ask("plain", -1), code: ticketing.CodeInvalid, field: "/lines/0/quantity"},
		{name: "absurdly many", asks: ask("plain", math.MaxInt), code: ticketing.CodeInvalid, field: "/lines/0/quantity"},
		{name: "more than the type allows", asks: ask("plain", 5), code: ticketing.CodeLimitExceeded, field: "/lines/0/quantity"},
		{name: "more than the event allows", asks: ask("plain", 4, "phased", 5), code: ticketing.CodeLimitExceeded, field: "/lines"},
		{name: "as many as the event allows", asks: ask("plain", 4, "phased", 4), total: cny(4*10500 + 4*15100 + 300)},
		{name: "mixed currencies", asks: ask("plain", 1, "yen", 1), code: ticketing.CodeInvalid},
		{name: "overflowing line", asks: ask("gold", 2), code: ticketing.CodeInvalid},
		{name: "overflowing fee", asks: ask("gold", 1), code: ticketing.CodeInvalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			event, session := priceList()
			if test.state != "" {
				event.State = test.state
			}
			if test.at.IsZero() {
				test.at = noon
			}
			quote, err := ticketing.PriceOrder(event, session, ticketing.Basket{Lines: test.asks, At: test.at})
			if ticketing.CodeOf(err) != test.code || (err == nil) != (test.code == "") {
				t.Fatalf("error %v, want code %q", err, test.code)
			}
			if refusal, ok := ticketing.RefusalOf(err); ok && refusal.Field != test.field {
				t.Errorf("field %q, want %q", refusal.Field, test.field)
			}
			if err == nil && quote.Total != test.total {
				t.Errorf("total %v, want %v", quote.Total, test.total)
			}
		})
	}
}

// anyAsks draws asks the price list can answer.
func anyAsks(t *rapid.T) []ticketing.Ask {
	asks := ask("plain", rapid.IntRange(1, 4).Draw(t, "plain"))
	if more := rapid.IntRange(0, 4).Draw(t, "phased"); more > 0 {
		asks = append(asks, ticketing.Ask{TicketTypeID: "phased", Quantity: more})
	}
	return asks
}

func anyPrices(t *rapid.T) (ticketing.Event, ticketing.Session) {
	event, session := priceList()
	price := rapid.Int64Range(0, 1<<40)
	event.OrderFee = price.Draw(t, "fee")
	for i := range session.TicketTypes[:2] {
		session.TicketTypes[i].BasePrice, session.TicketTypes[i].Surcharge = price.Draw(t, "base"), price.Draw(t, "surcharge")
	}
	return event, session
}

func TestPricesAddUpAndAreNeverNegative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		event, session := anyPrices(t)
		quote, err := ticketing.PriceOrder(event, session, ticketing.Basket{Lines: anyAsks(t), At: noon})
		if err != nil {
			t.Fatal(err)
		}
		sum := quote.OrderFee
		for _, line := range quote.Lines {
			if line.Amount < 0 || line.Amount != (line.BasePrice+line.Surcharge)*int64(line.Quantity) {
				t.Fatalf("line %+v", line)
			}
			sum += line.Amount
		}
		if quote.Total.Amount != sum || sum < 0 {
			t.Fatalf("lines and fee are %d, the total is %v", sum, quote.Total)
		}
	})
}

func TestMoreTicketsNeverCostLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		event, session := anyPrices(t)
		asks := anyAsks(t)
		more := slices.Clone(asks)
		i := rapid.IntRange(0, len(asks)-1).Draw(t, "line")
		more[i].Quantity++
		before, err := ticketing.PriceOrder(event, session, ticketing.Basket{Lines: asks, At: noon})
		if err != nil {
			t.Fatal(err)
		}
		after, err := ticketing.PriceOrder(event, session, ticketing.Basket{Lines: more, At: noon})
		if ticketing.CodeOf(err) == ticketing.CodeLimitExceeded {
			t.Skip("no more allowed")
		}
		if err != nil || after.Total.Amount < before.Total.Amount {
			t.Fatalf("%v for %v, %v for %v (%v)", before.Total, asks, after.Total, more, err)
		}
	})
}

func TestPricingNeverPanicsAndNamesEveryRefusal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		event, session := priceList()
		asks := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ticketing.Ask {
			return ticketing.Ask{
				TicketTypeID: rapid.SampledFrom([]string{"plain", "phased", "bounded", "yen", "gold", ""}).Draw(t, "type"),
				Quantity:     rapid.Int().Draw(t, "quantity"),
			}
		}), 0, 25).Draw(t, "asks")
		at := noon.Add(time.Duration(rapid.Int64Range(-100, 100).Draw(t, "hours")) * time.Hour)
		quote, err := ticketing.PriceOrder(event, session, ticketing.Basket{Lines: asks, At: at})
		if err != nil && ticketing.CodeOf(err) == "" {
			t.Fatalf("an error without a code: %v", err)
		}
		if err == nil && quote.Total.Amount < 0 {
			t.Fatalf("negative total %v", quote.Total)
		}
	})
}
