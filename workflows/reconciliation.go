package workflows

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/boxoffice/boxoffice/activities"
	"github.com/boxoffice/boxoffice/ticketing"
)

const (
	// billPatience is how long the daily reconciliation waits for a bill before its absence is a case.
	billPatience = 12 * time.Hour
	// settleTime is how long a payment found on a bill gets to reach our books before the bill is compared again,
	// settleRounds how often that is done.
	settleTime   = 10 * time.Second
	settleRounds = 3
	// reconcileHour and reconcileMinute are when the day before is compared, by the gateway's clock: after the last of
	// them has made its bill.
	reconcileHour, reconcileMinute = 10, 30
)

// ReconciliationID is the workflow id of the comparison of one day.
func ReconciliationID(provider, day string) string { return "reconciliation/" + provider + "/" + day }

// ReconciliationInput names a day to compare.
type ReconciliationInput struct {
	Provider string
	// Day is a date of the gateway's calendar, YYYY-MM-DD.
	Day string
	// Patience is how long to wait for a bill that is not there, or not whole.
	Patience time.Duration
}

// ReconciliationResult is what came of it.
type ReconciliationResult struct {
	State  ticketing.BillState
	Report ticketing.ReconciliationReport
	// Recorded counts payments on the bill that our books did not know of and that were recorded because of it.
	Recorded int
}

// Reconciliation compares one day of a gateway with our books: its bill is fetched and kept, each difference is one
// case, what the gateway kept for itself is booked. One thing it settles itself: a payment captured at the gateway that we
// know nothing of is recorded, and then pays its order or goes back like any other. It may be run again for any day.
func Reconciliation(ctx workflow.Context, in ReconciliationInput) (ReconciliationResult, error) {
	var steps *activities.Reconciliation
	s := newSaga(ctx, "")
	bill := s.takeBill(ctx, steps, in)
	compare := func() ticketing.ReconciliationReport {
		s.describe(ctx, "Comparing the bill of %s of %s with our books.", in.Provider, in.Day)
		return takeLong[ticketing.ReconciliationReport](ctx, s, "compare the bill", steps.CompareBill, in.Provider, in.Day, bill.State)
	}
	result := ReconciliationResult{State: bill.State, Report: compare()}
	for range settleRounds {
		if len(result.Report.Unbooked) == 0 {
			break
		}
		s.describe(ctx, "Asking %s about %d payments we know nothing of.", in.Provider, len(result.Report.Unbooked))
		recorded := takeLong[int](ctx, s, "record payments found on the bill", steps.RecordUnbooked, in.Provider, result.Report.Unbooked)
		if recorded == 0 {
			break
		}
		result.Recorded += recorded
		pause(ctx, settleTime, "let the payments found reach our books", func() bool { return s.retry.ReceiveAsync(nil) })
		result.Report = compare()
	}
	s.describe(ctx, "%s of %s: bill %s, %d of %d lines agree, %d open cases.", in.Provider, in.Day, bill.State,
		result.Report.Matched, result.Report.Lines, result.Report.OpenCases)
	result.Report.Unbooked = nil // in the cases
	return result, nil
}

// takeBill waits for a complete bill as long as the input says. Of half a bill there is a case meanwhile.
func (s *saga) takeBill(ctx workflow.Context, steps *activities.Reconciliation, in ReconciliationInput) activities.TakenBill {
	begun := workflow.Now(ctx)
	noted := false
	for backoff := 5 * time.Second; ; backoff = min(2*backoff, 30*time.Minute) {
		s.describe(ctx, "Fetching the bill of %s of %s.", in.Provider, in.Day)
		bill := takeLong[activities.TakenBill](ctx, s, "fetch the bill", steps.TakeBill, in.Provider, in.Day)
		left := in.Patience - workflow.Now(ctx).Sub(begun)
		if bill.State == ticketing.BillComplete || left <= 0 {
			return bill
		}
		if bill.State == ticketing.BillTruncated && !noted {
			noted = true
			takeLong[ticketing.ReconciliationReport](ctx, s, "note that the bill is truncated", steps.CompareBill, in.Provider, in.Day, bill.State)
		}
		s.describe(ctx, "The bill of %s of %s is %s: %s", in.Provider, in.Day, bill.State, bill.Reason)
		pause(ctx, min(backoff, left), "ask for the bill again", func() bool { return s.retry.ReceiveAsync(nil) })
	}
}

