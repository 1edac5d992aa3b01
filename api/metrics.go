package api

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/boxoffice/boxoffice/ticketing"
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
	last  ticketing.Counts
	at    time.Time
}

const countsFresh = 2 * time.Second

// countGauges are the gauges made of the store's counts.
var countGauges = []struct {
	name, help, label string
	read              func(ticketing.Counts) map[string]float64
}{
	{"open_holds", "Orders with stock held and not paid.", "", single(func(c ticketing.Counts) int { return c.OpenHolds })},
	{"held_tickets", "Tickets set aside and not paid.", "", single(func(c ticketing.Counts) int { return c.HeldTickets })},
	{"overdue_holds", "Open holds whose time is up.", "", single(func(c ticketing.Counts) int { return c.OverdueHolds })},
	{"late_money", "Captured payments that pay no order and have not gone back.", "", single(func(c ticketing.Counts) int { return c.LateMoney })},
	{"awaiting_refund", "Captured money that pays no order and has not gone back, in minor units.", "currency", several[string, int64](func(c ticketing.Counts) map[string]int64 { return c.AwaitingRefund })},
	{"undelivered_payments", "Captured payments no workflow has acknowledged yet.", "", single(func(c ticketing.Counts) int { return c.UndeliveredPayments })},
	{"oldest_undelivered_payment_seconds", "How long ago the oldest of them was captured.", "", func(c ticketing.Counts) map[string]float64 {
		return map[string]float64{"": c.OldestUndelivered.Seconds()}
	}},
	{"pending_refunds", "Refunds whose outcome is not known yet.", "", single(func(c ticketing.Counts) int { return c.PendingRefunds })},
	{"failed_refunds", "Refunds a gateway will not make; a person settles them.", "", single(func(c ticketing.Counts) int { return c.FailedRefunds })},
	{"open_cases", "What waits for a person: differences with gateways' bills, failed refunds, disputes.", "kind", several[ticketing.CaseKind, int](func(c ticketing.Counts) map[ticketing.CaseKind]int { return c.OpenCases })},
	{"orders_placed_24h", "Orders placed in the last 24 hours by where they are now.", "state", several[ticketing.OrderState, int](func(c ticketing.Counts) map[ticketing.OrderState]int { return c.Orders })},
}

func single(read func(ticketing.Counts) int) func(ticketing.Counts) map[string]float64 {
	return func(c ticketing.Counts) map[string]float64 { return map[string]float64{"": float64(read(c))} }
}

func several[K ~string, N int | int64](read func(ticketing.Counts) map[K]N) func(ticketing.Counts) map[string]float64 {
	return func(c ticketing.Counts) map[string]float64 {
		values := map[string]float64{}
		for name, n := range read(c) {
			values[string(name)] = float64(n)
		}
		return values
	}
}

// Describe implements prometheus.Collector. It describes nothing: what there is depends on the
// database answering.
func (s *storeCounts) Describe(chan<- *prometheus.Desc) {}

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
	for _, g := range countGauges {
		var labels []string
		if g.label != "" {
			labels = []string{g.label}
		}
		desc := prometheus.NewDesc("boxoffice_"+g.name, g.help, labels, nil)
		for value, n := range g.read(s.last) {
			var values []string
			if g.label != "" {
				values = []string{value}
			}
			out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, n, values...)
		}
	}
}
