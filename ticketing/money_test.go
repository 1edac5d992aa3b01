package ticketing_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/ticketing"
)

func TestMoneyPlus(t *testing.T) {
	tests := []struct {
		name string
		a, b ticketing.Money
		sum  int64
		code ticketing.Code
	}{
		{"adds", cny(1), cny(2), 3, ""},
		{"nothing is neutral", cny(5), cny(0), 5, ""},
		{"a debt", cny(5), cny(-7), -2, ""},
		{"other currency", cny(1), ticketing.Money{Amount: 1, Currency: "JPY"}, 0, ticketing.CodeInvalid},
		{"too much", cny(math.MaxInt64), cny(1), 0, ticketing.CodeInvalid},
		{"too little", cny(math.MinInt64), cny(-1), 0, ticketing.CodeInvalid},
		{"both nothing", cny(0), cny(0), 0, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sum, err := test.a.Plus(test.b)
			if ticketing.CodeOf(err) != test.code || err == nil && sum != cny(test.sum) {
				t.Errorf("%v + %v = %v, %v", test.a, test.b, sum, err)
			}
		})
	}
}

func TestMoneyTimes(t *testing.T) {
	tests := []struct {
		name    string
		m       ticketing.Money
		n       int64
		product int64
		code    ticketing.Code
	}{
		{"multiplies", cny(250), 4, 1000, ""},
		{"by nothing", cny(250), 0, 0, ""},
		{"negative amount", cny(-1), 2, 0, ticketing.CodeInvalid},
		{"negative count", cny(1), -2, 0, ticketing.CodeInvalid},
		{"just fits", cny(math.MaxInt64), 1, math.MaxInt64, ""},
		{"overflows a little", cny(math.MaxInt64/2 + 1), 2, 0, ticketing.CodeInvalid},
		{"overflows by far", cny(math.MaxInt64), math.MaxInt64, 0, ticketing.CodeInvalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			product, err := test.m.Times(test.n)
			if ticketing.CodeOf(err) != test.code || err == nil && product != cny(test.product) {
				t.Errorf("%v × %d = %v, %v", test.m, test.n, product, err)
			}
		})
	}
}

func TestMoneyAddsExactlyOrNotAtAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		sum, err := cny(a).Plus(cny(b))
		fits := b == 0 || b > 0 && a <= math.MaxInt64-b || b < 0 && a >= math.MinInt64-b
		if fits != (err == nil) {
			t.Fatalf("%d + %d: %v", a, b, err)
		}
		if fits && (sum.Amount-b != a || sum.Currency != "CNY") {
			t.Fatalf("%d + %d = %v", a, b, sum)
		}
	})
}

func TestValidCurrency(t *testing.T) {
	for code, valid := range map[string]bool{"CNY": true, "JPY": true, "cny": false, "CN": false, "CNYX": false, "": false, "C1Y": false, "元元元": false} {
		if ticketing.ValidCurrency(code) != valid {
			t.Errorf("%q: want %v", code, valid)
		}
	}
}

func cny(amount int64) ticketing.Money { return ticketing.Money{Amount: amount, Currency: "CNY"} }
