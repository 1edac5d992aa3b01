package stack

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/ticketing"
)

// Order is an order as its buyer sees it over HTTP.
type Order struct {
	ID       string               `json:"id"`
	State    ticketing.OrderState `json:"state"`
	Total    ticketing.Money      `json:"total"`
	Token    string               `json:"token"`
	PayBy    time.Time            `json:"pay_by"`
	Methods  []string             `json:"methods"`
	Attempts []struct {
		ID    string                 `json:"id"`
		State ticketing.AttemptState `json:"state"`
	} `json:"attempts"`
	Tickets []struct {
		ID       string                `json:"id"`
		State    ticketing.TicketState `json:"state"`
		RefundID string                `json:"refund_id"`
		Code     string                `json:"code"`
		Seat     *ticketing.Seat       `json:"seat"`
	} `json:"tickets"`
	Seats   []ticketing.Seat `json:"seats"`
	Refunds []Refund         `json:"refunds"`
}

// Problem is an answer that is not success.
type Problem struct {
	Status int            `json:"status"`
	Code   ticketing.Code `json:"code"`
	Detail string         `json:"detail"`
	Field  string         `json:"field"`
	// Seats says more of seat_taken.
	Seats *ticketing.LostSeats `json:"seats"`
}

// Answer is what came back over HTTP.
type Answer struct {
	Status  int
	Header  http.Header
	Body    []byte
	Problem Problem
}

// Want is what a buyer asks for.
type Want struct {
	Key      string // Idempotency-Key; empty makes one
	Session  string
	Type     string
	Quantity int
	Seats    []string // chosen ones
	Vouchers []string // codes
	Name     string
	Email    string
	Phone    string
	Language string
	// Attendees are who the tickets are for.
	Attendees []ticketing.Attendee
}

// Request sends a request and reads the answer; err is that of the connection.
func (s *Stack) Request(ctx context.Context, method, path, token, key string, body any) (Answer, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return Answer{}, err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, s.URL+path, content)
	if err != nil {
		return Answer{}, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := s.http.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	a := Answer{Status: response.StatusCode, Header: response.Header}
	if a.Body, err = io.ReadAll(response.Body); err != nil {
		return a, err
	}
	if a.Status >= 400 {
		_ = json.Unmarshal(a.Body, &a.Problem)
	}
	return a, nil
}

// Submit asks for tickets and returns the answer as it is.
func (s *Stack) Submit(ctx context.Context, w Want) (Answer, error) {
	if w.Key == "" {
		w.Key = rand.Text()
	}
	if w.Session == "" {
		w.Session = "show-1"
	}
	if w.Type == "" {
		w.Type = w.Session + "-1"
	}
	if w.Quantity == 0 {
		w.Quantity = 1
	}
	if w.Name == "" {
		w.Name = "Ada Buyer"
	}
	if w.Email == "" {
		w.Email = "ada@example.com"
	}
	buyer := map[string]string{"name": w.Name, "email": w.Email}
	if w.Phone != "" {
		buyer["phone"] = w.Phone
	}
	body := map[string]any{
		"session_id": w.Session, "buyer": buyer,
		"lines": []map[string]any{{"ticket_type_id": w.Type, "quantity": w.Quantity}},
	}
	if w.Seats != nil {
		body["lines"] = []ticketing.Ask{{TicketTypeID: w.Type, Quantity: w.Quantity, SeatIDs: w.Seats}}
	}
	if w.Vouchers != nil {
		body["vouchers"] = w.Vouchers
	}
	if w.Attendees != nil {
		body["attendees"] = w.Attendees
	}
	if w.Language != "" {
		body["language"] = w.Language
	}
	return s.Request(ctx, http.MethodPost, "/api/v1/orders", "", w.Key, body)
}

// Buy asks for tickets and expects a held order.
func (s *Stack) Buy(w Want) Order {
	s.T.Helper()
	a, err := s.Submit(s.T.Context(), w)
	require.NoError(s.T, err)
	require.Equal(s.T, http.StatusCreated, a.Status, "%s", a.Body)
	return s.Decode(a)
}

