package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/load"
	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/pinned"
	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/report"
	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/upstream"
)

const (
	interval = 20 * time.Millisecond      // between two events of a paced stream
	ramp     = upstream.Events * interval // a stream's length; spread over it, streams neither start nor end together
	pause    = 2 * time.Millisecond       // before a request that is to find everything asleep, and nothing in the caches
)

// count takes over what is counted in every run.
func count(v *report.Visit, c cost) {
	v.Failed += c.Failed()
	v.Foreign = max(v.Foreign, c.foreign)
}

func (b *bench) length() time.Duration { return time.Duration(b.seconds * float64(time.Second)) }

// set tells the upstream how to answer.
func (b *bench) set(ctx context.Context, interval, delay time.Duration) error {
	_, err := get(ctx, fmt.Sprintf("http://127.0.0.1:%s/set?interval_ms=%d&delay_ms=%d", b.places.Upstream, interval.Milliseconds(), delay.Milliseconds()), nil)
	return err
}

func (b *bench) warm(ctx context.Context, g *server, _ *report.Visit) error {
	for _, stream := range []bool{false, true} {
		if _, err := b.load(ctx, g, load.Options{Connections: 32, Duration: b.length() / 3, Stream: stream}); err != nil {
			return err
		}
	}
	return nil
}

// added compares one connection through the gateway with one straight to the upstream: by whole answers, one request after another,
// and by the first events of streams, with a pause before each.
func (b *bench) added(ctx context.Context, g *server, v *report.Visit) error {
	defer b.urgently(g, v)()
	direct, c, err := b.beside(ctx, g, v, load.Options{Duration: b.length() / 2})
	if err != nil {
		return err
	}
	v.AddedP50, v.AddedP99 = c.Latency.P50-direct.Latency.P50, c.Latency.P99-direct.Latency.P99
	if direct, c, err = b.beside(ctx, g, v, load.Options{Duration: b.length(), Pause: pause, Stream: true}); err != nil {
		return err
	}
	v.FirstAddedP50, v.FirstAddedP99 = c.FirstEvent.P50-direct.FirstEvent.P50, c.FirstEvent.P99-direct.FirstEvent.P99
	return nil
}

// beside has one connection straight to the upstream for the duration of o, and then one through the gateway.
func (b *bench) beside(ctx context.Context, g *server, v *report.Visit, o load.Options) (direct, through cost, err error) {
	o.Connections, o.Addr = 1, "127.0.0.1:"+b.places.Upstream
	if direct, err = b.load(ctx, g, o); err != nil {
		return direct, through, err
	}
	o.Duration, o.Addr = b.length(), ""
	if through, err = b.load(ctx, g, o); err == nil {
		count(v, through)
	}
	return direct, through, err
}

// urgently lets the gateway, the upstream and the load generator run before everything else, until the returned function is called.
// Whoever else uses the machine would show in the figures, and so would the slices of some milliseconds in which the upstream and the
// load generator share their core. It changes nothing where the system does not allow it.
func (b *bench) urgently(g *server, v *report.Visit) (usual func()) {
	set := func(on bool) error { return errors.Join(b.model.Urgent(on), g.Urgent(on)) }
	if set(true) != nil {
		_ = set(false) // they are as they were then, or were not changed
		return func() {}
	}
	v.Urgent, b.urgent = true, []string{"chrt", "-f", "1"}
	return func() {
		b.urgent = nil
		_ = set(false) // allowed to everyone
	}
}

func (b *bench) plain(ctx context.Context, g *server, v *report.Visit) error {
	defer b.urgently(g, v)()
	c, err := b.load(ctx, g, load.Options{Connections: 32, Duration: b.length()})
	if err != nil {
		return err
	}
	count(v, c)
	v.PerSecond = float64(c.Finished) / c.Seconds
	v.RequestCPU = c.cpu * 1e6 / float64(max(1, c.Finished))
	return nil
}

