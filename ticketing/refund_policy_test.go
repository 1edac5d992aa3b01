package ticketing_test

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/ticketing"
)

var (
	showtime = noon.AddDate(0, 0, 30)
	ladder   = ticketing.RefundPolicy{{Before: 14 * 24 * time.Hour}, {Before: 72 * time.Hour, FeeBasisPoints: 1250}, {Before: 24 * time.Hour, FeeBasisPoints: 5000}}
)

// threeTickets is a paid order of two tickets at 100.01 and one at 0.03, with a fee of 0.10.
func threeTickets() ticketing.RefundFacts {
	return ticketing.RefundFacts{
		Order: ticketing.OrderPaid, Currency: "CNY", OrderFee: 10,
		Terms: ticketing.RefundTerms{Policy: ladder, Event: ticketing.EventOnSale, StartsAt: showtime, PaidAt: noon},
		Tickets: []ticketing.PaidTicket{
			{ID: "a", State: ticketing.TicketValid, Paid: 10001}, {ID: "b", State: ticketing.TicketValid, Paid: 10001}, {ID: "c", State: ticketing.TicketValid, Paid: 3},
		},
	}
}

func TestRefundsAreQuotedByTheLadder(t *testing.T) {
	day := 24 * time.Hour
	for _, c := range []struct {
		name    string
		before  time.Duration // the session
		change  func(*ticketing.RefundFacts)
		tickets []string
		amount  int64
		fee     int64
		until   time.Duration // before the session; negative: for ever
		refused ticketing.Code
	}{
		{name: "early, all of it", before: 20 * day, amount: 20005, until: 14 * day},
		{name: "to the second", before: 14 * day, amount: 20005, until: 14 * day},
		{name: "a second late", before: 14*day - time.Second, fee: 1250 + 1250 + 0, amount: 17505, until: 3 * day},
		{name: "half is rounded up, each for itself", before: 2 * day, fee: 5001 + 5001 + 2, amount: 10001, until: day},
		{name: "one of three", before: 2 * day, tickets: []string{"b"}, fee: 5001, amount: 5000, until: day},
		{name: "on the last second", before: day, tickets: []string{"c"}, fee: 2, amount: 1, until: day},
		{name: "after the last step", before: day - time.Second, refused: ticketing.CodeNotRefundable},
		{name: "after the session", before: -day, refused: ticketing.CodeNotRefundable},
		{name: "no ladder", before: 20 * day, refused: ticketing.CodeNotRefundable, change: func(f *ticketing.RefundFacts) { f.Terms.Policy = nil }},
		{name: "cancelled", before: -20 * day, amount: 20015, until: -1, change: func(f *ticketing.RefundFacts) { f.Terms.Event = ticketing.EventCancelled }},
		{name: "postponed without a ladder", before: day, amount: 20015, until: -1, change: func(f *ticketing.RefundFacts) {
			f.Terms.Event, f.Terms.Policy = ticketing.EventPostponed, nil
		}},
		{name: "one of a cancelled event", before: day, tickets: []string{"a"}, amount: 10005, until: -1, change: func(f *ticketing.RefundFacts) { f.Terms.Event = ticketing.EventCancelled }},
		{name: "changed after it was paid", before: time.Hour, amount: 20015, change: func(f *ticketing.RefundFacts) { f.Terms.ChangedAt = noon.Add(time.Second) }},
		{name: "changed, and it took place", before: -time.Second, refused: ticketing.CodeNotRefundable, change: func(f *ticketing.RefundFacts) { f.Terms.ChangedAt = noon.Add(time.Second) }},
		{name: "changed before it was paid", before: 2 * day, fee: 10004, amount: 10001, until: day, change: func(f *ticketing.RefundFacts) { f.Terms.ChangedAt = noon }},
		{name: "some are void", before: 20 * day, amount: 10004, until: 14 * day, change: void("a")},
		{name: "the fee of those that are void stays", before: 0, amount: 10001 + 3 + 3 + 3, until: -1, change: func(f *ticketing.RefundFacts) {
			void("a")(f)
			f.Terms.Event = ticketing.EventCancelled
		}},
		{name: "all are void", before: 20 * day, refused: ticketing.CodeNotRefundable, change: void("a", "b", "c")},
		{name: "void already", before: 20 * day, tickets: []string{"c", "a"}, refused: ticketing.CodeConflict, change: void("a")},
		{name: "frozen", before: 20 * day, tickets: []string{"a"}, refused: ticketing.CodeNotRefundable, change: frozen},
		{name: "all are frozen", before: 20 * day, refused: ticketing.CodeNotRefundable, change: frozen},
		{name: "of somebody else", before: 20 * day, tickets: []string{"z"}, refused: ticketing.CodeInvalid},
		{name: "named twice", before: 20 * day, tickets: []string{"a", "a"}, refused: ticketing.CodeInvalid},
		{name: "none named", before: 20 * day, tickets: []string{}, refused: ticketing.CodeInvalid},
		{name: "too small to give back", before: 2 * day, tickets: []string{"c"}, refused: ticketing.CodeNotRefundable, change: func(f *ticketing.RefundFacts) { f.Tickets[2].Paid = 1 }},
		{name: "unpaid", before: 20 * day, refused: ticketing.CodeNotRefundable, change: is(ticketing.OrderPending)},
		{name: "refunded", before: 20 * day, refused: ticketing.CodeNotRefundable, change: is(ticketing.OrderRefunded)},
		{name: "while another refund is under way", before: 20 * day, amount: 20005, until: 14 * day, change: is(ticketing.OrderRefunding)},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := threeTickets()
			if c.change != nil {
				c.change(&f)
			}
			q, err := ticketing.QuoteRefund(f, c.tickets, showtime.Add(-c.before))
			if ticketing.CodeOf(err) != c.refused {
				t.Fatalf("%+v, %v, want %q", q, err, c.refused)
			}
			if c.refused != "" {
				return
			}
			until := showtime.Add(-c.until)
			if c.until < 0 {
				until = time.Time{}
			}
			if q.Amount.Amount != c.amount || q.Fee != c.fee || !q.Until.Equal(until) || q.Amount.Currency != "CNY" || q.Free != f.Terms.Free() {
				t.Errorf("%+v, want %d back, a fee of %d, until %s", q, c.amount, c.fee, until)
			}
		})
	}
}

