package workflows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/boxoffice/boxoffice/activities"
)

// saga is what every durable story of ours needs: steps that are taken until
// they succeed, and a way to call a person when one does not.
type saga struct {
	// orderID is whose timeline hears of a step that keeps failing; may be empty.
	orderID string
	retry   workflow.ReceiveChannel
	notices workflow.ReceiveChannel // SignalRefund
	// flagged names the steps that keep failing, in the order they began to.
	flagged []string
	status  string
}

func newSaga(ctx workflow.Context, orderID string) *saga {
	return &saga{
		orderID: orderID, retry: workflow.GetSignalChannel(ctx, SignalRetry), notices: workflow.GetSignalChannel(ctx, SignalRefund),
	}
}

// describe sets what operators read in the Temporal UI.
func (s *saga) describe(ctx workflow.Context, format string, args ...any) {
	s.status = fmt.Sprintf(format, args...)
	s.render(ctx)
}

func (s *saga) render(ctx workflow.Context) {
	var details strings.Builder
	details.WriteString(s.status)
	for _, step := range s.flagged {
		details.WriteString("\n\n**Needs attention:** step *" + step + "* keeps failing and is retried. " +
			"Its last error is under *Pending activities*; the signal `" + SignalRetry + "` tries it again at once.")
	}
	workflow.SetCurrentDetails(ctx, details.String())
}

// take runs one step until it succeeds and returns its result. It runs on a
// context of its own, so that a step that was begun is finished even when the
// workflow is cancelled: a compensation must never be lost.
func take[R any](ctx workflow.Context, s *saga, name string, activity any, args ...any) R {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	var result R
	lctx := workflow.WithLocalActivityOptions(ctx, inline(name))
	err := workflow.ExecuteLocalActivity(lctx, activity, args...).Get(lctx, &result)
	if err == nil {
		return result
	}
	workflow.GetLogger(ctx).Warn("step goes on as a durable activity", "step", name, "error", err)
	return persist[R](ctx, s, name, durable(name), activity, args...)
}

// takeApart is take for a step that is tried first as an activity of its own, so that the workflow task's
// answers do not wait for it.
func takeApart[R any](ctx workflow.Context, s *saga, name string, activity any, args ...any) R {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	var result R
	actx := workflow.WithActivityOptions(ctx, once(name))
	err := workflow.ExecuteActivity(actx, activity, args...).Get(actx, &result)
	if err == nil {
		return result
	}
	workflow.GetLogger(ctx).Warn("step goes on as a durable activity", "step", name, "error", err)
	return persist[R](ctx, s, name, durable(name), activity, args...)
}

// takeLong is take for a step that is not tried inside the workflow task, for it may last minutes.
func takeLong[R any](ctx workflow.Context, s *saga, name string, activity any, args ...any) R {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	return persist[R](ctx, s, name, lengthy(name), activity, args...)
}

// persist runs a step as a durable activity until it succeeds, however often an operator begins it afresh.
func persist[R any](ctx workflow.Context, s *saga, name string, options workflow.ActivityOptions, activity any, args ...any) R {
	for {
		if done, ok := attempt[R](ctx, s, name, options, activity, args...); ok {
			return done
		}
	}
}

// attempt runs a step as a durable activity until it succeeds (true) or an
// operator asks to begin it afresh (false).
func attempt[R any](ctx workflow.Context, s *saga, name string, options workflow.ActivityOptions, activity any, args ...any) (R, bool) {
	var result R
	actx, stop := workflow.WithCancel(workflow.WithActivityOptions(ctx, options))
	defer stop()
	running := workflow.ExecuteActivity(actx, activity, args...)
	prompt, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout:      attentionAfter,
		TimerOptions: workflow.TimerOptions{Summary: "ask for attention if " + name + " keeps failing"},
	}, running.IsReady)
	if err == nil && !prompt {
		s.flag(ctx, name)
	}
	again := false
	for !running.IsReady() && !again {
		_ = workflow.Await(ctx, func() bool { return running.IsReady() || s.retry.Len() > 0 })
		again = s.retry.ReceiveAsync(nil)
	}
	if !running.IsReady() {
		return result, false
	}
	if err := running.Get(ctx, &result); err != nil {
		// Only a non-retryable failure ends here. It is parked for a person like any other.
		s.flag(ctx, name)
		workflow.GetLogger(ctx).Error("step failed for good", "step", name, "error", err)
		_ = workflow.Await(ctx, func() bool { return s.retry.ReceiveAsync(nil) })
		return result, false
	}
	s.clear(ctx, name)
	return result, true
}

// flag asks for a person; clear takes that back.
func (s *saga) flag(ctx workflow.Context, step string) {
	if slices.Contains(s.flagged, step) {
		return
	}
	s.flagged = append(s.flagged, step)
	s.note(ctx, step, true)
}

func (s *saga) clear(ctx workflow.Context, step string) {
	kept := s.flagged[:0]
	for _, f := range s.flagged {
		if f != step {
			kept = append(kept, f)
		}
	}
	if len(kept) == len(s.flagged) {
		return
	}
	s.flagged = kept
	s.note(ctx, step, false)
}

// note shows the change to operators and on the order's timeline. The
// timeline is best effort: when the database is what fails, it must not hold up the saga.
func (s *saga) note(ctx workflow.Context, step string, needed bool) {
	s.render(ctx)
	if err := workflow.UpsertTypedSearchAttributes(ctx, NeedsAttention.ValueSet(len(s.flagged) > 0)); err != nil {
		workflow.GetLogger(ctx).Error("cannot set NeedsAttention", "error", err)
	}
	var steps *activities.Purchase
	once := inline("note on the timeline")
	once.RetryPolicy.MaximumAttempts = 1
	lctx := workflow.WithLocalActivityOptions(ctx, once)
	if err := workflow.ExecuteLocalActivity(lctx, steps.FlagAttention, s.orderID, step, needed).Get(lctx, nil); err != nil {
		workflow.GetLogger(ctx).Warn("cannot note on the timeline", "step", step, "error", err)
	}
}

// pause sleeps for d unless awake says otherwise first.
func pause(ctx workflow.Context, d time.Duration, why string, awake func() bool) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	_, _ = workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout: d, TimerOptions: workflow.TimerOptions{Summary: why},
	}, awake)
}
