package paymenttest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

// price is what every order of the suite costs, in minor units.
const price = 38_000

// suite is a harness with the shorthands of the tests.
type suite struct{ Harness }

// Run proves that a provider keeps the promises of payment.Provider.
func Run(t *testing.T, h Harness) {
	s := suite{h}
	for _, test := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"says who it is", s.identity},
		{"a payment is created, paid and reported", s.paid},
		{"creating twice is one payment", s.createdTwice},
		{"a number is not used for other terms", s.otherTerms},
		{"hazard 12: a create whose answer was lost is known and repeated safely", s.createAnswerLost},
		{"a decline is reported", s.declined},
		{"hazard 17: an unknown outcome is neither paid nor closed", s.unknownOutcome},
		{"closing before the payer pays forbids the payment", s.closedFirst},
		{"hazard 10: closing after the payer paid says paid", s.closedLate},
		{"what the gateway does not know is not found", s.notFound},
		{"hazard 8: what was really captured is reported", s.otherAmount},
		{"a refund of the whole", s.refundWhole},
		{"hazard 21: refunds in parts end at what was captured", s.refundParts},
		{"hazard 21: of refunds at the same moment only what was captured goes back", s.refundRace},
		{"hazard 18, 19: a refund sent twice is one refund", s.refundTwice},
		{"hazard 19: a refund whose answer was lost is known", s.refundAnswerLost},
		{"hazard 19: a refund that our balance is too low for succeeds later under its id", s.refundLowBalance},
		{"a refund of what was not paid is refused", s.refundUnpaid},
		{"a genuine callback is read", s.callback},
		{"hazard 1: a callback delivered again is the same event", s.callbackAgain},
		{"a callback tells of a refund", s.refundCallback},
		{"hazard 5, 7: callbacks nobody should believe are refused", s.forgeries},
		{"callbacks that are no callbacks are refused", s.nonsense},
		{"a bill lists what happened", s.bill},
		{"hazard 27: a bill that ends early is not taken for a whole one", s.truncatedBill},
		{"hazard 13, 14: a gateway that is down says so in bounded time", s.down},
	} {
		t.Run(test.name, test.run)
	}
}

// number makes a number every gateway accepts.
func number() string { return ticketing.NewNumber(time.Now()) }

func (s suite) amount(minor int64) ticketing.Money {
	return ticketing.Money{Amount: minor, Currency: s.Currency}
}

// order is a new order that can be paid for some minutes.
func (s suite) order() payment.Order {
	return payment.Order{
		Number: number(), Amount: s.amount(price), Description: "Conformance test", Language: "en",
		ExpiresAt: time.Now().Add(10 * time.Minute).UTC().Truncate(time.Second), NotifyURL: s.NotifyURL, ReturnURL: s.ReturnURL,
	}
}

// created opens a payment and returns its number.
func (s suite) created(t *testing.T) string {
	t.Helper()
	order := s.order()
	checkout, err := s.Provider.Create(t.Context(), order, s.Method)
	require.NoError(t, err)
	require.NotEmpty(t, checkout.PayURL+checkout.QR, "the payer must be led somewhere")
	return order.Number
}

// paidUp opens a payment, pays it and returns what the gateway says of it.
func (s suite) paidUp(t *testing.T) payment.Status {
	t.Helper()
	n := s.created(t)
	s.Pay(t, n)
	return s.query(t, n, payment.StatePaid)
}

func (s suite) query(t *testing.T, number string, state payment.State) payment.Status {
	t.Helper()
	status, err := s.Provider.Query(t.Context(), number)
	require.NoError(t, err)
	require.Equal(t, state, status.State)
	require.Equal(t, number, status.Number)
	if state != payment.StatePaid {
		require.Zero(t, status.Captured, "only what is paid was captured")
	}
	return status
}

// refund is a new refund of a payment.
func (s suite) refund(paid payment.Status, minor int64) payment.Refund {
	return payment.Refund{
		ID: number(), Number: paid.Number, GatewayID: paid.GatewayID,
		Amount: s.amount(minor), Total: paid.Captured, Reason: "conformance",
	}
}

// settled waits until a refund has ended; some gateways take their time.
func (s suite) settled(t *testing.T, refund payment.Refund) payment.RefundStatus {
	t.Helper()
	var status payment.RefundStatus
	require.Eventually(t, func() bool {
		var err error
		status, err = s.Provider.QueryRefund(t.Context(), refund)
		return err == nil && status.State != payment.RefundPending
	}, 10*time.Second, 20*time.Millisecond)
	require.Equal(t, refund.ID, status.ID)
	return status
}

func (s suite) identity(t *testing.T) {
	require.Regexp(t, `^[a-z]+$`, s.Provider.Name())
	require.Contains(t, s.Provider.Methods(), s.Method)
	for _, m := range s.Provider.Methods() {
		require.True(t, strings.HasPrefix(m, s.Provider.Name()), "method %s must say whose it is", m)
	}
	require.True(t, s.Provider.Accepts(s.Currency))
	status, _, _ := s.Provider.Acknowledge()
	require.GreaterOrEqual(t, status, 200)
	require.Less(t, status, 300)
}

func skipWithout(t *testing.T, missing bool) {
	t.Helper()
	if missing {
		t.Skip("this gateway cannot do such a thing")
	}
}
