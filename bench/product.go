package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/workflows"
)

// product buys from boxoffice as a browser does.
type product struct {
	stack    *stack
	client   *http.Client
	db       *pgxpool.Pool
	payAfter time.Duration
	end      context.CancelFunc
	ended    chan struct{}

	// again counts requests that had to be repeated.
	again atomic.Int64

	mu      sync.Mutex
	waiting map[string]chan struct{} // by order id
}

func newProduct(ctx context.Context, s *stack, payAfter time.Duration) (*product, error) {
	db, err := pgxpool.New(ctx, s.productDB)
	if err != nil {
		return nil, err
	}
	watching, end := context.WithCancel(context.Background())
	p := &product{
		stack: s, db: db, payAfter: payAfter, end: end, ended: make(chan struct{}), waiting: map[string]chan struct{}{},
		client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 1024}},
	}
	go p.watch(watching)
	return p, nil
}

func (p *product) name() string      { return "boxoffice" }
func (p *product) namespace() string { return productNamespace }

func (p *product) close() {
	p.end()
	<-p.ended
	p.client.CloseIdleConnections()
	p.db.Close()
}

func (p *product) buy(ctx context.Context, buyer int) (purchase, error) {
	begun := time.Now()
	var order struct{ ID, Token, State string }
	key := rand.Text() // the same for every repeat: it is one order
	want := map[string]any{
		"session_id": sessionID,
		"lines":      []map[string]any{{"ticket_type_id": ticketType(buyer), "quantity": 1}},
		"buyer":      map[string]string{"name": "Ada Buyer", "email": fmt.Sprintf("buyer-%d@example.com", buyer)},
	}
	if err := p.insist(ctx, func() error { return p.post(ctx, "/api/v1/orders", key, "", want, &order) }); err != nil {
		return purchase{}, err
	}
	done := purchase{hold: time.Since(begun), workflow: workflows.PurchaseID(order.ID)}
	var attempt struct {
		ID string `json:"attempt_id"`
	}
	pay := func() error {
		return p.post(ctx, "/api/v1/orders/"+order.ID+"/payments", "", order.Token, map[string]any{"method": sandbox.MethodWallet}, &attempt)
	}
	if err := p.insist(ctx, pay); err != nil {
		return purchase{}, err
	}
	rest(ctx, p.payAfter)
	paid := p.await(order.ID)
	defer p.forget(order.ID)
	if err := p.stack.gateway.Pay(ctx, attempt.ID); err != nil {
		return purchase{}, err
	}
	select {
	case <-paid:
		done.ended = time.Now()
		return done, nil
	case <-ctx.Done():
		return purchase{}, fmt.Errorf("order %s is paid at the gateway and not here: %w", order.ID, ctx.Err())
	}
}

func (p *product) post(ctx context.Context, path, key, token string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.stack.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusCreated {
		return &refusal{path, response.StatusCode, string(answer)}
	}
	return json.Unmarshal(answer, out)
}

// refusal is any answer but 201.
type refusal struct {
	path   string
	status int
	answer string
}

func (r *refusal) Error() string { return fmt.Sprintf("POST %s: %d %s", r.path, r.status, r.answer) }

// insist repeats a request that may be repeated, as the page does, while the answer is "not yet" or "in a moment".
func (p *product) insist(ctx context.Context, request func() error) error {
	for {
		err := request()
		var no *refusal
		if !errors.As(err, &no) || no.status != http.StatusAccepted && no.status != http.StatusServiceUnavailable {
			return err
		}
		p.again.Add(1)
		rest(ctx, 250*time.Millisecond)
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
	}
}

func (p *product) await(orderID string) <-chan struct{} {
	paid := make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting[orderID] = paid
	return paid
}

func (p *product) forget(orderID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, orderID)
}

// watch looks which of the orders waited for are paid: one statement for all buyers, where each of them polling the
// API would measure the polling. It looks every 2 ms for one order, and every 50 ms for many.
func (p *product) watch(ctx context.Context) {
	defer close(p.ended)
	waited := 1
	for ctx.Err() == nil {
		rest(ctx, time.Duration(min(max(2, 5*(waited-1)), 50))*time.Millisecond)
		p.mu.Lock()
		ids := make([]string, 0, len(p.waiting))
		for id := range p.waiting {
			ids = append(ids, id)
		}
		p.mu.Unlock()
		if waited = len(ids); waited == 0 {
			continue
		}
		rows, err := p.db.Query(ctx, "SELECT id FROM orders WHERE id = ANY($1) AND state = 'PAID'", ids)
		if err != nil {
			continue // the buyers' own time-out tells
		}
		for rows.Next() {
			var id string
			if rows.Scan(&id) != nil {
				continue
			}
			p.mu.Lock()
			if paid, ok := p.waiting[id]; ok {
				close(paid)
				delete(p.waiting, id)
			}
			p.mu.Unlock()
		}
		rows.Close()
	}
}

func (p *product) caughtUp(ctx context.Context) (told bool, err error) {
	err = p.db.QueryRow(ctx, "SELECT NOT EXISTS (SELECT FROM messages WHERE state IN ('WAITING', 'SENDING'))").Scan(&told)
	return told, err
}

func (p *product) sold(ctx context.Context) (n int, err error) {
	err = p.db.QueryRow(ctx, "SELECT count(*) FROM orders WHERE state = 'PAID'").Scan(&n)
	return n, err
}
