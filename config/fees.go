package config

import (
	"errors"
	"strconv"
	"strings"
)

// Fee is what was agreed with a gateway for payments.
type Fee struct {
	// BasisPoints of a payment are kept, and may differ by Tolerance minor units.
	BasisPoints, Tolerance int64
}

// Fees are those of several gateways, by the name of the provider.
type Fees map[string]Fee

// parseFees reads "provider:basis points[:tolerance],…".
func parseFees(value string) (any, error) {
	fees := Fees{}
	for entry := range strings.SplitSeq(value, ",") {
		parts := strings.Split(strings.TrimSpace(entry), ":")
		wrong := errors.New("must be provider:basis points[:tolerance in minor units], several separated by commas, such as sandbox:60")
		if len(parts) < 2 || len(parts) > 3 || parts[0] == "" {
			return nil, wrong
		}
		numbers := [2]int64{}
		for i, part := range parts[1:] {
			n, err := strconv.ParseInt(part, 10, 64)
			if err != nil || n < 0 || n > 10_000 {
				return nil, wrong
			}
			numbers[i] = n
		}
		fees[parts[0]] = Fee{BasisPoints: numbers[0], Tolerance: numbers[1]}
	}
	return fees, nil
}
