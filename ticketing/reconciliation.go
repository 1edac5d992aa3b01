package ticketing

import (
	"cmp"
	"slices"
	"time"
)

// MovementKind says why money moved at a gateway.
type MovementKind string

// The kinds of movements.
const (
	MovementPayment    MovementKind = "payment"
	MovementRefund     MovementKind = "refund"
	MovementDispute    MovementKind = "dispute"     // withheld from us, because its payer disputes it
	MovementDisputeWon MovementKind = "dispute_won" // given back to us
)

// MovementKey identifies a movement at one gateway.
type MovementKey struct {
	Kind MovementKind `json:"kind"`
	// Reference is our number of it: the id of an attempt, a refund or a dispute.
	Reference string `json:"reference"`
}

// Movement is money that moved at a gateway: a line of its bill, or what our ledger has of it.
type Movement struct {
	MovementKey
	// AttemptID is the payment it is about; empty where nobody says.
	AttemptID string `json:"attempt_id,omitempty"`
	// GatewayID is the gateway's own number of it.
	GatewayID string `json:"gateway_id,omitempty"`
	// Amount is positive for what the gateway holds for us then, negative for what it no longer does.
	Amount Money `json:"amount"`
	// Fee is what the gateway kept for itself: by its bill, or as we booked it from an earlier bill. In our books
	// its currency is empty until then.
	Fee Money     `json:"fee"`
	At  time.Time `json:"at"`
}

