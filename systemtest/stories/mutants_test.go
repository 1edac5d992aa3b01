//go:build mutants

package stories

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mutant is a fault of the kind that loses money or tickets: a few characters of the product, replaced,
// in more than one place where one layer makes up for what another one misses.
type mutant struct {
	name  string
	edits []edit
}

type edit struct{ file, from, to string }

var mutants = []mutant{
	{"late money is accepted", []edit{{
		"ticketing/settlement.go",
		"case !f.Order.HoldsStock():", "case false:",
	}}},
	{"the amount is ignored", []edit{{
		"ticketing/settlement.go",
		"case f.Captured != f.Asked:", "case false:",
	}}},
	{"a double payment is missed", []edit{{
		"ticketing/settlement.go",
		"return VerdictReject, RejectDouble", `return VerdictNone, ""`,
	}}},
	{"no last look", []edit{{
		"workflows/purchase.go",
		"if p.watched == 0 {", "if p.watched >= 0 {",
	}}},
	{"what closing says is ignored", []edit{{
		"workflows/purchase.go",
		"p.watched = report.Watched\n\t\tp.settleAll(ctx, report.Captured)", "p.watched = report.Watched",
	}, {
		"store/release.go",
		"for _, attempt := range unjudged {", "for _, attempt := range unjudged[:0] {",
	}}},
	{"no drain before the end", []edit{{
		"workflows/purchase.go",
		"for {\n\t\tp.drain(ctx)\n\t\t_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })\n\t\tif p.notices.Len() == 0 {",
		"for {\n\t\t_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })\n\t\tif p.notices.Len() >= 0 {",
	}}},
	{"a retry refunds under a new id", []edit{{
		"activities/payments.go",
		"ID: refund.ID, Number: refund.AttemptID,", `ID: refund.ID[:16] + fmt.Sprint(time.Now().UnixNano()%1e9+1e9), Number: refund.AttemptID,`,
	}}},
	{"a refund is stored again", []edit{{
		"store/refunds.go",
		"if len(stored) == 0 {", "if len(stored) >= 0 {",
	}}},
	{"confirming twice is not once", []edit{{
		"store/settlement.go",
		"case judged || settled.Verdict == ticketing.VerdictNone:", "case judged && settled.Verdict == ticketing.VerdictNone:",
	}}},
	{"a callback is acknowledged before it is kept", []edit{{
		"api/callbacks.go",
		"return unavailable(fmt.Errorf(\"keep callback: %w\", err))", "s.Log.Warn(\"not kept\", \"error\", fmt.Errorf(\"keep callback: %w\", err))",
	}}},
	{"tickets that went back stay valid", []edit{{
		"store/refund_requests.go",
		"\"UPDATE tickets SET state = 'VOID', refund_id = $3", "\"UPDATE tickets SET refund_id = $3",
	}}},
	{"a request to give tickets back is not once", []edit{{
		"store/refund_requests.go",
		"if len(known.refunds) > 0 {", "if len(known.refunds) > 99 {",
	}}},
	{"a refund whose answer was lost is not asked about", []edit{{
		"activities/payments.go",
		"status, err := gateway.QueryRefund(ctx, ask)", "status, err := payment.RefundStatus{}, payment.ErrNotFound",
	}, {
		"activities/payments.go",
		"ID: refund.ID, Number: refund.AttemptID,", `ID: refund.ID[:16] + fmt.Sprint(time.Now().UnixNano()%1e9+1e9), Number: refund.AttemptID,`,
	}}},
	{"rejected money is not refunded", []edit{{
		"workflows/purchase.go",
		"p.startLatePayment(ctx, settled)\n\tcase", "case",
	}}},
	{"a forgotten payment is never asked about", []edit{{
		"activities/purchase.go",
		"watched, err := p.Store.WatchedAttempts(ctx, orderID)\n\tif err != nil {", "watched, err := p.Store.WatchedAttempts(ctx, orderID)\n\twatched = nil\n\tif err != nil {",
	}}},
}

// TestEveryMutantIsCaught builds the stories with each fault in place of the product's own code, and
// wants them to fail.
func TestEveryMutantIsCaught(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel() // while one is linked, another tells its stories
			folder := t.TempDir()
			replace := map[string]string{}
			for i, e := range m.edits {
				path := filepath.Join(root, e.file)
				source, err := os.ReadFile(path)
				require.NoError(t, err)
				require.Equal(t, 1, strings.Count(string(source), e.from), "%s has changed: %q", e.file, e.from)
				replace[path] = filepath.Join(folder, fmt.Sprintf("faulty%d.go", i))
				require.NoError(t, os.WriteFile(replace[path], []byte(strings.Replace(string(source), e.from, e.to, 1)), 0o600))
			}
			overlay := filepath.Join(folder, "overlay.json")
			encoded, err := json.Marshal(map[string]any{"Replace": replace})
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(overlay, encoded, 0o600))

			binary := filepath.Join(folder, "stories.test")
			built, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", overlay, "-o", binary, ".").CombinedOutput()
			require.NoError(t, err, "the mutant does not build: %s", built)
			told := exec.CommandContext(t.Context(), binary, "-rapid.checks=100", "-rapid.shrinktime=1s", "-rapid.nofailfile", "-test.timeout=5m")
			told.Dir = folder
			said, err := told.CombinedOutput()
			var failed *exec.ExitError
			require.ErrorAs(t, err, &failed, "nobody noticed")
			require.NotContains(t, string(said), "panic:")
			t.Log(noticed(string(said)))
		})
	}
}

// noticed lists the tests that noticed a mutant.
func noticed(said string) string {
	var tests []string
	for line := range strings.Lines(said) {
		if _, test, failed := strings.Cut(line, "--- FAIL: "); failed {
			tests = append(tests, strings.TrimSpace(test))
		}
	}
	return strings.Join(tests, "; ")
}
