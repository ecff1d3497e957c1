package report

import (
	_ "embed" // for the page
	"fmt"
	"html/template"
	"io"
)

//go:embed page.html
var pageText string

// page is parsed when the program starts; its text is part of it.
var page = template.Must(template.New("page").Parse(pageText))

// tile is a figure that stands out.
type tile struct{ Name, Value, Unit, Beside string }

// bar is one kind of failure with its share of all failures.
type bar struct {
	Kind, Example string
	Count         int
	Share         float64 // percent
}

// HTML writes the report as one page that needs nothing else: no script, and no style or font from elsewhere.
func (r *Report) HTML(w io.Writer) error {
	data := struct {
		*Report
		Tiles                         []tile
		Percentiles, Over, Throughput []chart
		Columns                       []string
		Rows                          []row
		Bars                          []bar
		Settings, Own                 [][2]string
		Verdicts                      []verdict
	}{Report: r, Tiles: r.tiles(), Rows: r.rows(), Bars: r.bars(), Settings: r.settings(), Own: r.own(), Verdicts: r.judged()}
	if len(r.Latencies) > 0 {
		data.Percentiles, data.Over = r.percentileCharts(), r.latenciesOverTime()
	}
	if len(r.Series.Intervals) > 0 {
		data.Throughput = r.throughputOverTime()
	}
	for _, c := range columns {
		data.Columns = append(data.Columns, c.Name)
	}
	return page.Execute(w, data)
}

func (r *Report) tiles() []tile {
	all := []tile{
		{"Requests", number(r.RequestsPerSecond), "/s", fmt.Sprintf("%d ok in %.1f s", r.Requests.OK, r.Seconds)},
		{"Output tokens", number(r.TokensPerSecond), "/s", fmt.Sprintf("%d in, %d out", r.Tokens.Input, r.Tokens.Output)},
	}
	for _, p := range pairs {
		name, title := r.users(p)
		if d, ok := r.Latencies[name]; ok {
			all = append(all, tile{title + " p50", number(d.P50), "ms", fmt.Sprintf("p99 %s ms", number(d.P99))})
		}
	}
	return append(all, tile{"Failed", percent(r.ErrorRate), "", fmt.Sprintf("%d of %d", r.Requests.Failed, r.Requests.Failed+r.Requests.OK)})
}

func (r *Report) bars() []bar {
	var all []bar
	for _, f := range r.Failures {
		all = append(all, bar{f.Kind, f.Example, f.Count, 100 * float64(f.Count) / float64(r.Requests.Failed)})
	}
	return all
}

func (r *Report) settings() [][2]string {
	run := r.Run
	all := [][2]string{{"Endpoint", run.Target}, {"Model", run.Model}, {"Answers", map[bool]string{true: "streamed", false: "whole"}[run.Stream]}}
	add := func(name, value string) {
		if value != "" && value != "0" {
			all = append(all, [2]string{name, value})
		}
	}
	if run.Loop == "open" {
		add("Open loop", fmt.Sprintf("%g requests per second, %s arrivals", run.Rate, run.Arrivals))
		add("At a time at most", fmt.Sprint(run.Concurrency))
	} else {
		add("Closed loop", fmt.Sprintf("%d at a time", run.Concurrency))
	}
	add("Requests", fmt.Sprint(run.Requests))
	add("Duration", run.Duration)
	add("Warm-up", run.Warmup)
	add("Prompts", run.Prompts)
	add("Prompt tokens", run.Input)
	add("Answer tokens", run.Output)
	add("Time allowed for one", run.Timeout)
	add("Seed", fmt.Sprint(run.Seed))
	return all
}

// own is what the load tester itself took.
func (r *Report) own() [][2]string {
	c := r.Client
	all := [][2]string{
		{"CPU per request", number(c.CPUMicrosPerRequest) + " µs"},
		{"CPU in all", number(c.CPUSeconds) + " s, " + percent(c.CPUShare) + " of its processors, " + percent(c.CPUPeak) + " in the busiest second"},
		{"Woke up late by", number(c.Delay) + " ms (p99)"},
	}
	if c.CPUMicrosPerChunk > 0 {
		all = append(all, [2]string{"CPU per chunk", number(c.CPUMicrosPerChunk) + " µs"})
	}
	if c.SendLag != nil {
		all = append(all, [2]string{"Sent later than possible", number(c.SendLag.P99) + " ms (p99)"})
	}
	return append(all, [2]string{"Requests sent", fmt.Sprintf("%d (warm-up %d, cut at the end %d, never sent %d)", r.Requests.Sent, r.Requests.Warmup, r.Requests.Cut, r.Requests.Unsent)})
}
