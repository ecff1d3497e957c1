package gateway

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fluidmcp/fluidmcp/services/gateway/admission"
	"github.com/fluidmcp/fluidmcp/services/gateway/relay"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

// metrics are counted as requests pass. What is a state and not an event is in state.go.
type metrics struct {
	requests   *prometheus.CounterVec   // model, endpoint, code
	duration   *prometheus.HistogramVec // model, endpoint
	errors     *prometheus.CounterVec   // model, reason
	firstToken *prometheus.HistogramVec // model
	interToken *prometheus.HistogramVec // model
	overhead   *prometheus.HistogramVec // model
	tokens     *prometheus.CounterVec   // model, type
	attempts   *prometheus.CounterVec   // model, backend, outcome
	retries    *prometheus.CounterVec   // model, reason
	streams    *prometheus.CounterVec   // model, outcome
	queueWait  *prometheus.HistogramVec // model

	rateLimited *prometheus.CounterVec // model, limit
	diverted    *prometheus.CounterVec // model, served_by
	refused     *prometheus.CounterVec // what: configuration that was changed for the worse

	models atomic.Pointer[map[string]*modelMetrics] // of the table in force, and unknownModel
}

// The files that are watched, as labels.
const (
	keyFile     = "keys"
	certificate = "certificate"
)

// modelMetrics are the series of one model that requests and tokens write to. They are looked up once per request, not
// with each token.
type modelMetrics struct {
	label              string
	firstToken         prometheus.Observer
	interToken         prometheus.Observer
	overhead           prometheus.Observer
	queueWait          prometheus.Observer
	prompt, completion prometheus.Counter

	of       *metrics
	requests series[ended, prometheus.Counter]
	duration series[string, prometheus.Observer] // by endpoint
	attempts series[attempted, prometheus.Counter]
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		reg.MustRegister(v)
		return v
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
		reg.MustRegister(v)
		return v
	}
	answers := []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 40, 80, 160, 300}
	gaps := []float64{.001, .0025, .005, .01, .025, .05, .075, .1, .15, .25, .5, 1, 2.5, 10}
	own := []float64{.00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .1, 1}
	waits := []float64{.001, .005, .025, .1, .25, .5, 1, 2.5, 5, 10, 20, 30, 60, 300}
	m := &metrics{
		requests: counter("fluidmcp_requests_total",
			"Inference requests by the status sent; 499 for a client that left.", "model", "endpoint", "code"),
		duration: histogram("fluidmcp_request_duration_seconds",
			"Time from a request's header to the end of its answer.", answers, "model", "endpoint"),
		errors: counter("fluidmcp_errors_total",
			"Inference requests that failed, by reason.", "model", "reason"),
		firstToken: histogram("fluidmcp_time_to_first_token_seconds",
			"Time from a request's header to the first token of its stream.", answers, "model"),
		interToken: histogram("fluidmcp_inter_token_seconds",
			"Time between two tokens of a stream.", gaps, "model"),
		overhead: histogram("fluidmcp_gateway_overhead_seconds",
			"Time that the gateway itself took until it began to answer: neither client nor model server was waited for.", own, "model"),
		tokens: counter("fluidmcp_tokens_total",
			"Tokens as model servers report them.", "model", "type"),
		attempts: counter("fluidmcp_upstream_attempts_total",
			"Requests to model servers, by how they went.", "model", "backend", "outcome"),
		retries: counter("fluidmcp_retries_total",
			"Requests that were sent to another backend, by reason.", "model", "reason"),
		streams: counter("fluidmcp_streams_total",
			"Event streams, by how they ended.", "model", "outcome"),
		queueWait: histogram("fluidmcp_queue_wait_seconds",
			"Time that a request waited for its turn at the model.", waits, "model"),
		rateLimited: counter("fluidmcp_rate_limited_total",
			"Requests over a limit of their key, by the limit.", "model", "limit"),
		diverted: counter("fluidmcp_diverted_requests_total",
			"Requests for a model that another one has answered: a canary, or one that stands in.", "model", "served_by"),
		refused: counter("fluidmcp_reload_failures_total",
			"Changed files that could not be used, so that what was in force stays.", "file"),
	}
	m.refused.WithLabelValues(keyFile)
	m.refused.WithLabelValues(certificate)
	m.models.Store(&map[string]*modelMetrics{unknownModel: m.begin(unknownModel)})
	return m
}

// of returns the series of a declared model, and those of unknownModel for any other name.
func (m *metrics) of(model string) *modelMetrics {
	models := *m.models.Load()
	if known := models[model]; known != nil {
		return known
	}
	return models[unknownModel]
}

// begin makes the series of a model, also of rare events. One that appears with its first event would hide it: rates are
// reckoned from differences.
func (m *metrics) begin(model string) *modelMetrics {
	for _, reason := range reasons {
		m.errors.WithLabelValues(model, reason)
	}
	for _, reason := range retryReasons {
		m.retries.WithLabelValues(model, reason)
	}
	for _, outcome := range relay.Outcomes {
		m.streams.WithLabelValues(model, string(outcome))
	}
	for _, limit := range admission.Limits {
		m.rateLimited.WithLabelValues(model, string(limit))
	}
	return &modelMetrics{
		of:         m,
		label:      model,
		firstToken: m.firstToken.WithLabelValues(model),
		interToken: m.interToken.WithLabelValues(model),
		overhead:   m.overhead.WithLabelValues(model),
		queueWait:  m.queueWait.WithLabelValues(model),
		prompt:     m.tokens.WithLabelValues(model, "prompt"),
		completion: m.tokens.WithLabelValues(model, "completion"),
	}
}

// keep begins the series of models that are new in the table and deletes those of models that are not in it any more. It
// is called for each table, one after another.
func (m *metrics) keep(table *routing.Table) {
	before := *m.models.Load()
	now := map[string]*modelMetrics{unknownModel: before[unknownModel]}
	for _, model := range table.Models {
		now[model.ID] = before[model.ID]
		if now[model.ID] == nil {
			now[model.ID] = m.begin(model.ID)
		}
	}
	m.models.Store(&now)
	for id := range before {
		if now[id] == nil {
			m.forget(prometheus.Labels{"model": id})
		}
	}
}

func (m *metrics) forget(labels prometheus.Labels) {
	for _, vec := range []interface {
		DeletePartialMatch(labels prometheus.Labels) int
	}{m.requests, m.duration, m.errors, m.firstToken, m.interToken, m.overhead, m.tokens, m.attempts, m.retries, m.streams, m.queueWait, m.rateLimited, m.diverted} {
		vec.DeletePartialMatch(labels)
	}
}
