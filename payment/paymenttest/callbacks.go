package paymenttest

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
)

func (s suite) callback(t *testing.T) {
	paid := s.paidUp(t)
	callback := s.Callbacks(t, paid.Number, 1)[0]
	notice, err := s.Provider.ParseCallback(callback.Header, callback.Body, time.Now())
	require.NoError(t, err)
	require.Equal(t, s.Provider.Name(), notice.Provider)
	require.NotEmpty(t, notice.EventID)
	require.Equal(t, payment.NoticePayment, notice.Kind)
	require.Equal(t, payment.StatePaid, notice.Payment.State)
	require.Equal(t, paid.Number, notice.Payment.Number)
	require.Equal(t, paid.GatewayID, notice.Payment.GatewayID)
	require.Equal(t, s.amount(price), notice.Payment.Captured)
	require.WithinDuration(t, paid.At, notice.Payment.At, time.Second)
	again, err := s.Provider.ParseCallback(callback.Header, callback.Body, time.Now())
	require.NoError(t, err)
	require.Equal(t, notice, again, "reading has no memory")
}

func (s suite) callbackAgain(t *testing.T) {
	n := s.created(t)
	s.Pay(t, n)
	deliveries := s.Callbacks(t, n, 2)
	require.Len(t, deliveries, 2)
	first, err := s.Provider.ParseCallback(deliveries[0].Header, deliveries[0].Body, time.Now())
	require.NoError(t, err)
	second, err := s.Provider.ParseCallback(deliveries[1].Header, deliveries[1].Body, time.Now())
	require.NoError(t, err)
	require.Equal(t, first.EventID, second.EventID)
	require.Equal(t, first.Payment, second.Payment)

	other := s.paidUp(t)
	callback := s.Callbacks(t, other.Number, 1)[0]
	different, err := s.Provider.ParseCallback(callback.Header, callback.Body, time.Now())
	require.NoError(t, err)
	require.NotEqual(t, first.EventID, different.EventID)
}

func (s suite) refundCallback(t *testing.T) {
	skipWithout(t, s.RefundCallback == nil)
	refund := s.refund(s.paidUp(t), price)
	s.given(t, refund)
	callback := s.RefundCallback(t, refund.ID)
	notice, err := s.Provider.ParseCallback(callback.Header, callback.Body, time.Now())
	require.NoError(t, err)
	require.Equal(t, payment.NoticeRefund, notice.Kind)
	require.Equal(t, refund.ID, notice.Refund.ID)
	require.Equal(t, payment.RefundSucceeded, notice.Refund.State)
}

func (s suite) forgeries(t *testing.T) {
	n := s.created(t)
	for _, how := range s.Forgeries {
		t.Run(string(how), func(t *testing.T) {
			callback := s.Forge(t, n, how)
			notice, err := s.Provider.ParseCallback(callback.Header, callback.Body, time.Now())
			require.ErrorIs(t, err, refusal[how])
			require.Zero(t, notice)
		})
	}
	s.query(t, n, payment.StatePending)
}

func (s suite) nonsense(t *testing.T) {
	paid := s.paidUp(t)
	genuine := s.Callbacks(t, paid.Number, 1)[0]
	for name, callback := range map[string]Callback{
		"nothing":        {Header: http.Header{}},
		"no header":      {Header: http.Header{}, Body: genuine.Body},
		"no body":        {Header: genuine.Header},
		"other body":     {Header: genuine.Header, Body: []byte("{}")},
		"half the body":  {Header: genuine.Header, Body: genuine.Body[:len(genuine.Body)/2]},
		"one byte more":  {Header: genuine.Header, Body: append(slices.Clip(genuine.Body), ' ')},
		"not even UTF-8": {Header: genuine.Header, Body: []byte{0xff, 0xfe}},
	} {
		t.Run(name, func(t *testing.T) {
			notice, err := s.Provider.ParseCallback(callback.Header, callback.Body, time.Now())
			require.ErrorIs(t, err, payment.ErrSignature)
			require.Zero(t, notice)
		})
	}
	kept := genuine.Header.Clone()
	_, err := s.Provider.ParseCallback(genuine.Header, genuine.Body, time.Now())
	require.NoError(t, err)
	require.Equal(t, kept, genuine.Header, "reading changes nothing")
}
