package systemtest

import (
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/systemtest/stack"
	"github.com/boxoffice/boxoffice/ticketing"
)

// BenchmarkCallback is a gateway's callback from its arrival until its order is paid: verified, kept in the inbox, brought to its
// workflow, settled. What the gateway needs to sign and send it is in the time, too. Eight payers pay at once.
//
//	go test ./systemtest -run '^$' -bench Callback -benchtime 400x
func BenchmarkCallback(b *testing.B) {
	open := map[string]func(t testing.TB) bank{"sandbox": func(testing.TB) bank { return bank{provider: sandbox.Name, method: sandbox.MethodWallet} }}
	maps.Copy(open, banks)
	for name, bank := range open {
		b.Run(name, func(b *testing.B) { callbacks(b, bank(b)) })
	}
}

func callbacks(b *testing.B, gateway bank) {
	const payers = 8
	s := gateway.product(b, stack.Options{Events: []ticketing.Event{stack.Show("show", time.Hour, b.N)}})
	pay := gateway.pay
	if pay == nil {
		pay = func(number string) error { return s.Gateway.Pay(b.Context(), number) }
	}
	numbers := make(chan string, b.N)
	inTurn(payers, b.N, func(i int) {
		order := s.Buy(stack.Want{Email: fmt.Sprintf("payer-%d@example.com", i)})
		numbers <- visit(s, order, gateway.method)
	})
	require.Len(b, numbers, b.N)
	b.ResetTimer()
	inTurn(payers, b.N, func(int) { require.NoError(b, pay(<-numbers)) })
	stack.Eventually(b, 2*time.Minute, "every order is paid", func() bool {
		return s.Int("SELECT count(*) FROM orders WHERE state = 'PAID'") == b.N
	})
	b.StopTimer()
	require.Equal(b, b.N, s.Int("SELECT count(*) FROM payment_attempts WHERE captured_by = 'callback'"), "not one was found by asking")
	stack.Eventually(b, soon, "every delivery is noted", func() bool {
		return s.Int("SELECT count(*) FROM payment_attempts WHERE delivered_at IS NULL") == 0
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "callbacks/s")
}

// inTurn does n steps, so many at once.
func inTurn(atOnce, n int, step func(i int)) {
	steps := make(chan int, n)
	for i := range n {
		steps <- i
	}
	close(steps)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for i := range steps {
				step(i)
			}
		})
	}
	all.Wait()
}
