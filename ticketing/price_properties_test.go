package ticketing_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/ticketing"
)

// anyTariff draws what an event may charge, and what is left at the price of its phases.
func anyTariff(t *rapid.T) (ticketing.Event, ticketing.Session, map[string]int) {
	event, session := goods()
	amount := rapid.Int64Range(0, 1<<40)
	event.OrderFee, event.TicketFee = amount.Draw(t, "order fee"), amount.Draw(t, "ticket fee")
	event.Tax = ticketing.TaxRule{BasisPoints: rapid.Int64Range(0, ticketing.MaxBasisPoints).Draw(t, "tax"), Included: rapid.Bool().Draw(t, "included")}
	for i := range session.TicketTypes[:2] {
		session.TicketTypes[i].BasePrice, session.TicketTypes[i].Surcharge = amount.Draw(t, "base"), amount.Draw(t, "surcharge")
	}
	left := map[string]int{}
	for i, phase := range session.TicketTypes[1].Phases {
		session.TicketTypes[1].Phases[i].BasePrice = amount.Draw(t, "phase")
		left[ticketing.PhaseKey("tiers", phase.ID)] = rapid.IntRange(0, phase.Limit).Draw(t, "left")
	}
	return event, session, left
}

func anyVouchers(t *rapid.T) []ticketing.Voucher {
	var given []ticketing.Voucher
	for _, kind := range []ticketing.VoucherKind{ticketing.VoucherFixed, ticketing.VoucherPercent, ticketing.VoucherPrice} {
		if rapid.Bool().Draw(t, string(kind)) {
			most := int64(math.MaxInt64)
			if kind == ticketing.VoucherPercent {
				most = ticketing.MaxBasisPoints
			}
			given = append(given, voucher(kind, rapid.Int64Range(1, most).Draw(t, "value"), func(v *ticketing.Voucher) {
				v.TicketTypeID = rapid.SampledFrom([]string{"", "plain", "tiers"}).Draw(t, "for")
			}))
		}
	}
	return given
}

func anyLines(t *rapid.T) []ticketing.Ask {
	return ask("plain", rapid.IntRange(1, 19).Draw(t, "plain"), "tiers", rapid.IntRange(1, 19).Draw(t, "tiers"))
}

func TestPartsAddUpToWhatIsCharged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		event, session, left := anyTariff(t)
		quote, err := ticketing.PriceOrder(event, session, ticketing.Basket{
			Lines: anyLines(t), Vouchers: anyVouchers(t), PhaseLeft: left, At: noon,
		})
		if ticketing.CodeOf(err) == ticketing.CodeVoucherInvalid {
			t.Skip("nothing to take off")
		}
		if err != nil {
			t.Fatal(err)
		}
		sum, off := quote.OrderFeeTotal(), int64(0)
		for _, l := range quote.Lines {
			if l.Amount != (l.BasePrice+l.Surcharge)*int64(l.Quantity) || l.Discount < 0 || l.Discount > l.Amount || l.Fee != event.TicketFee*int64(l.Quantity) || l.Tax < 0 {
				t.Fatalf("line %+v", l)
			}
			sum += quote.LineTotal(l)
			off += l.Discount
			// Every ticket's share is of the line, and they are the line.
			var shares int64
			for n := range l.Quantity {
				share := ticketing.Share(quote.LineTotal(l), n, l.Quantity)
				if share < 0 || ticketing.Share(quote.LineTotal(l), 0, l.Quantity)-share > 1 {
					t.Fatalf("share %d of %+v is %d", n, l, share)
				}
				shares += share
			}
			if shares != quote.LineTotal(l) {
				t.Fatalf("shares of %d for %d", shares, quote.LineTotal(l))
			}
		}
		for _, v := range quote.Vouchers {
			if v.Discount <= 0 {
				t.Fatalf("%+v", v)
			}
			off -= v.Discount
		}
		if sum != quote.Total.Amount || sum < 0 || off != 0 {
			t.Fatalf("the parts are %d, the total %v; %d taken off by nobody", sum, quote.Total, off)
		}
	})
}

