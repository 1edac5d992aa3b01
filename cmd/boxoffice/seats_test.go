package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing/seating"
)

func TestSeatMapsAreKeptAndSeatsKeptBack(t *testing.T) {
	environment, _ := databaseRole(t)
	for _, role := range []string{"migrate", "seed"} {
		code, _, stderr := ends(t, environment, role)
		require.Zero(t, code, stderr)
	}
	hall, err := storetest.Hall().Document()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "hall.json")
	require.NoError(t, os.WriteFile(file, hall, 0o600))
	for range 2 {
		code, _, stderr := ends(t, environment, "seats", "import", file)
		require.Zero(t, code, stderr)
	}
	code, stdout, stderr := ends(t, environment, "seats", "export", "hall", "1")
	require.Zero(t, code, stderr)
	again, err := seating.Parse([]byte(stdout))
	require.NoError(t, err)
	require.Equal(t, storetest.Hall(), again)

	require.NoError(t, os.WriteFile(file, []byte(`{"schema": 1}`), 0o600))
	code, _, stderr = ends(t, environment, "seats", "import", file)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "/sections is missing")
	code, _, stderr = ends(t, environment, "seats", "export", "hall", "2")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "not_found")

	const session, seat = "lighthouse-map-1", "hall/H/8"
	code, _, stderr = ends(t, environment, "seats", "block", session, "for the press", seat, "hall/H/9")
	require.Zero(t, code, stderr)
	code, _, stderr = ends(t, environment, "seats", "block", session, "", "hall/H/7", seat)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, seat)
	require.NotContains(t, stderr, "hall/H/7")
	code, _, stderr = ends(t, environment, "seats", "release", session, seat)
	require.Zero(t, code, stderr)
	code, stdout, stderr = ends(t, environment, "audit")
	require.Zero(t, code, stdout+stderr)
	for _, arguments := range [][]string{{"seats"}, {"seats", "block", session}, {"seats", "export", "hall", "one"}} {
		code, _, _ = ends(t, environment, arguments...)
		require.Equal(t, 2, code)
	}
}
