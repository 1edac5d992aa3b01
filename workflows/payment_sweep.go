package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/boxoffice/boxoffice/activities"
)

const (
	// sweepRound is how long one activity of the sweep works before it reports back.
	sweepRound = 5 * time.Minute
	// sweepRounds is how many of them one run of the workflow sees, about a day.
	sweepRounds = 288
)

// PaymentSweep runs for ever. It finds money nobody told us of: it brings kept
// callbacks to their workflows when that failed the first time, and asks the
// gateways about open attempts whose callback may have been lost. The work
// is done inside one long activity, so that a quiet day costs a few hundred
// history events and not a hundred thousand.
func PaymentSweep(ctx workflow.Context) error {
	var payments *activities.Payments
	s := newSaga(ctx, "")
	s.describe(ctx, "Delivering kept callbacks and asking the gateways about open attempts.")
	actx := workflow.WithActivityOptions(ctx, patient("deliver kept callbacks, ask about open attempts"))
	for range sweepRounds {
		if err := workflow.ExecuteActivity(actx, payments.Sweep, sweepRound).Get(actx, nil); err != nil {
			return err
		}
	}
	return workflow.NewContinueAsNewError(ctx, PaymentSweep)
}
