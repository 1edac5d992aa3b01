package activities

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/boxoffice/boxoffice/ticketing"
)

// Metrics counts what the steps bring about. The zero pointer counts nothing.
type Metrics struct {
	holds       *prometheus.CounterVec
	settlements *prometheus.CounterVec
	latePayment *prometheus.CounterVec
	requests    *prometheus.CounterVec
	refunds     *prometheus.CounterVec
	sweeps      *prometheus.CounterVec
	attentions  *prometheus.CounterVec
	retries     *prometheus.CounterVec
	sent        *prometheus.CounterVec
	waiting     prometheus.Gauge
	oldest      prometheus.Gauge
}

// NewMetrics registers the counters; it panics if they are registered already.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "boxoffice", Name: name, Help: help}, labels)
		registry.MustRegister(c)
		return c
	}
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "boxoffice", Name: name, Help: help})
		registry.MustRegister(g)
		return g
	}
	return &Metrics{
		holds:       counter("holds_total", "Holds by the state of the order they made and the refusal's code.", "state", "code"),
		settlements: counter("settlements_total", "Judged payments by verdict and reason; repeats count again.", "verdict", "reason"),
		latePayment: counter("late_payments_total", "Late money by what became of it: the stock taken again, or refunded.", "outcome"),
		requests:    counter("refund_requests_total", "Requests to give tickets back, by the refusal's code.", "code"),
		refunds:     counter("refunds_total", "Refunds that became final, by state.", "state"),
		sweeps:      counter("swept_payments_total", "Payments the sweep found: kept but not judged, or never told.", "kind"),
		attentions:  counter("attention_total", "Times a step began, or ceased, to need a person.", "change"),
		retries:     counter("step_retries_total", "Tries of a step that failed and are repeated, by step.", "step"),
		sent:        counter("messages_total", "Tries to tell buyers something, by what is told, channel and what came of it.", "kind", "channel", "state"),
		waiting:     gauge("messages_waiting", "Messages that wait to be sent, as the process that sends them sees it."),
		oldest:      gauge("messages_oldest_waiting_seconds", "For how long the oldest of them could have been sent."),
	}
}

// StepFailed counts a try of a step that failed.
func (m *Metrics) StepFailed(step string) {
	if m != nil {
		m.retries.WithLabelValues(step).Inc()
	}
}

func (m *Metrics) held(r ticketing.HoldResult) {
	if m == nil {
		return
	}
	code := ""
	if r.Refusal != nil {
		code = string(r.Refusal.Code)
	}
	m.holds.WithLabelValues(string(r.State), code).Inc()
}

func (m *Metrics) settled(s ticketing.Settlement) {
	if m != nil {
		m.settlements.WithLabelValues(string(s.Verdict), string(s.Reason)).Inc()
	}
}

func (m *Metrics) late(retaken bool) {
	if m == nil {
		return
	}
	outcome := "refund"
	if retaken {
		outcome = "retaken"
	}
	m.latePayment.WithLabelValues(outcome).Inc()
}

func (m *Metrics) requested(a ticketing.RefundAnswer) {
	if m == nil {
		return
	}
	code := ""
	if a.Refusal != nil {
		code = string(a.Refusal.Code)
	}
	m.requests.WithLabelValues(code).Inc()
}

func (m *Metrics) refunded(r ticketing.Refund) {
	if m != nil {
		m.refunds.WithLabelValues(string(r.State)).Inc()
	}
}

func (m *Metrics) swept(kind string) {
	if m != nil {
		m.sweeps.WithLabelValues(kind).Inc()
	}
}

func (m *Metrics) attention(needed bool) {
	if m == nil {
		return
	}
	change := "cleared"
	if needed {
		change = "needed"
	}
	m.attentions.WithLabelValues(change).Inc()
}

func (m *Metrics) told(message ticketing.Message, state ticketing.MessageState) {
	if m != nil {
		m.sent.WithLabelValues(string(message.Kind), string(message.Channel), string(state)).Inc()
	}
}

func (m *Metrics) messages(c ticketing.MessageCounts) {
	if m != nil {
		m.waiting.Set(float64(c.Waiting))
		m.oldest.Set(c.OldestWaiting.Seconds())
	}
}
