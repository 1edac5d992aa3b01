package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProgrammesAreListedAndChanged(t *testing.T) {
	environment, _ := databaseRole(t)
	for _, role := range []string{"migrate", "seed", "seed"} {
		code, _, stderr := ends(t, environment, role)
		require.Zero(t, code, stderr)
	}
	terms := filepath.Join(t.TempDir(), "programme.json")
	write := func(text string) { require.NoError(t, os.WriteFile(terms, []byte(text), 0o600)) }
	write(`{"id": "lantern-club", "organiser_id": "lantern", "name": {"en": "Lantern Club", "zh-CN": "灯笼会"}, "currency": "CNY", "spend_per_point": 50,
		"levels": [{"name": {"en": "Wick", "zh-CN": "灯芯"}, "points": 10, "discount_basis_points": 250}]}`)
	code, _, stderr := ends(t, environment, "members", "put", terms)
	require.Zero(t, code, stderr)
	code, stdout, stderr := ends(t, environment, "members", "list")
	require.Zero(t, code, stderr)
	require.Regexp(t, `(?m)^lantern-club +lantern +Lantern Club +a point for 50 CNY +0 members +0 points$`, stdout)
	require.Regexp(t, `(?m)^  from 10 points +Wick +250 basis points off +0 hours earlier +0 tickets more$`, stdout)
	require.Regexp(t, `(?m)^westlake-friends +westlake-stage `, stdout)
	require.Regexp(t, `(?m)^  from 1500 points +Patron +1000 basis points off +96 hours earlier +2 tickets more$`, stdout)

	for text, why := range map[string]string{
		`{"id": "lantern-club", "price": 5}`: "price",
		`{"id": "lantern-club", "organiser_id": "lantern", "name": {"en": "x", "zh-CN": "x"}, "currency": "CNY", "spend_per_point": 50, "levels": []}`: "levels",
	} {
		write(text)
		code, _, stderr = ends(t, environment, "members", "put", terms)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, why)
	}
	for _, arguments := range [][]string{{"members"}, {"members", "put"}, {"members", "list", "all"}} {
		code, _, _ = ends(t, environment, arguments...)
		require.Equal(t, 2, code, arguments)
	}
	code, stdout, stderr = ends(t, environment, "audit")
	require.Zero(t, code, stdout+stderr)
}
