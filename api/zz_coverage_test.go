package api_test

import (
	"flag"
	"testing"
)

// TestZContractIsCovered runs last: everything openapi.yaml promises must have been seen by then.
func TestZContractIsCovered(t *testing.T) {
	if flag.Lookup("test.run").Value.String() != "" || flag.Lookup("test.skip").Value.String() != "" || t.Failed() {
		t.Skip("only a run of all tests exercises everything")
	}
	for _, gap := range contract.gaps() {
		t.Errorf("openapi.yaml promises what no test has seen: %s", gap)
	}
}
