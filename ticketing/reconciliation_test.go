package ticketing_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/ticketing"
)

var (
	beijing = time.FixedZone("UTC+8", 8*60*60)
	day     = ticketing.DayOf(noon, beijing)
	terms   = ticketing.FeeTerms{BasisPoints: 60}
)

// moved is a movement in the middle of the day, unless changed.
func moved(kind ticketing.MovementKind, reference string, amount int64, change ...func(*ticketing.Movement)) ticketing.Movement {
	m := ticketing.Movement{
		MovementKey: ticketing.MovementKey{Kind: kind, Reference: reference}, Amount: cny(amount), At: noon, GatewayID: "g-" + reference,
	}
	for _, c := range change {
		c(&m)
	}
	return m
}

func fee(minor int64) func(*ticketing.Movement) {
	return func(m *ticketing.Movement) { m.Fee = cny(minor) }
}

func at(t time.Time) func(*ticketing.Movement) { return func(m *ticketing.Movement) { m.At = t } }

func in(currency string) func(*ticketing.Movement) {
	return func(m *ticketing.Movement) { m.Amount.Currency = currency }
}

// found is what tests compare of a difference.
type found struct {
	class     ticketing.DifferenceClass
	reference string
}

func differences(bill ticketing.Bill, books ticketing.Books) []found {
	var all []found
	for _, d := range ticketing.Reconcile(bill, books) {
		all = append(all, found{d.Class, d.Reference})
	}
	return all
}

