package promclient

import (
	"maps"
	"slices"
	"sort"
	"strings"
	"time"
)

// Kind is the type of a family.
type Kind string

// The kinds of families that vLLM has.
const (
	Counter   Kind = "counter"
	Gauge     Kind = "gauge"
	Histogram Kind = "histogram"
	Summary   Kind = "summary"
)

// Family is a metric with all its label sets, in the order in which they came to be.
type Family struct {
	Name, Help string // a counter's name is without _total
	Kind       Kind
	Bounds     []float64 // of a histogram's buckets, without the infinite one
	undated    bool      // it has no _created: what Python collects about itself
	series     []*Series
}

// Series is one label set of a family.
type Series struct {
	labels  string    // name="value", sorted by name, as they stand between the braces
	value   float64   // or the sum of what was observed
	count   uint64    // observations of a histogram or summary
	created float64   // Unix time in seconds
	bounds  []float64 // a histogram's, its family's
	le      []string  // the labels of each bucket
	buckets []uint64  // observations in each bucket, not in those below; the last has no bound
}

// Labels are values by name.
type Labels map[string]string

// Len is how many label sets the family has.
func (f *Family) Len() int { return len(f.series) }

// With adds a label set at zero.
func (f *Family) With(labels Labels) *Series {
	s := &Series{labels: join(labels, ""), created: Unix(time.Now()), bounds: f.Bounds}
	if f.Kind == Histogram {
		s.buckets = make([]uint64, len(f.Bounds)+1)
		for _, bound := range f.Bounds {
			s.le = append(s.le, join(labels, string(appendFloat(nil, bound))))
		}
		s.le = append(s.le, join(labels, "+Inf"))
	}
	f.series = append(f.series, s)
	return s
}

// Of finds a label set or adds it.
func (f *Family) Of(labels Labels) *Series {
	text := join(labels, "")
	for _, s := range f.series {
		if s.labels == text {
			return s
		}
	}
	return f.With(labels)
}

// Inc adds one to a counter or gauge.
func (s *Series) Inc() { s.value++ }

// Dec takes one from a gauge.
func (s *Series) Dec() { s.value-- }

// Add adds n to a counter.
func (s *Series) Add(n int) { s.value += float64(n) }

// Set sets a gauge.
func (s *Series) Set(v float64) { s.value = v }

// Observe notes a value in a histogram or summary.
func (s *Series) Observe(v float64) { s.ObserveTimes(1, v) }

// ObserveTimes notes the same value n times, n not being negative.
func (s *Series) ObserveTimes(n int, v float64) {
	s.value += float64(n) * v
	s.count += uint64(n) // not negative
	if s.buckets != nil {
		s.buckets[s.bucket(v)] += uint64(n)
	}
}

// bucket is the place of the first bound that is not below v.
func (s *Series) bucket(v float64) int {
	if len(s.bounds) > 0 && v <= s.bounds[0] { // as most are where nothing takes time
		return 0
	}
	return sort.SearchFloat64s(s.bounds, v)
}

var escapeValue = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// join writes labels as they stand between the braces; le is that of a bucket, "" for none.
func join(labels Labels, le string) string {
	names := slices.Collect(maps.Keys(labels))
	if le != "" {
		names = append(names, "le")
	}
	slices.Sort(names)
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		value, ok := labels[name]
		if !ok {
			value = le
		}
		b.WriteString(name + `="` + escapeValue.Replace(value) + `"`)
	}
	return b.String()
}

// Unix is Python's time.time(), in seconds.
func Unix(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }
