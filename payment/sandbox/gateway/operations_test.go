package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestOrdersThatCannotBeAreRefused(t *testing.T) {
	s := open(t, settings(t))
	for name, test := range map[string]struct {
		alter  func(*sandbox.Order)
		status int
	}{
		"number too short":    {func(o *sandbox.Order) { o.Number = "ABCDEF7" }, 400},
		"number too long":     {func(o *sandbox.Order) { o.Number = strings.Repeat("A", 33) }, 400},
		"number of small":     {func(o *sandbox.Order) { o.Number = "abcdefgh" }, 400},
		"number with a break": {func(o *sandbox.Order) { o.Number = "ABCDEFGH\n" }, 400},
		"nothing to pay":      {func(o *sandbox.Order) { o.Amount.Amount = 0 }, 400},
		"a gift":              {func(o *sandbox.Order) { o.Amount.Amount = -1 }, 400},
		"absurd":              {func(o *sandbox.Order) { o.Amount.Amount = 1_000_000_001 }, 400},
		"unknown currency":    {func(o *sandbox.Order) { o.Amount.Currency = "XTS" }, 400},
		"unknown method":      {func(o *sandbox.Order) { o.Method = "cash" }, 400},
		"no description":      {func(o *sandbox.Order) { o.Description = "" }, 400},
		"long description":    {func(o *sandbox.Order) { o.Description = strings.Repeat("x", 257) }, 400},
		"long language":       {func(o *sandbox.Order) { o.Language = strings.Repeat("x", 36) }, 400},
		"no notify URL":       {func(o *sandbox.Order) { o.NotifyURL = "" }, 400},
		"relative notify URL": {func(o *sandbox.Order) { o.NotifyURL = "/callbacks" }, 400},
		"script return URL":   {func(o *sandbox.Order) { o.ReturnURL = "javascript:alert(1)" }, 400},
		"already expired":     {func(o *sandbox.Order) { o.ExpiresAt = s.now() }, 409},
		"no expiry":           {func(o *sandbox.Order) { o.ExpiresAt = time.Time{} }, 409},
	} {
		t.Run(name, func(t *testing.T) {
			o := s.order()
			test.alter(&o)
			require.Equal(t, test.status, s.create(o).status)
		})
	}
	require.Empty(t, s.books().Payments)
}

func TestANumberIsOnePaymentForEver(t *testing.T) {
	s := open(t, settings(t))
	o := s.order()
	first := s.created(o)
	require.Equal(t, first, s.created(o))
	for name, alter := range map[string]func(*sandbox.Order){
		"amount":   func(o *sandbox.Order) { o.Amount.Amount++ },
		"currency": func(o *sandbox.Order) { o.Amount.Currency = "EUR" },
		"method":   func(o *sandbox.Order) { o.Method = sandbox.MethodCard },
		"expiry":   func(o *sandbox.Order) { o.ExpiresAt = o.ExpiresAt.Add(time.Second) },
		"notify":   func(o *sandbox.Order) { o.NotifyURL += "2" },
	} {
		other := o
		alter(&other)
		r := s.create(other)
		require.Equal(t, http.StatusConflict, r.status, name)
		require.Equal(t, "number_used", r.code, name)
	}
	s.advance(11 * time.Minute)
	require.Equal(t, sandbox.Closed, s.created(o).State, "repeated after its time, it says what became of it")
	require.Len(t, s.books().Payments, 1)
}

func TestAPaymentExpiresByItself(t *testing.T) {
	s := open(t, settings(t))
	o := s.order()
	s.created(o)
	s.advance(o.ExpiresAt.Sub(s.now()) + time.Millisecond)
	require.Error(t, s.control.Pay(t.Context(), o.Number))
	closed, err := s.close(o.Number)
	require.NoError(t, err)
	require.Equal(t, sandbox.Closed, closed.State)
	require.WithinDuration(t, o.ExpiresAt, closed.At, 0)
	require.Empty(t, s.books().Entries)
}

