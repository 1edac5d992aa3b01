package api_test

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"github.com/boxoffice/boxoffice/api"
)

func quiet(c *api.Config) { c.Log = slog.New(slog.DiscardHandler) }

// BenchmarkHotRead is an event's page, answered from the cache of rendered answers.
func BenchmarkHotRead(b *testing.B) {
	w := newWorld(b, quiet)
	url := w.url + "/api/v1/events/hamlet"
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			status, _, err := fasthttp.Get(nil, url)
			require.NoError(b, err)
			require.Equal(b, 200, status)
		}
	})
}

// BenchmarkSubmitOrder is a submission with its hold in the database, without any workflow.
func BenchmarkSubmitOrder(b *testing.B) {
	w := newWorld(b, quiet)
	var n atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			request.SetRequestURI(w.url + "/api/v1/orders")
			request.Header.SetMethod("POST")
			request.Header.SetContentType("application/json")
			request.Header.Set("Idempotency-Key", fmt.Sprintf("bench-%09d", n.Add(1)))
			request.SetBodyString(`{"session_id":"hamlet-1","lines":[{"ticket_type_id":"hamlet-1-stalls","quantity":1}],"buyer":{"name":"Ada","email":"ada@example.com"}}`)
			require.NoError(b, fasthttp.Do(request, response))
			fasthttp.ReleaseRequest(request)
			fasthttp.ReleaseResponse(response)
		}
	})
}
