package metrics

import (
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/metrics/promclient"
)

// Asleep notes that the engines sleep at a level: 1 offloads weights, 2 discards them; 0 stops scheduling alone.
func (m *Metrics) Asleep(level int) { m.sleep(0, level) }

// Awake notes that the engines are wholly awake again.
func (m *Metrics) Awake() { m.sleep(1, 0) }

func (m *Metrics) sleep(awake float64, level int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for rank := range m.opts.Ranks {
		m.engines.awake[rank].Set(awake)
		m.engines.offloaded[rank].Set(is(level == 1))
		m.engines.discarded[rank].Set(is(level == 2))
	}
}

func is(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Operations are a kind of requests of the development mode that are counted.
type Operations int

// Kinds of operations.
const (
	SleepMode     Operations = iota // sleep, release_kv_cache_memory, wake (vllm/entrypoints/serve/dev/sleep/metrics.py)
	WeightUpdates                   // init, shutdown, start, start_draft, update, finish (vllm/entrypoints/rl/online/metrics.py)
)

// operations are the families of a kind. They come to be with its first operation, behind all others.
type operations struct{ duration, inFlight *promclient.Family }

// Operation counts an operation that begins. What it returns is to be called once that is over.
func (m *Metrics) Operation(kind Operations, name string) (over func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := &m.operations[kind]
	if o.duration == nil {
		subject, words := "sleep_mode", "Sleep-mode operation"
		if kind == WeightUpdates {
			subject, words = "rl_weight_update", "Weight-transfer operation"
		}
		o.duration = &promclient.Family{Name: "vllm:" + subject + "_operation_duration_seconds", Help: "Duration of one " + strings.ToLower(words) + ".",
			Kind: promclient.Histogram, Bounds: []float64{.01, .1, 1, 10, 30, 60, 120, 300, 600}}
		o.inFlight = &promclient.Family{Name: "vllm:" + subject + "_operations_in_flight", Help: words + "s currently awaited.", Kind: promclient.Gauge}
		m.families = append(m.families, o.duration, o.inFlight)
	}
	begun, labels := m.opts.Now(), promclient.Labels{"operation": name}
	active := o.inFlight.Of(labels)
	active.Inc()
	return func() {
		took := m.opts.Now().Sub(begun)
		m.mu.Lock()
		defer m.mu.Unlock()
		active.Dec()
		o.duration.Of(labels).Observe(took.Seconds())
	}
}
