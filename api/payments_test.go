package api_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestPaymentIsOpenedAtTheGateway(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	a := w.pay(o, "sandbox_wallet")
	require.Equal(t, 201, a.status, string(a.body))
	var p struct {
		AttemptID string    `json:"attempt_id"`
		PayURL    string    `json:"pay_url"`
		ExpiresAt time.Time `json:"expires_at"`
	}
	a.decode(t, &p)
	asked := w.gateway.orders[p.AttemptID]
	require.Regexp(t, `^[0-9A-Z]{26}$`, asked.Number)
	require.Equal(t, o.Total, asked.Amount)
	require.Equal(t, "Hamlet", asked.Description)
	require.Equal(t, "127.0.0.1", asked.PayerIP)
	require.Equal(t, "http://tickets.example/api/v1/callbacks/sandbox", asked.NotifyURL)
	require.Equal(t, "http://tickets.example/orders/"+o.ID+"?returned=1", asked.ReturnURL)
	require.WithinDuration(t, o.PayBy, asked.ExpiresAt, time.Second, "the gateway stops when the hold ends")
	now := w.read(o)
	require.Equal(t, "PENDING", now.Attempts[0].State)
	require.Equal(t, p.PayURL, now.Attempts[0].PayURL)
	w.pay(o, "cash").problem(t, 422, ticketing.CodeInvalid)
}

func TestSwitchClosesTheEarlierAttempt(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	first := w.attempt(o, "sandbox_card")
	second := w.attempt(o, "bank")
	status, err := w.gateway.Query(t.Context(), first)
	require.NoError(t, err)
	require.Equal(t, payment.StateClosed, status.State)
	now := w.read(o)
	require.Equal(t, "CLOSED", now.Attempts[0].State)
	require.Equal(t, second, now.Attempts[1].ID)
	require.Equal(t, "PENDING", now.Attempts[1].State)
}

// TestHazard11SwitchFindsThePayment: the buyer paid in another tab; closing says so.
func TestHazard11SwitchFindsThePayment(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	first := w.attempt(o, "sandbox_card")
	w.gateway.capture(first)
	w.pay(o, "bank").problem(t, 409, ticketing.CodeAlreadyPaid)
	now := w.read(o)
	require.Equal(t, "PAID", now.State)
	require.Len(t, now.Tickets, 2)
	require.Equal(t, "CLOSED", now.Attempts[1].State, "the new attempt never reached its gateway")
	require.Zero(t, w.other.creates)
	w.pay(o, "bank").problem(t, 409, ticketing.CodeAlreadyPaid)
}

func TestUnreachableGatewayDoesNotHoldUpTheSwitch(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	w.attempt(o, "sandbox_card")
	w.gateway.closeErr = fmt.Errorf("%w: no route", payment.ErrUnavailable)
	w.attempt(o, "bank")
	now := w.read(o)
	require.Equal(t, "PENDING", now.Attempts[0].State, "it stays open and watched")
	require.Equal(t, "PENDING", now.Attempts[1].State)
}

// TestHazard12CreateIsRepeatedWithTheSameNumber: the answer was lost; the gateway is asked again.
func TestHazard12CreateIsRepeatedWithTheSameNumber(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	w.gateway.createFn = func(try int) error {
		if try == 1 {
			return fmt.Errorf("%w: timeout", payment.ErrUnavailable)
		}
		return nil
	}
	w.attempt(o, "sandbox_card")
	require.Equal(t, 2, w.gateway.creates)
	require.Len(t, w.gateway.payments, 1)
	require.Len(t, w.read(o).Attempts, 1)
}

// TestHazard13GatewayDownAtCreation: bounded tries, a clear answer, another method, the hold goes on.
func TestHazard13GatewayDownAtCreation(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	w.gateway.createFn = func(int) error { return fmt.Errorf("%w: 502", payment.ErrUnavailable) }
	a := w.pay(o, "sandbox_card")
	a.problem(t, 503, ticketing.CodeMethodUnavailable)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	require.Equal(t, 2, w.gateway.creates)
	now := w.read(o)
	require.Equal(t, "PENDING", now.State)
	require.Equal(t, "CREATED", now.Attempts[0].State, "whether it exists there is unknown")
	w.attempt(o, "bank")
}

func TestGatewayThatRefusesIsNotAskedAgain(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	w.gateway.createFn = func(int) error { return fmt.Errorf("%w: currency", payment.ErrRejected) }
	w.pay(o, "sandbox_card").problem(t, 422, ticketing.CodeMethodUnavailable)
	require.Equal(t, 1, w.gateway.creates)
	require.Equal(t, "DECLINED", w.read(o).Attempts[0].State)
}

// TestHazard01RepeatedCallback delivers one event fifty times at once.
func TestHazard01RepeatedCallback(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	number := w.attempt(o, "sandbox_card")
	event := testCallback{EventID: "E1", Number: number, Paid: true, Amount: o.Total}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			a := w.callback("good", event)
			require.Equal(t, 200, a.status, string(a.body))
			require.JSONEq(t, `{"received":true}`, string(a.body))
		})
	}
	all.Wait()
	now := w.read(o)
	require.Equal(t, "PAID", now.State)
	require.Len(t, now.Tickets, 2)
	require.Equal(t, 4, now.Revision, "one effect")
}

// TestHazard04CallbackBeforeCreateReturned: the attempt was stored first, so the callback finds it.
func TestHazard04CallbackBeforeCreateReturned(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	w.gateway.createFn = func(int) error {
		number := w.read(o).Attempts[0].ID
		require.Equal(t, 200, w.callback("good", testCallback{EventID: "E1", Number: number, Paid: true, Amount: o.Total}).status)
		return nil
	}
	require.Equal(t, 201, w.pay(o, "sandbox_card").status)
	now := w.read(o)
	require.Equal(t, "PAID", now.State)
	require.Equal(t, "ACCEPTED", now.Attempts[0].State)
}

