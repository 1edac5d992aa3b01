package api

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

// metrics are the API's own counters and gauges. Labels come from small fixed sets: never an id.
type metrics struct {
	gatherer         prometheus.Gatherer
	duration         *prometheus.HistogramVec
	orders           *prometheus.CounterVec
	holdLatency      prometheus.Histogram
	attempts         *prometheus.CounterVec
	callbacks        *prometheus.CounterVec
	callbacksRefused *prometheus.CounterVec
	deliveriesFailed prometheus.Counter
	streams          *prometheus.GaugeVec
	panics           prometheus.Counter
}

func newMetrics(registry *prometheus.Registry, store Store) *metrics {
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "boxoffice", Name: name, Help: help}, labels)
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "boxoffice", Name: name, Help: help})
	}
	m := &metrics{
		gatherer: registry,
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "boxoffice", Name: "http_request_duration_seconds", Help: "Time to answer a request.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route", "method", "status"}),
		orders: counters("orders_total", "Submitted orders by what the buyer was answered: held, pending, or a problem's code.", "result"),
		holdLatency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "boxoffice", Name: "hold_latency_seconds", Help: "Time from a submitted order to its hold.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}),
		attempts:         counters("payment_attempts_total", "Attempts to pay by provider and how they began.", "provider", "result"),
		callbacks:        counters("callbacks_total", "Callbacks kept, by provider and whether they were the first of their event.", "provider", "delivery"),
		callbacksRefused: counters("callbacks_refused_total", "Callbacks refused, by provider and reason.", "provider", "reason"),
		deliveriesFailed: counter("deliveries_failed_total", "Captured payments that were kept but not delivered at once; the sweep delivers them."),
		streams: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "boxoffice", Name: "streams_open", Help: "Open event streams by kind.",
		}, []string{"kind"}),
		panics: counter("panics_total", "Requests and streams whose handler panicked."),
	}
	registry.MustRegister(m.duration, m.orders, m.holdLatency, m.attempts, m.callbacks, m.callbacksRefused,
		m.deliveriesFailed, m.streams, m.panics, &storeCounts{store: store})
	return m
}

// serve answers GET /metrics.
func (m *metrics) serve(c *fiber.Ctx) error {
	families, err := m.gatherer.Gather()
	if err != nil && len(families) == 0 {
		return unavailable(err)
	}
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	var out bytes.Buffer
	encoder := expfmt.NewEncoder(&out, format)
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return err
		}
	}
	c.Set(fiber.HeaderContentType, string(format))
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Response().SetBodyRaw(out.Bytes())
	return nil
}

// storeCounts shows what only the database knows. It is counted at most once in countsFresh, and
// left out while the database does not answer.
type storeCounts struct {
	store Store
	mu    sync.Mutex
	last  Counts
	at    time.Time
}

const countsFresh = 2 * time.Second

var (
	openHolds = prometheus.NewDesc("boxoffice_open_holds",
		"Orders with stock held and not paid.", nil, nil)
	lateMoney = prometheus.NewDesc("boxoffice_late_money",
		"Captured payments that do not pay their order and are not refunded yet.", nil, nil)
	unhandledCallbacks = prometheus.NewDesc("boxoffice_unhandled_callbacks",
		"Kept callbacks with captured money that no workflow has judged yet.", nil, nil)
	pendingRefunds = prometheus.NewDesc("boxoffice_pending_refunds",
		"Refunds whose outcome is not known yet.", nil, nil)
)

// Describe implements prometheus.Collector.
func (s *storeCounts) Describe(out chan<- *prometheus.Desc) {
	out <- openHolds
	out <- lateMoney
	out <- unhandledCallbacks
	out <- pendingRefunds
}

// Collect implements prometheus.Collector.
func (s *storeCounts) Collect(out chan<- prometheus.Metric) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.at) > countsFresh {
		ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
		defer cancel()
		counts, err := s.store.Counts(ctx)
		if err != nil {
			return
		}
		s.last, s.at = counts, time.Now()
	}
	gauge := func(desc *prometheus.Desc, n int) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n))
	}
	gauge(openHolds, s.last.OpenHolds)
	gauge(lateMoney, s.last.LateMoney)
	gauge(unhandledCallbacks, s.last.UnhandledCallbacks)
	gauge(pendingRefunds, s.last.PendingRefunds)
}