func void(ids ...string) func(*ticketing.RefundFacts) {
	return func(f *ticketing.RefundFacts) {
		for i := range f.Tickets {
			if slices.Contains(ids, f.Tickets[i].ID) {
				f.Tickets[i].State = ticketing.TicketVoid
			}
		}
	}
}

func frozen(f *ticketing.RefundFacts) {
	for i := range f.Tickets {
		f.Tickets[i].State = ticketing.TicketFrozen
	}
}

func is(state ticketing.OrderState) func(*ticketing.RefundFacts) {
	return func(f *ticketing.RefundFacts) { f.Order = state }
}

func TestRefundLaddersOnlyGetDearer(t *testing.T) {
	hour := time.Hour
	for name, c := range map[string]struct {
		policy ticketing.RefundPolicy
		fine   bool
	}{
		"none":                   {nil, true},
		"one":                    {ticketing.RefundPolicy{{2 * hour, 9999}}, true},
		"dearer":                 {ticketing.RefundPolicy{{2 * hour, 0}, {hour, 1}, {0, 1}}, true},
		"cheaper":                {ticketing.RefundPolicy{{2 * hour, 2}, {hour, 1}}, false},
		"out of order":           {ticketing.RefundPolicy{{hour, 1}, {2 * hour, 1}}, false},
		"twice":                  {ticketing.RefundPolicy{{hour, 1}, {hour, 1}}, false},
		"after the session":      {ticketing.RefundPolicy{{-hour, 1}}, false},
		"a fraction of a second": {ticketing.RefundPolicy{{hour + 1, 1}}, false},
		"a negative fee":         {ticketing.RefundPolicy{{hour, -1}}, false},
		"everything":             {ticketing.RefundPolicy{{hour, 10000}}, false},
	} {
		if err := c.policy.Validate(); (err == nil) != c.fine {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// drawn is any paid order with any ladder.
func drawn(t *rapid.T) ticketing.RefundFacts {
	f := threeTickets()
	f.Terms.Policy, f.Tickets = nil, nil
	before, fee := time.Duration(60*24)*time.Hour, int64(0)
	for range rapid.IntRange(1, 5).Draw(t, "steps") {
		before -= time.Duration(rapid.IntRange(1, 12*24*3600).Draw(t, "later")) * time.Second
		fee = rapid.Int64Range(fee, 9999).Draw(t, "fee")
		f.Terms.Policy = append(f.Terms.Policy, ticketing.RefundStep{Before: before, FeeBasisPoints: fee})
	}
	for i := range rapid.IntRange(1, 12).Draw(t, "tickets") {
		f.Tickets = append(f.Tickets, ticketing.PaidTicket{
			ID: strconv.Itoa(i), State: ticketing.TicketValid, Paid: rapid.Int64Range(1, 1_000_000).Draw(t, "paid"),
		})
	}
	f.OrderFee = rapid.Int64Range(0, 10_000).Draw(t, "order fee")
	if rapid.Bool().Draw(t, "cancelled") {
		f.Terms.Event = ticketing.EventCancelled
	}
	return f
}

func TestPartsOfARefundAddUpAndNeverExceedWhatWasPaid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawn(t)
		if err := f.Terms.Policy.Validate(); err != nil {
			t.Fatal(err)
		}
		now := showtime.Add(-time.Duration(rapid.Int64Range(0, 61*24*3600).Draw(t, "before")) * time.Second)
		whole, err := ticketing.QuoteRefund(f, nil, now)
		if err != nil {
			t.Skip("too late")
		}
		var paid, lines int64
		for i, line := range whole.Lines {
			paid += f.Tickets[i].Paid
			lines += line.Amount
			if line.Paid != f.Tickets[i].Paid || line.Amount != line.Paid-line.Fee || line.Fee < 0 || line.Amount < 0 {
				t.Fatalf("%+v", line)
			}
			// Each by itself is the same, but for what is too small to go back.
			alone, err := ticketing.QuoteRefund(f, []string{line.TicketID}, now)
			switch {
			case err == nil && alone.Lines[0] != line:
				t.Fatalf("alone %+v, together %+v", alone.Lines, line)
			case err == nil:
				lines += alone.OrderFee
			case line.Amount > 0:
				t.Fatal(err)
			}
		}
		if whole.Paid != paid || whole.Amount.Amount != paid-whole.Fee+whole.OrderFee || whole.Amount.Amount != lines {
			t.Fatalf("%+v of %d paid, %d by its lines", whole, paid, lines)
		}
		if whole.Amount.Amount > paid+f.OrderFee || whole.Free && (whole.Fee != 0 || whole.OrderFee != f.OrderFee) || !whole.Free && whole.OrderFee != 0 {
			t.Fatalf("%+v of %d paid and a fee of %d", whole, paid, f.OrderFee)
		}
	})
}

