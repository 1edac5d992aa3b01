package main

import (
	"context"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
)

// samplesPerRound is how many purchases of a round are looked at in the history.
const samplesPerRound = 10

// history is the size of what Temporal keeps of one purchase.
type history struct {
	events, bytes int64
}

// readHistory asks for the history of a purchase once that has ended.
func readHistory(ctx context.Context, c client.Client, workflowID string) (history, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		answer, err := c.DescribeWorkflowExecution(ctx, workflowID, "")
		if err != nil {
			return history{}, fmt.Errorf("describe %s: %w", workflowID, err)
		}
		switch info := answer.GetWorkflowExecutionInfo(); info.GetStatus() {
		case enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED:
			return history{events: info.GetHistoryLength(), bytes: info.GetHistorySizeBytes()}, nil
		case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
			rest(ctx, 20*time.Millisecond)
		default:
			return history{}, fmt.Errorf("%s ended as %s", workflowID, info.GetStatus())
		}
	}
}
