package stripe

import (
	"fmt"
	"strings"

	"github.com/boxoffice/boxoffice/ticketing"
)

// presentable are the currencies in which Stripe can show a payer a price. Which of them an account collects depends on its country.
var presentable = strings.Fields(`
	AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CVE
	CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR ISK JMD JOD JPY KES KGS KHR KMF
	KRW KWD KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK
	PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD STD SZL THB TJS TND TOP TRY TTD TWD TZS UAH UGX USD UYU
	UZS VND VUV WST XAF XCD XOF XPF YER ZAR ZMW`)

// Stripe's unit of a currency is ISO 4217's, which is ours: none (JPY, KRW, CLP, VND…), two (most) or three decimals
// (KWD…). These are the exceptions. Iceland and Uganda have given up their cents, and Stripe goes on counting them; the
// ariary has fifths, which ISO 4217 writes with two decimals and Stripe with none.
var (
	countsCents = map[string]bool{"ISK": true, "UGX": true}
	countsWhole = map[string]bool{"MGA": true}
)

// roundToTen are the currencies with three decimals. Card networks take two of them.
var roundToTen = map[string]bool{"BHD": true, "JOD": true, "KWD": true, "OMR": true, "TND": true}

const maxAmount = 999_999_999_999

// toStripe is an amount in Stripe's unit. Amounts that a card cannot be charged are an error, not rounded.
func toStripe(m ticketing.Money) (int64, error) {
	amount := m.Amount
	if amount <= 0 || amount > maxAmount {
		return 0, fmt.Errorf("amount %d", amount)
	}
	switch {
	case countsCents[m.Currency]:
		amount *= 100
	case countsWhole[m.Currency] && amount%100 != 0:
		return 0, fmt.Errorf("%s has fractions, which Stripe does not count", m)
	case countsWhole[m.Currency]:
		amount /= 100
	case roundToTen[m.Currency] && amount%10 != 0:
		return 0, fmt.Errorf("%s has a third decimal, which must be 0", m)
	}
	return amount, nil
}

// fromStripe is an amount in our unit; code is the currency in small letters. It may be negative.
func fromStripe(amount int64, code string) (ticketing.Money, error) {
	m := ticketing.Money{Amount: amount, Currency: strings.ToUpper(code)}
	if !ticketing.ValidCurrency(m.Currency) || strings.ToLower(m.Currency) != code {
		return ticketing.Money{}, fmt.Errorf("currency %q", code)
	}
	if amount > maxAmount*100 || amount < -maxAmount*100 {
		return ticketing.Money{}, fmt.Errorf("amount %d", amount)
	}
	switch {
	case countsCents[m.Currency] && amount%100 != 0:
		return ticketing.Money{}, fmt.Errorf("amount %d %s has fractions", amount, m.Currency)
	case countsCents[m.Currency]:
		m.Amount /= 100
	case countsWhole[m.Currency]:
		m.Amount *= 100
	}
	return m, nil
}

// rounded is an amount in our unit, too, to the nearest where Stripe counts what our unit does not. No payer is charged such an amount,
// but a fee is a part of one, and so may be what Stripe or a bank corrects.
func rounded(amount int64, code string) (ticketing.Money, error) {
	const unit = 100
	if countsCents[strings.ToUpper(code)] {
		half := int64(unit / 2)
		if amount < 0 {
			half = -half
		}
		amount = (amount + half) / unit * unit
	}
	return fromStripe(amount, code)
}

// fee is what Stripe kept. One that cannot be told is left out: what it is a part of must not be hidden by it.
func fee(amount int64, code string) ticketing.Money {
	m, err := rounded(amount, code)
	if err != nil {
		return ticketing.Money{}
	}
	return m
}
