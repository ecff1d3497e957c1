package report_test

import (
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/report"
)

// TestMarkdown has a round of which one visit failed, and a machine that was twice as slow in the last one.
func TestMarkdown(t *testing.T) {
	r := report.Report{Date: "2030-01-02", Machine: "2 cores", Rounds: 3, Seconds: 2, Rows: []*report.Result{
		{Name: "nginx", Visits: []*report.Visit{{RequestCPU: 20}, {RequestCPU: 20}, {RequestCPU: 40}}},
		{Name: "ours", Version: "1.2", Failures: []string{"it ended"}, Visits: []*report.Visit{
			{RequestCPU: 30}, {}, {RequestCPU: 62, Probes: report.Probes{Killed: "an error event", NextRequest: "200"}}}},
		{Name: "other", Missing: "not installed"},
	}}
	got := r.Markdown()
	for _, want := range []string{
		"2030-01-02, 2 cores. Medians of 3 rounds of 2 s.",
		"| nginx | 20.0 |", "| ours | 46.0 |", // medians
		"| nginx | 1.00 |", "| ours | 1.52 |", // the mean of 1.5 and 1.55, each of one round
		"| *target for ours* | ≤ 1.75 |", "| – | – | ≤ 1.20 |",
		"| an error event |",
		"- ours: 1.2; it ended\n", "- other: not installed\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	for _, v := range append(r.Rows[0].Visits, r.Rows[1].Visits...) {
		if strings.Contains(r.Markdown(), "real-time") {
			t.Error("not all was measured at real-time priority")
		}
		v.Urgent = true
	}
	if !strings.Contains(r.Markdown(), "real-time") {
		t.Error("all was measured at real-time priority")
	}
	if strings.Contains(got, "| other |") {
		t.Errorf("a gateway that was not measured has a line in\n%s", got)
	}
}
