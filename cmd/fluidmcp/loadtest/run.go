package loadtest

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/client"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/cost"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/expect"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/report"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/result"
	"github.com/fluidmcp/fluidmcp/internal/version"
)

// Run sends the requests and reports what came of them. samples takes a JSON line for each request, live is a terminal that shows
// progress; both may be nil. When ctx ends first, the report is of what was measured until then. An error beside a report says
// what else went wrong.
func (p *Plan) Run(ctx context.Context, samples, live io.Writer) (*report.Report, error) {
	target := *p.base
	target.Path += p.path()
	connections := cmp.Or(p.Concurrency, math.MaxInt32)
	sender := client.New(client.Config{URL: target.String(), APIKey: p.APIKey, Stream: p.Stream, Timeout: p.Timeout}, connections)
	defer sender.Close()
	start := time.Now()
	collector := result.NewCollector(p.Rate != 0)
	d := &driver{Plan: p, client: sender, collector: collector, start: start, run: newRunID(),
		phases: phases{warmupRequests: p.warmupRequests, warmupTime: p.warmupTime, requests: p.Requests, length: p.Duration,
			begin: func(due time.Duration) { collector.Begin(start.Add(due)) }}}
	if samples != nil {
		d.samples = json.NewEncoder(samples)
	}
	meter := cost.Start()
	stopLive := d.live(live)
	err := d.drive(ctx)
	stopLive()
	r := p.report(&target, d.collector.Summary(), meter.Stop())
	r.Started, r.Interrupted = start, ctx.Err() != nil
	return r, err
}

// newRunID keeps the requests of one run apart from those of another in logs and journals.
func newRunID() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return "loadtest-" + hex.EncodeToString(b[:])
}

func (p *Plan) report(target *url.URL, s result.Summary, use cost.Use) *report.Report {
	r := &report.Report{Version: version.Get().Version, Run: p.describe(target), Summary: s, Client: spent(&s, use),
		Conditions: []expect.Verdict{}}
	r.Warnings = p.warnings(r, use)
	for _, c := range p.conditions {
		r.Conditions = append(r.Conditions, c.Judge(&s))
	}
	return r
}

func (p *Plan) describe(target *url.URL) report.Run {
	run := report.Run{Target: target.Redacted(), Model: p.Model, Stream: p.Stream, Loop: "closed", Concurrency: p.Concurrency,
		Requests: p.Requests, Warmup: p.Warmup, Timeout: p.Timeout.String(), Seed: p.Seed, Prompts: cmp.Or(p.Prompts, "synthetic"), Output: p.Output}
	if p.Rate != 0 {
		run.Loop, run.Rate, run.Arrivals = "open", p.Rate, p.Arrivals
	}
	if p.Duration > 0 {
		run.Duration = p.Duration.String()
	}
	if p.Prompts == "" {
		run.Input = p.Input
	}
	return run
}

func spent(s *result.Summary, use cost.Use) report.Client {
	c := report.Client{CPUSeconds: use.CPU.Seconds(), CPUShare: use.Share, CPUPeak: use.Peak, Delay: use.Delayed.Seconds() * 1000, SendLag: s.Lag}
	micros := float64(use.CPU.Microseconds())
	if s.Sent > 0 {
		c.CPUMicrosPerRequest = micros / float64(s.Sent)
	}
	if s.Chunks > 0 {
		c.CPUMicrosPerChunk = micros / float64(s.Chunks)
	}
	return c
}

// From here on the client takes part in what is measured.
const (
	busy = .8 // of its processors
	late = 10 * time.Millisecond
)

// warnings tell when the figures are the client's as much as the server's.
func (p *Plan) warnings(r *report.Report, use cost.Use) []string {
	all := []string{}
	warn := func(when bool, format string, args ...any) {
		if when {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	lateMs := late.Seconds() * 1000
	warn(use.Peak > busy, "the load tester used %.0f%% of its processors in its busiest second: it limits the load and its times are too long; run it elsewhere or send less", use.Peak*100)
	warn(use.Delayed > late, "the load tester woke up %.0f ms late (p99) because this machine is busy: its times are too long by up to that", r.Client.Delay)
	if lag := r.Client.SendLag; lag != nil {
		warn(lag.P99 > lateMs, "requests left %.0f ms later than planned (p99) although nothing held them back: this machine cannot keep the rate evenly", lag.P99)
	}
	warn(r.Requests.Unsent > 0, "%d requests were due and not sent, because --concurrency left no place for them before the end", r.Requests.Unsent)
	if files, want := cost.Files(), uint64(p.Concurrency)+20; p.Concurrency > 0 && files > 0 && files < want {
		warn(true, "this process may open %d files, fewer than --concurrency needs; raise it with `ulimit -n %d`", files, want)
	}
	for _, f := range r.Failures {
		warn(f.Kind == string(client.ClientLimit), "%d requests failed because this machine ran out of ports or open files: %s", f.Count, f.Example)
		warn(strings.Contains(f.Example, "min_tokens") || strings.Contains(f.Example, "ignore_eos"),
			"the server does not take what --output-tokens sends beside max_tokens; use --output-tokens 0")
	}
	warn(r.Unreported > 0, "%d answers did not tell their token counts; for streams the chunks are counted instead", r.Unreported)
	return all
}
