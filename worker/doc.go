// Package worker runs workflows and activities: one Temporal worker per task
// queue, each scaled apart. Register is the one place that says which
// workflows there are; workers, the replayer and tests all use it.
package worker
