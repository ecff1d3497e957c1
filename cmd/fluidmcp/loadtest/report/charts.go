package report

import (
	"fmt"
	"math"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/result"
)

// pair is a latency and the same from the schedule, which share a chart.
type pair struct{ title, short, about, sent, scheduled string }

var pairs = []pair{
	{"Time to first token", "TTFT", "to the first text", result.TTFT, result.TTFTScheduled},
	{"Inter-token latency", "ITL", "between two chunks of text", result.ITL, ""},
	{"End to end", "E2E", "to the end of the answer", result.E2E, result.E2EScheduled},
}

// users is which of the two its users felt: that from the schedule, where there is one.
func (r *Report) users(p pair) (name, title string) {
	if _, ok := r.Latencies[p.scheduled]; ok {
		return p.scheduled, p.short + ", scheduled"
	}
	return p.sent, p.short
}

// percentileCharts show each latency against the share of requests that were at least as fast, with each nine as wide as the one
// before it.
func (r *Report) percentileCharts() (all []chart) {
	for _, p := range pairs {
		d, ok := r.Latencies[p.sent]
		if !ok {
			continue
		}
		nines := math.Max(2, math.Log10(float64(d.Count)))
		name := "from sending"
		if p.scheduled == "" {
			name = p.short
		}
		lines := []line{curve(name, "a", d, nines)}
		if s, ok := r.Latencies[p.scheduled]; ok {
			lines = append(lines, curve("from schedule", "b", s, nines))
		}
		var ticks []tick
		for _, percentile := range []float64{0, 50, 90, 99, 99.9, 99.99, 99.999} {
			if at := nine(percentile); at <= nines+1e-9 {
				ticks = append(ticks, tick{at, fmt.Sprintf("%g", percentile)})
			}
		}
		all = append(all, draw(p.title, "ms", p.about, "percentile", nines, ticks, lines))
	}
	return all
}

// nine is how many nines a percentile has: 1 for 90, 2 for 99.
func nine(percentile float64) float64 { return -math.Log10(1 - percentile/100) }

func curve(name, class string, d result.Distribution, nines float64) line {
	l := line{name: name, class: class}
	for _, p := range d.Curve {
		at := nine(p.Percentile)
		label := fmt.Sprintf("p%.5g: %s ms", p.Percentile, number(p.Value))
		if at >= nines || p.Percentile >= 100 {
			l.points = append(l.points, point{nines, p.Value, label})
			break
		}
		l.points = append(l.points, point{at, p.Value, label})
	}
	return l
}

// latenciesOverTime show how each latency went, by when requests ended and tokens came.
func (r *Report) latenciesOverTime() (all []chart) {
	for _, p := range pairs {
		name, _ := r.users(p)
		if _, ok := r.Latencies[name]; !ok {
			continue
		}
		about := p.about
		if name == p.scheduled {
			about = "from the schedule " + about
		}
		half, tail := line{name: "p50", class: "a"}, line{name: "p99", class: "b"}
		for _, in := range r.Series.Intervals {
			b, ok := in.Latencies[name]
			if !ok {
				b = result.Brief{P50: math.NaN(), P99: math.NaN()}
			}
			half.points = append(half.points, r.during(in, b.P50, "ms"))
			tail.points = append(tail.points, r.during(in, b.P99, "ms"))
		}
		all = append(all, r.overTime(p.title, "ms", about, half, tail))
	}
	return all
}

// throughputOverTime shows what the server got done.
func (r *Report) throughputOverTime() []chart {
	ok, failed := line{name: "ok", class: "c"}, line{name: "failed", class: "d"}
	tokens := line{name: "output tokens", class: "c"}
	for _, in := range r.Series.Intervals {
		ok.points = append(ok.points, r.during(in, in.RequestsPerSecond, "per second"))
		failed.points = append(failed.points, r.during(in, in.FailedPerSecond, "per second"))
		tokens.points = append(tokens.points, r.during(in, in.TokensPerSecond, "per second"))
	}
	requests := []line{ok}
	if r.Requests.Failed > 0 {
		requests = append(requests, failed)
	}
	return []chart{
		r.overTime("Requests", "per second", "by when they ended", requests...),
		r.overTime("Output tokens", "per second", "by when they came", tokens),
	}
}

func (r *Report) during(in result.Interval, value float64, unit string) point {
	return point{in.Start + in.Seconds/2, value, fmt.Sprintf("%s %s at %.1f s", number(value), unit, in.Start)}
}

func (r *Report) overTime(title, unit, about string, lines ...line) chart {
	end := 0.0
	if n := len(r.Series.Intervals); n > 0 {
		end = r.Series.Intervals[n-1].Start + r.Series.Intervals[n-1].Seconds
	}
	step := niceStep(end, 8)
	var ticks []tick
	for v := 0.0; v <= end*1.0001; v += step {
		ticks = append(ticks, tick{v, axisLabel(v, step)})
	}
	return draw(title, unit, about, "seconds", end, ticks, lines)
}
