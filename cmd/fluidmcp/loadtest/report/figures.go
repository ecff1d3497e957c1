package report

import (
	"fmt"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/result"
)

// titles are the latencies in the order of the tables.
var titles = []struct{ name, title, about string }{
	{result.TTFT, "TTFT", "time to the first token"},
	{result.TTFTScheduled, "TTFT, scheduled", "the same from when the request was due"},
	{result.ITL, "ITL", "between two chunks of text"},
	{result.TPOT, "TPOT", "per output token after the first"},
	{result.E2E, "E2E", "to the end of the answer"},
	{result.E2EScheduled, "E2E, scheduled", "the same from when the request was due"},
}

// A wide column has no room in a terminal of 80 columns.
var columns = []struct {
	Name string
	Wide bool
	of   func(d result.Distribution) float64
}{
	{"mean", false, func(d result.Distribution) float64 { return d.Mean }},
	{"min", true, func(d result.Distribution) float64 { return d.Min }},
	{"p50", false, func(d result.Distribution) float64 { return d.P50 }},
	{"p75", true, func(d result.Distribution) float64 { return d.P75 }},
	{"p90", false, func(d result.Distribution) float64 { return d.P90 }},
	{"p95", false, func(d result.Distribution) float64 { return d.P95 }},
	{"p99", false, func(d result.Distribution) float64 { return d.P99 }},
	{"p99.9", false, func(d result.Distribution) float64 { return d.P999 }},
	{"max", false, func(d result.Distribution) float64 { return d.Max }},
}

// row is one latency of a table, in milliseconds.
type row struct {
	Title, About string
	Count        int64
	Cells        []string
}

func (r *Report) rows() []row {
	var all []row
	for _, t := range titles {
		d, ok := r.Latencies[t.name]
		if !ok {
			continue
		}
		line := row{Title: t.title, About: t.about, Count: d.Count}
		for _, c := range columns {
			line.Cells = append(line.Cells, number(c.of(d)))
		}
		all = append(all, line)
	}
	return all
}

// number has three digits that matter, or all in front of the point.
func number(v float64) string {
	switch {
	case v >= 100 || v == 0:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

func percent(share float64) string {
	if share == 0 {
		return "0 %"
	}
	return number(share*100) + " %"
}
