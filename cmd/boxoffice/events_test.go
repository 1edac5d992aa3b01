package main

import (
	"os/user"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/store/demo"
)

func TestEventsAreListedShownAndMoved(t *testing.T) {
	environment, _ := databaseRole(t)
	for _, role := range []string{"migrate", "seed"} {
		code, _, stderr := ends(t, environment, role)
		require.Zero(t, code, stderr)
	}
	events := demo.Catalogue(time.Now())
	id := events[0].ID
	code, stdout, stderr := ends(t, environment, "events")
	require.Zero(t, code, stderr)
	require.Equal(t, len(events), strings.Count(stdout, "\n"))
	code, stdout, stderr = ends(t, environment, "events", "list", "-q", events[0].Title["zh-CN"], "-state", "on-sale")
	require.Zero(t, code, stderr)
	require.Regexp(t, "^"+id+" +ON_SALE +"+string(events[0].Kind)+" .* 0 sold, 0 held, .*\n$", stdout)

	code, stdout, stderr = ends(t, environment, "events", "move", "-by", "ada", id, "paused", "wrong", "prices")
	require.Zero(t, code, stderr)
	require.Regexp(t, `state +PAUSED\n`, stdout)
	require.Regexp(t, `can become +ON_SALE, ENDED, CANCELLED, POSTPONED\n`, stdout)
	require.Contains(t, stdout, "ON_SALE to PAUSED by ada: wrong prices\n")
	code, _, stderr = ends(t, environment, "events", "move", id, "draft", "a second thought")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "an event that is PAUSED cannot become DRAFT; it can become ON_SALE, ENDED, CANCELLED, POSTPONED")
	code, _, stderr = ends(t, environment, "events", "move", id, "ENDED", "it is over")
	require.Zero(t, code, stderr)

	me, err := user.Current()
	require.NoError(t, err)
	code, stdout, stderr = ends(t, environment, "events", "show", id)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "PAUSED to ENDED by "+me.Username+": it is over\n")
	require.Regexp(t, `can become +nothing any more\n`, stdout)
	code, stdout, stderr = ends(t, environment, "events", "list", "-state", "paused")
	require.Zero(t, code, stderr)
	require.Empty(t, stdout)
	code, stdout, stderr = ends(t, environment, "audit")
	require.Zero(t, code, stdout+stderr)

	for _, arguments := range [][]string{{"show", "none"}, {"move", "none", "paused", "x"}, {"move", "-by", " ", id, "paused", "x"}} {
		code, _, _ = ends(t, environment, append([]string{"events"}, arguments...)...)
		require.Equal(t, 1, code, arguments)
	}
	for _, arguments := range [][]string{{"sell"}, {"show"}, {"move", id, "paused"}, {"move", id, "sold", "x"}, {"list", "-state", "sold"}, {"list", "-limit", "0"}, {"list", "x"}} {
		code, _, _ = ends(t, environment, append([]string{"events"}, arguments...)...)
		require.Equal(t, 2, code, arguments)
	}
}
