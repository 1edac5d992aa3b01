package paymenttest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

func (s suite) paid(t *testing.T) {
	before := time.Now()
	n := s.created(t)
	s.query(t, n, payment.StatePending)
	s.Pay(t, n)
	status := s.query(t, n, payment.StatePaid)
	require.Equal(t, s.amount(price), status.Captured)
	require.NotEmpty(t, status.GatewayID)
	require.WithinRange(t, status.At, before.Add(-time.Minute), time.Now().Add(time.Minute))
}

func (s suite) createdTwice(t *testing.T) {
	order := s.order()
	first, err := s.Provider.Create(t.Context(), order, s.Method)
	require.NoError(t, err)
	second, err := s.Provider.Create(t.Context(), order, s.Method)
	require.NoError(t, err)
	require.Equal(t, first.GatewayID, second.GatewayID)
	s.Pay(t, order.Number)
	require.Equal(t, order.Amount, s.query(t, order.Number, payment.StatePaid).Captured, "once")
}

func (s suite) otherTerms(t *testing.T) {
	order := s.order()
	_, err := s.Provider.Create(t.Context(), order, s.Method)
	require.NoError(t, err)
	order.Amount.Amount++
	_, err = s.Provider.Create(t.Context(), order, s.Method)
	require.ErrorIs(t, err, payment.ErrRejected)
}

func (s suite) createAnswerLost(t *testing.T) {
	skipWithout(t, s.LoseAnswers == nil)
	order := s.order()
	restore := s.LoseAnswers(t)
	_, err := s.Provider.Create(t.Context(), order, s.Method)
	require.ErrorIs(t, err, payment.ErrUnavailable, "what the gateway did is unknown")
	restore()
	known := s.query(t, order.Number, payment.StatePending)
	again, err := s.Provider.Create(t.Context(), order, s.Method)
	require.NoError(t, err)
	require.NotEmpty(t, again.PayURL+again.QR)
	if again.GatewayID != "" && known.GatewayID != "" {
		require.Equal(t, known.GatewayID, again.GatewayID, "no second payment")
	}
}

func (s suite) declined(t *testing.T) {
	skipWithout(t, s.Decline == nil)
	n := s.created(t)
	s.Decline(t, n)
	s.query(t, n, payment.StateDeclined)
}

func (s suite) unknownOutcome(t *testing.T) {
	skipWithout(t, s.Hesitate == nil)
	n := s.created(t)
	s.Hesitate(t, n)
	s.query(t, n, payment.StateUnknown)
	closed, err := s.Provider.Close(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, payment.StateUnknown, closed.State)
}

func (s suite) closedFirst(t *testing.T) {
	n := s.created(t)
	if s.Expire != nil {
		open, err := s.Provider.Close(t.Context(), n)
		require.NoError(t, err)
		require.Equal(t, payment.StateUnknown, open.State, "the payer may still pay")
		s.Expire(t, n)
	}
	for range 2 {
		closed, err := s.Provider.Close(t.Context(), n)
		require.NoError(t, err)
		require.Equal(t, payment.StateClosed, closed.State)
		require.Equal(t, n, closed.Number)
	}
	s.query(t, n, payment.StateClosed)
}

func (s suite) closedLate(t *testing.T) {
	paid := s.paidUp(t)
	closed, err := s.Provider.Close(t.Context(), paid.Number)
	require.NoError(t, err)
	require.Equal(t, payment.StatePaid, closed.State, "the payer was faster, and the money is there")
	require.Equal(t, paid.Captured, closed.Captured)
	require.Equal(t, paid.GatewayID, closed.GatewayID)
}

func (s suite) notFound(t *testing.T) {
	_, err := s.Provider.Query(t.Context(), number())
	require.ErrorIs(t, err, payment.ErrNotFound)
	_, err = s.Provider.Close(t.Context(), number())
	require.ErrorIs(t, err, payment.ErrNotFound)
	_, err = s.Provider.QueryRefund(t.Context(), s.refund(s.paidUp(t), 1))
	require.ErrorIs(t, err, payment.ErrNotFound)
}

func (s suite) otherAmount(t *testing.T) {
	skipWithout(t, s.PayOther == nil)
	for _, captured := range []ticketing.Money{
		s.amount(price - 1), s.amount(price + 1), {Amount: price, Currency: otherCurrency(s.Currency)},
	} {
		n := s.created(t)
		s.PayOther(t, n, captured)
		require.Equal(t, captured, s.query(t, n, payment.StatePaid).Captured)
	}
}

func otherCurrency(than string) string {
	if than == "EUR" {
		return "CNY"
	}
	return "EUR"
}

func (s suite) down(t *testing.T) {
	paid := s.paidUp(t)
	for name, fail := range map[string]func(*testing.T) func(){"unreachable": s.GoDown, "silent": s.Hang} {
		t.Run(name, func(t *testing.T) {
			skipWithout(t, fail == nil)
			t.Cleanup(fail(t))
			for call, run := range map[string]func() error{
				"create": func() error { _, err := s.Provider.Create(t.Context(), s.order(), s.Method); return err },
				"query":  func() error { _, err := s.Provider.Query(t.Context(), paid.Number); return err },
				"close":  func() error { _, err := s.Provider.Close(t.Context(), paid.Number); return err },
				"refund": func() error { _, err := s.Provider.Refund(t.Context(), s.refund(paid, 1)); return err },
				"query refund": func() error {
					_, err := s.Provider.QueryRefund(t.Context(), s.refund(paid, 1))
					return err
				},
				"bill": func() error { _, err := s.Provider.Bill(t.Context(), time.Now()); return err },
			} {
				t.Run(call, func(t *testing.T) {
					t.Parallel()
					began := time.Now()
					require.ErrorIs(t, run(), payment.ErrUnavailable)
					require.Less(t, time.Since(began), s.Patience)
				})
			}
		})
	}
}
