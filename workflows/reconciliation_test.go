package workflows_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/boxoffice/boxoffice/activities"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/workflows"
)

var bills *activities.Reconciliation

const billDay = "2026-02-28"

// newBills is a stage for the comparison of one day.
func newBills(t *testing.T) *stage {
	s := newStage(t)
	s.RegisterActivity(bills)
	return s
}

func (s *stage) takes(state ticketing.BillState) *testsuite.MockCallWrapper {
	return s.OnActivity(bills.TakeBill, mock.Anything, "sandbox", billDay).Return(activities.TakenBill{State: state, Lines: 3, Reason: "as it is"}, nil)
}

func (s *stage) compares(state ticketing.BillState, report ticketing.ReconciliationReport) *testsuite.MockCallWrapper {
	return s.OnActivity(bills.CompareBill, mock.Anything, "sandbox", billDay, state).Return(report, nil)
}

func (s *stage) reconcile(patience time.Duration) (workflows.ReconciliationResult, time.Duration) {
	s.t.Helper()
	s.ExecuteWorkflow(workflows.Reconciliation, workflows.ReconciliationInput{Provider: "sandbox", Day: billDay, Patience: patience})
	require.True(s.t, s.IsWorkflowCompleted())
	require.NoError(s.t, s.GetWorkflowError())
	var result workflows.ReconciliationResult
	require.NoError(s.t, s.GetWorkflowResult(&result))
	return result, s.Now().Sub(began)
}

func TestABillThatIsThereIsComparedAtOnce(t *testing.T) {
	s := newBills(t)
	s.takes(ticketing.BillComplete).Once()
	s.compares(ticketing.BillComplete, ticketing.ReconciliationReport{Lines: 3, Matched: 3}).Once()
	result, took := s.reconcile(12 * time.Hour)
	require.Equal(t, workflows.ReconciliationResult{
		State: ticketing.BillComplete, Report: ticketing.ReconciliationReport{Lines: 3, Matched: 3},
	}, result)
	require.Zero(t, took)
}

func TestHazard27ABillThatIsNotThereIsWaitedForAndThenACase(t *testing.T) {
	s := newBills(t)
	s.takes(ticketing.BillMissing)
	s.compares(ticketing.BillMissing, ticketing.ReconciliationReport{OpenCases: 1}).Once()
	result, took := s.reconcile(12 * time.Hour)
	require.Equal(t, ticketing.BillMissing, result.State)
	require.Equal(t, 12*time.Hour, took)
}

func TestHazard27ABillThatComesLateIsCompared(t *testing.T) {
	s := newBills(t)
	s.takes(ticketing.BillMissing).Times(4)
	s.takes(ticketing.BillComplete).Once()
	s.compares(ticketing.BillComplete, ticketing.ReconciliationReport{Lines: 3, Matched: 3}).Once()
	result, took := s.reconcile(12 * time.Hour)
	require.Equal(t, ticketing.BillComplete, result.State)
	require.Equal(t, (5+10+20+40)*time.Second, took)
}

func TestHazard27HalfABillIsACaseWhileTheWholeIsWaitedFor(t *testing.T) {
	s := newBills(t)
	s.takes(ticketing.BillTruncated).Times(3)
	s.takes(ticketing.BillComplete).Once()
	s.compares(ticketing.BillTruncated, ticketing.ReconciliationReport{OpenCases: 1}).Once()
	s.compares(ticketing.BillComplete, ticketing.ReconciliationReport{Lines: 3, Matched: 3}).Once()
	result, _ := s.reconcile(12 * time.Hour)
	require.Equal(t, ticketing.BillComplete, result.State)
}

func TestByHandABillIsAskedForOnce(t *testing.T) {
	s := newBills(t)
	s.takes(ticketing.BillMissing).Once()
	s.compares(ticketing.BillMissing, ticketing.ReconciliationReport{OpenCases: 1}).Once()
	_, took := s.reconcile(0)
	require.Zero(t, took)
}

func TestAnOperatorNeedNotWaitForTheNextTry(t *testing.T) {
	s := newBills(t)
	s.takes(ticketing.BillMissing).Times(8)
	s.takes(ticketing.BillComplete).Once()
	s.compares(ticketing.BillComplete, ticketing.ReconciliationReport{}).Once()
	s.after(640*time.Second, func() { s.SignalWorkflow(workflows.SignalRetry, nil) })
	_, took := s.reconcile(12 * time.Hour)
	require.Equal(t, 640*time.Second, took, "between the tries after 635 and 1275 seconds")
}

