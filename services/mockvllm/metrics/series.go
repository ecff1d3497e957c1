package metrics

import (
	"slices"
	"strings"
	"time"
)

// kind is the type of a family.
type kind string

const (
	counter   kind = "counter"
	gauge     kind = "gauge"
	histogram kind = "histogram"
	summary   kind = "summary"
)

// family is a metric with all its label sets, in the order in which they came to be.
type family struct {
	name, help string // a counter's name is without _total
	kind       kind
	bounds     []float64 // of a histogram's buckets, without the infinite one
	undated    bool      // it has no _created: what Python collects about itself
	series     []*series
}

// series is one label set of a family.
type series struct {
	labels  string    // name="value", sorted by name, as they stand between the braces
	value   float64   // or the sum of what was observed
	count   uint64    // observations of a histogram or summary
	created float64   // Unix time in seconds
	bounds  []float64 // a histogram's, its family's
	le      []string  // the labels of each bucket
	buckets []uint64  // observations in each bucket, not in those below; the last has no bound
}

// label is a name and its value.
type label struct{ name, value string }

// with adds a label set at zero.
func (f *family) with(labels ...label) *series {
	s := &series{labels: join(labels), created: unix(time.Now()), bounds: f.bounds}
	if f.kind == histogram {
		s.buckets = make([]uint64, len(f.bounds)+1)
		for _, bound := range f.bounds {
			s.le = append(s.le, join(labels, label{"le", string(appendFloat(nil, bound))}))
		}
		s.le = append(s.le, join(labels, label{"le", "+Inf"}))
	}
	f.series = append(f.series, s)
	return s
}

// of finds a label set or adds it.
func (f *family) of(labels ...label) *series {
	text := join(labels)
	for _, s := range f.series {
		if s.labels == text {
			return s
		}
	}
	return f.with(labels...)
}

func (s *series) inc()          { s.value++ }
func (s *series) add(n int)     { s.value += float64(n) }
func (s *series) set(v float64) { s.value = v }

func (s *series) observe(v float64) { s.observeTimes(1, v) }

func (s *series) observeTimes(n int, v float64) {
	s.value += float64(n) * v
	s.count += uint64(n) //nolint:gosec // not negative
	if s.buckets != nil {
		s.buckets[s.bucket(v)] += uint64(n) //nolint:gosec // as above
	}
}

// bucket is the place of the first bound that is not below v.
func (s *series) bucket(v float64) int {
	if len(s.bounds) > 0 && v <= s.bounds[0] { // as most are where nothing takes time
		return 0
	}
	at, _ := slices.BinarySearch(s.bounds, v)
	return at
}

var escapeValue = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func join(labels []label, more ...label) string {
	sorted := slices.Concat(labels, more)
	slices.SortFunc(sorted, func(a, b label) int { return strings.Compare(a.name, b.name) })
	var b strings.Builder
	for i, l := range sorted {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(l.name + `="` + escapeValue.Replace(l.value) + `"`)
	}
	return b.String()
}

// unix is Python's time.time().
func unix(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }
