package systemtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/systemtest/stack"
	"github.com/boxoffice/boxoffice/ticketing"
)

// attempt is the number of the newest payment of the order.
func attempt(t *testing.T, s *stack.Stack, o stack.Order) (number string) {
	t.Helper()
	require.NoError(t, s.DB.QueryRow("SELECT id FROM payment_attempts WHERE order_id = $1 ORDER BY created_at DESC LIMIT 1", o.ID).Scan(&number))
	return number
}

// TestABrowserShowsACodeAPhoneScans: the first try is declined, the second code is paid, and the page notices both by itself.
func TestABrowserShowsACodeAPhoneScans(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	for language, width := range map[string]int64{"en": 1280, "zh-CN": 390} {
		t.Run(fmt.Sprintf("%s-%d", language, width), func(t *testing.T) {
			order := s.Buy(stack.Want{})
			b := browse(t, s, language, width)
			b.page(order)
			b.shoot("methods")
			b.click(id("method-sandbox_qr"))
			b.see(id("waiting"))
			b.shoot("code")
			first := b.attribute(id("pay-qr"), "data-content")
			require.NotEmpty(t, b.attribute(id("qr-left"), "data-seconds"))
			require.NoError(t, s.Gateway.Decline(t.Context(), attempt(t, s, order)))
			b.chapter("declined")
			b.see(id("retry-payment"))
			b.shoot("declined")
			b.click(id("retry-payment"))
			b.see(id("pay-qr"))
			require.NotEqual(t, first, b.attribute(id("pay-qr"), "data-content"))
			s.Pay(attempt(t, s, order))
			b.state(ticketing.OrderPaid)
			b.see(id("ticket-qr"))
			b.done()
		})
	}
	settledAll(t, s)
}

// TestABrowserPostsAFormToABankAndComesBack: leaves it once, goes on, pays, and is posted back.
func TestABrowserPostsAFormToABankAndComesBack(t *testing.T) {
	bank := openUnionPay(t)
	s := stack.New(t, servers(t), stack.Options{Env: bank.env})
	order := s.Buy(stack.Want{})
	b := browse(t, s, "zh-CN", 1280)
	b.page(order)
	b.click(id("method-" + bank.method))
	b.see("#amount")
	require.Equal(t, "100.00", b.text("#amount"))
	b.page(order)
	b.chapter("paying")
	b.shoot("left-and-back")
	b.click(id("continue-payment"))
	b.click("#pay")
	b.state(ticketing.OrderPaid)
	b.see(id("ticket-qr"))
	b.shoot("paid")
	require.Equal(t, 1, s.Int("SELECT count(*) FROM payment_attempts"), "the open payment was gone on with")
	b.done()
	settledAll(t, s)
}

// TestABrowserBelievesNoReturn: whoever types the address of a return sees what the server knows.
func TestABrowserBelievesNoReturn(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	order := s.Buy(stack.Want{})
	b := browse(t, s, "en", 1280)
	b.page(order)
	b.open("/orders/" + order.ID + "?returned=1")
	b.chapter("pending")
	require.Zero(t, b.count(id("returned")), "nobody began to pay: there is nothing to ask about")
	number, _ := s.TryPay(order, sandbox.MethodCard)
	b.see(id("returned") + `[data-slow="false"]`)
	b.state(ticketing.OrderPending)
	b.shoot("asking")
	s.Pay(number)
	b.state(ticketing.OrderPaid)
	require.Zero(t, b.count(id("returned")))
	require.NotContains(t, ask(b, chromedp.Location()), "returned")
	b.done()
	settledAll(t, s)
}

func TestABrowserTellsWhatBecameOfLateMoney(t *testing.T) {
	for _, free := range []bool{true, false} {
		t.Run(fmt.Sprintf("free=%v", free), func(t *testing.T) {
			s := stack.New(t, servers(t), stack.Options{Events: []ticketing.Event{stack.Show("show", 6*time.Second, 1)}})
			b := browse(t, s, map[bool]string{true: "en", false: "zh-CN"}[free], 390)
			order := s.Buy(stack.Want{})
			number := s.Attempt(order)
			b.page(order)
			b.state(ticketing.OrderExpired)
			if !free {
				rival := s.BuyOnceFree(stack.Want{Email: "rival@example.com"}, soon)
				s.Pay(s.Attempt(rival))
				s.Await(rival, ticketing.OrderPaid, soon)
			}
			require.NoError(t, s.Gateway.PayLate(t.Context(), number, 0))
			if free {
				b.chapter("paid_late")
				b.see(id("ticket-qr"))
			} else {
				b.chapter("late_refunded")
				b.see(id("refund") + `[data-reason="late"][data-state="SUCCEEDED"]`)
			}
			b.shoot("told")
			b.done()
			s.EndedID(s.Late(number), soon)
			settledAll(t, s)
		})
	}
}

// TestABrowserTellsThatAnotherAmountCame, and that the order is still to be paid; then it is.
func TestABrowserTellsThatAnotherAmountCame(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	faults(t, s, gateway.Faults{CaptureAmount: 9999})
	order := s.Buy(stack.Want{})
	b := browse(t, s, "en", 390)
	b.page(order)
	b.click(id("method-sandbox_qr"))
	b.see(id("pay-qr"))
	number := attempt(t, s, order)
	s.Pay(number)
	b.chapter("mismatch")
	b.see(id("refund") + `[data-reason="amount"][data-state="SUCCEEDED"]`)
	b.shoot("another-amount")
	faults(t, s, gateway.Faults{})
	b.click(id("method-sandbox_wallet"))
	b.click(id("gw-pay"))
	b.chapter("paid_mismatch")
	b.see(id("ticket-qr"))
	b.done()
	s.EndedID(s.Late(number), soon)
	settledAll(t, s)
}
