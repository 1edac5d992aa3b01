package worker

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"

	"github.com/boxoffice/boxoffice/activities"
	"github.com/boxoffice/boxoffice/workflows"
)

// Queues lists every task queue there is.
var Queues = []string{workflows.PurchaseQueue, workflows.PaymentQueue, workflows.NotificationQueue}

// Config is what the workers need.
type Config struct {
	Client client.Client
	// Queues are the task queues to serve; empty means every one.
	Queues []string
	// Purchase and Payments are the steps, ready to use.
	Purchase *activities.Purchase
	Payments *activities.Payments
	// Reconciliation are the steps that compare the gateways' bills; nil runs none.
	Reconciliation *activities.Reconciliation
	// Calendars are the providers whose bill is compared once a day, with the zone in which their day begins.
	Calendars map[string]*time.Location
	// Notifications is the step that tells buyers; nil tells nobody.
	Notifications *activities.Notifications
	// OnFatal hears of a worker that cannot go on.
	OnFatal func(error)
}

// Workers are the running workers of a process.
type Workers struct {
	running []worker.Worker
}

// Register registers every workflow.
func Register(registry worker.WorkflowRegistry) {
	registry.RegisterWorkflow(workflows.Purchase)
	registry.RegisterWorkflow(workflows.LatePayment)
	registry.RegisterWorkflow(workflows.Refund)
	registry.RegisterWorkflow(workflows.PaymentSweep)
	registry.RegisterWorkflow(workflows.Reconciliation)
	registry.RegisterWorkflow(workflows.DailyReconciliation)
	registry.RegisterWorkflow(workflows.MessageDispatch)
}

// Start starts a worker for each queue; it returns an error when one cannot reach Temporal.
//
// Workflows are not kept in memory between their tasks. A purchase has two or three, each replayed in
// microseconds; in return no task ever waits for a worker that was killed, which would let holds
// outlive their deadline by the second the server gives it.
func Start(ctx context.Context, c Config) (*Workers, error) {
	queues := c.Queues
	if len(queues) == 0 {
		queues = Queues
	}
	worker.SetStickyWorkflowCacheSize(0)
	w := &Workers{}
	for _, queue := range queues {
		next := worker.New(c.Client, queue, worker.Options{
			// A step is mostly a wait for the database; more at once than a few times its pool only queue there.
			MaxConcurrentLocalActivityExecutionSize: 128,
			WorkflowTaskPollerBehavior: worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{
				InitialNumberOfPollers: 4, MinimumNumberOfPollers: 2, MaximumNumberOfPollers: 16,
			}),
			Interceptors:      []interceptor.WorkerInterceptor{&stepCounter{metrics: c.Purchase.Metrics}},
			WorkerStopTimeout: 10 * time.Second,
			OnFatalError:      c.OnFatal,
		})
		Register(next)
		next.RegisterActivity(c.Purchase)
		next.RegisterActivity(c.Payments)
		if c.Reconciliation != nil {
			next.RegisterActivity(c.Reconciliation)
		}
		if c.Notifications != nil {
			next.RegisterActivity(c.Notifications)
		}
		if err := next.Start(); err != nil {
			w.Stop()
			return nil, fmt.Errorf("start the worker of queue %q: %w", queue, err)
		}
		w.running = append(w.running, next)
	}
	if err := workflows.StartPaymentSweep(ctx, c.Client); err != nil {
		w.Stop()
		return nil, fmt.Errorf("start the payment sweep: %w", err)
	}
	if c.Notifications != nil {
		if err := workflows.StartMessageDispatch(ctx, c.Client); err != nil {
			w.Stop()
			return nil, fmt.Errorf("start the dispatch of messages: %w", err)
		}
	}
	for provider, zone := range c.Calendars {
		if err := workflows.ScheduleReconciliation(ctx, c.Client, provider, zone); err != nil {
			w.Stop()
			return nil, fmt.Errorf("schedule the reconciliation of %s: %w", provider, err)
		}
	}
	return w, nil
}

// Stop lets every running step finish, for at most ten seconds, and stops.
func (w *Workers) Stop() {
	for _, r := range w.running {
		r.Stop()
	}
}
