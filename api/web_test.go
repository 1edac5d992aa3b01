package api_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/api"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestWebApplicationIsServed(t *testing.T) {
	w := newWorld(t)
	page := func(path string, header ...string) answer {
		h := map[string]string{}
		for i := 0; i+1 < len(header); i += 2 {
			h[header[i]] = header[i+1]
		}
		return w.do(call{method: "GET", path: path, header: h})
	}
	for _, path := range []string{"/", "/index.html", "/events/hamlet", "/orders/X?returned=1", "/checkout/hamlet-1", "/../etc/passwd", "/%2e%2e/secret"} {
		a := page(path)
		require.Equal(t, 200, a.status, path)
		require.Contains(t, string(a.body), "<title>Boxoffice</title>")
		require.Equal(t, "no-cache", a.header.Get("Cache-Control"))
		require.Equal(t, "text/html; charset=utf-8", a.header.Get("Content-Type"))
	}
	asset := page("/assets/app-a1b2c3.js")
	require.Equal(t, "public, max-age=31536000, immutable", asset.header.Get("Cache-Control"))
	require.Equal(t, "text/javascript; charset=utf-8", asset.header.Get("Content-Type"))
	page("/assets/app-old.js").problem(t, 404, ticketing.CodeNotFound)
	require.Equal(t, "image/svg+xml", page("/favicon.svg").header.Get("Content-Type"))

	packed := page("/assets/app-a1b2c3.js", "Accept-Encoding", "br, gzip")
	require.Equal(t, "gzip", packed.header.Get("Content-Encoding"))
	require.Less(t, len(packed.body), len(asset.body)/2)
	z, err := gzip.NewReader(bytes.NewReader(packed.body))
	require.NoError(t, err)
	plain, err := io.ReadAll(z)
	require.NoError(t, err)
	require.Equal(t, asset.body, plain)
	require.Equal(t, 304, page("/", "If-None-Match", page("/").header.Get("ETag")).status)
}

func TestWithoutWebApplicationThereAreNoPages(t *testing.T) {
	w := newWorld(t, func(c *api.Config) { c.Web = nil })
	w.do(call{method: "GET", path: "/"}).problem(t, 404, ticketing.CodeNotFound)
}

func TestContractAndMetricsAreServed(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, api.Contract(), w.get("/api/openapi.yaml").body)
	w.order(keyed(1))
	metrics := string(w.get("/metrics").body)
	for _, line := range []string{
		`boxoffice_orders_total{result="held"} 1`,
		`boxoffice_open_holds 1`,
		`boxoffice_held_tickets 2`,
		`boxoffice_late_money 0`,
		`boxoffice_orders_placed_24h{state="PENDING"} 1`,
		`boxoffice_hold_latency_seconds_count 1`,
		`boxoffice_http_request_duration_seconds_count{method="POST",route="/api/v1/orders",status="201"} 1`,
	} {
		require.Contains(t, metrics, line)
	}
	require.NotContains(t, metrics, "hamlet", "labels are never ids")
}

func TestPortInUseIsAnErrorAtOnce(t *testing.T) {
	w := newWorld(t)
	config := w.server.Config
	config.Address, config.Registry = w.server.Addr().String(), nil
	second, err := api.New(config)
	require.NoError(t, err)
	require.ErrorContains(t, second.Open(), "address already in use")
	require.NoError(t, second.Shutdown(t.Context()))
}