func TestHazard27EveryClassOfDifference(t *testing.T) {
	const payment, refund = ticketing.MovementPayment, ticketing.MovementRefund
	type lines = []ticketing.Movement
	lastHour, firstHour := day.Until.Add(-time.Hour), day.From.Add(time.Hour)
	billed := func(date string, kind ticketing.MovementKind, reference string) map[ticketing.MovementKey]string {
		return map[ticketing.MovementKey]string{{Kind: kind, Reference: reference}: date}
	}
	for name, test := range map[string]struct {
		lines lines
		state ticketing.BillState
		books ticketing.Books
		want  []found
	}{
		"nothing on both sides":      {},
		"the same on both":           {lines: lines{moved(payment, "A", 100), moved(refund, "A", -40)}, books: ticketing.Books{Booked: lines{moved(refund, "A", -40), moved(payment, "A", 100)}}},
		"on the bill only":           {lines: lines{moved(payment, "A", 100)}, want: []found{{ticketing.DifferenceLong, "A"}}},
		"a refund on the bill only":  {lines: lines{moved(payment, "A", 100), moved(refund, "A", -40)}, books: ticketing.Books{Booked: lines{moved(payment, "A", 100)}}, want: []found{{ticketing.DifferenceLong, "A"}}},
		"in the books only":          {lines: lines{moved(payment, "A", 100)}, books: ticketing.Books{Booked: lines{moved(payment, "A", 100), moved(payment, "B", 100)}}, want: []found{{ticketing.DifferenceShort, "B"}}},
		"another amount":             {lines: lines{moved(payment, "A", 101)}, books: ticketing.Books{Booked: lines{moved(payment, "A", 100)}}, want: []found{{ticketing.DifferenceAmount, "A"}}},
		"another currency":           {lines: lines{moved(payment, "A", 100, in("EUR"))}, books: ticketing.Books{Booked: lines{moved(payment, "A", 100)}}, want: []found{{ticketing.DifferenceCurrency, "A"}}},
		"a fee as agreed":            {lines: lines{moved(payment, "A", 10_000, fee(60))}, books: ticketing.Books{Terms: &terms, Booked: lines{moved(payment, "A", 10_000)}}},
		"a fee rounded half up":      {lines: lines{moved(payment, "A", 10_750, fee(65))}, books: ticketing.Books{Terms: &terms, Booked: lines{moved(payment, "A", 10_750)}}},
		"a fee above the agreed one": {lines: lines{moved(payment, "A", 10_000, fee(61))}, books: ticketing.Books{Terms: &terms, Booked: lines{moved(payment, "A", 10_000)}}, want: []found{{ticketing.DifferenceFee, "A"}}},
		"a fee within the tolerance": {lines: lines{moved(payment, "A", 10_000, fee(59))}, books: ticketing.Books{Terms: &ticketing.FeeTerms{BasisPoints: 60, Tolerance: 1}, Booked: lines{moved(payment, "A", 10_000)}}},
		"a fee nobody agreed on":     {lines: lines{moved(payment, "A", 10_000, fee(999))}, books: ticketing.Books{Booked: lines{moved(payment, "A", 10_000)}}},
		"a fee given back":           {lines: lines{moved(refund, "A", -10_000, fee(-60))}, books: ticketing.Books{Terms: &terms, Booked: lines{moved(refund, "A", -10_000)}}},
		"a fee other than before":    {lines: lines{moved(payment, "A", 10_000, fee(60))}, books: ticketing.Books{Terms: &terms, Booked: lines{moved(payment, "A", 10_000, fee(61))}}, want: []found{{ticketing.DifferenceFee, "A"}}},
		"a bill that says no fee":    {lines: lines{moved(payment, "A", 10_000)}, books: ticketing.Books{Terms: &terms, Booked: lines{moved(payment, "A", 10_000)}}},
		"the same line twice":        {lines: lines{moved(payment, "A", 100), moved(payment, "A", 100)}, books: ticketing.Books{Booked: lines{moved(payment, "A", 100)}}, want: []found{{ticketing.DifferenceDuplicate, "A"}}},
		"twice, one of them as booked": {
			lines: lines{moved(payment, "A", 90), moved(payment, "A", 100)}, books: ticketing.Books{Booked: lines{moved(payment, "A", 100)}},
			want: []found{{ticketing.DifferenceDuplicate, "A"}},
		},
		"twice, and never booked": {lines: lines{moved(payment, "A", 100), moved(payment, "A", 100)}, want: []found{{ticketing.DifferenceDuplicate, "A"}, {ticketing.DifferenceLong, "A"}}},
		"on an earlier day's bill, too": {
			lines: lines{moved(payment, "A", 100)}, books: ticketing.Books{Booked: lines{moved(payment, "A", 100)}, Billed: billed(day.Previous().Date, payment, "A")},
			want: []found{{ticketing.DifferenceDuplicate, "A"}},
		},
		"on a later day's bill, too: that one is the duplicate": {
			lines: lines{moved(payment, "A", 100)}, books: ticketing.Books{Booked: lines{moved(payment, "A", 100)}, Billed: billed(day.Next().Date, payment, "A")},
		},
		"booked days later":                   {lines: lines{moved(payment, "A", 100)}, books: ticketing.Books{Booked: lines{moved(payment, "A", 100, at(noon.AddDate(0, 0, 3)))}}},
		"booked after midnight":               {lines: lines{moved(payment, "B", 1)}, books: ticketing.Books{Booked: lines{moved(payment, "B", 1), moved(payment, "A", 100, at(firstHour))}, Billed: billed(day.Previous().Date, payment, "A")}},
		"at the end of the day":               {lines: lines{moved(payment, "B", 1)}, books: ticketing.Books{Booked: lines{moved(payment, "B", 1), moved(payment, "A", 100, at(lastHour))}}, want: []found{{ticketing.DifferenceLate, "A"}}},
		"at the end of the day, on the next":  {lines: lines{moved(payment, "B", 1)}, books: ticketing.Books{NextBilled: true, Booked: lines{moved(payment, "B", 1), moved(payment, "A", 100, at(lastHour))}, Billed: billed(day.Next().Date, payment, "A")}},
		"at the end of the day, on no other":  {lines: lines{moved(payment, "B", 1)}, books: ticketing.Books{NextBilled: true, Booked: lines{moved(payment, "B", 1), moved(payment, "A", 100, at(lastHour))}}, want: []found{{ticketing.DifferenceShort, "A"}}},
		"a second before the end may be late": {lines: lines{moved(payment, "B", 1)}, books: ticketing.Books{Booked: lines{moved(payment, "B", 1), moved(payment, "A", 1, at(day.Until.Add(-time.Second)))}}, want: []found{{ticketing.DifferenceLate, "A"}}},
		"a second too early to be late":       {lines: lines{moved(payment, "B", 1)}, books: ticketing.Books{Booked: lines{moved(payment, "B", 1), moved(payment, "A", 1, at(day.Until.Add(-ticketing.LateMargin-time.Second)))}}, want: []found{{ticketing.DifferenceShort, "A"}}},
		"booked at midnight is the next day's": {
			lines: lines{moved(payment, "B", 1)}, books: ticketing.Books{Booked: lines{moved(payment, "B", 1), moved(payment, "A", 1, at(day.Until))}},
		},
		"an empty bill":                        {books: ticketing.Books{Booked: lines{moved(payment, "A", 1), moved(payment, "B", 1)}}, want: []found{{ticketing.DifferenceEmpty, ""}}},
		"an empty bill, and all of it late":    {books: ticketing.Books{Booked: lines{moved(payment, "A", 1, at(lastHour))}}, want: []found{{ticketing.DifferenceLate, "A"}}},
		"an empty bill of a day with nothing":  {books: ticketing.Books{Booked: lines{moved(payment, "A", 1, at(firstHour))}, Billed: billed(day.Previous().Date, payment, "A")}},
		"a truncated bill":                     {state: ticketing.BillTruncated, lines: lines{moved(payment, "A", 1)}, books: ticketing.Books{Booked: lines{moved(payment, "B", 1)}}, want: []found{{ticketing.DifferenceTruncated, ""}}},
		"no bill":                              {state: ticketing.BillMissing, books: ticketing.Books{Booked: lines{moved(payment, "A", 1), moved(payment, "B", 1, at(lastHour))}}, want: []found{{ticketing.DifferenceMissing, ""}}},
		"no bill of a day with nothing on it":  {state: ticketing.BillMissing, books: ticketing.Books{Booked: lines{moved(payment, "A", 1, at(day.Until))}}},
		"a dispute and its end are two things": {lines: lines{moved(ticketing.MovementDispute, "D", -100), moved(ticketing.MovementDisputeWon, "D", 100)}, books: ticketing.Books{Booked: lines{moved(ticketing.MovementDispute, "D", -100)}}, want: []found{{ticketing.DifferenceLong, "D"}}},
	} {
		t.Run(name, func(t *testing.T) {
			bill := ticketing.Bill{Day: day, State: test.state, Lines: test.lines}
			if bill.State == "" {
				bill.State = ticketing.BillComplete
			}
			if got := differences(bill, test.books); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestADifferenceSaysWhatEachSideSays(t *testing.T) {
	bill := ticketing.Bill{Day: day, State: ticketing.BillComplete, Lines: []ticketing.Movement{moved(ticketing.MovementPayment, "A", 101)}}
	books := ticketing.Books{Booked: []ticketing.Movement{moved(ticketing.MovementPayment, "A", 100)}}
	got := ticketing.Reconcile(bill, books)
	if len(got) != 1 || *got[0].Billed != cny(101) || *got[0].Booked != cny(100) || got[0].GatewayID != "g-A" || !got[0].At.Equal(noon) {
		t.Errorf("got %+v", got)
	}
}

func movements(t *rapid.T) []ticketing.Movement {
	keys := rapid.SliceOfNDistinct(rapid.StringMatching("[0-9A-Z]{3}"), 0, 20, rapid.ID[string]).Draw(t, "references")
	all := make([]ticketing.Movement, len(keys))
	for i, key := range keys {
		amount := rapid.Int64Range(1, 1_000_000).Draw(t, "amount")
		all[i] = moved(ticketing.MovementPayment, key, amount, fee(terms.Fee(cny(amount)).Amount))
		if rapid.Bool().Draw(t, "refund") {
			all[i] = moved(ticketing.MovementRefund, key, -amount, fee(0))
		}
		all[i].At = day.From.Add(time.Duration(rapid.Int64Range(0, int64(24*time.Hour)-1).Draw(t, "at")))
	}
	return all
}

func TestIdenticalSidesHaveNoDifferences(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := movements(t)
		bill := ticketing.Bill{Day: day, State: ticketing.BillComplete, Lines: lines}
		if got := ticketing.Reconcile(bill, ticketing.Books{Booked: slices.Clone(lines), Terms: &terms}); len(got) > 0 {
			t.Fatalf("%+v", got)
		}
	})
}

func TestTheOrderOfLinesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines, booked := movements(t), movements(t)
		// What both sides know, some of it differing, and some of it twice.
		for _, line := range lines {
			if rapid.Bool().Draw(t, "booked") {
				booked = slices.DeleteFunc(booked, func(m ticketing.Movement) bool { return m.MovementKey == line.MovementKey })
				booked = append(booked, line)
				booked[len(booked)-1].Amount.Amount += rapid.Int64Range(0, 1).Draw(t, "more")
			}
			if rapid.Bool().Draw(t, "twice") {
				line.Amount.Amount += rapid.Int64Range(0, 1).Draw(t, "other")
				lines = append(lines, line)
			}
		}
		bill := ticketing.Bill{Day: day, State: ticketing.BillComplete, Lines: lines}
		want := differences(bill, ticketing.Books{Booked: booked, Terms: &terms})
		bill.Lines = slices.Clone(lines)
		booked = slices.Clone(booked)
		seed := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		seed.Shuffle(len(bill.Lines), func(i, j int) { bill.Lines[i], bill.Lines[j] = bill.Lines[j], bill.Lines[i] })
		seed.Shuffle(len(booked), func(i, j int) { booked[i], booked[j] = booked[j], booked[i] })
		if got := differences(bill, ticketing.Books{Booked: booked, Terms: &terms}); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestHazard29ADayIsOfTheGatewaysCalendar(t *testing.T) {
	midnight := time.Date(2026, 11, 20, 16, 0, 0, 0, time.UTC) // in Beijing
	for at, date := range map[time.Time]string{
		midnight.Add(-time.Second): "2026-11-20", midnight: "2026-11-21", midnight.Add(time.Second): "2026-11-21",
	} {
		of := ticketing.DayOf(at, beijing)
		if of.Date != date || !of.Contains(at) || of.Previous().Contains(at) || of.Next().Contains(at) {
			t.Errorf("%s is on %+v, want %s", at, of, date)
		}
		parsed, err := ticketing.NewBillDay(date, beijing)
		if err != nil || parsed != of || of.Next().Previous() != of {
			t.Errorf("%+v, %+v, %v", parsed, of, err)
		}
	}
	for _, wrong := range []string{"", "2026-02-30", "20261120", "2026-11-20T00:00:00Z"} {
		if _, err := ticketing.NewBillDay(wrong, time.UTC); ticketing.CodeOf(err) != ticketing.CodeInvalid {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