func TestWaitingNeverMakesARefundCheaper(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawn(t)
		early := showtime.Add(-time.Duration(rapid.Int64Range(0, 61*24*3600).Draw(t, "before")) * time.Second)
		late := early.Add(time.Duration(rapid.Int64Range(0, 61*24*3600).Draw(t, "later")) * time.Second)
		first, firstErr := ticketing.QuoteRefund(f, nil, early)
		second, secondErr := ticketing.QuoteRefund(f, nil, late)
		if firstErr != nil && secondErr == nil || firstErr == nil && secondErr == nil && second.Amount.Amount > first.Amount.Amount {
			t.Fatalf("%+v at %s, then %+v at %s", first, early, second, late)
		}
		// A quote holds until it says.
		if firstErr == nil && !late.After(first.Until) && (secondErr != nil || second.Amount != first.Amount) {
			t.Fatalf("%+v did not hold at %s: %+v", first, late, second)
		}
	})
}

func TestRefundFeesAreRoundedHalfUpWithoutOverflow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := threeTickets()
		paid, points := rapid.Int64Range(1, math.MaxInt64).Draw(t, "paid"), rapid.Int64Range(0, 9999).Draw(t, "basis points")
		f.Tickets = []ticketing.PaidTicket{{ID: "a", State: ticketing.TicketValid, Paid: paid}}
		f.Terms.Policy = ticketing.RefundPolicy{{Before: time.Hour, FeeBasisPoints: points}}
		exact := new(big.Int).Mul(big.NewInt(paid), big.NewInt(points))
		exact.Add(exact, big.NewInt(5000)).Div(exact, big.NewInt(10000))
		q, err := ticketing.QuoteRefund(f, nil, noon)
		if err == nil && q.Fee != exact.Int64() || err != nil && exact.Int64() != paid {
			t.Fatalf("%d at %d: %+v, %v, want %s", paid, points, q, err, exact)
		}
	})
}
