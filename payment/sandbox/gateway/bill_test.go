package gateway_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/ticketing"
)

// bill reads the bill of a day, so many days after today.
func (s *sandboxed) bill(days int) (sandbox.Bill, reply) {
	s.t.Helper()
	var b sandbox.Bill
	r := s.send(http.MethodGet, "/v1/bills/"+s.now().UTC().AddDate(0, 0, days).Format(time.DateOnly), "", nil)
	if r.status == http.StatusOK {
		require.NoError(s.t, json.Unmarshal(r.body, &b))
	}
	return b, r
}

func (s *sandboxed) paidUp() string {
	s.t.Helper()
	n := s.created(s.order()).Number
	require.NoError(s.t, s.control.Pay(s.t.Context(), n))
	return n
}

func (s *sandboxed) faults(f gateway.Faults) {
	s.t.Helper()
	require.NoError(s.t, s.control.SetFaults(s.t.Context(), f))
}

func cny(minor int64) ticketing.Money { return ticketing.Money{Amount: minor, Currency: "CNY"} }

func TestAFeeIsKeptOfPaymentsOnly(t *testing.T) {
	s := open(t, settings(t))
	n := s.paidUp()
	require.Equal(t, http.StatusOK, s.refund(sandbox.RefundOrder{ID: number(), Number: n, Amount: cny(38_000)}).status)
	b, _ := s.bill(0)
	require.Len(t, b.Movements, 2)
	require.Equal(t, cny(228), b.Movements[0].Fee, "0.6 % of 380.00")
	require.Zero(t, b.Movements[1].Fee)
}

func TestLinesOfABillCanBeWrong(t *testing.T) {
	s := open(t, settings(t))
	n := s.paidUp()
	for fault, want := range map[gateway.BillFault][]sandbox.Movement{
		gateway.LineShort:     {},
		gateway.LineAmount:    {{Amount: cny(38_001), Fee: cny(228)}},
		gateway.LineCurrency:  {{Amount: ticketing.Money{Amount: 38_000, Currency: "USD"}}},
		gateway.LineFee:       {{Amount: cny(38_000), Fee: cny(229)}},
		gateway.LineDuplicate: {{Amount: cny(38_000), Fee: cny(228)}, {Amount: cny(38_000), Fee: cny(228)}},
		gateway.LineLate:      {},
	} {
		s.faults(gateway.Faults{Bill: map[string]gateway.BillFault{n: fault}})
		b, _ := s.bill(0)
		require.Equal(t, len(want), b.Total, fault)
		for i, m := range b.Movements {
			require.Equal(t, want[i].Amount, m.Amount, fault)
			require.Equal(t, want[i].Fee, m.Fee, fault)
		}
		tomorrow, _ := s.bill(1)
		require.Equal(t, fault == gateway.LineLate, tomorrow.Total == 1, fault)
	}
	stranger := number()
	s.faults(gateway.Faults{Bill: map[string]gateway.BillFault{stranger: gateway.LineLong}})
	b, _ := s.bill(0)
	require.Equal(t, 2, b.Total)
	require.Equal(t, stranger, b.Movements[1].Number)
	require.Equal(t, http.StatusNotFound, s.send(http.MethodGet, "/v1/payments/"+stranger, "", nil).status)
	require.Error(t, s.control.SetFaults(t.Context(), gateway.Faults{Bill: map[string]gateway.BillFault{n: "torn"}}))
}

func TestAWholeBillCanBeWrong(t *testing.T) {
	s := open(t, settings(t))
	s.paidUp()
	s.faults(gateway.Faults{WholeBill: gateway.BillEmpty})
	b, r := s.bill(0)
	require.Equal(t, http.StatusOK, r.status)
	require.Zero(t, b.Total)
	s.faults(gateway.Faults{WholeBill: gateway.BillTruncated})
	b, _ = s.bill(0)
	require.Equal(t, 1, b.Total)
	require.Empty(t, b.Movements)
	s.faults(gateway.Faults{WholeBill: gateway.BillMissing})
	_, r = s.bill(0)
	require.Equal(t, sandbox.CodeUnknown, r.code)
	require.Error(t, s.control.SetFaults(t.Context(), gateway.Faults{WholeBill: "burnt"}))
}

func TestADisputeWithholdsMoneyUntilItIsDecided(t *testing.T) {
	for _, won := range []bool{true, false} {
		config := settings(t)
		s := open(t, config)
		box := newShop(t)
		o := s.order()
		o.NotifyURL = box.server.URL
		s.created(o)
		require.Error(t, s.control.Dispute(t.Context(), o.Number), "nothing was paid")
		require.NoError(t, s.control.Pay(t.Context(), o.Number))
		require.Equal(t, http.StatusOK, s.refund(sandbox.RefundOrder{ID: number(), Number: o.Number, Amount: cny(8_000)}).status)
		require.Error(t, s.control.DecideDispute(t.Context(), o.Number, won), "nobody disputes it")
		for range 2 {
			require.NoError(t, s.control.Dispute(t.Context(), o.Number))
		}
		require.Equal(t, "disputed", s.refund(sandbox.RefundOrder{ID: number(), Number: o.Number, Amount: cny(1)}).code)
		for range 2 {
			require.NoError(t, s.control.DecideDispute(t.Context(), o.Number, won))
		}
		require.Error(t, s.control.DecideDispute(t.Context(), o.Number, !won))
		told := func() (states []string) {
			for _, n := range box.notices() {
				if n.Dispute != nil {
					require.Equal(t, cny(30_000), n.Dispute.Amount)
					require.Equal(t, cny(1_500), n.Dispute.Fee)
					states = append(states, n.Dispute.State)
				}
			}
			return states
		}
		s.eventually(func() bool { return len(told()) == 2 })
		state := map[bool]string{true: sandbox.DisputeWon, false: sandbox.DisputeLost}[won]
		require.ElementsMatch(t, []string{sandbox.DisputeOpen, state}, told())
		b, _ := s.bill(0)
		require.Equal(t, cny(-30_000), b.Movements[2].Amount)
		require.Equal(t, cny(1_500), b.Movements[2].Fee)
		require.Equal(t, won, b.Total == 4)
		require.NoError(t, s.Close())
		s = open(t, config)
		require.Equal(t, state, s.books().Disputes[0].State, "it survives a restart")
	}
}
