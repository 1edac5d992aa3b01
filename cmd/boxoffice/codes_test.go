package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVouchersAndPresalesAreMadeByTheirCodes(t *testing.T) {
	environment, _ := databaseRole(t)
	for _, role := range []string{"migrate", "seed", "seed"} {
		code, _, stderr := ends(t, environment, role)
		require.Zero(t, code, stderr)
	}
	terms := filepath.Join(t.TempDir(), "terms.json")
	require.NoError(t, os.WriteFile(terms, []byte(`{"id": "spring", "name": {"en": "Spring", "zh-CN": "春天"}, "kind": "percent", "value": 500,
		"organiser_id": "lantern", "from": "2026-03-01T00:00:00+08:00", "until": "2036-06-01T00:00:00+08:00", "max_uses": 3}`), 0o600))
	code, stdout, stderr := ends(t, environment, "vouchers", "create", "-count", "3", terms)
	require.Zero(t, code, stderr)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	require.Len(t, lines, 3)
	seen := map[string]bool{}
	for i, line := range lines {
		id, secret, _ := strings.Cut(line, ",")
		require.Equal(t, "spring-"+string(rune('1'+i)), id)
		require.Regexp(t, `^[0-9A-Z]{12}$`, secret)
		require.False(t, seen[secret])
		seen[secret] = true
	}
	code, _, stderr = ends(t, environment, "vouchers", "create", "-code", "SPRING", terms)
	require.Zero(t, code, stderr)
	code, _, stderr = ends(t, environment, "vouchers", "create", terms)
	require.Equal(t, 1, code, "a voucher keeps its code")
	require.Contains(t, stderr, "has another code")

	code, stdout, stderr = ends(t, environment, "vouchers", "list", "lantern")
	require.Zero(t, code, stderr)
	require.Regexp(t, `(?m)^spring-3 +lantern +percent +500 +used 0 of 3 +2026-02-28T16:00:00Z +2036-05-31T16:00:00Z +Spring$`, stdout)
	require.NotContains(t, stdout, "SPRING", "codes are told once")
	require.NotContains(t, stdout, "sea-100")

	code, stdout, stderr = ends(t, environment, "presales", "open", "2026-03-01T00:00:00Z", "2036-06-01T00:00:00Z", "teahouse-at-midnight-1-day")
	require.Zero(t, code, stderr)
	require.Regexp(t, `^[0-9A-Z]{12}\n$`, stdout)
	code, _, stderr = ends(t, environment, "presales", "open", "-code", "X", "2026-03-01T00:00:00Z", "2036-06-01T00:00:00Z", "teahouse-at-noon-1-day")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "no ticket type teahouse-at-noon-1-day")

	require.NoError(t, os.WriteFile(terms, []byte(`{"id": "spring", "percentage": 5}`), 0o600))
	code, _, stderr = ends(t, environment, "vouchers", "create", terms)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "percentage")
	for _, arguments := range [][]string{{"vouchers"}, {"vouchers", "create", "-code", "A", "-count", "2", terms}, {"presales"}, {"presales", "open", "now", "then", "x"}} {
		code, _, _ = ends(t, environment, arguments...)
		require.Equal(t, 2, code, arguments)
	}
	for _, arguments := range [][]string{{"vouchers", "create"}, {"vouchers", "create", "-count", "0", terms}, {"presales", "open"}, {"presales", "open", "now", "then"}} {
		code, _, stderr = ends(t, environment, arguments...)
		require.Equal(t, 2, code, arguments)
		require.Contains(t, stderr, "boxoffice "+arguments[0], "what is missing is told")
		require.NotContains(t, stderr, "too many")
	}
	for complaint, arguments := range map[string][]string{
		`invalid value "0" for flag -limit: must be 1 or more`: {"messages", "-limit", "0"}, `invalid value "x" for flag -limit`: {"events", "list", "-limit", "x"},
		"flag provided but not defined: -none": {"cases", "-none"}, "boxoffice events list: too many arguments": {"events", "list", "show"},
	} {
		code, _, stderr = ends(t, environment, arguments...)
		require.Equal(t, 2, code, arguments)
		require.Equal(t, 1, strings.Count(stderr, complaint), "told once: %s", stderr)
	}
	code, stdout, stderr = ends(t, environment, "audit")
	require.Zero(t, code, stdout+stderr)
}