func (b *bench) paced(ctx context.Context, g *server, v *report.Visit) error {
	defer b.urgently(g, v)()
	if err := b.set(ctx, interval, 0); err != nil {
		return err
	}
	c, err := b.load(ctx, g, load.Options{Connections: 200, Duration: b.length() + ramp, Ramp: ramp, Stream: true})
	if err != nil {
		return err
	}
	count(v, c)
	v.ChunkCPU = c.cpu * 1e6 / float64(max(1, c.Events))
	v.FirstP99, v.GapP99 = c.FirstEvent.P99/1e3, c.Gap.P99/1e3
	return nil
}

// crowd has so many streams that memory shows what a stream takes, first alone, then beside idle connections.
func (b *bench) crowd(ctx context.Context, g *server, v *report.Visit) error {
	o := load.Options{Connections: b.streams, Duration: b.length() + ramp, Ramp: ramp, Stream: true}
	c, err := b.load(ctx, g, o)
	if err != nil {
		return err
	}
	count(v, c)
	v.StreamsMB = float64(c.peak) / 1e6
	if o.Idle = b.idle; b.idle > 0 {
		if c, err = b.load(ctx, g, o); err != nil {
			return err
		}
		count(v, c)
	}
	v.CrowdMB, v.LongestGap, v.Unfinished = float64(c.peak)/1e6, c.Gap.Max/1e3, c.Unfinished
	v.IdleOpened, v.IdleLost = c.IdleOpened, c.IdleLost
	return b.set(ctx, 0, 0)
}

// reading is what the system tells before and after a run.
type reading struct {
	gateway pinned.Used
	own     float64 // processor time of the gateway, the upstream and this program, in s
	busy    float64 // of the whole machine
}

func (b *bench) reading(g *server) (reading, error) {
	var r reading
	var err error
	if r.gateway, err = g.Used(); err != nil {
		return r, err
	}
	if r.busy, err = pinned.Busy(); err != nil {
		return r, err
	}
	for _, p := range []*pinned.Process{b.model, g.feed} {
		if p != nil && p != g.Process {
			u, err := p.Used()
			if err != nil {
				return r, err
			}
			r.own += u.Seconds
		}
	}
	var self syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &self); err != nil {
		return r, fmt.Errorf("own processor time: %w", err)
	}
	r.own += r.gateway.Seconds + time.Duration(self.Utime.Nano()+self.Stime.Nano()).Seconds()
	return r, nil
}

// cost is what a run took.
type cost struct {
	load.Result
	cpu     float64 // of the gateway, in s
	peak    int     // memory of the gateway, in bytes
	foreign float64 // share of the machine that processes without a part in it had
}

// load runs the load generator.
func (b *bench) load(ctx context.Context, g *server, o load.Options) (cost, error) {
	o.Path, o.Headers, o.Model, o.IdlePath = g.row.Path, g.row.Headers, "bench", g.row.Ready
	if o.Addr == "" {
		o.Addr = g.addr
	}
	text, err := json.Marshal(o)
	if err != nil {
		return cost{}, err
	}
	argv := slices.Concat(b.urgent, []string{"taskset", "-c", strconv.Itoa(b.others), b.places.Self, "load", string(text)})
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // this program itself
	var out, failure bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &failure
	before, err := b.reading(g)
	if err != nil {
		return cost{}, err
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return cost{}, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var c cost
	for running := true; running; {
		select {
		case err = <-ended:
			running = false
		case <-time.After(250 * time.Millisecond):
			if now, err := g.Used(); err == nil {
				c.peak = max(c.peak, now.Bytes)
			}
		}
	}
	if err != nil {
		return cost{}, fmt.Errorf("load generator: %w: %s", err, failure.String())
	}
	if err := json.Unmarshal(out.Bytes(), &c.Result); err != nil {
		return cost{}, fmt.Errorf("load generator: %w", err)
	}
	after, err := b.reading(g)
	if err != nil {
		return cost{}, err
	}
	c.cpu = after.gateway.Seconds - before.gateway.Seconds
	c.peak = max(c.peak, after.gateway.Bytes)
	own := after.own - before.own + (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	c.foreign = max(0, (after.busy-before.busy-own)/time.Since(begin).Seconds()/float64(runtime.NumCPU()))
	return c, nil
}
