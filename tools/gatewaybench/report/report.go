// Package report turns what visits to gateways have measured into medians, ratios and tables.
package report

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
)

// Report is everything that was measured.
type Report struct {
	Machine string    `json:"machine"`
	Date    string    `json:"date"`
	Rounds  int       `json:"rounds"`
	Seconds float64   `json:"seconds"`
	Rows    []*Result `json:"rows"`
}

// Result is one gateway.
type Result struct {
	Name     string   `json:"name"`
	Note     string   `json:"note"`
	Version  string   `json:"version,omitempty"`
	Missing  string   `json:"missing,omitempty"` // why it was not measured
	Failures []string `json:"failures,omitempty"`
	Visits   []*Visit `json:"visits,omitempty"` // one a round
}

// Row finds a gateway by its name.
func (r *Report) Row(name string) *Result {
	for _, row := range r.Rows {
		if row.Name == name {
			return row
		}
	}
	return nil
}

// reference is the row that others are compared with.
const reference = "nginx"

// figure is one column of the tables.
type figure struct {
	title  string
	of     func(*Visit) float64
	digits int
	ratio  bool    // also in the table of ratios
	target float64 // the most that ours may have of it, as a ratio where there is one; 0 is none
}

var figures = []figure{
	{"CPU µs a request, c=32", func(v *Visit) float64 { return v.RequestCPU }, 1, true, 1.75},
	{"CPU µs a chunk, 200 streams", func(v *Visit) float64 { return v.ChunkCPU }, 1, true, 1.0},
	{"added p50 µs, c=1", func(v *Visit) float64 { return v.AddedP50 }, 0, false, 0},
	{"added p99 µs, c=1", func(v *Visit) float64 { return v.AddedP99 }, 0, true, 1.5},
	{"first event added p50 µs, c=1", func(v *Visit) float64 { return v.FirstAddedP50 }, 0, true, 0},
	{"first event added p99 µs, c=1", func(v *Visit) float64 { return v.FirstAddedP99 }, 0, true, 0},
	{"first event p99 ms, 200 streams", func(v *Visit) float64 { return v.FirstP99 }, 1, true, 1.2},
	{"requests/s, c=32", func(v *Visit) float64 { return v.PerSecond }, 0, false, 0},
	{"RSS MB, idle", func(v *Visit) float64 { return v.IdleMB }, 0, false, 0},
	{"RSS MB, streams", func(v *Visit) float64 { return v.StreamsMB }, 0, false, 100},
	{"RSS MB, streams and idle connections", func(v *Visit) float64 { return v.CrowdMB }, 0, false, 0},
}

// median of one figure of all visits; NaN without a visit that has it.
func (r *Result) median(of func(*Visit) float64) float64 {
	var values []float64
	for _, v := range r.Visits {
		if x := of(v); x != 0 {
			values = append(values, x)
		}
	}
	return median(values)
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	n := len(values)
	return (values[n/2] + values[(n-1)/2]) / 2
}

// ratio is the median of the ratios to the reference, each of one round: noise of the machine hits both alike.
func (r *Report) ratio(row *Result, of func(*Visit) float64) float64 {
	var values []float64
	if base := r.Row(reference); base != nil {
		for i, v := range row.Visits {
			if i < len(base.Visits) && of(base.Visits[i]) > 0 && of(v) != 0 {
				values = append(values, of(v)/of(base.Visits[i]))
			}
		}
	}
	return median(values)
}

func number(x float64, digits int) string {
	if math.IsNaN(x) {
		return "–"
	}
	return fmt.Sprintf("%.*f", digits, x)
}

