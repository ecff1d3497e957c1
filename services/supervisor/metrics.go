package supervisor

import (
	"strings"
	"time"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rollout"
	"github.com/fluidmcp/fluidmcp/services/supervisor/store"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// metrics are what the supervisor counts. Labels come from the models file and from the closed lists of phases and reasons.
type metrics struct {
	restarts *prometheus.CounterVec
	failures *prometheus.CounterVec
	start    *prometheus.HistogramVec
	rollouts *prometheus.CounterVec
	refused  prometheus.Counter // models files
	retires  *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, b *board.Board, kept *store.Store) *metrics {
	m := &metrics{
		restarts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fluidmcp_model_restarts_total",
			Help: "Starts of a model server after its first, by what made them necessary: a failure, or requested, reconfigured, on_demand, supervisor_restarted.",
		}, []string{"model", "reason"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fluidmcp_model_failures_total",
			Help: "Failures of a model server, by reason, those after which it stays down too.",
		}, []string{"model", "reason"}),
		start: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "fluidmcp_model_start_seconds",
			Help:    "Time from starting a model server to its being ready.",
			Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 900, 1800},
		}, []string{"model"}),
		rollouts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fluidmcp_model_rollouts_total",
			Help: "Times that the servers of a model were replaced, by how that ended: done, failed or canceled.",
		}, []string{"model", "outcome"}),
		retires: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fluidmcp_model_retirements_total",
			Help: "Times that a model on demand was stopped or put to sleep; idle: nobody asked for it, evicted: another one needed its place.",
		}, []string{"model", "reason"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fluidmcp_reload_failures_total", ConstLabels: prometheus.Labels{"file": "models"},
			Help: "Versions of a file that were refused, so that the one before stays in force.",
		}),
	}
	reg.MustRegister(m.restarts, m.failures, m.start, m.rollouts, m.retires, m.refused, lives{b}, writeFailures("events", kept.Events.Failures), writeFailures("models", kept.Models.Failures))
	return m
}

// writeFailures counts the writes to a file of the state folder that failed.
func writeFailures(file string, count func() uint64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name:        "fluidmcp_state_write_failures_total",
		Help:        "Writes to the state folder that failed; what they were to save is in memory alone until one succeeds.",
		ConstLabels: prometheus.Labels{"file": file},
	}, func() float64 { return float64(count()) })
}

// Begin implements reconcile.Metrics. It makes the series of a model whose servers are started here. One that appears with the first
// restart would hide it: rates are reckoned from differences.
func (m *metrics) Begin(model *board.Model) {
	if model.Driver == manifest.External {
		return
	}
	for _, why := range unit.Launches {
		m.restarts.WithLabelValues(model.ID, snake(string(why)))
	}
	for _, why := range unit.Failures {
		m.failures.WithLabelValues(model.ID, snake(string(why)))
	}
	for _, outcome := range []rollout.State{rollout.Done, rollout.Failed, rollout.Canceled} {
		m.rollouts.WithLabelValues(model.ID, string(outcome))
	}
	for _, why := range []unit.Reason{unit.Idle, unit.Evicted} {
		m.retires.WithLabelValues(model.ID, snake(string(why)))
	}
}

// Forget implements reconcile.Metrics. It drops the series of a model that is there no longer.
func (m *metrics) Forget(model string) {
	m.restarts.DeletePartialMatch(prometheus.Labels{"model": model})
	m.failures.DeletePartialMatch(prometheus.Labels{"model": model})
	m.start.DeleteLabelValues(model)
	m.rollouts.DeletePartialMatch(prometheus.Labels{"model": model})
	m.retires.DeletePartialMatch(prometheus.Labels{"model": model})
}

func (m *metrics) retired(model string, why unit.Reason) {
	m.retires.WithLabelValues(model, snake(string(why))).Inc()
}

// Restarted implements servers.Metrics.
func (m *metrics) Restarted(model string, why unit.Reason) {
	m.restarts.WithLabelValues(model, snake(string(why))).Inc()
}

// Failed implements servers.Metrics.
func (m *metrics) Failed(model string, why unit.Reason) {
	m.failures.WithLabelValues(model, snake(string(why))).Inc()
}

// Started implements servers.Metrics.
func (m *metrics) Started(model string, took time.Duration) {
	m.start.WithLabelValues(model).Observe(took.Seconds())
}

// snake turns GPUOutOfMemory into gpu_out_of_memory.
func snake(s string) string {
	var out strings.Builder
	for i, c := range s {
		inside := i+1 == len(s) || unicode.IsUpper(rune(s[i+1])) // of an abbreviation, or its begin
		if unicode.IsUpper(c) && i > 0 && (!inside || unicode.IsLower(rune(s[i-1]))) {
			out.WriteByte('_')
		}
		out.WriteRune(unicode.ToLower(c))
	}
	return out.String()
}

var (
	phaseDesc = prometheus.NewDesc("fluidmcp_model_phase",
		"1 for the phase that a model server is in, 0 for the others.", []string{"model", "instance", "phase"}, nil)
	uptimeDesc = prometheus.NewDesc("fluidmcp_model_uptime_seconds",
		"Time since a model server became ready; 0 when it is not.", []string{"model", "instance"}, nil)
)

// lives reads phases and uptimes from the board when somebody asks.
type lives struct{ board *board.Board }

// Describe implements prometheus.Collector.
func (lives) Describe(out chan<- *prometheus.Desc) {
	out <- phaseDesc
	out <- uptimeDesc
}

// Collect implements prometheus.Collector.
func (l lives) Collect(out chan<- prometheus.Metric) {
	l.board.Each(func(m *board.Model) {
		for _, i := range m.Servers {
			collect(i, out, m.ID)
		}
	})
}

func collect(i *board.Instance, out chan<- prometheus.Metric, model string) {
	for _, phase := range board.Phases {
		value := 0.
		if i.Status.Phase == phase {
			value = 1
		}
		out <- prometheus.MustNewConstMetric(phaseDesc, prometheus.GaugeValue, value, model, i.ID, string(phase))
	}
	up := 0.
	if i.Status.Routable() {
		up = time.Since(i.Status.ReadyAt).Seconds()
	}
	out <- prometheus.MustNewConstMetric(uptimeDesc, prometheus.GaugeValue, up, model, i.ID)
}
