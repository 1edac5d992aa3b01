package ticketing

import (
	"fmt"
	"math"
	"math/bits"
)

// Money is an amount in the minor unit of its currency (fen, cent, yen).
type Money struct {
	// Amount counts minor units; 38000 CNY is 380.00 yuan.
	Amount int64 `json:"amount"`
	// Currency is the ISO 4217 code in capitals.
	Currency string `json:"currency"`
}

// Plus adds two amounts of one currency.
// It returns an error with code CodeInvalid when the currencies differ or the sum overflows.
func (m Money) Plus(o Money) (Money, error) {
	if m.Currency != o.Currency {
		return Money{}, Errorf(CodeInvalid, "cannot add %s to %s", o.Currency, m.Currency)
	}
	sum := m.Amount + o.Amount
	if (sum > m.Amount) != (o.Amount > 0) && o.Amount != 0 {
		return Money{}, Errorf(CodeInvalid, "amount overflows")
	}
	return Money{Amount: sum, Currency: m.Currency}, nil
}

// Times multiplies a non-negative amount by a non-negative count.
// It returns an error with code CodeInvalid on a negative factor or an overflow.
func (m Money) Times(n int64) (Money, error) {
	if m.Amount < 0 || n < 0 {
		return Money{}, Errorf(CodeInvalid, "cannot multiply %d by %d", m.Amount, n)
	}
	hi, lo := bits.Mul64(uint64(m.Amount), uint64(n))
	if hi != 0 || lo > math.MaxInt64 {
		return Money{}, Errorf(CodeInvalid, "amount overflows")
	}
	return Money{Amount: int64(lo), Currency: m.Currency}, nil
}

// IsZero says whether the amount is nothing, in whatever currency.
func (m Money) IsZero() bool { return m.Amount == 0 }

// String renders minor units and currency for logs, such as "38000 CNY".
// What buyers read is formatted by the client in their locale.
func (m Money) String() string { return fmt.Sprintf("%d %s", m.Amount, m.Currency) }

// ValidCurrency says whether code has the form of an ISO 4217 code.
func ValidCurrency(code string) bool {
	if len(code) != 3 {
		return false
	}
	for _, c := range code {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}