// DailyReconciliationInput says whose day before is to be compared.
type DailyReconciliationInput struct {
	Provider string
	// Zone is how many seconds the gateway's calendar is ahead of UTC.
	Zone int
}

// scheduledAt is when a schedule meant to start a workflow, which may be long before it did.
var scheduledAt = temporal.NewSearchAttributeKeyTime("TemporalScheduledStartTime")

// DailyReconciliation is what the schedule starts: it begins the comparison of the day before, under the id of that day.
func DailyReconciliation(ctx workflow.Context, in DailyReconciliationInput) error {
	at, ok := workflow.GetTypedSearchAttributes(ctx).GetTime(scheduledAt)
	if !ok {
		at = workflow.GetInfo(ctx).WorkflowStartTime
	}
	day := ticketing.DayOf(at, time.FixedZone("", in.Zone)).Previous().Date
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            ReconciliationID(in.Provider, day),
		ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_ABANDON,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary:         "bill of " + in.Provider + " of " + day,
		TypedSearchAttributes: temporal.NewSearchAttributes(Provider.ValueSet(in.Provider)),
	})
	err := workflow.ExecuteChildWorkflow(ctx, Reconciliation, ReconciliationInput{Provider: in.Provider, Day: day, Patience: billPatience}).
		GetChildWorkflowExecution().Get(ctx, nil)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil // somebody runs it by hand
	}
	return err
}

// ScheduleReconciliation sees to it that the bill of a provider is compared every day, in the zone of its calendar.
func ScheduleReconciliation(ctx context.Context, c client.Client, provider string, zone *time.Location) error {
	_, offset := time.Now().In(zone).Zone()
	minutes := ((reconcileHour*60+reconcileMinute-offset/60)%(24*60) + 24*60) % (24 * 60)
	id := "reconciliation/" + provider
	schedule := client.Schedule{
		Spec: &client.ScheduleSpec{Calendars: []client.ScheduleCalendarSpec{{
			Hour: []client.ScheduleRange{{Start: minutes / 60}}, Minute: []client.ScheduleRange{{Start: minutes % 60}},
			Comment: fmt.Sprintf("%d:%02d in the calendar of %s", reconcileHour, reconcileMinute, provider),
		}}},
		Action: &client.ScheduleWorkflowAction{
			ID: id + "/daily", Workflow: DailyReconciliation, TaskQueue: PaymentQueue,
			Args: []any{DailyReconciliationInput{Provider: provider, Zone: offset}},
		},
		// Days that passed while nobody was there are made up for, each for itself.
		Policy: &client.SchedulePolicies{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL, CatchupWindow: 30 * 24 * time.Hour},
	}
	_, err := c.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID: id, Spec: *schedule.Spec, Action: schedule.Action, Overlap: schedule.Policy.Overlap, CatchupWindow: schedule.Policy.CatchupWindow,
	})
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return err
	}
	return c.ScheduleClient().GetHandle(ctx, id).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(now client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			updated := now.Description.Schedule
			updated.Spec, updated.Action, updated.Policy = schedule.Spec, schedule.Action, schedule.Policy
			return &client.ScheduleUpdate{Schedule: &updated}, nil
		},
	})
}

// StartReconciliation starts the comparison of a day, or joins the one that runs.
func StartReconciliation(ctx context.Context, c client.Client, in ReconciliationInput) (client.WorkflowRun, error) {
	return c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       ReconciliationID(in.Provider, in.Day),
		TaskQueue:                PaymentQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "bill of " + in.Provider + " of " + in.Day,
		TypedSearchAttributes:    temporal.NewSearchAttributes(Provider.ValueSet(in.Provider)),
	}, Reconciliation, in)
}
