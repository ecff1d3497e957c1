package metrics

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fluidmcp/fluidmcp/services/gateway/admission"
	"github.com/fluidmcp/fluidmcp/services/gateway/relay"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

// Metrics are counted as requests pass. What is a state and not an event is in state.go.
type Metrics struct {
	requests   *prometheus.CounterVec   // model, endpoint, code
	duration   *prometheus.HistogramVec // model, endpoint
	Errors     *prometheus.CounterVec   // model, reason
	firstToken *prometheus.HistogramVec // model
	interToken *prometheus.HistogramVec // model
	overhead   *prometheus.HistogramVec // model
	tokens     *prometheus.CounterVec   // model, type
	attempts   *prometheus.CounterVec   // model, backend, outcome
	Retries    *prometheus.CounterVec   // model, reason
	Streams    *prometheus.CounterVec   // model, outcome
	queueWait  *prometheus.HistogramVec // model

	RateLimited *prometheus.CounterVec // model, limit
	Diverted    *prometheus.CounterVec // model, served_by
	Refused     *prometheus.CounterVec // what: configuration that was changed for the worse

	reasons, retryReasons []string

	models atomic.Pointer[map[string]*Model] // of the table in force, and Unknown
}

// Unknown labels what cannot be told by a declared model. A client's string is never a label.
const Unknown = "unknown"

// The files that are watched, as labels.
const (
	KeyFile         = "keys"
	CertificateFile = "certificate"
)

// Model is the series of one model that requests and tokens write to. They are looked up once per request, not
// with each token.
type Model struct {
	Label              string
	FirstToken         prometheus.Observer
	InterToken         prometheus.Observer
	Overhead           prometheus.Observer
	QueueWait          prometheus.Observer
	Prompt, Completion prometheus.Counter

	of       *Metrics
	requests series[ended, prometheus.Counter]
	duration series[string, prometheus.Observer] // by endpoint
	attempts series[attempted, prometheus.Counter]
}

// New registers what is counted. reasons are all of errors, retries all of retries, so that each begins at zero.
func New(reg prometheus.Registerer, reasons, retries []string) *Metrics {
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
	m := &Metrics{
		reasons:      reasons,
		retryReasons: retries,
		requests: counter("fluidmcp_requests_total",
			"Inference requests by the status sent; 499 for a client that left.", "model", "endpoint", "code"),
		duration: histogram("fluidmcp_request_duration_seconds",
			"Time from a request's header to the end of its answer.", answers, "model", "endpoint"),
		Errors: counter("fluidmcp_errors_total",
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
		Retries: counter("fluidmcp_retries_total",
			"Requests that were sent to another backend, by reason.", "model", "reason"),
		Streams: counter("fluidmcp_streams_total",
			"Event streams, by how they ended.", "model", "outcome"),
		queueWait: histogram("fluidmcp_queue_wait_seconds",
			"Time that a request waited for its turn at the model.", waits, "model"),
		RateLimited: counter("fluidmcp_rate_limited_total",
			"Requests over a limit of their key, by the limit.", "model", "limit"),
		Diverted: counter("fluidmcp_diverted_requests_total",
			"Requests for a model that another one has answered: a canary, or one that stands in.", "model", "served_by"),
		Refused: counter("fluidmcp_reload_failures_total",
			"Changed files that could not be used, so that what was in force stays.", "file"),
	}
	m.Refused.WithLabelValues(KeyFile)
	m.Refused.WithLabelValues(CertificateFile)
	m.models.Store(&map[string]*Model{Unknown: m.begin(Unknown)})
	return m
}

// Of returns the series of a declared model, and those of Unknown for any other name.
func (m *Metrics) Of(model string) *Model {
	models := *m.models.Load()
	if known := models[model]; known != nil {
		return known
	}
	return models[Unknown]
}

// begin makes the series of a model, also of rare events. One that appears with its first event would hide it: rates are
// reckoned from differences.
func (m *Metrics) begin(model string) *Model {
	for _, reason := range m.reasons {
		m.Errors.WithLabelValues(model, reason)
	}
	for _, reason := range m.retryReasons {
		m.Retries.WithLabelValues(model, reason)
	}
	for _, outcome := range relay.Outcomes {
		m.Streams.WithLabelValues(model, string(outcome))
	}
	for _, limit := range admission.Limits {
		m.RateLimited.WithLabelValues(model, string(limit))
	}
	return &Model{
		of:         m,
		Label:      model,
		FirstToken: m.firstToken.WithLabelValues(model),
		InterToken: m.interToken.WithLabelValues(model),
		Overhead:   m.overhead.WithLabelValues(model),
		QueueWait:  m.queueWait.WithLabelValues(model),
		Prompt:     m.tokens.WithLabelValues(model, "prompt"),
		Completion: m.tokens.WithLabelValues(model, "completion"),
	}
}

// Keep begins the series of models that are new in the table and deletes those of models that are not in it any more. It
// is called for each table, one after another.
func (m *Metrics) Keep(table *routing.Table) {
	before := *m.models.Load()
	now := map[string]*Model{Unknown: before[Unknown]}
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

func (m *Metrics) forget(labels prometheus.Labels) {
	for _, vec := range []interface {
		DeletePartialMatch(labels prometheus.Labels) int
	}{m.requests, m.duration, m.Errors, m.firstToken, m.interToken, m.overhead, m.tokens, m.attempts, m.Retries, m.Streams, m.queueWait, m.RateLimited, m.Diverted} {
		vec.DeletePartialMatch(labels)
	}
}
