// Package figures is what the benchmarks have in common: medians with their spread, the machine they were measured on,
// and the place in a document that results are written into.
//
// It must not know what is measured.
package figures
