package ticketing

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// MaxVouchers is the largest number of vouchers of an order.
const MaxVouchers = 5

// VoucherKind says how a voucher makes tickets cheaper.
type VoucherKind string

// The kinds of voucher, in the order in which those of one order apply.
const (
	VoucherPrice   VoucherKind = "price"   // every ticket costs Value, where it would cost more
	VoucherPercent VoucherKind = "percent" // Value basis points off
	VoucherFixed   VoucherKind = "fixed"   // Value minor units off, once
)

var voucherRanks = map[VoucherKind]int{VoucherPrice: 1, VoucherPercent: 2, VoucherFixed: 3}

// Voucher takes something off base prices and surcharges, never off fees. Its code is a secret and not part of it.
type Voucher struct {
	ID   string      `json:"id"`
	Name Text        `json:"name"`
	Kind VoucherKind `json:"kind"`
	// Value is minor units of Currency, or basis points of a VoucherPercent.
	Value    int64  `json:"value"`
	Currency string `json:"currency,omitempty"` // may be empty for a VoucherPercent without a MinimumSpend
	// OrganiserID is whose tickets it is for; the other ids narrow that down where they are not empty.
	OrganiserID  string `json:"organiser_id"`
	EventID      string `json:"event_id,omitempty"`
	SessionID    string `json:"session_id,omitempty"`
	TicketTypeID string `json:"ticket_type_id,omitempty"`
	// From is inclusive, Until exclusive.
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	// MinimumSpend is what the tickets it is for have to cost before anything is taken off.
	MinimumSpend int64 `json:"minimum_spend,omitempty"`
	// MaxUses bounds the orders it is used for, MaxPerBuyer those of one buyer; 0 means no bound.
	MaxUses     int `json:"max_uses,omitempty"`
	MaxPerBuyer int `json:"max_per_buyer,omitempty"`
	// Stackable vouchers may be used together.
	Stackable bool `json:"stackable,omitempty"`
	// Uses counts the orders that use it now.
	Uses int `json:"-"`
	// Revision grows with every change of its terms.
	Revision int64 `json:"-"`
}

// Validate checks the terms. Error: CodeInvalid.
func (v Voucher) Validate() error {
	switch {
	case v.ID == "" || v.OrganiserID == "":
		return Errorf(CodeInvalid, "a voucher has an id and an organiser")
	case voucherRanks[v.Kind] == 0:
		return Errorf(CodeInvalid, "a voucher is price, percent or fixed, not %q", v.Kind)
	case v.Kind == VoucherPercent && (v.Value < 1 || v.Value > MaxBasisPoints):
		return Errorf(CodeInvalid, "a voucher takes 1 to %d basis points off, not %d", MaxBasisPoints, v.Value)
	case v.Kind == VoucherFixed && v.Value < 1 || v.Kind == VoucherPrice && v.Value < 0:
		return Errorf(CodeInvalid, "a voucher cannot make tickets dearer")
	case v.MinimumSpend < 0 || v.MaxUses < 0 || v.MaxPerBuyer < 0:
		return Errorf(CodeInvalid, "the bounds of a voucher are not negative")
	case v.Currency == "" && (v.Kind != VoucherPercent || v.MinimumSpend > 0) || v.Currency != "" && !ValidCurrency(v.Currency):
		return Errorf(CodeInvalid, "a voucher with an amount has a currency")
	case !v.Until.After(v.From):
		return Errorf(CodeInvalid, "a voucher ends after it begins")
	}
	return nil
}

// UsedVoucher is what a voucher has taken off an order.
type UsedVoucher struct {
	ID   string `json:"id"`
	Name Text   `json:"name"`
	// Discount is minor units.
	Discount int64 `json:"discount"`
}

// voucherInvalid says the same whatever the reason: whoever guesses learns nothing of what there is.
func voucherInvalid(field string) error {
	return FieldErrorf(CodeVoucherInvalid, field, "this code takes nothing off this order")
}

// VoucherInvalid is the answer to the n-th code of an order where no voucher comes of it.
func VoucherInvalid(n int) error { return voucherInvalid(voucherField(n)) }

func voucherField(n int) string { return fmt.Sprintf("/vouchers/%d", n) }

