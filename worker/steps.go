package worker

import (
	"context"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"

	"github.com/boxoffice/boxoffice/activities"
)

// stepCounter counts every try of a step that failed, and so will be repeated.
type stepCounter struct {
	interceptor.WorkerInterceptorBase
	metrics *activities.Metrics
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (c *stepCounter) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	counted := &countedStep{metrics: c.metrics}
	counted.Next = next
	return counted
}

type countedStep struct {
	interceptor.ActivityInboundInterceptorBase
	metrics *activities.Metrics
}

// ExecuteActivity implements interceptor.ActivityInboundInterceptor.
func (s *countedStep) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	result, err := s.Next.ExecuteActivity(ctx, in)
	if err != nil {
		s.metrics.StepFailed(activity.GetInfo(ctx).ActivityType.Name)
	}
	return result, err
}
