package integration

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestLoadtestAccuracy holds the load tester's times against those of the mock, on one machine with one clock: nothing is read before it
// was sent, and the report says what the samples say. How late things are read, which it prints, is for a quiet machine to tell.
func TestLoadtestAccuracy(t *testing.T) {
	mock := startMockOf(t, built(t, quick), "--max-num-seqs", "1000", "--mock-ttft", "200ms", "--mock-itl", "100ms")
	t.Log(measureAccuracy(t, mock))
}

// accuracy is how much later than sent by the mock the tokens and ends of streams were noted.
type accuracy struct {
	firstP50, firstP99, endP50, endP99 time.Duration
	streams                            int // at a time
	report                             loadReport
}

func (a accuracy) String() string {
	return fmt.Sprintf("%d streams at a time: first token read %s (p50) and %s (p99) after it was sent, end %s and %s; %.0f us of CPU per request, %.1f per chunk; delays of the machine %.2f ms (p99)",
		a.streams, a.firstP50, a.firstP99, a.endP50, a.endP99, a.report.Client.CPUPerRequest, a.report.Client.CPUPerChunk, a.report.Client.Delay)
}

// measureAccuracy keeps 525 streams of 2.1 seconds in flight, 250 of them begin each second.
func measureAccuracy(t *testing.T, mock string) accuracy {
	t.Helper()
	do(t, "DELETE", mock+"/mock/requests", nil).want(t, 204)
	const warmup, measured = 525, 500
	file := filepath.Join(t.TempDir(), "samples.jsonl")
	code, r := loadtestOf(t, built(t, quick), mock, "--rate", "250", "--arrivals", "constant", "--warmup", fmt.Sprint(warmup), "-n", fmt.Sprint(measured),
		"--output-tokens", "20", "--samples", file)
	if code != 0 || r.Requests.OK != measured {
		t.Fatalf("exit %d, %+v, %+v", code, r.Requests, r.Failures)
	}
	sent, seen := samples(t, file), journalOf(t, mock, warmup+measured)
	var first, end, ttft, e2e []time.Duration
	for id, got := range sent {
		at := seen[id]
		inOrder(t, got, at)
		if got.Warmup {
			continue
		}
		first, end = append(first, got.FirstToken.Sub(*at.FirstToken)), append(end, got.Finished.Sub(at.Finished))
		ttft, e2e = append(ttft, got.FirstToken.Sub(got.Sent)), append(e2e, got.Finished.Sub(got.Sent))
	}
	for name, values := range map[string][]time.Duration{"ttft": ttft, "e2e": e2e} {
		reported := r.Latencies[name]
		same(t, name+"_p50", reported.P50, percentile(values, .5))
		same(t, name+"_p99", reported.P99, percentile(values, .99))
		same(t, name+"_max", reported.Max, percentile(values, 1))
	}
	return accuracy{percentile(first, .5), percentile(first, .99), percentile(end, .5), percentile(end, .99), atATime(sent), r}
}

// same allows for the three digits that a histogram keeps.
func same(t *testing.T, name string, reported float64, measured time.Duration) {
	t.Helper()
	if ms := measured.Seconds() * 1000; math.Abs(reported-ms) > ms*.002 {
		t.Errorf("%s is reported as %g ms, the samples say %g ms", name, reported, ms)
	}
}

// percentile is the smallest value that the share q is not above, as in HDR histograms.
func percentile(values []time.Duration, q float64) time.Duration {
	slices.Sort(values)
	return values[int(math.Ceil(q*float64(len(values))))-1]
}

// atATime is the most requests that were in flight together.
func atATime(all map[string]sample) int {
	type change struct {
		at time.Time
		by int
	}
	var changes []change
	for _, s := range all {
		changes = append(changes, change{s.Sent, 1}, change{s.Finished, -1})
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Or(a.at.Compare(b.at), a.by-b.by) })
	now, most := 0, 0
	for _, c := range changes {
		now += c.by
		most = max(most, now)
	}
	return most
}
