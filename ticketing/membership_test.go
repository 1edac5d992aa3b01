package ticketing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/ticketing"
)

func named(name string) ticketing.Text { return ticketing.Text{"en": name, "zh-CN": name} }

// circle is a programme in which a yuan is a point: friends from 500 points have 5 % off, patrons from 2000 have 10 % off, buy two
// days before everybody else and two tickets more.
func circle() *ticketing.Programme {
	return &ticketing.Programme{
		ID: "circle", OrganiserID: "hall", Name: named("Circle"), Currency: "CNY", SpendPerPoint: 100,
		Levels: []ticketing.Level{
			{Name: named("Friend"), Points: 500, DiscountBasisPoints: 500},
			{Name: named("Patron"), Points: 2000, DiscountBasisPoints: 1000, LeadHours: 48, ExtraTickets: 2},
		},
	}
}

func member(points int64) *ticketing.Member {
	return &ticketing.Member{ID: "mei", ProgrammeID: "circle", Points: points}
}

// TestMemberPriceTable: every number was worked out by hand from docs/membership.md.
func TestMemberPriceTable(t *testing.T) {
	added := ticketing.TaxRule{BasisPoints: 600}
	tests := []struct {
		name     string
		points   int64
		asks     []ticketing.Ask
		vouchers []ticketing.Voucher
		tax      ticketing.TaxRule
		fee      int64

		off, vouchersOff, total int64
		level                   string
	}{
		{name: "no level yet", points: 499, asks: ask("plain", 2), total: 21000},
		{name: "the level begins with its points", points: 500, asks: ask("plain", 2), level: "Friend", off: 1050, total: 19950},
		{name: "the highest level reached counts", points: 2000, asks: ask("plain", 2), level: "Patron", off: 2100, total: 18900},
		{
			// 10.5 fen of 2.10 yuan, rounded half up.
			name: "rounded half up for each line", points: 500, asks: ask("penny", 21), level: "Friend", off: 11, total: 199,
		},
		{
			// 105.00 and 120.00 + 1.00: 10.50 and 12.10 off.
			name: "every line, at the price of its phase", points: 2000, asks: ask("plain", 1, "tiers", 1), level: "Patron", off: 1050 + 1210, total: 9450 + 10890,
		},
		{
			// 210.00 − 21.00 = 189.00, 10 % of that is 18.90.
			name: "a percentage comes after the membership", points: 2000, asks: ask("plain", 2), level: "Patron",
			vouchers: []ticketing.Voucher{voucher(ticketing.VoucherPercent, 1000)}, off: 2100, vouchersOff: 1890, total: 17010,
		},
		{
			name: "a voucher's price is no dearer and no cheaper for a member", points: 2000, asks: ask("plain", 2), level: "Patron",
			vouchers: []ticketing.Voucher{voucher(ticketing.VoucherPrice, 9000)}, off: 2100, vouchersOff: 900, total: 18000,
		},
		{
			name: "a minimum is of what the tickets cost without any discount", points: 2000, asks: ask("plain", 2), level: "Patron",
			vouchers: []ticketing.Voucher{voucher(ticketing.VoucherFixed, 1000, func(v *ticketing.Voucher) { v.MinimumSpend = 21000 })},
			off:      2100, vouchersOff: 1000, total: 17900,
		},
		{
			// 189.00 + 4.00 fees, and 6 % of 193.00 is 11.58: fees are not made cheaper, tax is on what is charged.
			name: "fees stay and tax is on what is left", points: 2000, asks: ask("plain", 2), level: "Patron", fee: 200, tax: added, off: 2100, total: 19300 + 1158,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			event, session := goods()
			event.Programme, event.TicketFee, event.Tax = circle(), test.fee, test.tax
			for i := range session.TicketTypes {
				session.TicketTypes[i].MaxPerOrder = 30
			}
			left := map[string]int{ticketing.PhaseKey("tiers", "first"): 10}
			quote, err := ticketing.PriceOrder(event, session, ticketing.Basket{Lines: test.asks, Vouchers: test.vouchers, PhaseLeft: left, At: noon, Member: member(test.points)})
			require.NoError(t, err)
			var vouchersOff int64
			for _, v := range quote.Vouchers {
				vouchersOff += v.Discount
			}
			require.Equal(t, test.off, quote.Member.Discount)
			require.Equal(t, test.level, quote.Member.Level["en"])
			require.Equal(t, test.vouchersOff, vouchersOff)
			require.Equal(t, test.total, quote.Total.Amount)
		})
	}
}