func TestWhatIsFinalStaysFinal(t *testing.T) {
	s := open(t, settings(t))
	declined, closed, paid := s.created(s.order()).Number, s.created(s.order()).Number, s.created(s.order()).Number
	require.NoError(t, s.control.Decline(t.Context(), declined))
	_, err := s.close(closed)
	require.NoError(t, err)
	require.NoError(t, s.control.Pay(t.Context(), paid))
	require.NoError(t, s.control.Pay(t.Context(), paid), "twice is once")
	for _, n := range []string{declined, closed} {
		require.Error(t, s.control.Pay(t.Context(), n))
		require.Error(t, s.control.Process(t.Context(), n, 0))
		require.Error(t, s.control.Decline(t.Context(), n))
	}
	require.Error(t, s.control.PayLate(t.Context(), declined, 0))
	require.Error(t, s.control.Decline(t.Context(), paid))
	after, err := s.close(declined)
	require.NoError(t, err)
	require.Equal(t, sandbox.Declined, after.State)
	require.Len(t, s.books().Entries, 1)
}

func TestMoneyCanComeAfterTheClose(t *testing.T) {
	s := open(t, settings(t))
	n := s.created(s.order()).Number
	require.NoError(t, s.control.PayLate(t.Context(), n, 30*time.Millisecond))
	closed, err := s.close(n)
	require.NoError(t, err)
	require.Equal(t, sandbox.Closed, closed.State)
	s.eventually(func() bool { return s.payment(n).State == sandbox.Paid })
	open := s.created(s.order()).Number
	require.NoError(t, s.control.PayLate(t.Context(), open, time.Hour))
	require.NoError(t, s.control.Decline(t.Context(), open))
	require.Zero(t, s.payment(open).CaptureAt, "who declines is not charged later")
}

func TestAnOutcomeCanStayOpen(t *testing.T) {
	s := open(t, settings(t))
	o := s.order()
	n := s.created(o).Number
	require.NoError(t, s.control.Process(t.Context(), n, 50*time.Millisecond))
	s.advance(time.Hour)
	closed, err := s.close(n)
	require.NoError(t, err)
	if closed.State != sandbox.Paid {
		require.Equal(t, sandbox.Processing, closed.State, "neither paid nor closed, even after its time")
	}
	s.eventually(func() bool { return s.payment(n).State == sandbox.Paid })
}

