package main

import (
	"context"
	"time"
)

// purchase is one purchase that was completed.
type purchase struct {
	// hold is how long the buyer waited for the tickets to be theirs until the deadline.
	hold time.Duration
	// workflow is the id of the workflow that carried it.
	workflow string
	ended    time.Time
}

// contender is one way to sell a ticket.
type contender interface {
	name() string
	// namespace is where its workflows are.
	namespace() string
	// buy carries one purchase of one buyer from the first request to the tickets.
	buy(ctx context.Context, buyer int) (purchase, error)
	// sold counts what its own books say was sold, or -1 if it keeps none.
	sold(ctx context.Context) (int, error)
	// caughtUp says that nothing is left to do for what was sold, such as telling buyers.
	caughtUp(ctx context.Context) (bool, error)
	close()
}
