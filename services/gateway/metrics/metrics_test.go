package metrics_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway/metrics"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// table is one that has these models.
func table(t *testing.T, ids ...string) *routing.Table {
	t.Helper()
	r := routing.NewRouter()
	var s fleet.Snapshot
	for _, id := range ids {
		s.Models = append(s.Models, fleet.Model{ID: id})
	}
	require.NoError(t, r.Apply(s))
	return r.Table()
}

// use writes to each series that there is.
func use(m *metrics.Metrics, id string) {
	of := m.Of(id)
	of.Ended("chat_completions", 200, time.Second)
	of.Attempted(id+"-0", "ok")
	for _, o := range []prometheus.Observer{of.FirstToken, of.InterToken, of.Overhead, of.QueueWait} {
		o.Observe(1)
	}
	of.Prompt.Inc()
	of.Completion.Inc()
	m.Errors.WithLabelValues(of.Label, "a").Inc()
	m.Retries.WithLabelValues(of.Label, "b").Inc()
	m.Streams.WithLabelValues(of.Label, "completed").Inc()
	m.RateLimited.WithLabelValues(of.Label, "tokens").Inc()
	m.Diverted.WithLabelValues(of.Label, "other").Inc()
}

// families are the names of the metrics that have series of a model, and the value of each counter.
func families(t *testing.T, reg *prometheus.Registry, model string) map[string]float64 {
	t.Helper()
	all, err := reg.Gather()
	require.NoError(t, err)
	found := map[string]float64{}
	for _, family := range all {
		for _, series := range family.GetMetric() {
			for _, label := range series.GetLabel() {
				if label.GetName() == "model" && label.GetValue() == model {
					found[family.GetName()] += series.GetCounter().GetValue()
				}
			}
		}
	}
	return found
}

// TestKeep: no kind of series outlives its model, and one that comes back begins anew.
func TestKeep(t *testing.T) {
	reg := prometheus.NewRegistry()
	m := metrics.New(reg, []string{"a"}, []string{"b"})
	m.Keep(table(t, "one", "two"))
	use(m, "one")
	use(m, "two")
	use(m, "never-declared")
	all, err := reg.Gather()
	require.NoError(t, err)
	before := families(t, reg, "one")
	require.Len(t, before, len(all)-1, "the use above leaves out a metric of models; all but the one of files are")
	require.Equal(t, before, families(t, reg, metrics.Unknown), "what is not declared is counted as unknown")

	m.Keep(table(t, "two"))
	require.Empty(t, families(t, reg, "one"), "series are left")
	require.Equal(t, before, families(t, reg, "two"), "who stays goes on")
	use(m, "one")
	require.Empty(t, families(t, reg, "one"), "a request that ends after its model has gone makes series again")

	m.Keep(table(t, "one", "two"))
	require.Zero(t, families(t, reg, "one")["fluidmcp_errors_total"])
	use(m, "one")
	require.Equal(t, before, families(t, reg, "one"))
}

// TestNames holds the names and helps to what Prometheus advises.
func TestNames(t *testing.T) {
	reg := prometheus.NewRegistry()
	m := metrics.New(reg, []string{"a"}, []string{"b"})
	use(m, metrics.Unknown)
	problems, err := testutil.GatherAndLint(reg)
	require.NoError(t, err)
	require.Empty(t, problems)
}
