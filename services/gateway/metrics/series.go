package metrics

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The labels of a request that ended, and of an attempt, beside the model.
type (
	ended struct {
		endpoint string
		status   int
	}
	attempted struct{ backend, outcome string }
)

// series are those of some labels that have come up, so that the registry is not asked each time.
type series[K comparable, V any] struct {
	mu    sync.RWMutex
	known map[K]V
}

func (s *series[K, V]) get(labels K, make func(K) V) V {
	s.mu.RLock()
	v, ok := s.known[labels]
	s.mu.RUnlock()
	if ok {
		return v
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[K]V{}
	}
	v = make(labels)
	s.known[labels] = v
	return v
}

// Ended counts a request.
func (m *Model) Ended(endpoint string, status int, took time.Duration) {
	m.requests.get(ended{endpoint, status}, func(l ended) prometheus.Counter {
		return m.of.requests.WithLabelValues(m.Label, l.endpoint, strconv.Itoa(l.status))
	}).Inc()
	m.duration.get(endpoint, func(endpoint string) prometheus.Observer {
		return m.of.duration.WithLabelValues(m.Label, endpoint)
	}).Observe(took.Seconds())
}

// Attempted counts an attempt.
func (m *Model) Attempted(backend, outcome string) {
	m.attempts.get(attempted{backend, outcome}, func(l attempted) prometheus.Counter {
		return m.of.attempts.WithLabelValues(m.Label, l.backend, l.outcome)
	}).Inc()
}
