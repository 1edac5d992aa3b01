package stripe_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/stripe"
	"github.com/boxoffice/boxoffice/payment/stripe/stripetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// disputeKinds are all kinds of events that Stripe has about disputes.
var disputeKinds = []string{
	"charge.dispute.created", "charge.dispute.updated", "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated", "charge.dispute.closed",
}

func TestEveryEventAboutADisputeIsSubscribedTo(t *testing.T) {
	for _, kind := range disputeKinds {
		require.Contains(t, stripe.Events, kind)
	}
}

// disputed makes an event about a dispute, with what a change makes of it.
func (w *world) disputed(t *testing.T, number, kind string, change func(map[string]any)) stripetest.Callback {
	t.Helper()
	c, ok := w.gateway.Forge(number, stripetest.Forgery{Kind: kind, Change: func(e map[string]any) {
		object := map[string]any{
			"id": "du_1", "object": "dispute", "amount": 38_000, "currency": "usd", "reason": "fraudulent", "status": "needs_response",
			"payment_intent": "pi_1", "charge": "ch_1", "balance_transactions": []any{},
		}
		change(object)
		e["data"] = map[string]any{"object": object}
	}})
	require.True(t, ok)
	return c
}

// What an event says is the dispute's status in it: events come in any order, and one of a kind may tell of any status.
func TestHazard33EveryStatusInEveryEvent(t *testing.T) {
	w := newWorld(t)
	number := w.opened(t).Number
	states := map[string]payment.DisputeState{
		"needs_response": payment.DisputeOpen, "under_review": payment.DisputeOpen, "won": payment.DisputeWon, "lost": payment.DisputeLost,
		"warning_needs_response": "", "warning_under_review": "", "warning_closed": "", "prevented": "",
	}
	ids := map[string]bool{}
	for _, kind := range disputeKinds {
		for _, status := range slices.Sorted(maps.Keys(states)) {
			notice := w.parse(t, w.disputed(t, number, kind, func(d map[string]any) { d["status"] = status }))
			ids[notice.EventID] = true
			if states[status] == "" {
				require.Equal(t, payment.NoticeOther, notice.Kind, "%s %s: no money is withheld", kind, status)
				require.Zero(t, notice.Dispute)
				continue
			}
			require.Equal(t, payment.NoticeDispute, notice.Kind)
			require.Equal(t, payment.Dispute{
				ID: "du_1", GatewayID: "pi_1", State: states[status], Amount: dollars(38_000), Reason: "fraudulent", At: notice.Dispute.At,
			}, notice.Dispute, "%s %s", kind, status)
		}
	}
	require.Len(t, ids, len(disputeKinds)*len(states))
}

func TestHazard33WhatADisputeCosts(t *testing.T) {
	w := newWorld(t)
	number := w.opened(t).Number
	move := func(fee any, currency string) map[string]any {
		return map[string]any{"id": "txn_1", "amount": -38_000, "fee": fee, "currency": currency}
	}
	for name, test := range map[string]struct {
		moves  []any
		amount int64
		code   string
		want   payment.Dispute
	}{
		"nothing yet":          {nil, 38_000, "usd", payment.Dispute{Amount: dollars(38_000)}},
		"a fee":                {[]any{move(1_500, "usd")}, 38_000, "usd", payment.Dispute{Amount: dollars(38_000), Fee: dollars(1_500)}},
		"a fee given back":     {[]any{move(1_500, "usd"), move(-1_500, "usd")}, 38_000, "usd", payment.Dispute{Amount: dollars(38_000)}},
		"a fee in two moneys":  {[]any{move(1_500, "usd"), move(100, "eur")}, 38_000, "usd", payment.Dispute{Amount: dollars(38_000)}},
		"a fee in no currency": {[]any{move(1_500, "usdc")}, 38_000, "usd", payment.Dispute{Amount: dollars(38_000)}},
		"a fee with cents that do not exist": {
			[]any{move(150_050, "isk")}, 500_000, "isk", payment.Dispute{Amount: krona(5_000), Fee: krona(1_501)},
		},
		"an amount with cents that do not exist": {nil, 499_949, "isk", payment.Dispute{Amount: krona(4_999)}},
	} {
		t.Run(name, func(t *testing.T) {
			notice := w.parse(t, w.disputed(t, number, "charge.dispute.funds_withdrawn", func(d map[string]any) {
				d["balance_transactions"], d["amount"], d["currency"] = test.moves, test.amount, test.code
			}))
			require.Equal(t, payment.NoticeDispute, notice.Kind, "an odd fee must not leave the tickets valid")
			require.Equal(t, test.want.Amount, notice.Dispute.Amount)
			require.Equal(t, test.want.Fee, notice.Dispute.Fee)
		})
	}
}

func krona(amount int64) ticketing.Money { return ticketing.Money{Amount: amount, Currency: "ISK"} }

func TestDisputesAreReadStrictly(t *testing.T) {
	w := newWorld(t)
	number := w.opened(t).Number
	for name, test := range map[string]struct {
		field string
		value any
		want  error
	}{
		"expanded":               {"payment_intent", map[string]any{"id": "pi_1", "object": "payment_intent"}, nil},
		"of no payment intent":   {"payment_intent", nil, nil},
		"of a charge":            {"payment_intent", "ch_1", payment.ErrMalformed},
		"no id":                  {"id", "", payment.ErrMalformed},
		"a long id":              {"id", strings.Repeat("x", 129), payment.ErrMalformed},
		"not a dispute":          {"object", "charge", payment.ErrMalformed},
		"a status that is new":   {"status", "pondered", payment.ErrMalformed},
		"of nothing":             {"amount", 0, payment.ErrMalformed},
		"of less than nothing":   {"amount", -1, payment.ErrMalformed},
		"of a fraction":          {"amount", json.Number("1.5"), payment.ErrMalformed},
		"of too much":            {"amount", json.Number("1e18"), payment.ErrMalformed},
		"in no currency":         {"currency", "usdc", payment.ErrMalformed},
		"in capitals":            {"currency", "USD", payment.ErrMalformed},
		"with movements of text": {"balance_transactions", "txn_1", payment.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			c := w.disputed(t, number, "charge.dispute.created", func(d map[string]any) { d[test.field] = test.value })
			notice, err := w.provider.ParseCallback(c.Header, c.Body, w.now())
			require.ErrorIs(t, err, test.want)
			require.Equal(t, test.want != nil, notice == payment.Notice{})
		})
	}
}
