package stack

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/ticketing"
)

// Refund is a refund as its buyer sees it over HTTP.
type Refund struct {
	ID        string                `json:"id"`
	AttemptID string                `json:"attempt_id"`
	State     ticketing.RefundState `json:"state"`
	Amount    ticketing.Money       `json:"amount"`
	Fee       ticketing.Money       `json:"fee"`
	TicketIDs []string              `json:"ticket_ids"`
	CreatedAt time.Time             `json:"created_at"`
	SettledAt time.Time             `json:"settled_at"`
}

// Quote says what goes back for tickets of an order; none means all.
func (s *Stack) Quote(o Order, tickets ...string) ticketing.Money {
	s.T.Helper()
	a, err := s.Request(s.T.Context(), http.MethodPost, "/api/v1/orders/"+o.ID+"/refund-quotes", o.Token, "", named(tickets))
	require.NoError(s.T, err)
	require.Equal(s.T, http.StatusOK, a.Status, "%s", a.Body)
	var quote struct {
		Amount ticketing.Money `json:"amount"`
	}
	require.NoError(s.T, json.Unmarshal(a.Body, &quote))
	return quote.Amount
}

// TryRefund asks for tickets to be given back and returns the answer as it is.
func (s *Stack) TryRefund(ctx context.Context, o Order, key string, amount ticketing.Money, tickets ...string) (Answer, error) {
	body := named(tickets)
	body["expected_amount"] = amount
	return s.Request(ctx, http.MethodPost, "/api/v1/orders/"+o.ID+"/refunds", o.Token, key, body)
}

// GiveBack gives tickets back for what they are quoted; none means all.
func (s *Stack) GiveBack(o Order, tickets ...string) Refund {
	s.T.Helper()
	a, err := s.TryRefund(s.T.Context(), o, rand.Text(), s.Quote(o, tickets...), tickets...)
	require.NoError(s.T, err)
	return s.DecodeRefund(a)
}

// DecodeRefund reads a refund from an answer.
func (s *Stack) DecodeRefund(a Answer) Refund {
	s.T.Helper()
	require.Equal(s.T, http.StatusCreated, a.Status, "%s", a.Body)
	var r Refund
	require.NoError(s.T, json.Unmarshal(a.Body, &r), "%s", a.Body)
	return r
}

// RefundCalls counts how often the gateway was sent a refund.
func (s *Stack) RefundCalls(r Refund) int {
	s.T.Helper()
	calls, err := s.Gateway.Calls(s.T.Context())
	require.NoError(s.T, err)
	return calls["refund/"+r.ID]
}

func named(tickets []string) map[string]any {
	if len(tickets) == 0 {
		return map[string]any{}
	}
	return map[string]any{"ticket_ids": tickets}
}
