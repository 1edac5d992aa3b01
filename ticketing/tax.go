package ticketing

import "math/bits"

// TaxRule is the tax on everything an event charges. It is computed for every line and for the order's fee on their
// own, each rounded half up to whole minor units.
type TaxRule struct {
	// BasisPoints is the rate: 600 is six per cent. 0 means no tax.
	BasisPoints int64 `json:"basis_points"`
	// Included says that prices have the tax in them already; else it is added.
	Included bool `json:"included"`
}

// Validate checks the rate. Error: CodeInvalid.
func (r TaxRule) Validate() error {
	if r.BasisPoints < 0 || r.BasisPoints > MaxBasisPoints {
		return Errorf(CodeInvalid, "a tax is 0 to %d basis points, not %d", MaxBasisPoints, r.BasisPoints)
	}
	return nil
}

// of is the tax on a non-negative amount: contained in it or to be added to it.
func (r TaxRule) of(amount int64) int64 {
	if !r.Included {
		return portion(amount, r.BasisPoints)
	}
	whole := MaxBasisPoints + r.BasisPoints
	return rounded(amount, r.BasisPoints, whole)
}

// added is what a tax adds to what is charged.
func (r TaxRule) added(tax int64) int64 {
	if r.Included {
		return 0
	}
	return tax
}

// rounded is amount × part ÷ whole, rounded half up, for part ≤ whole; it does not overflow.
func rounded(amount, part, whole int64) int64 {
	hi, lo := bits.Mul64(uint64(amount), uint64(part))
	lo, carry := bits.Add64(lo, uint64(whole)/2, 0)
	quotient, _ := bits.Div64(hi+carry, lo, uint64(whole))
	return int64(quotient)
}

// floored is amount × part ÷ whole, rounded down, for part ≤ whole; it does not overflow.
func floored(amount, part, whole int64) int64 {
	hi, lo := bits.Mul64(uint64(amount), uint64(part))
	quotient, _ := bits.Div64(hi, lo, uint64(whole))
	return int64(quotient)
}

// split divides an amount among parts in proportion to them. The shares are whole minor units, none is more than its
// part where the amount is not more than all of them, and they add up to the amount. The parts must not all be zero.
func split(amount int64, parts []int64) []int64 {
	var whole, before, given int64
	for _, part := range parts {
		whole += part
	}
	shares := make([]int64, len(parts))
	for i, part := range parts {
		before += part
		until := floored(amount, before, whole)
		shares[i], given = until-given, until
	}
	return shares
}

// Share is the n-th of count parts of an amount. The parts are whole minor units, differ by one at most, and add up to it.
func Share(amount int64, n, count int) int64 {
	each, rest := amount/int64(count), amount%int64(count)
	if int64(n) < rest {
		each++
	}
	return each
}