// TestTaxIsWithinHalfAUnit compares with exact arithmetic: twice the tax times the whole is within the whole of twice the
// amount times the rate.
func TestTaxIsWithinHalfAUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		event, session := goods()
		event.OrderFee = rapid.Int64Range(0, 1<<40).Draw(t, "fee")
		event.Tax = ticketing.TaxRule{BasisPoints: rapid.Int64Range(0, ticketing.MaxBasisPoints).Draw(t, "tax"), Included: rapid.Bool().Draw(t, "included")}
		quote, err := ticketing.PriceOrder(event, session, ticketing.Basket{Lines: ask("plain", 1), At: noon})
		if err != nil {
			t.Fatal(err)
		}
		whole := int64(ticketing.MaxBasisPoints)
		if event.Tax.Included {
			whole += event.Tax.BasisPoints
		}
		if off := 2*quote.OrderFeeTax*whole - 2*event.OrderFee*event.Tax.BasisPoints; off > whole || off <= -whole {
			t.Fatalf("a tax of %d on %d by %+v", quote.OrderFeeTax, event.OrderFee, event.Tax)
		}
	})
}

// TestMoreTicketsNeverCostLessWherePricesRise: a phase that is full may be followed by a dearer one. Where an organiser has it followed by
// a cheaper one, or a voucher wants a minimum, more can cost less; nothing else makes it so.
func TestMoreTicketsNeverCostLessWherePricesRise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		event, session, left := anyTariff(t)
		tiers := &session.TicketTypes[1]
		tiers.Phases[1].BasePrice = max(tiers.Phases[0].BasePrice, tiers.Phases[1].BasePrice)
		tiers.BasePrice = max(tiers.BasePrice, tiers.Phases[1].BasePrice)
		asks := anyLines(t)
		before, err := ticketing.PriceOrder(event, session, ticketing.Basket{Lines: asks, PhaseLeft: left, At: noon})
		if err != nil {
			t.Fatal(err)
		}
		asks[rapid.IntRange(0, 1).Draw(t, "line")].Quantity++
		after, err := ticketing.PriceOrder(event, session, ticketing.Basket{Lines: asks, PhaseLeft: left, At: noon})
		if err != nil || after.Total.Amount < before.Total.Amount {
			t.Fatalf("%v before, %v after, %v", before.Total, after.Total, err)
		}
	})
}

// TestHugePricesAreRefusedAndNeverWrapAround draws amounts up to the end of what can be counted.
func TestHugePricesAreRefusedAndNeverWrapAround(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		event, session := goods()
		amount := rapid.Int64Range(0, math.MaxInt64)
		event.OrderFee, event.TicketFee = amount.Draw(t, "order fee"), amount.Draw(t, "ticket fee")
		event.Tax = ticketing.TaxRule{BasisPoints: rapid.Int64Range(0, ticketing.MaxBasisPoints).Draw(t, "tax"), Included: rapid.Bool().Draw(t, "included")}
		session.TicketTypes[0].BasePrice, session.TicketTypes[1].BasePrice = amount.Draw(t, "base"), amount.Draw(t, "base")
		quote, err := ticketing.PriceOrder(event, session, ticketing.Basket{Lines: anyLines(t), Vouchers: anyVouchers(t), At: noon})
		switch code := ticketing.CodeOf(err); {
		case err == nil && quote.Total.Amount < 0:
			t.Fatalf("%+v", quote)
		case err != nil && code != ticketing.CodeInvalid && code != ticketing.CodeVoucherInvalid:
			t.Fatal(err)
		}
	})
}

func TestLimitIdentity(t *testing.T) {
	for email, want := range map[string]string{
		"Mei@Example.com":         "mei@example.com",
		"mei+show@example.com":    "mei@example.com",
		"mei+a+b@example.com":     "mei@example.com",
		"+mei@example.com":        "+mei@example.com",
		"m.e.i@example.com":       "m.e.i@example.com",
		"mei@plus+in.example.com": "mei@plus+in.example.com",
		"nobody":                  "nobody",
	} {
		if have := ticketing.LimitIdentity(email); have != want {
			t.Errorf("%q is %q, want %q", email, have, want)
		}
	}
}
