package systemtest

import (
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/systemtest/stack"
	"github.com/boxoffice/boxoffice/ticketing"
)

// bank is a gateway that is not the sandbox, with the strings that move its payers.
type bank struct {
	// provider and method are what the product calls it.
	provider, method string
	// env lets the product use it; zone is that of its bills.
	env  []string
	zone *time.Location
	// started, if set, is told of the product that uses it.
	started func(s *stack.Stack)
	// pay pays a number, payLate also after its end; refunded is what went back of a number by a refund, in minor units.
	pay, payLate func(number string) error
	refunded     func(number, refundID string) int64
}

// banks opens each gateway, on a port of its own.
var banks = map[string]func(t testing.TB) bank{
	"alipay":    openAlipay,
	"stripe":    openStripe,
	"unionpay":  openUnionPay,
	"wechatpay": openWechatPay,
}

// everyBank runs a test with every gateway.
func everyBank(t *testing.T, test func(t *testing.T, b bank)) {
	t.Helper()
	for name, open := range banks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// product starts the product with a gateway.
func (b bank) product(t testing.TB, o stack.Options) *stack.Stack {
	t.Helper()
	o.Env = append(o.Env, b.env...)
	s := stack.New(t, servers(t), o)
	if b.started != nil {
		b.started(s)
	}
	return s
}

// visit begins a payment and does what the payer's browser does next: it opens the page, or posts the form.
func visit(s *stack.Stack, o stack.Order, method string) string {
	s.T.Helper()
	number, a := s.TryPay(o, method)
	require.Equal(s.T, http.StatusCreated, a.Status, "%s", a.Body)
	var payment struct {
		PayURL  string            `json:"pay_url"`
		PayForm map[string]string `json:"pay_form"`
		QR      string            `json:"qr"`
	}
	require.NoError(s.T, json.Unmarshal(a.Body, &payment))
	if payment.PayForm == nil {
		require.NotEmpty(s.T, payment.PayURL+payment.QR)
		return number
	}
	form := url.Values{}
	for name, value := range payment.PayForm {
		form.Set(name, value)
	}
	response, err := http.PostForm(payment.PayURL, form)
	require.NoError(s.T, err)
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	require.NoError(s.T, err)
	require.Equal(s.T, http.StatusOK, response.StatusCode, "%s", page)
	return number
}

// TestEveryGatewayIsPaidByItsOwnCallback, and its bill of the day agrees with our books.
func TestEveryGatewayIsPaidByItsOwnCallback(t *testing.T) {
	t.Parallel()
	everyBank(t, func(t *testing.T, b bank) {
		s := b.product(t, stack.Options{})
		order := s.Buy(stack.Want{Quantity: 2})
		require.Contains(t, order.Methods, b.method)
		number := visit(s, order, b.method)
		require.NoError(t, b.pay(number))
		order = s.Await(order, ticketing.OrderPaid, soon)
		require.Len(t, order.Tickets, 2)
		require.Equal(t, 1, s.Int("SELECT count(*) FROM callbacks WHERE provider = $1 AND attempt_id = $2", b.provider, number))
		require.Equal(t, 1, s.Int("SELECT count(*) FROM payment_attempts WHERE id = $1 AND captured_by = 'callback'", number))
		s.Ended(order.ID, soon)
		day := ticketing.DayOf(time.Now(), b.zone)
		require.Contains(t, s.Says("reconcile", "-provider", b.provider, "-day", day.Date), "1 of 1 lines agree, 0 payments recorded, 0 open cases")
	})
}

// TestHazard03EveryGatewayIsAskedWhenItsCallbacksAreLost: none of them can reach us.
func TestHazard03EveryGatewayIsAskedWhenItsCallbacksAreLost(t *testing.T) {
	t.Parallel()
	everyBank(t, func(t *testing.T, b bank) {
		s := b.product(t, stack.Options{Env: []string{"BOXOFFICE_PUBLIC_URL=http://127.0.0.1:9"}})
		order := s.Buy(stack.Want{})
		number := visit(s, order, b.method)
		require.NoError(t, b.pay(number))
		began := time.Now()
		s.Await(order, ticketing.OrderPaid, 15*time.Second)
		t.Logf("%s: found %.1f s after it was paid", b.provider, time.Since(began).Seconds())
		require.Zero(t, s.Int("SELECT count(*) FROM callbacks"))
		s.Ended(order.ID, soon)
	})
}

// TestHazard09EveryGatewayGivesLateMoneyBack: somebody else has the tickets by then.
func TestHazard09EveryGatewayGivesLateMoneyBack(t *testing.T) {
	t.Parallel()
	everyBank(t, func(t *testing.T, b bank) {
		s := b.product(t, stack.Options{
			Env: []string{"BOXOFFICE_PAYMENT_GRACE=1s"}, Events: []ticketing.Event{stack.Show("show", 4*time.Second, 1)},
		})
		order := s.Buy(stack.Want{})
		number := visit(s, order, b.method)
		s.Await(order, ticketing.OrderExpired, long)
		s.BuyOnceFree(stack.Want{Email: "rival@example.com"}, soon)
		require.NoError(t, b.payLate(number))
		stack.Eventually(t, long, "the money went back", func() bool {
			return s.Int("SELECT count(*) FROM refunds WHERE attempt_id = $1 AND state = 'SUCCEEDED'", number) == 1
		})
		var refundID string
		require.NoError(t, s.DB.QueryRow("SELECT id FROM refunds WHERE attempt_id = $1", number).Scan(&refundID))
		require.Equal(t, order.Total.Amount, b.refunded(number, refundID), "by the gateway's own books")
		require.Empty(t, s.Order(order).Tickets)
	})
}