func TestPaymentsFoundOnTheBillAreRecordedAndComparedAgain(t *testing.T) {
	s := newBills(t)
	unknown := []ticketing.Movement{{MovementKey: ticketing.MovementKey{Kind: ticketing.MovementPayment, Reference: first}}}
	s.takes(ticketing.BillComplete).Once()
	s.compares(ticketing.BillComplete, ticketing.ReconciliationReport{Lines: 3, Matched: 2, OpenCases: 1, Unbooked: unknown}).Once()
	s.OnActivity(bills.RecordUnbooked, mock.Anything, "sandbox", unknown).Return(1, nil).Once()
	s.compares(ticketing.BillComplete, ticketing.ReconciliationReport{Lines: 3, Matched: 3}).Once()
	result, took := s.reconcile(0)
	require.Equal(t, workflows.ReconciliationResult{
		State: ticketing.BillComplete, Report: ticketing.ReconciliationReport{Lines: 3, Matched: 3}, Recorded: 1,
	}, result)
	require.Equal(t, 10*time.Second, took)
}

func TestPaymentsTheGatewayItselfDoesNotKnowStayACase(t *testing.T) {
	s := newBills(t)
	unknown := []ticketing.Movement{{MovementKey: ticketing.MovementKey{Kind: ticketing.MovementPayment, Reference: first}}}
	s.takes(ticketing.BillComplete).Once()
	s.compares(ticketing.BillComplete, ticketing.ReconciliationReport{Lines: 3, Matched: 2, OpenCases: 1, Unbooked: unknown}).Once()
	s.OnActivity(bills.RecordUnbooked, mock.Anything, "sandbox", unknown).Return(0, nil).Once()
	result, took := s.reconcile(0)
	require.Equal(t, 1, result.Report.OpenCases)
	require.Zero(t, took)
}

func TestMoneyThatKeepsBeingFoundEndsTheRun(t *testing.T) {
	s := newBills(t)
	unknown := []ticketing.Movement{{MovementKey: ticketing.MovementKey{Kind: ticketing.MovementPayment, Reference: first}}}
	s.takes(ticketing.BillComplete).Once()
	s.compares(ticketing.BillComplete, ticketing.ReconciliationReport{OpenCases: 1, Unbooked: unknown}).Times(4)
	s.OnActivity(bills.RecordUnbooked, mock.Anything, "sandbox", unknown).Return(1, nil).Times(3)
	_, took := s.reconcile(0)
	require.Equal(t, 30*time.Second, took)
}

func TestADatabaseThatIsAwayOnlyDelaysTheComparison(t *testing.T) {
	s := newBills(t)
	tries := 0
	s.OnActivity(bills.TakeBill, mock.Anything, "sandbox", billDay).Return(func(context.Context, string, string) (activities.TakenBill, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if tries++; tries < 4 {
			return activities.TakenBill{}, errors.New("connection refused")
		}
		return activities.TakenBill{State: ticketing.BillComplete}, nil
	})
	s.compares(ticketing.BillComplete, ticketing.ReconciliationReport{}).Once()
	_, took := s.reconcile(0)
	require.Equal(t, 3500*time.Millisecond, took)
}

func TestHazard29TheDayBeforeIsThatOfTheGatewaysCalendar(t *testing.T) {
	for zone, day := range map[int]string{0: "2026-02-28", 8 * 60 * 60: "2026-02-28", 8*60*60 + 1: "2026-03-01", -16 * 60 * 60: "2026-02-27"} {
		s := newStage(t) // at 15:59:59 on the first of March
		s.RegisterActivity(bills)
		s.OnWorkflow(workflows.Reconciliation, mock.Anything, workflows.ReconciliationInput{Provider: "sandbox", Day: day, Patience: 12 * time.Hour}).
			Return(workflows.ReconciliationResult{}, nil).Once()
		s.ExecuteWorkflow(workflows.DailyReconciliation, workflows.DailyReconciliationInput{Provider: "sandbox", Zone: zone})
		require.NoError(t, s.GetWorkflowError())
	}
}