// givenVoucher is a voucher with the place of its code in the order.
type givenVoucher struct {
	Voucher
	field string
	// lines are the lines of the quote that it is for, and may take something off.
	lines []int
}

// discount takes what the vouchers of a basket are worth off the lines of a quote.
func (q *Quote) discount(event Event, session Session, b Basket) error {
	if len(b.Vouchers) == 0 {
		return nil
	}
	given, err := q.checkVouchers(event, session, b)
	if err != nil {
		return err
	}
	slices.SortFunc(given, func(a, b givenVoucher) int {
		return cmp.Or(cmp.Compare(voucherRanks[a.Kind], voucherRanks[b.Kind]), cmp.Compare(a.ID, b.ID))
	})
	for _, v := range given {
		off := q.apply(v)
		if off == 0 {
			return voucherInvalid(v.field)
		}
		q.Vouchers = append(q.Vouchers, UsedVoucher{ID: v.ID, Name: v.Name, Discount: off})
	}
	return nil
}

// checkVouchers says which vouchers are for which lines, or why one is for none.
func (q *Quote) checkVouchers(event Event, session Session, b Basket) ([]givenVoucher, error) {
	if len(b.Vouchers) > MaxVouchers {
		return nil, FieldErrorf(CodeInvalid, "/vouchers", "an order has at most %d vouchers", MaxVouchers)
	}
	var given []givenVoucher
	for i, v := range b.Vouchers {
		g := givenVoucher{Voucher: v, field: voucherField(i)}
		if !v.usable(event, session, q.Total.Currency, b.At) {
			return nil, voucherInvalid(g.field)
		}
		if slices.ContainsFunc(given, func(other givenVoucher) bool { return other.ID == v.ID }) {
			return nil, FieldErrorf(CodeInvalid, g.field, "this voucher is named twice")
		}
		var spend int64
		for n, line := range q.Lines {
			if v.TicketTypeID == "" || v.TicketTypeID == line.TicketTypeID {
				g.lines = append(g.lines, n)
				spend += line.Amount
			}
		}
		if len(g.lines) == 0 {
			return nil, voucherInvalid(g.field)
		}
		if spend < v.MinimumSpend {
			return nil, FieldErrorf(CodeVoucherMinimum, g.field, "this voucher is for %s or more", Money{v.MinimumSpend, q.Total.Currency})
		}
		given = append(given, g)
	}
	if len(given) > 1 && slices.ContainsFunc(given, func(g givenVoucher) bool { return !g.Stackable }) {
		return nil, FieldErrorf(CodeInvalid, "/vouchers", "these vouchers cannot be used together")
	}
	return given, nil
}

// usable says whether it can be used for a session at now. A voucher without an id is a code nobody has given out.
func (v Voucher) usable(event Event, session Session, currency string, now time.Time) bool {
	return v.ID != "" && v.OrganiserID == event.OrganiserID &&
		(v.EventID == "" || v.EventID == event.ID) && (v.SessionID == "" || v.SessionID == session.ID) &&
		(v.Currency == "" || v.Currency == currency) &&
		!now.Before(v.From) && now.Before(v.Until) && (v.MaxUses == 0 || v.Uses < v.MaxUses)
}

// apply takes what one voucher is worth off its lines, after what was taken off before, and returns it.
func (q *Quote) apply(v givenVoucher) (taken int64) {
	left := make([]int64, len(v.lines))
	var whole int64
	for i, n := range v.lines {
		left[i] = q.Lines[n].Amount - q.Lines[n].Discount
		whole += left[i]
	}
	off := make([]int64, len(v.lines))
	switch {
	case v.Kind == VoucherFixed && whole > 0:
		off = split(min(v.Value, whole), left)
	case v.Kind == VoucherPercent:
		for i := range left {
			off[i] = portion(left[i], v.Value)
		}
	case v.Kind == VoucherPrice:
		for i, n := range v.lines {
			// Where so many at that price cannot even be counted, they are no cheaper.
			if price, err := (Money{Amount: v.Value}).Times(int64(q.Lines[n].Quantity)); err == nil {
				off[i] = max(0, left[i]-price.Amount)
			}
		}
	}
	for i, n := range v.lines {
		q.Lines[n].Discount += off[i]
		taken += off[i]
	}
	return taken
}
