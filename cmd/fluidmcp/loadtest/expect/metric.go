package expect

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/result"
)

// dimension is what a figure counts, and with that how a bound for it is written.
type dimension struct {
	unit string                              // of the figure
	read func(bound string) (float64, error) // in that unit
	hint string
}

var (
	duration = dimension{"ms", readDuration, "a time such as 500ms or 1.5s"}
	share    = dimension{"share", readShare, "a share such as 1% or 0.01"}
	plain    = dimension{"", readNumber, "a number without a unit"}
)

func readDuration(text string) (float64, error) {
	d, err := time.ParseDuration(text)
	return d.Seconds() * 1000, err
}

func readShare(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	v, err := readNumber(strings.TrimSpace(number))
	if percent {
		v /= 100
	}
	return v, err
}

func readNumber(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		err = strconv.ErrRange
	}
	return v, err
}

var latencies = []string{result.TTFT, result.ITL, result.TPOT, result.E2E, result.TTFTScheduled, result.E2EScheduled}

var statistics = []struct {
	name string
	of   func(d result.Distribution) float64
}{
	{"min", func(d result.Distribution) float64 { return d.Min }},
	{"mean", func(d result.Distribution) float64 { return d.Mean }},
	{"p50", func(d result.Distribution) float64 { return d.P50 }},
	{"p75", func(d result.Distribution) float64 { return d.P75 }},
	{"p90", func(d result.Distribution) float64 { return d.P90 }},
	{"p95", func(d result.Distribution) float64 { return d.P95 }},
	{"p99", func(d result.Distribution) float64 { return d.P99 }},
	{"p999", func(d result.Distribution) float64 { return d.P999 }},
	{"max", func(d result.Distribution) float64 { return d.Max }},
}

var counts = []struct {
	name string
	dimension
	of func(s *result.Summary) float64
}{
	{"error_rate", share, func(s *result.Summary) float64 { return s.ErrorRate }},
	{"errors", plain, func(s *result.Summary) float64 { return float64(s.Requests.Failed) }},
	{"requests", plain, func(s *result.Summary) float64 { return float64(s.Requests.OK) }},
	{"requests_per_second", plain, func(s *result.Summary) float64 { return s.RequestsPerSecond }},
	{"tokens_per_second", plain, func(s *result.Summary) float64 { return s.TokensPerSecond }},
}

// metric is a figure that expressions can name.
type metric struct {
	name    string
	latency string // "" for figures that every run has
	dimension
	of func(s *result.Summary) (value float64, measured bool)
}

func lookUp(name string) (metric, bool) {
	for _, c := range counts {
		if c.name == name {
			return metric{name, "", c.dimension, func(s *result.Summary) (float64, bool) { return c.of(s), true }}, true
		}
	}
	for _, latency := range latencies {
		for _, stat := range statistics {
			if name == latency+"_"+stat.name {
				return metric{name, latency, duration, func(s *result.Summary) (float64, bool) {
					d, ok := s.Latencies[latency]
					return stat.of(d), ok
				}}, true
			}
		}
	}
	return metric{}, false
}

// Names lists what expressions can name, for people.
func Names() string {
	var stats, others []string
	for _, s := range statistics {
		stats = append(stats, "_"+s.name)
	}
	for _, c := range counts {
		others = append(others, c.name)
	}
	return strings.Join(latencies, ", ") + " with " + strings.Join(stats, ", ") + " (such as ttft_p99); " + strings.Join(others, ", ")
}
