package api_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// Nothing has an id that the database cannot even be asked for.
func TestIDsThatNothingCanHaveAreUnknown(t *testing.T) {
	w := newWorld(t)
	w.do(call{
		method: http.MethodPost, path: "/api/v1/quotes",
		body: `{"session_id":"hamlet-1\u0000","lines":[{"ticket_type_id":"hamlet-1-stalls","quantity":1}]}`,
	}).problem(t, http.StatusNotFound, "not_found")
	host, err := url.Parse(w.url)
	require.NoError(t, err)
	for _, path := range []string{
		"/api/v1/events/\xff", "/api/v1/sessions/\xff", "/api/v1/sessions/\xff/availability", "/api/v1/sessions/\xff/seat-map", "/api/v1/sessions/\xff/seats",
	} {
		response, err := w.client.Do(&http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "http", Host: host.Host, Opaque: path}})
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusNotFound, response.StatusCode, "%q", path)
	}
}