func TestRefundsAreHeldAgainstTheLedger(t *testing.T) {
	s := open(t, settings(t))
	n := s.created(s.order()).Number
	ask := func(amount int64) sandbox.RefundOrder {
		return sandbox.RefundOrder{ID: number(), Number: n, Amount: ticketing.Money{Amount: amount, Currency: "CNY"}}
	}
	require.Equal(t, "not_paid", s.refund(ask(1)).code)
	require.NoError(t, s.control.Pay(t.Context(), n))
	for name, test := range map[string]struct {
		alter func(*sandbox.RefundOrder)
		code  string
	}{
		"id":           {func(o *sandbox.RefundOrder) { o.ID = "short" }, sandbox.CodeInvalid},
		"nothing":      {func(o *sandbox.RefundOrder) { o.Amount.Amount = 0 }, sandbox.CodeInvalid},
		"negative":     {func(o *sandbox.RefundOrder) { o.Amount.Amount = -5 }, sandbox.CodeInvalid},
		"long reason":  {func(o *sandbox.RefundOrder) { o.Reason = strings.Repeat("x", 257) }, sandbox.CodeInvalid},
		"currency":     {func(o *sandbox.RefundOrder) { o.Amount.Currency = "EUR" }, "too_much"},
		"too much":     {func(o *sandbox.RefundOrder) { o.Amount.Amount = 38001 }, "too_much"},
		"overflow":     {func(o *sandbox.RefundOrder) { o.Amount.Amount = 1<<63 - 1 }, "too_much"},
		"unknown":      {func(o *sandbox.RefundOrder) { o.Number = number() }, sandbox.CodeUnknown},
		"never heard.": {func(o *sandbox.RefundOrder) { o.Number = "" }, sandbox.CodeUnknown},
	} {
		o := ask(1)
		test.alter(&o)
		require.Equal(t, test.code, s.refund(o).code, name)
	}
	first := ask(30000)
	require.Equal(t, http.StatusOK, s.refund(first).status)
	require.Equal(t, http.StatusOK, s.refund(first).status)
	changed := first
	changed.Amount.Amount--
	require.Equal(t, "refund_used", s.refund(changed).code)
	require.Equal(t, "too_much", s.refund(ask(8001)).code)

	require.NoError(t, s.control.SetFaults(t.Context(), gateway.Faults{RefundWindow: 60_000}))
	s.advance(time.Minute + time.Millisecond)
	require.Equal(t, "window_passed", s.refund(ask(1)).code)
	require.NoError(t, s.control.SetFaults(t.Context(), gateway.Faults{LowBalance: true}))
	last := ask(8000)
	require.Equal(t, http.StatusPaymentRequired, s.refund(last).status)
	require.NoError(t, s.control.SetFaults(t.Context(), gateway.Faults{RefundFails: true}))
	var failed sandbox.Refund
	require.NoError(t, json.Unmarshal(s.refund(last).body, &failed))
	require.Equal(t, sandbox.RefundFailed, failed.State)
	require.NoError(t, s.control.SetFaults(t.Context(), gateway.Faults{RefundPending: 1}))
	slow := ask(8000)
	var pending sandbox.Refund
	require.NoError(t, json.Unmarshal(s.refund(slow).body, &pending))
	require.Equal(t, sandbox.RefundPending, pending.State)
	require.Error(t, s.control.SettleRefund(t.Context(), last.ID), "the rest is taken by the pending one")
	s.eventually(func() bool { return len(s.books().Entries) == 3 })

	books := s.books()
	accounts := map[string]int64{}
	for i, e := range books.Entries {
		require.EqualValues(t, i+1, e.Sequence)
		amount := max(e.Amount.Amount, -e.Amount.Amount)
		accounts[e.From] -= amount
		accounts[e.To] += amount
	}
	require.Equal(t, map[string]int64{"payer/" + n: 0, "merchant/" + merchant: 0}, accounts, "all of it went back")
}

func TestARefundThatFailedCanBeSettledByHand(t *testing.T) {
	s := open(t, settings(t))
	n := s.created(s.order()).Number
	require.NoError(t, s.control.Pay(t.Context(), n))
	require.NoError(t, s.control.SetFaults(t.Context(), gateway.Faults{RefundFails: true}))
	o := sandbox.RefundOrder{ID: number(), Number: n, Amount: ticketing.Money{Amount: 38000, Currency: "CNY"}}
	s.refund(o)
	require.Error(t, s.control.SettleRefund(t.Context(), number()))
	for range 2 {
		require.NoError(t, s.control.SettleRefund(t.Context(), o.ID))
	}
	require.Equal(t, sandbox.RefundSucceeded, s.books().Refunds[0].State)
	require.Len(t, s.books().Entries, 2)
}

func TestABillHasPages(t *testing.T) {
	s := open(t, settings(t))
	today := s.now().UTC().Format(time.DateOnly)
	for range 3 {
		require.NoError(t, s.control.Pay(t.Context(), s.created(s.order()).Number))
	}
	read := func(query string) sandbox.Bill {
		var b sandbox.Bill
		r := s.send(http.MethodGet, "/v1/bills/"+today+query, "", nil)
		require.Equal(t, http.StatusOK, r.status, "%s", r.body)
		require.NoError(t, json.Unmarshal(r.body, &b))
		return b
	}
	whole, rest, past := read(""), read("?from=2"), read("?from=9")
	require.Equal(t, 3, whole.Total)
	require.Len(t, whole.Movements, 3)
	require.Equal(t, whole.Movements[2:], rest.Movements)
	require.Empty(t, past.Movements)
	for _, path := range []string{"/v1/bills/yesterday", "/v1/bills/" + today + "?from=x", "/v1/bills/" + today + "?from=-1"} {
		require.Equal(t, http.StatusBadRequest, s.send(http.MethodGet, path, "", nil).status)
	}
}