func TestAMemberOfAnotherProgrammeIsAnsweredLikeAVoucherThatIsNoGood(t *testing.T) {
	event, session := goods()
	price := func(m *ticketing.Member) error {
		_, err := ticketing.PriceOrder(event, session, ticketing.Basket{Lines: ask("plain", 1), At: noon, Member: m})
		return err
	}
	unknown := price(member(9999))
	require.Equal(t, ticketing.CodeVoucherInvalid, ticketing.CodeOf(unknown), "the organiser has no programme")
	event.Programme = circle()
	require.NoError(t, price(member(0)))
	require.Equal(t, unknown, price(&ticketing.Member{}))
	require.Equal(t, unknown, price(&ticketing.Member{ID: "mei", ProgrammeID: "another", Points: 9999}))
}

func TestAMemberBuysEarlierAndMore(t *testing.T) {
	event, session := goods()
	event.Programme, event.MaxPerBuyer = circle(), 6
	plain := &session.TicketTypes[0]
	plain.MaxPerBuyer = 4
	price := func(points int64, quantity int, at time.Time) ticketing.Code {
		_, err := ticketing.PriceOrder(event, session, ticketing.Basket{Lines: ask("plain", quantity), At: at, Member: member(points)})
		return ticketing.CodeOf(err)
	}
	early := plain.SaleFrom.Add(-48 * time.Hour)
	require.Equal(t, ticketing.CodeWindowClosed, price(2000, 1, early.Add(-time.Nanosecond)))
	require.Empty(t, price(2000, 1, early))
	require.Equal(t, ticketing.CodeWindowClosed, price(500, 1, plain.SaleFrom.Add(-time.Nanosecond)))
	require.Equal(t, ticketing.CodeWindowClosed, price(2000, 1, plain.SaleUntil), "a sale ends for everybody")
	require.Equal(t, ticketing.CodeLimitExceeded, price(500, 5, noon))
	require.Empty(t, price(2000, 6, noon))
	require.Equal(t, ticketing.CodeLimitExceeded, price(2000, 7, noon))
	plain.MaxPerOrder = 5
	require.Equal(t, ticketing.CodeLimitExceeded, price(2000, 6, noon), "one order has its own bound")
	require.Zero(t, ticketing.Level{ExtraTickets: 2}.BoundOf(ticketing.Event{}), "what is not bounded stays so")
}

func TestProgrammeTerms(t *testing.T) {
	require.NoError(t, circle().Validate())
	for name, change := range map[string]func(*ticketing.Programme){
		"no id":                   func(p *ticketing.Programme) { p.ID = "" },
		"no organiser":            func(p *ticketing.Programme) { p.OrganiserID = "" },
		"no Chinese name":         func(p *ticketing.Programme) { delete(p.Name, "zh-CN") },
		"no currency":             func(p *ticketing.Programme) { p.Currency = "yuan" },
		"points for nothing":      func(p *ticketing.Programme) { p.SpendPerPoint = 0 },
		"no levels":               func(p *ticketing.Programme) { p.Levels = nil },
		"too many levels":         func(p *ticketing.Programme) { p.Levels = make([]ticketing.Level, ticketing.MaxLevels+1) },
		"a level without a name":  func(p *ticketing.Programme) { p.Levels[0].Name = nil },
		"a level below nothing":   func(p *ticketing.Programme) { p.Levels[0].Points = -1 },
		"a dearer level":          func(p *ticketing.Programme) { p.Levels[0].DiscountBasisPoints = -1 },
		"more than everything":    func(p *ticketing.Programme) { p.Levels[1].DiscountBasisPoints = ticketing.MaxBasisPoints + 1 },
		"two levels at once":      func(p *ticketing.Programme) { p.Levels[1].Points = p.Levels[0].Points },
		"a higher, dearer level":  func(p *ticketing.Programme) { p.Levels[1].DiscountBasisPoints = 499 },
		"a higher, later level":   func(p *ticketing.Programme) { p.Levels[0].LeadHours = 49 },
		"a higher level has less": func(p *ticketing.Programme) { p.Levels[0].ExtraTickets = 3 },
	} {
		t.Run(name, func(t *testing.T) {
			p := circle()
			change(p)
			require.Equal(t, ticketing.CodeInvalid, ticketing.CodeOf(p.Validate()))
		})
	}
}

func TestPointsForWhatWasPaid(t *testing.T) {
	p := circle()
	for paid, want := range map[ticketing.Money]int64{
		{Amount: 99, Currency: "CNY"}: 0, {Amount: 100, Currency: "CNY"}: 1, {Amount: 19999, Currency: "CNY"}: 199,
		{Amount: 10000, Currency: "JPY"}: 0, {Amount: -100, Currency: "CNY"}: 0, {Currency: "CNY"}: 0,
	} {
		require.Equal(t, want, p.PointsFor(paid), "%v", paid)
	}
}

