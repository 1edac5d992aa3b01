package main

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/encryption"
)

func TestCasesAreListedAndResolved(t *testing.T) {
	environment, url := databaseRole(t)
	code, _, stderr := ends(t, environment, "migrate")
	require.Zero(t, code, stderr)
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	id := encryption.NewNumber()
	_, err = conn.Exec(t.Context(), `INSERT INTO cases (id, kind, provider, day, reference, detail)
		VALUES ($1, 'bill_long', 'sandbox', '2026-11-19', 'payment:X', '{"billed": {"amount": 5, "currency": "CNY"}}')`, id)
	require.NoError(t, err)
	for _, arguments := range [][]string{{"cases"}, {"cases", "list", "-kind", "bill_long", "-provider", "sandbox"}, {"cases", "-limit", "1"}} {
		code, stdout, stderr := ends(t, environment, arguments...)
		require.Zero(t, code, stderr)
		require.Equal(t, 1, strings.Count(stdout, "\n"))
		for _, what := range []string{id, "bill_long", "2026-11-19", "payment:X", `"amount":5`, "OPEN"} {
			require.Contains(t, stdout, what)
		}
	}
	code, stdout, _ := ends(t, environment, "cases", "list", "-kind", "dispute")
	require.Zero(t, code)
	require.Empty(t, stdout)
	code, _, stderr = ends(t, environment, "cases", "resolve", id)
	require.Equal(t, 2, code)
	require.Contains(t, stderr, "NOTE")
	code, _, stderr = ends(t, environment, "cases", "resolve", encryption.NewNumber(), "whatever")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "no such case")
	code, stdout, stderr = ends(t, environment, "cases", "resolve", id, "the", "gateway", "paid it out")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "RESOLVED (person) the gateway paid it out")
	code, stdout, _ = ends(t, environment, "cases")
	require.Zero(t, code)
	require.Empty(t, stdout)
	code, stdout, _ = ends(t, environment, "cases", "list", "-all")
	require.Zero(t, code)
	require.Contains(t, stdout, id)
}

func TestWhatCannotBeAskedForIsSaid(t *testing.T) {
	environment, _ := databaseRole(t)
	for argument, said := range map[string]string{
		"cases drop": `no such command "drop"`, "cases list -limit none": "invalid value", "cases list more": "too many arguments",
	} {
		code, stdout, stderr := ends(t, environment, strings.Fields(argument)...)
		require.Equal(t, 2, code, argument)
		require.Empty(t, stdout)
		require.Contains(t, stderr, said)
	}
	service := append([]string{
		"BOXOFFICE_TEMPORAL_ADDRESS=127.0.0.1:9", "BOXOFFICE_SANDBOX_MERCHANT=test", "BOXOFFICE_SANDBOX_KEY=request-key-of-the-test",
		"BOXOFFICE_SANDBOX_CALLBACK_KEY=callback-key-of-the-test",
	}, environment...)
	for argument, said := range map[string]string{
		"reconcile -day yesterday": `"yesterday" is not a date`, "reconcile now": "too many arguments", "reconcile -wait soon": "invalid value",
	} {
		code, stdout, stderr := ends(t, service, strings.Fields(argument)...)
		require.Equal(t, 2, code, argument)
		require.Empty(t, stdout)
		require.Contains(t, stderr, said)
	}
}
