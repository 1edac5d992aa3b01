package store_test

import (
	"reflect"
	"testing"

	"github.com/boxoffice/boxoffice/ticketing"
)

func TestPurchaseFromHoldToTickets(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.held(2, 1)
	s.wantFree(18, 19)
	attempt := s.started(order)
	if want := (ticketing.Money{Amount: 2*10500 + 20500 + 200, Currency: "CNY"}); attempt.Amount != want {
		t.Errorf("asked %v, want %v", attempt.Amount, want)
	}
	paid := fact(attempt, ticketing.PaymentPaid)
	kept := must(s.KeepCallback(t.Context(), ticketing.Callback{
		Provider: "sandbox", EventID: "E1", Payment: &paid, Header: map[string][]string{"Signature": {"x"}}, Body: []byte("{}"),
	}))(t)
	if !kept.First || kept.Handled || kept.Attempt.ID != attempt.ID || kept.Order != ticketing.OrderPending {
		t.Errorf("kept %+v", kept)
	}
	settled := must(s.Settle(t.Context(), attempt.ID))(t)
	want := ticketing.Settlement{
		Verdict: ticketing.VerdictAccept, OrderID: order, Order: ticketing.OrderPaid,
		Provider: "sandbox", AttemptID: attempt.ID, GatewayID: "G-" + attempt.ID,
	}
	if settled != want {
		t.Errorf("settled %+v, want %+v", settled, want)
	}
	again := must(s.Settle(t.Context(), attempt.ID))(t)
	if again != want {
		t.Errorf("settled again %+v, want %+v", again, want)
	}
	o := s.order(order)
	if o.State != ticketing.OrderPaid || len(o.Tickets) != 3 || len(o.Attempts) != 1 || o.Attempts[0].State != ticketing.AttemptAccepted {
		t.Errorf("order %+v", o)
	}
	if !reflect.DeepEqual(o.Buyer, buyer) {
		t.Errorf("buyer %+v", o.Buyer)
	}
	s.wantKinds(order, ticketing.EventHeld, ticketing.EventAttemptStarted, ticketing.EventPaymentReceived, ticketing.EventPaid)
	if o.Revision != 4 {
		t.Errorf("revision %d", o.Revision)
	}
	s.wantFree(18, 19)
	s.wantSound()
	counts := must(s.Counts(t.Context()))(t)
	if counts.Orders[ticketing.OrderPaid] != 1 || counts.OpenHolds != 0 || counts.UndeliveredPayments != 0 {
		t.Errorf("counts %+v", counts)
	}
}
