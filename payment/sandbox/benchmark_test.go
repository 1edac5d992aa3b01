package sandbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/paymenttest"
	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/ticketing"
)

func BenchmarkParseCallback(b *testing.B) {
	w := newWorld(b)
	order := payment.Order{
		Number: ticketing.NewNumber(time.Now()), Amount: ticketing.Money{Amount: 38_000, Currency: "CNY"}, Description: "哈姆雷特 × 3", Language: "zh-CN",
		ExpiresAt: time.Now().Add(10 * time.Minute), NotifyURL: w.mailbox.server.URL, ReturnURL: w.mailbox.server.URL,
	}
	_, err := w.provider.Create(b.Context(), order, sandbox.MethodWallet)
	require.NoError(b, err)
	require.NoError(b, w.control.Pay(b.Context(), order.Number))
	paymenttest.BenchmarkParseCallback(b, w.provider, w.mailbox.about(b, order.Number, 1)[0], time.Now())
}
