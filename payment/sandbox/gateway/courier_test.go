package gateway_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
)

// paid makes and pays a payment whose callbacks go to the shop.
func (s *sandboxed) paid(at *shop) string {
	s.t.Helper()
	o := s.order()
	o.NotifyURL = at.server.URL
	s.created(o)
	require.NoError(s.t, s.control.Pay(s.t.Context(), o.Number))
	return o.Number
}

func (s *sandboxed) set(f gateway.Faults) {
	s.t.Helper()
	require.NoError(s.t, s.control.SetFaults(s.t.Context(), f))
}

func TestACallbackIsRepeatedUntilExactlyAcknowledged(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter){
		"error":   func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) },
		"empty":   func(http.ResponseWriter) {},
		"almost":  func(w http.ResponseWriter) { _, _ = io.WriteString(w, sandbox.Received+"\n") },
		"created": func(w http.ResponseWriter) { w.WriteHeader(http.StatusCreated); received(w) },
		"redirect": func(w http.ResponseWriter) {
			w.Header().Set("Location", "/")
			w.WriteHeader(http.StatusTemporaryRedirect)
		},
		"connection is cut": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			s, at := open(t, settings(t)), newShop(t)
			at.answer.Store(answer)
			n := s.paid(at)
			s.eventually(func() bool { return len(at.notices()) >= 3 })
			require.Equal(t, 1, s.books().Undelivered)
			at.answer.Store(received)
			s.eventually(func() bool { return s.books().Undelivered == 0 })
			got := at.notices()
			for _, notice := range got {
				require.Equal(t, got[0], notice, "the same event each time")
			}
			require.Equal(t, n, got[0].Payment.Number)
			require.Equal(t, sandbox.Paid, got[0].Payment.State)
			require.Equal(t, merchant, got[0].Merchant)
			require.Empty(t, got[0].Payment.PayURL, "the page is the payer's alone")
		})
	}
}

func TestPatienceWithADeafMerchantEnds(t *testing.T) {
	config := settings(t)
	config.Deliveries = 4
	s, at := open(t, config), newShop(t)
	at.answer.Store(func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) })
	s.paid(at)
	s.eventually(func() bool { return s.books().Undelivered == 0 })
	require.Len(t, at.notices(), 4)
}

func TestEveryKeySignsDuringARotation(t *testing.T) {
	config := settings(t)
	config.CallbackKeys = []string{"new", "old"}
	s, at := open(t, config), newShop(t)
	s.paid(at)
	s.eventually(func() bool { return len(at.notices()) == 1 })
	timestamp, body := at.header[0].Get(sandbox.HeaderTimestamp), []byte(at.bodies[0])
	require.Equal(t, "v1="+sandbox.CallbackSignature("new", timestamp, body)+",v1="+sandbox.CallbackSignature("old", timestamp, body),
		at.header[0].Get(sandbox.HeaderSignature))
}

func TestSwitchesOfCallbacks(t *testing.T) {
	t.Run("duplicate", func(t *testing.T) {
		s, at := open(t, settings(t)), newShop(t)
		s.set(gateway.Faults{Duplicate: 9})
		s.paid(at)
		s.eventually(func() bool { return len(at.notices()) == 10 })
		for _, notice := range at.notices() {
			require.Equal(t, at.notices()[0].EventID, notice.EventID)
		}
	})
	t.Run("lose", func(t *testing.T) {
		s, at := open(t, settings(t)), newShop(t)
		s.set(gateway.Faults{Lose: true})
		lost := s.paid(at)
		s.set(gateway.Faults{})
		told := s.paid(at)
		s.eventually(func() bool { return len(at.notices()) == 1 && s.books().Undelivered == 0 })
		require.Equal(t, told, at.notices()[0].Payment.Number)
		require.Equal(t, sandbox.Paid, s.payment(lost).State)
	})
	t.Run("lose the first", func(t *testing.T) {
		s, at := open(t, settings(t)), newShop(t)
		s.set(gateway.Faults{LoseFirst: 2})
		s.paid(at)
		s.eventually(func() bool { return s.books().Undelivered == 0 })
		require.Len(t, at.notices(), 1, "the third delivery arrived")
	})
	t.Run("reorder", func(t *testing.T) {
		s, at := open(t, settings(t)), newShop(t)
		s.set(gateway.Faults{Reorder: 3, Duplicate: 1})
		first, second := s.paid(at), s.paid(at)
		require.Empty(t, at.notices(), "held back")
		third := s.paid(at)
		s.eventually(func() bool { return s.books().Undelivered == 0 })
		var order []string
		for _, notice := range at.notices() {
			order = append(order, notice.Payment.Number)
		}
		require.Equal(t, []string{third, third, second, second, first, first}, order)
	})
	t.Run("reorder no more", func(t *testing.T) {
		s, at := open(t, settings(t)), newShop(t)
		s.set(gateway.Faults{Reorder: 3})
		s.paid(at)
		s.set(gateway.Faults{})
		s.eventually(func() bool { return len(at.notices()) == 1 })
	})
	t.Run("forge", func(t *testing.T) {
		s, at := open(t, settings(t)), newShop(t)
		s.set(gateway.Faults{Forge: gateway.Forgeries})
		s.paid(at)
		s.eventually(func() bool { return len(at.notices()) == 1+len(gateway.Forgeries) })
	})
}

func TestSwitchesOfOperations(t *testing.T) {
	s := open(t, settings(t))
	o := s.order()
	s.set(gateway.Faults{Down: []string{"create"}})
	require.Equal(t, http.StatusServiceUnavailable, s.create(o).status)
	require.Empty(t, s.books().Payments, "down: nothing was done")
	s.set(gateway.Faults{FailAfter: []string{"create"}})
	require.Equal(t, http.StatusInternalServerError, s.create(o).status)
	require.Len(t, s.books().Payments, 1, "failed after it was done")
	s.set(gateway.Faults{Slow: map[string]int{"*": 30, "query": 0}, LateAnswer: map[string]int{"close": 20}})
	began := time.Now()
	_, err := s.close(o.Number)
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(began), 50*time.Millisecond)
	calls, err := s.control.Calls(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]int{"create": 2, "create/" + o.Number: 2, "close": 1, "close/" + o.Number: 1}, calls)
	require.NoError(t, s.control.Reset(t.Context()))
	calls, err = s.control.Calls(t.Context())
	require.NoError(t, err)
	require.Empty(t, calls)
	faults, err := s.control.Faults(t.Context())
	require.NoError(t, err)
	require.Equal(t, gateway.Faults{}, faults)
}
