package stack

import (
	"context"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/sdk/converter"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/workflows"
)

// Stock is what a ticket type has, by the database.
type Stock struct{ Capacity, Free, Held, Sold, Blocked int }

// Stock reads a ticket type's stock.
func (s *Stack) Stock(ticketType string) Stock {
	s.T.Helper()
	var k Stock
	err := s.DB.QueryRow("SELECT capacity, free, held, sold, blocked FROM stock WHERE ticket_type_id = $1", ticketType).
		Scan(&k.Capacity, &k.Free, &k.Held, &k.Sold, &k.Blocked)
	require.NoError(s.T, err)
	return k
}

// Int reads one number by SQL.
func (s *Stack) Int(query string, args ...any) int {
	s.T.Helper()
	var n int
	require.NoError(s.T, s.DB.QueryRow(query, args...).Scan(&n))
	return n
}

// Ended waits until an order's purchase has ended.
func (s *Stack) Ended(orderID string, within time.Duration) {
	s.T.Helper()
	s.EndedID(workflows.PurchaseID(orderID), within)
}

// EndedID waits until a workflow has ended.
func (s *Stack) EndedID(id string, within time.Duration) {
	s.T.Helper()
	Eventually(s.T, within, id+" has ended", func() bool {
		d, err := s.Engine.DescribeWorkflowExecution(context.Background(), id, "")
		return err == nil && d.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	})
}

// Attention says whether a workflow is marked as needing a person.
func (s *Stack) Attention(id string) bool {
	d, err := s.Engine.DescribeWorkflowExecution(context.Background(), id, "")
	if err != nil {
		return false
	}
	var flag bool
	err = converter.GetDefaultDataConverter().FromPayload(d.GetWorkflowExecutionInfo().GetSearchAttributes().GetIndexedFields()["NeedsAttention"], &flag)
	return err == nil && flag
}

// Details reads what operators see as the current details of a running workflow.
func (s *Stack) Details(id string) string {
	s.T.Helper()
	answer, err := s.Engine.QueryWorkflow(context.Background(), id, "", "__temporal_workflow_metadata")
	require.NoError(s.T, err)
	var metadata sdkpb.WorkflowMetadata
	require.NoError(s.T, answer.Get(&metadata))
	return metadata.GetCurrentDetails()
}

// Metrics reads the page Prometheus reads.
func (s *Stack) Metrics() string {
	s.T.Helper()
	a, err := s.Request(context.Background(), "GET", "/metrics", "", "", nil)
	require.NoError(s.T, err)
	return string(a.Body)
}

// History reads the whole history of a workflow, undecoded.
func (s *Stack) History(id string) []*historypb.HistoryEvent {
	s.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	iterator := s.Engine.GetWorkflowHistory(ctx, id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	var events []*historypb.HistoryEvent
	for iterator.HasNext() {
		event, err := iterator.Next()
		require.NoError(s.T, err)
		events = append(events, event)
	}
	return events
}

// Late finds the late-payment saga of an attempt's money.
func (s *Stack) Late(number string) string {
	s.T.Helper()
	var id string
	require.NoError(s.T, s.DB.QueryRow("SELECT gateway_id FROM payment_attempts WHERE id = $1", number).Scan(&id))
	return workflows.LatePaymentID(sandbox.Name, id)
}

// compareBooks holds our ledger against the gateway's own: every movement of
// money there is one transfer here, and nothing else is.
func (s *Stack) compareBooks(ctx context.Context) {
	s.T.Helper()
	books, err := s.Gateway.Books(ctx)
	if err != nil {
		s.T.Errorf("the gateway's books: %v", err)
		return
	}
	theirs := map[string]int64{}
	for _, p := range books.Payments {
		if p.Captured != nil {
			theirs[p.Captured.Currency] += p.Captured.Amount
		}
	}
	for _, r := range books.Refunds {
		if r.State == sandbox.RefundSucceeded {
			theirs[r.Amount.Currency] -= r.Amount.Amount
		}
	}
	for _, d := range books.Disputes {
		if d.State != sandbox.DisputeWon {
			theirs[d.Amount.Currency] -= d.Amount.Amount
		}
	}
	ours := map[string]int64{}
	// What it kept for itself is on its bills, which a test may have compared or not.
	rows, err := s.DB.QueryContext(ctx, `SELECT e.currency, sum(e.amount) FROM ledger_entries e JOIN ledger_transfers t ON t.id = e.transfer_id
		WHERE e.account = 'gateway:sandbox' AND t.kind <> 'gateway_fee' GROUP BY 1`)
	if err != nil {
		s.T.Errorf("our ledger: %v", err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		var (
			currency string
			sum      int64
		)
		if err := rows.Scan(&currency, &sum); err != nil {
			s.T.Errorf("our ledger: %v", err)
			return
		}
		ours[currency] = sum
	}
	for currency := range theirs {
		if theirs[currency] != ours[currency] {
			s.T.Errorf("the gateway holds %d %s for us, our ledger says %d", theirs[currency], currency, ours[currency])
		}
	}
	for currency, sum := range ours {
		if _, known := theirs[currency]; !known && sum != 0 {
			s.T.Errorf("our ledger says %d %s, the gateway knows of none", sum, currency)
		}
	}
}
