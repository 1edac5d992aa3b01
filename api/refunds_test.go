package api_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

type refund struct {
	ID        string
	AttemptID string `json:"attempt_id"`
	Amount    ticketing.Money
	Fee       ticketing.Money
	TicketIDs []string `json:"ticket_ids"`
	State     string
	Reason    string
	SettledAt *time.Time `json:"settled_at"`
}

type policy struct {
	Free  bool
	Steps []struct {
		Until          time.Time
		FeeBasisPoints int `json:"fee_basis_points"`
	}
}

type refundQuote struct {
	Tickets []struct {
		TicketID          string `json:"ticket_id"`
		Paid, Fee, Amount ticketing.Money
	}
	OrderFee          ticketing.Money `json:"order_fee"`
	Paid, Fee, Amount ticketing.Money
	Free              bool
	Until             *time.Time
}

func yuan(fen int64) ticketing.Money { return ticketing.Money{Amount: fen, Currency: "CNY"} }

func (w *world) quoteRefund(o placed, tickets ...string) answer {
	w.t.Helper()
	body := map[string]any{}
	if len(tickets) > 0 {
		body["ticket_ids"] = tickets
	}
	return w.do(call{method: "POST", path: "/api/v1/orders/" + o.ID + "/refund-quotes", token: o.Token, body: body, valid: true})
}

func (w *world) refund(o placed, key string, amount int64, tickets ...string) answer {
	w.t.Helper()
	body := map[string]any{"expected_amount": yuan(amount)}
	if len(tickets) > 0 {
		body["ticket_ids"] = tickets
	}
	return w.do(call{method: "POST", path: "/api/v1/orders/" + o.ID + "/refunds", token: o.Token, body: body, valid: true, header: map[string]string{"Idempotency-Key": key}})
}

// bought is a paid order of two tickets at 305.00 each.
func (w *world) bought(key string) placed {
	w.t.Helper()
	o := w.order(key)
	w.paidBy(o, "sandbox_card")
	now := w.read(o)
	require.Len(w.t, now.Tickets, 2)
	now.Token = o.Token
	return now
}

func TestRefundIsQuotedThenTaken(t *testing.T) {
	w := newWorld(t)
	o := w.bought(keyed(1))
	require.False(t, o.RefundPolicy.Free)
	require.Len(t, o.RefundPolicy.Steps, 2)
	require.Equal(t, 500, o.RefundPolicy.Steps[0].FeeBasisPoints)
	free := w.freeStalls()

	a := w.quoteRefund(o, o.Tickets[1].ID)
	require.Equal(t, 200, a.status, string(a.body))
	var quote refundQuote
	a.decode(t, &quote)
	require.Equal(t, yuan(30500), quote.Paid)
	require.Equal(t, yuan(1525), quote.Fee)
	require.Equal(t, yuan(28975), quote.Amount)
	require.Equal(t, yuan(0), quote.OrderFee)
	require.Equal(t, o.RefundPolicy.Steps[0].Until, *quote.Until)
	require.Equal(t, o.Tickets[1].ID, quote.Tickets[0].TicketID)

	a = w.refund(o, keyed(2), 28975, o.Tickets[1].ID)
	require.Equal(t, 201, a.status, string(a.body))
	var given refund
	a.decode(t, &given)
	require.Equal(t, "PENDING", given.State)
	require.Equal(t, "requested", given.Reason)
	require.Equal(t, yuan(1525), given.Fee)
	require.Equal(t, []string{o.Tickets[1].ID}, given.TicketIDs)
	now := w.read(o)
	require.Equal(t, "REFUNDING", now.State)
	require.Equal(t, []refund{given}, now.Refunds)
	require.Equal(t, "VALID", now.Tickets[0].State)
	require.Equal(t, "VOID", now.Tickets[1].State)
	require.Equal(t, given.ID, now.Tickets[1].RefundID)
	began := time.Now()
	eventually(t, "the ticket is on sale again", func() bool { return w.freeStalls() == free+1 })
	require.Less(t, time.Since(began), time.Second)

	// The gateway's callback ends it, and wakes the workflow.
	require.Equal(t, 200, w.callback("good", testCallback{EventID: "R1", Number: given.ID, Refund: payment.RefundPending}).status)
	require.Equal(t, 200, w.callback("good", testCallback{EventID: "R2", Number: given.ID, Refund: payment.RefundSucceeded}).status)
	eventually(t, "the workflow is woken", func() bool { _, woken := w.courier.woken.Load(given.ID); return woken })
	now = w.read(o)
	require.Equal(t, "PARTIALLY_REFUNDED", now.State)
	require.NotNil(t, now.Refunds[0].SettledAt)
	require.Equal(t, "SUCCEEDED", now.Refunds[0].State)
	require.Equal(t, 200, w.do(call{method: "GET", path: "/api/v1/orders/" + o.ID + "/events", token: o.Token, valid: true}).status)

	// What is left goes back as a whole; the key decides, not the moment.
	a = w.refund(o, keyed(3), 28975)
	require.Equal(t, 201, a.status, string(a.body))
	require.Equal(t, string(a.body), string(w.refund(o, keyed(3), 28975).body))
	require.EqualValues(t, 2, w.purchases.refunds.Load(), "the second time nothing was started")
	w.quoteRefund(o).problem(t, 409, ticketing.CodeNotRefundable)
}

