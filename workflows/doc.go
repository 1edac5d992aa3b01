// Package workflows tells the stories of Boxoffice as durable Temporal
// workflows: a purchase, money that came too late, and the sweep that finds
// money nobody told us of.
//
// Workflow code is deterministic: it reads no configuration, no clock and no
// environment but Temporal's own. Deadlines and bounds travel in the input.
// What a step does in the world is in package activities.
package workflows
