package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/ticketing"
)

const naiveHeld = "HELD"

const naiveSchema = `
CREATE TABLE stock (ticket_type text PRIMARY KEY, free int NOT NULL CHECK (free >= 0), held int NOT NULL, sold int NOT NULL);
INSERT INTO stock SELECT 'bench-1-' || n, 1000000, 0, 0 FROM generate_series(1, 64) n;
CREATE TABLE orders (id text PRIMARY KEY, ticket_type text NOT NULL, name text NOT NULL, email text NOT NULL, amount bigint NOT NULL,
    state text NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), paid_at timestamptz);
CREATE TABLE payments (number text PRIMARY KEY, order_id text NOT NULL REFERENCES orders, gateway_id text NOT NULL, state text NOT NULL);
CREATE INDEX ON payments (order_id);
CREATE TABLE tickets (id text PRIMARY KEY, order_id text NOT NULL REFERENCES orders);
CREATE INDEX ON tickets (order_id);
CREATE TABLE messages (id bigserial PRIMARY KEY, order_id text NOT NULL, address text NOT NULL, content text NOT NULL);`

func naiveID(orderID string) string { return "naive/" + orderID }

type naiveOrder struct {
	ID, TicketType, Name, Email string
	Amount                      int64
}

// naiveSaga is the purchase as a tutorial writes it: an activity per step, compensations on a stack, a signal for the
// payment, a timer for the deadline, a query for whoever wants to know.
func naiveSaga(ctx workflow.Context, order naiveOrder) (ticket string, err error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 10 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 100 * time.Millisecond},
	})
	status := "STARTED"
	if err := workflow.SetQueryHandler(ctx, "status", func() (string, error) { return status, nil }); err != nil {
		return "", err
	}
	var steps *naiveSteps
	var compensations []func(workflow.Context) error
	defer func() {
		if err == nil {
			return
		}
		undo, cancel := workflow.NewDisconnectedContext(ctx)
		defer cancel()
		for _, compensation := range slices.Backward(compensations) {
			err = errors.Join(err, compensation(undo))
		}
	}()
	step := func(activity any, out any) error { return workflow.ExecuteActivity(ctx, activity, order).Get(ctx, out) }
	undone := func(activity any) {
		compensations = append(compensations, func(ctx workflow.Context) error {
			return workflow.ExecuteActivity(ctx, activity, order).Get(ctx, nil)
		})
	}

	undone(steps.ReleaseStock)
	if err := step(steps.ReserveStock, nil); err != nil {
		return "", err
	}
	undone(steps.CancelOrder)
	if err := step(steps.CreateOrder, nil); err != nil {
		return "", err
	}
	undone(steps.ClosePayment)
	if err := step(steps.CreatePayment, nil); err != nil {
		return "", err
	}
	status = naiveHeld

	timing, stop := workflow.WithCancel(ctx)
	paid, expired := false, false
	workflow.NewSelector(ctx).
		AddReceive(workflow.GetSignalChannel(ctx, "paid"), func(c workflow.ReceiveChannel, _ bool) {
			c.Receive(ctx, nil)
			paid = true
		}).
		AddFuture(workflow.NewTimer(timing, holdFor), func(workflow.Future) { expired = true }).
		Select(ctx)
	stop()
	if expired && !paid {
		return "", errors.New("not paid in time")
	}

	for _, activity := range []any{steps.ConfirmPayment, steps.ConfirmStock} {
		if err := step(activity, nil); err != nil {
			return "", err
		}
	}
	if err := step(steps.IssueTicket, &ticket); err != nil {
		return "", err
	}
	status = "PAID"
	return ticket, step(steps.Notify, nil)
}

// naiveSteps are its activities, each one transaction.
type naiveSteps struct {
	db        *pgxpool.Pool
	gateway   *sandbox.Provider
	notifyURL string
}

// ReserveStock takes a ticket.
func (s *naiveSteps) ReserveStock(ctx context.Context, o naiveOrder) error {
	return s.one(ctx, "UPDATE stock SET free = free - 1, held = held + 1 WHERE ticket_type = $1 AND free > 0", o.TicketType)
}

// ReleaseStock gives it back.
func (s *naiveSteps) ReleaseStock(ctx context.Context, o naiveOrder) error {
	return s.one(ctx, "UPDATE stock SET free = free + 1, held = held - 1 WHERE ticket_type = $1", o.TicketType)
}

// CreateOrder writes the order down.
func (s *naiveSteps) CreateOrder(ctx context.Context, o naiveOrder) error {
	return s.one(ctx, "INSERT INTO orders (id, ticket_type, name, email, amount, state) VALUES ($1, $2, $3, $4, $5, 'PENDING')",
		o.ID, o.TicketType, o.Name, o.Email, o.Amount)
}

// CancelOrder closes it.
func (s *naiveSteps) CancelOrder(ctx context.Context, o naiveOrder) error {
	return s.one(ctx, "UPDATE orders SET state = 'CANCELLED' WHERE id = $1", o.ID)
}

// CreatePayment opens the payment at the gateway.
func (s *naiveSteps) CreatePayment(ctx context.Context, o naiveOrder) error {
	checkout, err := s.gateway.Create(ctx, payment.Order{
		Number: o.ID, Amount: ticketing.Money{Amount: o.Amount, Currency: "CNY"}, Description: "Evening Concert", Language: "en",
		ExpiresAt: time.Now().Add(holdFor), NotifyURL: s.notifyURL, ReturnURL: s.notifyURL,
	}, sandbox.MethodWallet)
	if err != nil {
		return err
	}
	return s.one(ctx, "INSERT INTO payments (number, order_id, gateway_id, state) VALUES ($1, $1, $2, 'OPEN')", o.ID, checkout.GatewayID)
}

// ClosePayment forbids it.
func (s *naiveSteps) ClosePayment(ctx context.Context, o naiveOrder) error {
	_, err := s.gateway.Close(ctx, o.ID)
	return err
}

// ConfirmPayment marks the payment and its order as paid.
func (s *naiveSteps) ConfirmPayment(ctx context.Context, o naiveOrder) error {
	return s.one(ctx, `WITH p AS (UPDATE payments SET state = 'PAID' WHERE order_id = $1)
		UPDATE orders SET state = 'PAID', paid_at = now() WHERE id = $1`, o.ID)
}

// ConfirmStock turns held into sold.
func (s *naiveSteps) ConfirmStock(ctx context.Context, o naiveOrder) error {
	return s.one(ctx, "UPDATE stock SET held = held - 1, sold = sold + 1 WHERE ticket_type = $1", o.TicketType)
}

// IssueTicket makes the ticket.
func (s *naiveSteps) IssueTicket(ctx context.Context, o naiveOrder) (string, error) {
	ticket := rand.Text()
	return ticket, s.one(ctx, "INSERT INTO tickets (id, order_id) VALUES ($1, $2)", ticket, o.ID)
}

// Notify leaves a message for the buyer.
func (s *naiveSteps) Notify(ctx context.Context, o naiveOrder) error {
	return s.one(ctx, "INSERT INTO messages (order_id, address, content) VALUES ($1, $2, 'Your ticket is here.')", o.ID, o.Email)
}

// one runs a statement, a transaction of its own, that must change one row.
func (s *naiveSteps) one(ctx context.Context, statement string, arguments ...any) error {
	tag, err := s.db.Exec(ctx, statement, arguments...)
	if err != nil {
		return err
	}
	if tag.RowsAffected() != 1 {
		return fmt.Errorf("changed %d rows", tag.RowsAffected())
	}
	return nil
}
