package activities

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

// BillStore is what the comparison of bills needs of the database. Every method is idempotent.
type BillStore interface {
	// KeepBill stores the lines of a complete bill in place of those it had before; taken is when the gateway was asked.
	KeepBill(ctx context.Context, provider string, day ticketing.BillDay, taken time.Time, lines []ticketing.Movement) error
	// Reconcile compares a day with the ledger: one case for each difference, fees booked once.
	Reconcile(ctx context.Context, provider string, day ticketing.BillDay, state ticketing.BillState, terms *ticketing.FeeTerms) (ticketing.ReconciliationReport, error)
	// RecordPayment stores a fact about an attempt, or about money no attempt of ours asked for.
	RecordPayment(ctx context.Context, fact ticketing.PaymentFact) error
}

// Reconciliation holds the steps that compare the gateways' bills with our books.
type Reconciliation struct {
	Store    BillStore
	Gateways *payment.Registry
	// Terms are what was agreed with gateways, by the name of the provider.
	Terms map[string]ticketing.FeeTerms
	Log   *slog.Logger
}

// TakenBill is what came of asking a gateway for a bill.
type TakenBill struct {
	State ticketing.BillState
	Lines int
	// Reason says why it is not complete.
	Reason string
}

// TakeBill fetches the bill of a date and stores it. A gateway that has none yet, or only half of it, is no error: the
// caller knows how long to wait. Error: any other fault of the database or the configuration.
func (r *Reconciliation) TakeBill(ctx context.Context, provider, date string) (TakenBill, error) {
	gateway, day, err := r.day(provider, date)
	if err != nil {
		return TakenBill{}, err
	}
	defer alive(ctx)()
	taken := time.Now()
	// Noon, so that the date is the same in any zone an adapter may think in.
	lines, err := gateway.Bill(ctx, day.From.Add(12*time.Hour))
	switch {
	case errors.Is(err, payment.ErrTruncatedBill):
		return TakenBill{State: ticketing.BillTruncated, Reason: err.Error()}, nil
	case err != nil && ctx.Err() != nil:
		return TakenBill{}, err
	case err != nil:
		r.Log.Warn("no bill yet", "provider", provider, "day", date, "error", err)
		return TakenBill{State: ticketing.BillMissing, Reason: err.Error()}, nil
	}
	movements := make([]ticketing.Movement, len(lines))
	for i, line := range lines {
		movements[i] = movementOf(provider, line)
	}
	if err := r.Store.KeepBill(ctx, provider, day, taken, movements); err != nil {
		return TakenBill{}, err
	}
	return TakenBill{State: ticketing.BillComplete, Lines: len(lines)}, nil
}

// CompareBill compares a day with the ledger; state says what its bill was like.
func (r *Reconciliation) CompareBill(ctx context.Context, provider, date string, state ticketing.BillState) (ticketing.ReconciliationReport, error) {
	_, day, err := r.day(provider, date)
	if err != nil {
		return ticketing.ReconciliationReport{}, err
	}
	defer alive(ctx)()
	var terms *ticketing.FeeTerms
	if agreed, ok := r.Terms[provider]; ok {
		terms = &agreed
	}
	report, err := r.Store.Reconcile(ctx, provider, day, state, terms)
	if err == nil && len(report.Differences) > 0 {
		r.Log.Warn("the gateway's bill and our books differ", "provider", provider, "day", date,
			"differences", report.Differences, "open_cases", report.OpenCases)
	}
	return report, err
}

// ourNumber is the form of the numbers we give gateways. What has another is not ours to give back.
var ourNumber = regexp.MustCompile(`^[0-9A-Z]{26}$`)

// RecordUnbooked asks the gateway about payments that are on its bill and not in our books. What it says was paid is
// recorded as captured, and then taken care of like any other payment: it pays its order, or goes back. It
// returns how many were recorded.
func (r *Reconciliation) RecordUnbooked(ctx context.Context, provider string, movements []ticketing.Movement) (int, error) {
	gateway, ok := r.Gateways.Provider(provider)
	if !ok {
		return 0, fmt.Errorf("no gateway %q is configured", provider)
	}
	defer alive(ctx)()
	var (
		all      sync.WaitGroup
		places   = make(chan struct{}, sweepParallel)
		outcomes = make([]bool, len(movements))
		errs     = make([]error, len(movements))
	)
	for i, movement := range movements {
		if !ourNumber.MatchString(movement.Reference) {
			continue
		}
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			outcomes[i], errs[i] = r.recordPaid(ctx, gateway, movement.Reference)
		})
	}
	all.Wait()
	recorded := 0
	for _, done := range outcomes {
		if done {
			recorded++
		}
	}
	return recorded, errors.Join(errs...)
}

// recordPaid records a payment the gateway says was captured.
func (r *Reconciliation) recordPaid(ctx context.Context, gateway payment.Provider, number string) (bool, error) {
	status, err := gateway.Query(ctx, number)
	switch {
	case errors.Is(err, payment.ErrNotFound), errors.Is(err, payment.ErrRejected), err == nil && status.State != payment.StatePaid:
		return false, nil // the bill says otherwise: the case stays
	case err != nil:
		return false, err
	}
	err = r.Store.RecordPayment(ctx, ticketing.PaymentFact{
		Provider: gateway.Name(), AttemptID: number, GatewayID: status.GatewayID, State: status.State, Captured: status.Captured, At: status.At,
	})
	if ticketing.CodeOf(err) != "" {
		r.Log.Error("a payment on the bill cannot be recorded", "provider", gateway.Name(), "attempt_id", number, "error", err)
		return false, nil
	}
	return err == nil, err
}

// day finds a gateway and one of its days.
func (r *Reconciliation) day(provider, date string) (payment.Provider, ticketing.BillDay, error) {
	gateway, ok := r.Gateways.Provider(provider)
	if !ok {
		return nil, ticketing.BillDay{}, fmt.Errorf("no gateway %q is configured", provider)
	}
	day, err := ticketing.NewBillDay(date, payment.CalendarOf(gateway))
	return gateway, day, err
}

// movementOf says in the domain's words what a line of a bill says.
func movementOf(provider string, line payment.BillLine) ticketing.Movement {
	m := ticketing.Movement{
		MovementKey: ticketing.MovementKey{Kind: ticketing.MovementPayment, Reference: line.Number},
		AttemptID:   line.Number, GatewayID: line.GatewayID, Amount: line.Amount, Fee: line.Fee, At: line.At,
	}
	switch line.Kind {
	case payment.NoticeRefund:
		m.Kind, m.Reference = ticketing.MovementRefund, line.RefundID
	case payment.NoticeDispute:
		m.Kind, m.Reference = ticketing.MovementDispute, ticketing.DisputeID(provider, line.RefundID)
		if line.Amount.Amount > 0 {
			m.Kind = ticketing.MovementDisputeWon
		}
	case payment.NoticePayment, payment.NoticeOther:
	}
	return m
}

// alive reports, while a step works on a whole bill, that it does; what it returns ends that.
func alive(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Second)
		defer tick.Stop()
		for {
			activity.RecordHeartbeat(ctx)
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
