package alipay

import (
	"fmt"
	"strconv"
	"strings"
)

// maxAmount is the most a payment may cost, in fen.
const maxAmount = 100_000_000_00

// yuan writes fen as the gateway wants them: yuan with two decimals.
func yuan(fen int64) string {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return fmt.Sprintf("%s%d.%02d", sign, fen/100, fen%100)
}

// fen reads yuan with at most two decimals, exactly: never as a binary fraction.
func fen(yuan string) (int64, error) {
	digits, negative := strings.CutPrefix(yuan, "-")
	whole, decimals, pointed := strings.Cut(digits, ".")
	if whole == "" || len(whole) > 12 || pointed && decimals == "" || len(decimals) > 2 || strings.Trim(whole+decimals, "0123456789") != "" {
		return 0, fmt.Errorf("amount %.40q", yuan)
	}
	amount, err := strconv.ParseInt(whole+decimals+strings.Repeat("0", 2-len(decimals)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("amount %.40q", yuan)
	}
	if negative {
		amount = -amount
	}
	return amount, nil
}
