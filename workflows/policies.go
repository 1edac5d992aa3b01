package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// TaskTimeout is how long a purchase waits for a worker that was killed in the middle of a task.
const TaskTimeout = 5 * time.Second

// attentionAfter is how long a step may keep failing before a person is asked to look.
const attentionAfter = time.Minute

// inline is how a step is tried first: inside the workflow task, where it costs one history event.
// What it cannot do within a few seconds goes on as durable.
func inline(summary string) workflow.LocalActivityOptions {
	return workflow.LocalActivityOptions{
		StartToCloseTimeout:    4 * time.Second,
		ScheduleToCloseTimeout: 7 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    50 * time.Millisecond,
			BackoffCoefficient: 2,
			MaximumAttempts:    3,
		},
		Summary: summary,
	}
}

// durable is how a step goes on that inline could not do: retried by the server until it succeeds,
// whatever restarts in between. There is no bound on purpose: each step is owed, and after
// attentionAfter a person is asked.
func durable(summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		StartToCloseTimeout: 20 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    500 * time.Millisecond,
			BackoffCoefficient: 2,
			MaximumInterval:    time.Minute,
		},
		Summary: summary,
	}
}

// once is a single try of what goes on as durable when it fails.
func once(summary string) workflow.ActivityOptions {
	options := durable(summary)
	options.RetryPolicy.MaximumAttempts = 1
	return options
}

// patient is for an activity that works for minutes and reports that it is alive.
func patient(summary string) workflow.ActivityOptions {
	options := durable(summary)
	options.StartToCloseTimeout = sweepRound + time.Minute
	options.HeartbeatTimeout = 20 * time.Second
	options.RetryPolicy.MaximumInterval = 10 * time.Second
	return options
}

// lengthy is for a step that works on a whole bill and reports that it is alive.
func lengthy(summary string) workflow.ActivityOptions {
	options := durable(summary)
	options.StartToCloseTimeout = 10 * time.Minute
	options.HeartbeatTimeout = 20 * time.Second
	return options
}