// BillDay is one day of a gateway's calendar.
type BillDay struct {
	// Date is YYYY-MM-DD.
	Date string `json:"date"`
	// From and Until are the day's midnights: the first belongs to it, the second does not.
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

// NewBillDay is a date in a gateway's time zone. Error: CodeInvalid.
func NewBillDay(date string, zone *time.Location) (BillDay, error) {
	from, err := time.ParseInLocation(time.DateOnly, date, zone)
	if err != nil {
		return BillDay{}, Errorf(CodeInvalid, "%q is not a date of the form YYYY-MM-DD", date)
	}
	return BillDay{Date: date, From: from, Until: from.AddDate(0, 0, 1)}, nil
}

// DayOf is the day of a gateway's calendar a moment belongs to.
func DayOf(at time.Time, zone *time.Location) BillDay {
	year, month, day := at.In(zone).Date()
	from := time.Date(year, month, day, 0, 0, 0, 0, zone)
	return BillDay{Date: from.Format(time.DateOnly), From: from, Until: from.AddDate(0, 0, 1)}
}

// Next is the day after.
func (d BillDay) Next() BillDay { return d.shift(1) }

// Previous is the day before.
func (d BillDay) Previous() BillDay { return d.shift(-1) }

func (d BillDay) shift(days int) BillDay {
	return DayOf(d.From.AddDate(0, 0, days), d.From.Location())
}

// Contains says whether a moment belongs to the day.
func (d BillDay) Contains(at time.Time) bool { return !at.Before(d.From) && at.Before(d.Until) }

// LateMargin is how long before its end a movement may belong to the next day's bill instead: clocks
// differ, and some gateways close their day before midnight.
const LateMargin = 2 * time.Hour

// BillState says whether a bill can be compared.
type BillState string

// The states of a bill.
const (
	BillComplete  BillState = "COMPLETE"
	BillTruncated BillState = "TRUNCATED" // the file ends early, or its totals disagree
	BillMissing   BillState = "MISSING"   // the gateway has none
)

// Bill is what a gateway says moved on a day.
type Bill struct {
	Day   BillDay
	State BillState
	// Lines are only looked at when the bill is complete: half a bill would look like missing money.
	Lines []Movement
}

// Books is what we know of a gateway's day.
type Books struct {
	// Booked are the movements booked on the day, and those the bill's lines are about whenever they were booked.
	Booked []Movement
	// Billed says on the bill of which other date a movement is.
	Billed map[MovementKey]string
	// NextBilled says that the next day's bill is known.
	NextBilled bool
	// Terms are what the gateway may keep; nil if nobody told us.
	Terms *FeeTerms
}

// FeeTerms is what was agreed with a gateway for payments.
type FeeTerms struct {
	// BasisPoints of the amount are kept, rounded half up to a minor unit.
	BasisPoints int64
	// Tolerance is by how many minor units it may differ, for gateways that round otherwise.
	Tolerance int64
}

// Fee is what the terms say of an amount; nothing is kept of what goes back.
func (f FeeTerms) Fee(amount Money) Money {
	if amount.Amount <= 0 {
		return Money{Currency: amount.Currency}
	}
	const whole = 10_000 // basis points; in two parts, so that large amounts do not overflow
	fee := amount.Amount/whole*f.BasisPoints + (amount.Amount%whole*f.BasisPoints+whole/2)/whole
	return Money{Amount: fee, Currency: amount.Currency}
}

// allows says whether a fee on a line of the bill is as agreed. What a gateway gives back with a refund is up to it.
func (f FeeTerms) allows(line Movement) bool {
	if line.Kind != MovementPayment || line.Fee.Currency != line.Amount.Currency {
		return true
	}
	difference := line.Fee.Amount - f.Fee(line.Amount).Amount
	return max(difference, -difference) <= f.Tolerance
}

// DifferenceClass says how a bill and our books differ.
type DifferenceClass string

// The classes of differences.
const (
	DifferenceLong      DifferenceClass = "long"      // on the bill, not in our books
	DifferenceShort     DifferenceClass = "short"     // in our books, not on the bill
	DifferenceAmount    DifferenceClass = "amount"    // on both with other amounts
	DifferenceCurrency  DifferenceClass = "currency"  // on both in other currencies
	DifferenceFee       DifferenceClass = "fee"       // the gateway kept other than agreed, or than it said before
	DifferenceLate      DifferenceClass = "late"      // booked at the end of the day: expected on the next day's bill
	DifferenceDuplicate DifferenceClass = "duplicate" // on the bill more than once
	DifferenceEmpty     DifferenceClass = "empty"     // the bill has no lines, but we booked some
	DifferenceTruncated DifferenceClass = "truncated" // the bill ends early, or its totals disagree
	DifferenceMissing   DifferenceClass = "missing"   // there is no bill, but we booked something
)

// Difference is one thing a bill and our books do not agree on.
type Difference struct {
	Class DifferenceClass `json:"class"`
	// MovementKey is empty when the whole bill is meant.
	MovementKey
	AttemptID string `json:"attempt_id,omitempty"`
	GatewayID string `json:"gateway_id,omitempty"`
	// Billed and Booked are what each side says, of the fee where that is what differs; nil where a side says nothing.
	Billed *Money `json:"billed,omitempty"`
	Booked *Money `json:"booked,omitempty"`
	// At is when it moved: by the bill if it is on it, else by our books.
	At time.Time `json:"at,omitzero"`
	// Count is how many lines or movements are meant, where it is not one.
	Count int `json:"count,omitempty"`
}

// Reconcile compares a gateway's bill of a day with our books. It returns every difference once, in an order
// of its own: that of the lines does not matter.
func Reconcile(bill Bill, books Books) []Difference {
	r := reconciliation{Books: books, day: bill.Day, booked: map[MovementKey]Movement{}, met: map[MovementKey]bool{}}
	for _, movement := range books.Booked {
		r.booked[movement.MovementKey] = movement
	}
	switch bill.State {
	case BillTruncated:
		return []Difference{{Class: DifferenceTruncated}}
	case BillMissing:
		return r.without(DifferenceMissing)
	case BillComplete:
	}
	if len(bill.Lines) == 0 {
		return r.without(DifferenceEmpty)
	}
	r.lines(bill.Lines)
	for _, movement := range r.unmet() {
		r.short(movement)
	}
	return r.sorted()
}

// reconciliation is one comparison under way.
type reconciliation struct {
	Books
	day    BillDay
	booked map[MovementKey]Movement
	// met are the movements that are on the bill.
	met   map[MovementKey]bool
	found []Difference
}

// lines compares the lines of the bill with what we booked.
func (r *reconciliation) lines(lines []Movement) {
	byKey := map[MovementKey][]Movement{}
	for _, line := range lines {
		byKey[line.MovementKey] = append(byKey[line.MovementKey], line)
	}
	for key, copies := range byKey {
		booked, known := r.booked[key]
		// Of several, the one that is as we have it is meant, whichever comes first.
		slices.SortFunc(copies, func(a, b Movement) int {
			return cmp.Or(
				equalFirst(a.Amount == booked.Amount, b.Amount == booked.Amount),
				equalFirst(a.Fee == booked.Fee, b.Fee == booked.Fee),
				cmp.Compare(a.Amount.Currency, b.Amount.Currency), cmp.Compare(a.Amount.Amount, b.Amount.Amount),
				cmp.Compare(a.Fee.Currency, b.Fee.Currency), cmp.Compare(a.Fee.Amount, b.Fee.Amount), a.At.Compare(b.At),
			)
		})
		r.met[key] = true
		line, count := copies[0], len(copies)
		if earlier, ok := r.Billed[key]; ok && earlier < r.day.Date {
			count++
		}
		if count > 1 {
			r.differ(DifferenceDuplicate, line, &line.Amount, nil, count)
		}
		if known {
			r.compare(line, booked)
		} else {
			r.differ(DifferenceLong, line, &line.Amount, nil, 0)
		}
	}
}

func equalFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// compare compares a line with the movement it is about. The first thing that differs is the difference.
func (r *reconciliation) compare(line, booked Movement) {
	switch {
	case line.Amount.Currency != booked.Amount.Currency:
		r.differ(DifferenceCurrency, line, &line.Amount, &booked.Amount, 0)
	case line.Amount != booked.Amount:
		r.differ(DifferenceAmount, line, &line.Amount, &booked.Amount, 0)
	case booked.Fee.Currency != "" && line.Fee != booked.Fee:
		r.differ(DifferenceFee, line, &line.Fee, &booked.Fee, 0)
	case r.Terms != nil && !r.Terms.allows(line):
		agreed := r.Terms.Fee(line.Amount)
		r.differ(DifferenceFee, line, &line.Fee, &agreed, 0)
	}
}

// unmet are the movements booked on the day that are on no bill.
func (r *reconciliation) unmet() []Movement {
	var unmet []Movement
	for key, movement := range r.booked {
		if _, elsewhere := r.Billed[key]; !elsewhere && !r.met[key] && r.day.Contains(movement.At) {
			unmet = append(unmet, movement)
		}
	}
	return unmet
}

// late says whether a movement may still be on the next day's bill.
func (r *reconciliation) late(movement Movement) bool {
	return !r.NextBilled && !movement.At.Before(r.day.Until.Add(-LateMargin))
}

func (r *reconciliation) short(movement Movement) {
	class := DifferenceShort
	if r.late(movement) {
		class = DifferenceLate
	}
	r.differ(class, movement, nil, &movement.Amount, 0)
}

// without is what differs when the bill says nothing: one difference for all of it, and one for each movement that
// may be late.
func (r *reconciliation) without(class DifferenceClass) []Difference {
	expected := 0
	for _, movement := range r.unmet() {
		if class == DifferenceEmpty && r.late(movement) {
			r.short(movement)
		} else {
			expected++
		}
	}
	if expected > 0 {
		r.found = append(r.found, Difference{Class: class, Count: expected})
	}
	return r.sorted()
}

func (r *reconciliation) differ(class DifferenceClass, about Movement, billed, booked *Money, count int) {
	r.found = append(r.found, Difference{
		Class: class, MovementKey: about.MovementKey, AttemptID: about.AttemptID, GatewayID: about.GatewayID,
		Billed: billed, Booked: booked, At: about.At.UTC(), Count: count,
	})
}

func (r *reconciliation) sorted() []Difference {
	slices.SortFunc(r.found, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Reference, b.Reference), cmp.Compare(a.Class, b.Class))
	})
	return r.found
}