// TestHazard05And06And07RefusedCallbacks: whatever is not signed by our gateway for us changes nothing.
func TestHazard05And06And07RefusedCallbacks(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	number := w.attempt(o, "sandbox_card")
	event := testCallback{EventID: "E1", Number: number, Paid: true, Amount: o.Total}
	w.callback("forged", event).problem(t, 401, "unauthorized")
	require.NotContains(t, w.log.String(), `"level":"ERROR"`, "a probe with a bad signature is no alarm")
	w.callback("other-merchant", event).problem(t, 422, ticketing.CodeInvalid)
	require.Contains(t, w.log.String(), `"level":"ERROR","msg":"validly signed callback for another merchant"`)
	w.do(call{method: "POST", path: "/api/v1/callbacks/sandbox", body: "{", header: map[string]string{signatureHeader: "good"}}).problem(t, 400, "malformed")
	w.callback("nonce", event).problem(t, 400, "malformed")
	w.do(call{method: "POST", path: "/api/v1/callbacks/nobody", body: event}).problem(t, 404, ticketing.CodeNotFound)
	w.do(call{method: "POST", path: "/api/v1/callbacks/sandbox", body: event, header: map[string]string{"Content-Encoding": "gzip", signatureHeader: "good"}}).problem(t, 415, "encoding_refused")
	require.Equal(t, "PENDING", w.read(o).State)
	require.Zero(t, w.courier.delivered.Load())
	counts, err := w.store.testStore.Counts(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]int{"signature": 1, "merchant": 1, "malformed": 2}, counts.RefusedCallbacks)
	require.Contains(t, string(w.get("/metrics").body), `boxoffice_callbacks_refused_total{provider="sandbox",reason="signature"} 1`)
}

// TestHazard08OtherAmountIsAnAlarm: it is kept and delivered; the rules refuse it as payment.
func TestHazard08OtherAmountIsAnAlarm(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	number := w.attempt(o, "sandbox_card")
	require.Equal(t, 200, w.callback("good", testCallback{EventID: "E1", Number: number, Paid: true, Amount: ticketing.Money{Amount: 1, Currency: "CNY"}}).status)
	require.Equal(t, "PENDING", w.read(o).State)
	require.Contains(t, w.log.String(), "captured amount differs from the order")
	w.callback("good", testCallback{EventID: "E2", Number: number, Paid: true}).problem(t, 422, ticketing.CodeInvalid)
}

// TestHazard24DatabaseAwayIsNotAcknowledged: the gateway tries again.
func TestHazard24DatabaseAwayIsNotAcknowledged(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	number := w.attempt(o, "sandbox_card")
	event := testCallback{EventID: "E1", Number: number, Paid: true, Amount: o.Total}
	w.store.down.Store(true)
	w.callback("good", event).problem(t, 503, "unavailable")
	w.callback("forged", event).problem(t, 401, "unauthorized")
	w.store.down.Store(false)
	require.Equal(t, 200, w.callback("good", event).status)
	require.Equal(t, "PAID", w.read(o).State)
}

// TestHazard25TemporalAwayIsAcknowledged: it is kept; the sweep, or the next delivery, brings it on.
func TestHazard25TemporalAwayIsAcknowledged(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	number := w.attempt(o, "sandbox_card")
	event := testCallback{EventID: "E1", Number: number, Paid: true, Amount: o.Total}
	w.courier.down.Store(true)
	require.Equal(t, 200, w.callback("good", event).status)
	require.Equal(t, "PENDING", w.read(o).State)
	require.Contains(t, string(w.get("/metrics").body), "boxoffice_deliveries_failed_total 1")
	w.courier.down.Store(false)
	require.Equal(t, 200, w.callback("good", event).status)
	require.Equal(t, "PAID", w.read(o).State)
}

// TestHazard26MoneyForNoOrderIsKept: it goes to a saga of its own.
func TestHazard26MoneyForNoOrderIsKept(t *testing.T) {
	w := newWorld(t)
	event := testCallback{EventID: "E1", Number: "0000000000000000000000000A", Paid: true, Amount: ticketing.Money{Amount: 500, Currency: "CNY"}}
	require.Equal(t, 200, w.callback("good", event).status)
	require.EqualValues(t, 1, w.courier.orphans.Load())
	require.Contains(t, w.log.String(), "captured money for no attempt of ours")
}

func TestNumberOfAnotherProviderIsRefused(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	number := w.attempt(o, "bank")
	w.callback("good", testCallback{EventID: "E1", Number: number, Paid: true, Amount: o.Total}).problem(t, 409, ticketing.CodeConflict)
	require.Equal(t, "PENDING", w.read(o).State)
}

func TestDeclinedPaymentLeavesTheHold(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	number := w.attempt(o, "sandbox_card")
	require.Equal(t, 200, w.callback("good", testCallback{EventID: "E1", Number: number}).status)
	require.Zero(t, w.courier.delivered.Load())
	now := w.read(o)
	require.Equal(t, "PENDING", now.State)
	require.Equal(t, "DECLINED", now.Attempts[0].State)
	w.paidBy(o, "sandbox_wallet")
	require.Equal(t, "PAID", w.read(o).State)
}

func TestAttemptsOfAnOrderAreBounded(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	for range 20 {
		w.attempt(o, "bank")
	}
	w.pay(o, "bank").problem(t, 422, ticketing.CodeLimitExceeded)
	require.Equal(t, 20, w.other.creates)
}
