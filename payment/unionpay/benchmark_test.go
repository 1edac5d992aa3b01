package unionpay_test

import (
	"testing"

	"github.com/boxoffice/boxoffice/payment/paymenttest"
)

func BenchmarkParseCallback(b *testing.B) {
	w := newWorld(b)
	callback := w.mailbox.about(b, "orderId="+w.paid(b).Number, 1)[0]
	paymenttest.BenchmarkParseCallback(b, w.provider, callback, w.now())
}
