package main

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const (
	bareQueue = "bare"
	holdFor   = 15 * time.Minute
)

// bare is what the engine itself costs: a workflow that waits for one update, with one timer. It does nothing else,
// has no database of its own, no encryption, no HTTP, no payment.
//
// Its buyers pay once the workflow waits for them, like everybody's: an update that comes before would be answered by the workflow's first
// task, and then there is neither a wait nor a timer.
type bare struct {
	client   client.Client
	worker   worker.Worker
	payAfter time.Duration

	waits sync.Map // chan struct{} by workflow id, closed when it waits
}

func newBare(c client.Client, payAfter time.Duration) (*bare, error) {
	b := &bare{client: c, worker: worker.New(c, bareQueue, worker.Options{}), payAfter: payAfter}
	b.worker.RegisterWorkflowWithOptions(b.workflow, workflow.RegisterOptions{Name: bareQueue})
	return b, b.worker.Start()
}

func (b *bare) workflow(ctx workflow.Context) (bool, error) {
	paid := false
	if err := workflow.SetUpdateHandler(ctx, "payment", func(workflow.Context, string) (bool, error) {
		paid = true
		return true, nil
	}); err != nil {
		return false, err
	}
	if waits, ok := b.waits.LoadAndDelete(workflow.GetInfo(ctx).WorkflowExecution.ID); ok {
		close(waits.(chan struct{}))
	}
	return workflow.AwaitWithTimeout(ctx, holdFor, func() bool { return paid })
}

func (b *bare) name() string                           { return "bare engine" }
func (b *bare) namespace() string                      { return rivalNamespace }
func (b *bare) sold(context.Context) (int, error)      { return -1, nil }
func (b *bare) caughtUp(context.Context) (bool, error) { return true, nil }
func (b *bare) close()                                 { b.worker.Stop() }

func (b *bare) buy(ctx context.Context, _ int) (purchase, error) {
	begun := time.Now()
	id, waits := "bare/"+rand.Text(), make(chan struct{})
	b.waits.Store(id, waits)
	defer b.waits.Delete(id)
	if _, err := b.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: id, TaskQueue: bareQueue, EnableEagerStart: true,
	}, bareQueue); err != nil {
		return purchase{}, err
	}
	select {
	case <-waits:
	case <-ctx.Done():
		return purchase{}, ctx.Err()
	}
	done := purchase{hold: time.Since(begun), workflow: id}
	rest(ctx, b.payAfter)
	handle, err := b.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: id, UpdateName: "payment", UpdateID: "payment", Args: []any{rand.Text()},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return purchase{}, err
	}
	var paid bool
	err = handle.Get(ctx, &paid)
	done.ended = time.Now()
	return done, err
}