// anyProgramme draws a programme that is good.
func anyProgramme(t *rapid.T) *ticketing.Programme {
	p := circle()
	p.SpendPerPoint, p.Levels = rapid.Int64Range(1, 10_000).Draw(t, "spend per point"), nil
	var l ticketing.Level
	for range rapid.IntRange(1, ticketing.MaxLevels).Draw(t, "levels") {
		l.Name = named("Level")
		l.Points += rapid.Int64Range(1, 1000).Draw(t, "points")
		l.DiscountBasisPoints = rapid.Int64Range(l.DiscountBasisPoints, ticketing.MaxBasisPoints).Draw(t, "discount")
		l.LeadHours = rapid.IntRange(l.LeadHours, ticketing.MaxLeadHours).Draw(t, "lead")
		l.ExtraTickets = rapid.IntRange(l.ExtraTickets, ticketing.MaxQuantity).Draw(t, "extra")
		p.Levels = append(p.Levels, l)
	}
	return p
}

// TestMorePointsNeverGiveLess: with vouchers it is what is charged for the tickets that never rises; how it is shared among lines that
// are taxed each on their own may move the tax by a rounding.
func TestMorePointsNeverGiveLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		event, session, left := anyTariff(t)
		event.Programme = anyProgramme(t)
		if err := event.Programme.Validate(); err != nil {
			t.Fatal(err)
		}
		asks, vouchers := anyLines(t), anyVouchers(t)
		points := rapid.Int64Range(0, 12_000)
		fewer := points.Draw(t, "fewer")
		more := rapid.Int64Range(fewer, 12_000).Draw(t, "more")
		price := func(n int64, with []ticketing.Voucher) (ticketing.Quote, int64) {
			quote, err := ticketing.PriceOrder(event, session, ticketing.Basket{Lines: asks, Vouchers: with, PhaseLeft: left, At: noon, Member: member(n)})
			if ticketing.CodeOf(err) == ticketing.CodeVoucherInvalid {
				t.Skip("nothing left to take off")
			}
			if err != nil {
				t.Fatal(err)
			}
			sum, off, tickets := quote.OrderFeeTotal(), quote.Member.Discount, int64(0)
			for _, l := range quote.Lines {
				sum += quote.LineTotal(l)
				off -= l.Discount
				tickets += l.Amount - l.Discount
				if l.Discount < 0 || l.Discount > l.Amount {
					t.Fatalf("line %+v", l)
				}
			}
			for _, v := range quote.Vouchers {
				off += v.Discount
			}
			if sum != quote.Total.Amount || off != 0 || quote.Total.Amount < 0 {
				t.Fatalf("the parts are %d, the total %v; %d taken off by nobody", sum, quote.Total, off)
			}
			return quote, tickets
		}
		low, lowTickets := price(fewer, vouchers)
		high, highTickets := price(more, vouchers)
		if highTickets > lowTickets || high.Member.Discount < low.Member.Discount {
			t.Fatalf("%d points: %+v\n%d points: %+v", fewer, low, more, high)
		}
		low, _ = price(fewer, nil)
		high, _ = price(more, nil)
		if high.Total.Amount > low.Total.Amount {
			t.Fatalf("%d points: %v, %d points: %v", fewer, low.Total, more, high.Total)
		}
		was, next := event.Programme.LevelAt(fewer)
		is, _ := event.Programme.LevelAt(more)
		if is.LeadHours < was.LeadHours || is.BoundOf(event) < was.BoundOf(event) || next != nil && next.Points <= fewer {
			t.Fatalf("%+v, then %+v", was, is)
		}
	})
}

// TestPointsNeverExceedWhatWasSpent: less is never worth more, and nothing is worth nothing.
func TestPointsNeverExceedWhatWasSpent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyProgramme(t)
		paid := rapid.Int64Range(0, 1<<40).Draw(t, "paid")
		kept := rapid.Int64Range(0, paid).Draw(t, "kept")
		cny := func(amount int64) int64 {
			return p.PointsFor(ticketing.Money{Amount: amount, Currency: p.Currency})
		}
		if cny(kept) < 0 || cny(kept) > cny(paid) || cny(paid)*p.SpendPerPoint > paid || (cny(paid)+1)*p.SpendPerPoint <= paid {
			t.Fatalf("%d points for %d, %d for %d at %d", cny(paid), paid, cny(kept), kept, p.SpendPerPoint)
		}
	})
}
