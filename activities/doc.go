// Package activities holds the steps a workflow takes in the world: one
// idempotent piece of I/O each. A step sees the store and the gateways
// through the interfaces declared here, and translates every error once
// into what Temporal should do about it.
//
// It knows nothing of HTTP and nothing of the order in which steps run.
package activities
