package sandbox_test

import (
	"testing"

	"github.com/boxoffice/boxoffice/payment/paymenttest"
	"github.com/boxoffice/boxoffice/payment/sandbox"
)

func TestSandboxConforms(t *testing.T) {
	for _, method := range []string{sandbox.MethodWallet, sandbox.MethodQR} {
		t.Run(method, func(t *testing.T) {
			h := newWorld(t).harness()
			h.Method = method
			paymenttest.Run(t, h)
		})
	}
}