func TestAKeyIsOneRefundHoweverOftenItIsSent(t *testing.T) {
	w := newWorld(t)
	o := w.bought(keyed(1))
	var all sync.WaitGroup
	answers := make([]answer, 20)
	for i := range answers {
		all.Go(func() { answers[i] = w.refund(o, keyed(2), 57950) })
	}
	all.Wait()
	for _, a := range answers {
		require.Equal(t, 201, a.status, string(a.body))
		require.Equal(t, string(answers[0].body), string(a.body))
	}
	require.Len(t, w.read(o).Refunds, 1)
	w.refund(o, keyed(2), 28975, o.Tickets[0].ID).problem(t, 422, ticketing.CodeKeyReused)
}

func TestRefundsAreRefusedClearly(t *testing.T) {
	w := newWorld(t)
	unpaid := w.order(keyed(1))
	w.quoteRefund(unpaid).problem(t, 409, ticketing.CodeNotRefundable)
	w.refund(unpaid, keyed(2), 1).problem(t, 409, ticketing.CodeNotRefundable)

	o := w.bought(keyed(3))
	require.Contains(t, w.refund(o, keyed(4), 61000).problem(t, 409, ticketing.CodePriceChanged).Detail, "57950 CNY")
	require.Equal(t, "/ticket_ids/1", w.quoteRefund(o, o.Tickets[0].ID, "other").problem(t, 422, ticketing.CodeInvalid).Field)
	require.Zero(t, w.purchases.refunds.Load(), "what is refused anyway starts nothing")
	require.Equal(t, 201, w.refund(o, keyed(5), 28975, o.Tickets[0].ID).status)
	w.quoteRefund(o, o.Tickets[0].ID).problem(t, 409, ticketing.CodeConflict)
	require.Equal(t, "/ticket_ids/0", w.refund(o, keyed(6), 28975, o.Tickets[0].ID).problem(t, 409, ticketing.CodeConflict).Field)
	require.Contains(t, w.log.String(), o.ID)

	for body, field := range map[string]string{
		`{}`: "/expected_amount", `{"expected_amount":{"amount":0,"currency":"CNY"}}`: "/expected_amount", `{"expected_amount":{"amount":1,"currency":"yuan"}}`: "/expected_amount",
		`{"expected_amount":{"amount":1,"currency":"CNY"},"ticket_ids":[]}`: "/ticket_ids", `{"expected_amount":{"amount":1,"currency":"CNY"},"ticket_ids":[""]}`: "/ticket_ids/0",
		`{"expected_amount":{"amount":1,"currency":"CNY"},"ticket_ids":"all"}`:                                     "/ticket_ids",
		`{"ticket_ids":["` + strings.Repeat(`x","`, 1000) + `y"],"expected_amount":{"amount":1,"currency":"CNY"}}`: "/ticket_ids",
	} {
		send := func(header map[string]string) answer {
			return w.do(call{method: "POST", path: "/api/v1/orders/" + o.ID + "/refunds", token: o.Token, body: body, header: header})
		}
		require.Equal(t, field, send(map[string]string{"Idempotency-Key": keyed(7)}).problem(t, 422, ticketing.CodeInvalid).Field, body)
		send(nil).problem(t, 400, "key_required")
		send(map[string]string{"Idempotency-Key": "short"}).problem(t, 422, ticketing.CodeInvalid)
	}
}

func TestCalledOffEventsGiveEverythingBack(t *testing.T) {
	w := newWorld(t)
	o := w.bought(keyed(1))
	require.NoError(t, w.store.MoveEvent(t.Context(), "hamlet", ticketing.EventCancelled, "tester", "a test"))
	var quote refundQuote
	w.quoteRefund(o).decode(t, &quote)
	require.True(t, quote.Free)
	require.Nil(t, quote.Until)
	require.Equal(t, o.Total, quote.Amount)
	require.Equal(t, yuan(300), quote.OrderFee)
	eventually(t, "the order says so", func() bool { return w.read(o).RefundPolicy.Free })
	require.Equal(t, 201, w.refund(o, keyed(2), o.Total.Amount).status)
	require.Equal(t, "event", w.read(o).Refunds[0].Reason)
	var page struct {
		Session struct {
			RefundPolicy policy `json:"refund_policy"`
		}
	}
	w.get("/api/v1/sessions/hamlet-1").decode(t, &page)
	require.True(t, page.Session.RefundPolicy.Free)
}

func TestNoWorkerMeansAskForTheRefundAgain(t *testing.T) {
	w := newWorld(t)
	o, other := w.bought(keyed(1)), w.bought(keyed(3))
	w.purchases.silent.Store(true)
	a := w.refund(o, keyed(2), 57950)
	require.Equal(t, 202, a.status)
	require.Equal(t, "1", a.header.Get("Retry-After"))
	require.JSONEq(t, `{"state":"PENDING"}`, string(a.body))
	w.purchases.silent.Store(false)
	require.Equal(t, 201, w.refund(o, keyed(2), 57950).status)
	w.purchases.down.Store(true)
	require.Equal(t, 201, w.refund(o, keyed(2), 57950).status, "what is stored needs nobody")
	w.refund(other, keyed(4), 57950).problem(t, 503, "unavailable")
}

func TestARefundOfAnOrderThatIsNotThereYet(t *testing.T) {
	w := newWorld(t)
	w.purchases.silent.Store(true)
	var o placed
	w.submit(keyed(1), orderBody()).decode(t, &o)
	w.quoteRefund(o).problem(t, 404, ticketing.CodeNotFound)
	w.refund(o, keyed(2), 1).problem(t, 404, ticketing.CodeNotFound)
}