// Markdown is the report for people.
func (r *Report) Markdown() string {
	var out strings.Builder
	line := func(cells ...string) { fmt.Fprintf(&out, "| %s |\n", strings.Join(cells, " | ")) }
	head := func(titles ...string) {
		line(append([]string{"gateway"}, titles...)...)
		out.WriteString("|---|" + strings.Repeat("--:|", len(titles)) + "\n")
	}
	fmt.Fprintf(&out, "%s, %s. Medians of %d rounds of %g s.%s\n\n", r.Date, r.Machine, r.Rounds, r.Seconds, r.priority())
	r.figures(head, line)
	out.WriteString("\nTimes " + reference + "'s in the same round, median of the rounds:\n\n")
	r.ratios(head, line)
	out.WriteString("\n")
	r.endings(head, line)
	out.WriteString("\n")
	for _, row := range r.Rows {
		fmt.Fprintf(&out, "- %s: %s\n", row.Name, strings.Join(slices.DeleteFunc(append([]string{row.Version, row.Note, row.Missing},
			row.Failures...), func(s string) bool { return s == "" }), "; "))
	}
	return out.String()
}

// priority says at which one latencies and processor time were measured.
func (r *Report) priority() string {
	for _, row := range r.Rows {
		if slices.ContainsFunc(row.Visits, func(v *Visit) bool { return !v.Urgent }) {
			return ""
		}
	}
	return " Latencies and processor time at real-time priority."
}

func (r *Report) measured() []*Result {
	return slices.DeleteFunc(slices.Clone(r.Rows), func(row *Result) bool { return row.Missing != "" })
}

func (r *Report) figures(head, line func(...string)) {
	var titles []string
	for _, f := range figures {
		titles = append(titles, f.title)
	}
	head(titles...)
	for _, row := range r.measured() {
		cells := []string{row.Name}
		for _, f := range figures {
			cells = append(cells, number(row.median(f.of), f.digits))
		}
		line(cells...)
	}
}

func (r *Report) ratios(head, line func(...string)) {
	titles, targets := []string{}, []string{"*target for ours*"}
	for _, f := range figures {
		if f.ratio {
			target := "–"
			if f.target > 0 {
				target = fmt.Sprintf("≤ %.2f", f.target)
			}
			titles, targets = append(titles, f.title), append(targets, target)
		}
	}
	head(titles...)
	for _, row := range r.measured() {
		cells := []string{row.Name}
		for _, f := range figures {
			if f.ratio {
				cells = append(cells, number(r.ratio(row, f.of), 2))
			}
		}
		line(cells...)
	}
	line(targets...)
}

// endings are the results that are no ratios. Those in words are of the last round.
func (r *Report) endings(head, line func(...string)) {
	head("longest gap ms, streams and idle connections", "streams unfinished", "idle connections: lost of opened", "failed requests",
		"upstream killed in a stream: the client sees", "then back after ms", "client leaves a request: upstream hears it after",
		"client leaves a stream", "after 20 clients left, the next request", "CPU of others, at most %")
	for _, row := range r.measured() {
		if len(row.Visits) == 0 {
			continue
		}
		last := row.Visits[len(row.Visits)-1]
		sum := func(of func(*Visit) float64) (all float64) {
			for _, v := range row.Visits {
				all += of(v)
			}
			return all
		}
		line(row.Name, number(row.median(func(v *Visit) float64 { return v.LongestGap }), 0),
			number(sum(func(v *Visit) float64 { return float64(v.Unfinished) }), 0),
			fmt.Sprintf("%.0f of %.0f", sum(func(v *Visit) float64 { return float64(v.IdleLost) }), sum(func(v *Visit) float64 { return float64(v.IdleOpened) })),
			number(sum(func(v *Visit) float64 { return float64(v.Failed) }), 0),
			last.Probes.Killed, number(row.median(func(v *Visit) float64 { return v.Probes.Back }), 0),
			last.Probes.LeftPlain, last.Probes.LeftStream, last.Probes.NextRequest,
			number(100*row.median(func(v *Visit) float64 { return v.Foreign }), 0))
	}
}

// Machine names the machine.
func Machine() string {
	text, _ := os.ReadFile("/proc/cpuinfo") // without it the model is unknown
	model := "unknown CPU"
	for l := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(l, ":"); strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	return fmt.Sprintf("%d cores of %s", runtime.NumCPU(), model)
}
