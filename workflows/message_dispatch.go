package workflows

import (
	"context"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"

	"github.com/boxoffice/boxoffice/activities"
)

// MessageDispatch runs for ever. It tells buyers what happened to their orders: what waits in the outbox is sent inside one
// long activity, so that a message costs neither a purchase nor this workflow a history event. The order in which
// things are told, and how often, is the outbox's.
func MessageDispatch(ctx workflow.Context) error {
	var notifications *activities.Notifications
	s := newSaga(ctx, "")
	actx := workflow.WithActivityOptions(ctx, patient("tell buyers what happened"))
	var report activities.TellReport
	for range sweepRounds {
		s.describe(ctx, "Telling buyers what happened to their orders. %d messages wait, the oldest for %s; %d need a person.\n\n"+
			"`boxoffice cases -kind message_undelivered` lists those, `boxoffice messages` says more.",
			report.Waiting, report.OldestWaiting, report.Undelivered)
		before := report.Undelivered
		if err := workflow.ExecuteActivity(actx, notifications.Tell, sweepRound, before).Get(actx, &report); err != nil {
			return err
		}
		if (report.Undelivered > 0) != (before > 0) {
			if err := workflow.UpsertTypedSearchAttributes(ctx, NeedsAttention.ValueSet(report.Undelivered > 0)); err != nil {
				return err
			}
		}
	}
	return workflow.NewContinueAsNewError(ctx, MessageDispatch)
}

// StartMessageDispatch starts the dispatch of messages unless it runs already.
func StartMessageDispatch(ctx context.Context, c client.Client) error {
	_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       MessageDispatchID,
		TaskQueue:                NotificationQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "tells buyers what happened to their orders",
	}, MessageDispatch)
	return err
}
