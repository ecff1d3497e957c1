package loadtest

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"time"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/client"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/cost"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/expect"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/report"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/result"
	"github.com/fluidmcp/fluidmcp/internal/version"
)

// Run sends the requests and reports what came of them. When ctx ends first, the report is of what was measured until then.
func Run(ctx context.Context, cfg Config) (*report.Report, error) {
	base, err := cfg.base()
	if err != nil {
		return nil, err
	}
	if _, err := cfg.check(); err != nil { // before the server is asked anything
		return nil, err
	}
	if cfg.Model == "" {
		if cfg.Model, err = cfg.onlyModel(ctx); err != nil {
			return nil, err
		}
	}
	p, err := cfg.check()
	if err != nil {
		return nil, err
	}
	target := *base
	target.Path += cfg.path()
	return p.run(ctx, &target)
}

func (p *plan) run(ctx context.Context, target *url.URL) (*report.Report, error) {
	connections := cmp.Or(p.Concurrency, math.MaxInt32)
	sender := client.New(client.Config{URL: target.String(), APIKey: p.APIKey, Stream: p.Stream, Timeout: p.Timeout}, connections)
	defer sender.Close()
	start := time.Now()
	d := &driver{plan: p, client: sender, collector: result.NewCollector(p.Rate != 0, start), start: start, run: newRunID(),
		phases: phases{warmupRequests: p.warmupRequests, warmupTime: p.warmupTime, requests: p.Requests, length: p.Duration}}
	if p.Samples != nil {
		d.samples = json.NewEncoder(p.Samples)
	}
	meter := cost.Start()
	stopLive := d.live()
	err := d.drive(ctx)
	stopLive()
	if err != nil {
		return nil, err
	}
	r := p.report(target, d.collector.Summary(), meter.Use())
	r.Started, r.Interrupted = start, ctx.Err() != nil
	return r, nil
}

// newRunID keeps the requests of one run apart from those of another in logs and journals.
func newRunID() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return "loadtest-" + hex.EncodeToString(b[:])
}

func (p *plan) report(target *url.URL, s result.Summary, use cost.Use) *report.Report {
	r := &report.Report{Version: version.Get().Version, Run: p.describe(target), Summary: s, Client: spent(&s, use),
		Conditions: []expect.Verdict{}}
	r.Warnings = p.warnings(r, use)
	for _, c := range p.conditions {
		r.Conditions = append(r.Conditions, c.Judge(&s))
	}
	return r
}

func (p *plan) describe(target *url.URL) report.Run {
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
	c := report.Client{CPUSeconds: use.CPU.Seconds(), CPUShare: use.Share, SchedulerDelay: use.Delayed.Seconds() * 1000, SendLag: s.Lag}
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
func (p *plan) warnings(r *report.Report, use cost.Use) []string {
	all := []string{}
	warn := func(when bool, format string, args ...any) {
		if when {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	lateMs := late.Seconds() * 1000
	warn(use.Share > busy, "the load tester used %.0f%% of its processors: it limits the load and its times are too long; run it elsewhere or send less", use.Share*100)
	warn(use.Delayed > late, "the load tester waited %.0f ms for a processor (p99): its times are too long by up to that; something else keeps this machine busy", r.Client.SchedulerDelay)
	if lag := r.Client.SendLag; lag != nil {
		warn(lag.P99 > lateMs, "requests left %.0f ms later than planned (p99) although nothing held them back: the load tester cannot keep up with the rate", lag.P99)
	}
	if files, want := cost.Files(), uint64(p.Concurrency)+20; p.Concurrency > 0 && files > 0 && files < want {
		warn(true, "this process may open %d files, fewer than --concurrency needs; raise it with `ulimit -n %d`", files, want)
	}
	for _, f := range r.Failures {
		warn(f.Kind == string(client.ClientLimit), "%d requests failed because this machine ran out of ports or open files: %s", f.Count, f.Example)
	}
	warn(r.Unreported > 0, "%d answers did not tell their token counts; for streams the chunks are counted instead", r.Unreported)
	return all
}
