package activities_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTellingGivesWayToPurchases: while they keep the process busy only what is pressing leaves; everything else once they do not.
func TestTellingGivesWayToPurchases(t *testing.T) {
	s := newScene(t)
	paid := s.paidBy(phone)
	r := request()
	r.Buyer.Phone = phone
	_, err := s.store.Hold(t.Context(), r)
	require.NoError(t, err)
	s.warned(r.OrderID)

	mail, sms := &post{}, &post{}
	n := s.teller(mail, sms)
	var busy atomic.Bool
	busy.Store(true)
	asked := make(chan struct{}, 100)
	n.Busy = func() bool {
		if busy.Load() {
			asked <- struct{}{}
		}
		return busy.Load()
	}
	s.tells(n, func() bool {
		warned, _ := sms.counts()
		return warned == 1 && len(asked) >= 6 // both channels were looked at time and again
	})
	require.Equal(t, []string{"hold_expiring sms SENT 1"}, s.messages(r.OrderID))
	require.Equal(t, []string{"paid mail WAITING 0", "paid sms WAITING 0"}, s.messages(paid))

	busy.Store(false)
	s.tells(n, func() bool {
		mails, _ := mail.counts()
		texts, _ := sms.counts()
		return mails == 1 && texts == 2
	})
	require.Equal(t, []string{"paid mail SENT 1", "paid sms SENT 1"}, s.messages(paid))
}
