package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/sandbox"
)

const naiveQueue = "naive"

// naive sells with the saga of tutorials, see naive_saga.go. Its worker and its callback handler run in this process
// with the settings the SDK comes with; it has a database of its own on the same server.
type naive struct {
	client   client.Client
	worker   worker.Worker
	db       *pgxpool.Pool
	stack    *stack
	gateway  *sandbox.Provider
	server   *http.Server
	payAfter time.Duration
}

func newNaive(ctx context.Context, c client.Client, s *stack, payAfter time.Duration) (_ *naive, err error) {
	n := &naive{client: c, stack: s, payAfter: payAfter}
	n.gateway, err = sandbox.New(sandbox.Config{
		URL: s.bank.url, Merchant: s.bank.merchant, Key: s.bank.key, CallbackKeys: []string{s.bank.callbackKey},
	})
	if err != nil {
		return nil, err
	}
	settings, err := pgxpool.ParseConfig(s.rivalDB)
	if err != nil {
		return nil, err
	}
	settings.MaxConns = 16 // as many as the product has
	if n.db, err = pgxpool.NewWithConfig(ctx, settings); err != nil {
		return nil, err
	}
	if _, err := n.db.Exec(ctx, naiveSchema); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n.server = &http.Server{Handler: http.HandlerFunc(n.callback), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = n.server.Serve(listener) }()

	n.worker = worker.New(c, naiveQueue, worker.Options{})
	n.worker.RegisterWorkflow(naiveSaga)
	n.worker.RegisterActivity(&naiveSteps{db: n.db, gateway: n.gateway, notifyURL: "http://" + listener.Addr().String() + "/callback"})
	return n, n.worker.Start()
}

func (n *naive) name() string      { return "naive saga" }
func (n *naive) namespace() string { return rivalNamespace }

func (n *naive) caughtUp(context.Context) (bool, error) { return true, nil }

func (n *naive) close() {
	n.worker.Stop()
	_ = n.server.Close()
	n.db.Close()
}

func (n *naive) buy(ctx context.Context, buyer int) (purchase, error) {
	begun := time.Now()
	orderID := rand.Text()
	run, err := n.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: naiveID(orderID), TaskQueue: naiveQueue}, naiveSaga, naiveOrder{
		ID: orderID, TicketType: ticketType(buyer), Name: "Ada Buyer", Email: fmt.Sprintf("buyer-%d@example.com", buyer), Amount: price,
	})
	if err != nil {
		return purchase{}, err
	}
	if err := n.awaitHeld(ctx, orderID); err != nil {
		return purchase{}, err
	}
	done := purchase{hold: time.Since(begun), workflow: naiveID(orderID)}
	rest(ctx, n.payAfter)
	if err := n.stack.gateway.Pay(ctx, orderID); err != nil {
		return purchase{}, err
	}
	var ticket string
	err = run.Get(ctx, &ticket)
	done.ended = time.Now()
	return done, err
}

// awaitHeld polls as a patient page does: soon at first, then ever more rarely, so that the polling itself is not what
// is measured.
func (n *naive) awaitHeld(ctx context.Context, orderID string) error {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
		answer, err := n.client.QueryWorkflow(ctx, naiveID(orderID), "", "status")
		if err != nil && ctx.Err() == nil {
			continue // too busy to answer a query: the page asks again
		}
		if err != nil {
			return err
		}
		var status string
		if err := answer.Get(&status); err != nil {
			return err
		}
		if status == naiveHeld {
			return nil
		}
	}
}

// callback believes only what the gateway has signed, and tells the workflow.
func (n *naive) callback(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err == nil {
		var notice payment.Notice
		notice, err = n.gateway.ParseCallback(r.Header, body, time.Now())
		if err == nil && notice.Payment.State == payment.StatePaid {
			number := notice.Payment.Number
			err = n.client.SignalWorkflow(r.Context(), naiveID(number), "", "paid", number)
		}
	}
	switch {
	case errors.Is(err, payment.ErrSignature):
		http.Error(w, "forged", http.StatusUnauthorized)
	case err != nil:
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	default:
		status, contentType, answer := n.gateway.Acknowledge()
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write(answer)
	}
}

func (n *naive) sold(ctx context.Context) (sold int, err error) {
	err = n.db.QueryRow(ctx, "SELECT count(*) FROM orders WHERE state = 'PAID'").Scan(&sold)
	return sold, err
}
