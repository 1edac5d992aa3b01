package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	temporallog "go.temporal.io/sdk/log"

	"github.com/boxoffice/boxoffice/activities"
	"github.com/boxoffice/boxoffice/store/storetest"
)

func TestAWorkerAnswersProbesAndShowsItsMetrics(t *testing.T) {
	unreachable, err := client.NewLazyClient(client.Options{
		HostPort: "127.0.0.1:9", Logger: temporallog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
		ConnectionOptions: client.ConnectionOptions{GetSystemInfoTimeout: 100 * time.Millisecond},
	})
	require.NoError(t, err)
	lines, journal := io.Pipe()
	c := &connections{
		temporal: unreachable, store: storetest.Open(t), registry: prometheus.NewRegistry(),
		log: slog.New(slog.NewJSONHandler(journal, nil)),
	}
	defer unreachable.Close()
	activities.NewMetrics(c.registry).StepFailed("Settle")

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.serveProbes(ctx, "127.0.0.1:0") }()
	var listens struct {
		Address string `json:"address"`
	}
	require.NoError(t, json.NewDecoder(lines).Decode(&listens))
	go func() { _, _ = io.Copy(io.Discard, lines) }()

	origin := "http://" + listens.Address
	response, _ := ask(t, http.MethodGet, origin+"/livez", nil)
	require.Equal(t, http.StatusOK, response.StatusCode, "it lives, whoever else does not")
	response, text := ask(t, http.MethodGet, origin+"/readyz", nil)
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode, "without Temporal it is of no use")
	require.Equal(t, "not ready\n", string(text), "why is for the log")
	_, text = ask(t, http.MethodGet, origin+"/metrics", nil)
	require.Contains(t, string(text), `boxoffice_step_retries_total{step="Settle"} 1`)
	response, _ = ask(t, http.MethodGet, origin+"/", nil)
	require.Equal(t, http.StatusNotFound, response.StatusCode)

	stop()
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on serving")
	}
	require.NoError(t, journal.Close())
}