// BuyOnceFree is Buy for stock that was just given back: the answer "sold out" may be a second old.
func (s *Stack) BuyOnceFree(w Want, within time.Duration) Order {
	s.T.Helper()
	var order Order
	Eventually(s.T, within, "stock is on sale again", func() bool {
		a, err := s.Submit(context.Background(), w)
		if err != nil || a.Status != http.StatusCreated {
			return false
		}
		order = s.Decode(a)
		return true
	})
	return order
}

// TryPay begins a payment and returns the attempt's number, with the answer as it is.
func (s *Stack) TryPay(o Order, method string) (string, Answer) {
	s.T.Helper()
	a, err := s.Request(s.T.Context(), http.MethodPost, "/api/v1/orders/"+o.ID+"/payments", o.Token, "", map[string]string{"method": method})
	require.NoError(s.T, err)
	return s.AttemptID(a), a
}

// AttemptID reads an attempt's number from an answer; empty when there is none.
func (s *Stack) AttemptID(a Answer) string {
	var made struct {
		AttemptID string `json:"attempt_id"`
	}
	_ = json.Unmarshal(a.Body, &made)
	return made.AttemptID
}

// Attempt begins a payment by wallet and expects it to be open.
func (s *Stack) Attempt(o Order) string {
	s.T.Helper()
	number, a := s.TryPay(o, sandbox.MethodWallet)
	require.Equal(s.T, http.StatusCreated, a.Status, "%s", a.Body)
	return number
}

// Pay pays an attempt at the gateway as its payer would.
func (s *Stack) Pay(number string) {
	s.T.Helper()
	require.NoError(s.T, s.Gateway.Pay(s.T.Context(), number))
}

// Cancel asks to cancel an order.
func (s *Stack) Cancel(o Order) Answer {
	s.T.Helper()
	a, err := s.Request(s.T.Context(), http.MethodPost, "/api/v1/orders/"+o.ID+"/cancel", o.Token, "", nil)
	require.NoError(s.T, err)
	return a
}

// Order reads an order as its buyer does.
func (s *Stack) Order(o Order) Order {
	s.T.Helper()
	a, err := s.Request(s.T.Context(), http.MethodGet, "/api/v1/orders/"+o.ID, o.Token, "", nil)
	require.NoError(s.T, err)
	require.Equal(s.T, http.StatusOK, a.Status, "%s", a.Body)
	now := s.Decode(a)
	now.Token = o.Token
	return now
}

// Await waits until an order is in a state, and returns it.
func (s *Stack) Await(o Order, state ticketing.OrderState, within time.Duration) Order {
	s.T.Helper()
	var now Order
	Eventually(s.T, within, fmt.Sprintf("order %s is %s", o.ID, state), func() bool {
		a, err := s.Request(context.Background(), http.MethodGet, "/api/v1/orders/"+o.ID, o.Token, "", nil)
		if err != nil || a.Status != http.StatusOK {
			return false
		}
		now = s.Decode(a)
		return now.State == state
	})
	now.Token = o.Token
	return now
}

// Timeline lists the kinds of an order's entries.
func (s *Stack) Timeline(o Order) []ticketing.OrderEventKind {
	s.T.Helper()
	a, err := s.Request(s.T.Context(), http.MethodGet, "/api/v1/orders/"+o.ID+"/events", o.Token, "", nil)
	require.NoError(s.T, err)
	require.Equal(s.T, http.StatusOK, a.Status, "%s", a.Body)
	var answer struct {
		Events []ticketing.OrderEvent `json:"events"`
	}
	require.NoError(s.T, json.Unmarshal(a.Body, &answer))
	kinds := make([]ticketing.OrderEventKind, len(answer.Events))
	for i, e := range answer.Events {
		require.Equal(s.T, i+1, e.Sequence)
		kinds[i] = e.Kind
	}
	return kinds
}

// Decode reads an order from an answer.
func (s *Stack) Decode(a Answer) Order {
	s.T.Helper()
	var o Order
	require.NoError(s.T, json.Unmarshal(a.Body, &o), "%s", a.Body)
	return o
}
