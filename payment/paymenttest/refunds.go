package paymenttest

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
)

// given sends a refund and waits until the money went back.
func (s suite) given(t *testing.T, refund payment.Refund) payment.RefundStatus {
	t.Helper()
	status, err := s.Provider.Refund(t.Context(), refund)
	require.NoError(t, err)
	require.Equal(t, refund.ID, status.ID)
	status = s.settled(t, refund)
	require.Equal(t, payment.RefundSucceeded, status.State, status.Reason)
	return status
}

func (s suite) refundWhole(t *testing.T) {
	paid := s.paidUp(t)
	s.given(t, s.refund(paid, price))
	_, err := s.Provider.Refund(t.Context(), s.refund(paid, 1))
	require.ErrorIs(t, err, payment.ErrRejected, "nothing is left")
	require.Equal(t, paid.Captured, s.query(t, paid.Number, payment.StatePaid).Captured, "what was captured stays a fact")
}

func (s suite) refundParts(t *testing.T) {
	paid := s.paidUp(t)
	s.given(t, s.refund(paid, price-100))
	_, err := s.Provider.Refund(t.Context(), s.refund(paid, 101))
	require.ErrorIs(t, err, payment.ErrRejected)
	s.given(t, s.refund(paid, 100))
	_, err = s.Provider.Refund(t.Context(), s.refund(paid, 1))
	require.ErrorIs(t, err, payment.ErrRejected)
}

func (s suite) refundRace(t *testing.T) {
	paid := s.paidUp(t)
	const racers = 8
	errs := make(chan error, racers)
	for range racers {
		refund := s.refund(paid, price/2+1)
		go func() {
			_, err := s.Provider.Refund(t.Context(), refund)
			errs <- err
		}()
	}
	given := 0
	for range racers {
		if err := <-errs; err == nil {
			given++
		} else {
			require.ErrorIs(t, err, payment.ErrRejected)
		}
	}
	require.Equal(t, 1, given)
}

func (s suite) refundTwice(t *testing.T) {
	paid := s.paidUp(t)
	refund := s.refund(paid, price)
	first := s.given(t, refund)
	second := s.given(t, refund)
	require.Equal(t, first.GatewayID, second.GatewayID)
}

func (s suite) refundAnswerLost(t *testing.T) {
	skipWithout(t, s.LoseAnswers == nil)
	refund := s.refund(s.paidUp(t), price)
	restore := s.LoseAnswers(t)
	_, err := s.Provider.Refund(t.Context(), refund)
	require.ErrorIs(t, err, payment.ErrUnavailable)
	restore()
	known := s.settled(t, refund)
	require.Equal(t, payment.RefundSucceeded, known.State)
	require.Equal(t, known.GatewayID, s.given(t, refund).GatewayID)
}

func (s suite) refundLowBalance(t *testing.T) {
	skipWithout(t, s.EmptyBalance == nil)
	refund := s.refund(s.paidUp(t), price)
	restore := s.EmptyBalance(t)
	for range 2 {
		_, err := s.Provider.Refund(t.Context(), refund)
		require.ErrorIs(t, err, payment.ErrLowBalance)
		require.NotErrorIs(t, err, payment.ErrRejected, "it is only too early")
	}
	restore()
	s.given(t, refund)
}

func (s suite) refundUnpaid(t *testing.T) {
	n := s.created(t)
	_, err := s.Provider.Refund(t.Context(), payment.Refund{
		ID: number(), Number: n, Amount: s.amount(1), Total: s.amount(price), Reason: "conformance",
	})
	require.ErrorIs(t, err, payment.ErrRejected)
}

func (s suite) bill(t *testing.T) {
	paid := s.paidUp(t)
	refund := s.refund(paid, 100)
	s.given(t, refund)
	unpaid := s.created(t)
	lines := map[payment.NoticeKind]payment.BillLine{}
	// Around midnight the two may be on different days of the gateway's calendar.
	for _, day := range []time.Time{time.Now().Add(-24 * time.Hour), time.Now(), time.Now().Add(24 * time.Hour)} {
		bill, err := s.Provider.Bill(t.Context(), day)
		if errors.Is(err, payment.ErrNotFound) {
			continue // a day without movements, or not begun
		}
		require.NoError(t, err)
		for _, line := range bill {
			require.NotEqual(t, unpaid, line.Number, "only money that moved is on the bill")
			if line.Number == paid.Number {
				require.NotContains(t, lines, line.Kind, "once")
				lines[line.Kind] = line
			}
		}
	}
	require.Equal(t, s.amount(price), lines[payment.NoticePayment].Amount)
	require.Equal(t, paid.GatewayID, lines[payment.NoticePayment].GatewayID)
	require.Equal(t, s.amount(-100), lines[payment.NoticeRefund].Amount)
	require.Equal(t, refund.ID, lines[payment.NoticeRefund].RefundID)
	for _, line := range lines {
		require.WithinDuration(t, time.Now(), line.At, 5*time.Minute)
	}
}

func (s suite) truncatedBill(t *testing.T) {
	skipWithout(t, s.TruncateBill == nil)
	s.paidUp(t)
	s.paidUp(t)
	restore := s.TruncateBill(t)
	lines, err := s.Provider.Bill(t.Context(), time.Now())
	require.ErrorIs(t, err, payment.ErrTruncatedBill)
	require.Empty(t, lines, "half a bill would look like missing money")
	restore()
	_, err = s.Provider.Bill(t.Context(), time.Now())
	require.NoError(t, err)
}
