package paymenttest

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
)

// Only requires that a provider's error means one thing and nothing else.
func Only(t *testing.T, want, err error, about string) {
	t.Helper()
	require.ErrorIs(t, err, want, about)
	for _, possible := range []error{payment.ErrUnavailable, payment.ErrRejected, payment.ErrLowBalance, payment.ErrNotFound, payment.ErrTruncatedBill} {
		require.Equal(t, errors.Is(want, possible), errors.Is(err, possible), "%s: %v", about, err)
	}
}
