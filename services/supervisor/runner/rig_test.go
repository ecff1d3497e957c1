package runner_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// rig is a unit with everything around it faked. Its clock is that of the synctest bubble.
type rig struct {
	runner *runner.Runner

	mu          sync.Mutex
	server      *fakeServer // the last one started
	started     []time.Time
	failure     error // of the next starts
	health      error // what probes say
	probes      []time.Time
	draining    time.Duration // how long a drain takes
	drains      int
	last        unit.Status
	phases      []fleet.Phase // all that it said
	hang        bool          // probes do not return
	slow        time.Duration // how long the driver takes for each answer
	adopts      runner.Server // what runs already
	cannotAdopt error
	admit       func(ctx context.Context, waiting func(unit.Reason, string)) (func(), error)
	slot        *slot // when it is what admits
	finding     unit.Finding
	reasons     []unit.Reason // of the starts after the first
	turns       []string      // to sleep and awake
	freeing     time.Duration // until the devices have their memory back
	lack        string        // what they lack then
	freed       int           // how often that was waited for
	turning     error         // what comes of it
}

// turn takes a second, as moving weights does.
func (r *rig) turn(what string) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.turns = append(r.turns, what)
		return r.turning
	}
}

type fakeServer struct {
	pid       int
	done      chan unit.Exit
	stubborn  time.Duration // from Stop to the end
	stopCalls atomic.Int32
}

func (s *fakeServer) PID() int { return s.pid }

func (s *fakeServer) Done() <-chan unit.Exit { return s.done }

func (s *fakeServer) Stop() {
	if s.stopCalls.Add(1) == 1 {
		time.AfterFunc(s.stubborn, func() { s.done <- unit.Exit{Signal: "terminated", At: time.Now()} })
	}
}

func (r *rig) Start(ctx context.Context) (runner.Server, error) {
	if err := r.take(ctx); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.started = append(r.started, time.Now())
	if r.failure != nil {
		return nil, r.failure
	}
	r.server = &fakeServer{pid: 100 + len(r.started), done: make(chan unit.Exit, 1), stubborn: 2 * time.Second}
	return r.server, nil
}

func (r *rig) Adopt(ctx context.Context) (runner.Server, error) {
	if err := r.take(ctx); err != nil {
		return nil, err
	}
	return r.adopts, r.cannotAdopt
}

// take lets the driver be as slow as it is.
func (r *rig) take(ctx context.Context) error {
	var slow time.Duration
	r.set(func() { slow = r.slow })
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(slow):
		return nil
	}
}

func (r *rig) probe(ctx context.Context, _ bool) error {
	if r.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.probes = append(r.probes, time.Now())
	return r.health
}

func (r *rig) drain(ctx context.Context) {
	r.mu.Lock()
	r.drains++
	wait := r.draining
	r.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
}

func (r *rig) free(ctx context.Context) string {
	r.set(func() { r.freed++ })
	select {
	case <-ctx.Done():
	case <-time.After(r.freeing):
	}
	return r.lack
}

// set changes what the fakes do.
func (r *rig) set(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// inBubble runs a test of one unit on fake time and ends the unit afterwards.
func inBubble(t *testing.T, policy unit.Policy, test func(t *testing.T, r *rig)) {
	t.Helper()
	inBubbleWith(t, runner.Config{Policy: policy}, func(*rig) {}, test)
}

// inBubbleWith does so with parts of a configuration and with a rig that is set up before the unit begins.
func inBubbleWith(t *testing.T, cfg runner.Config, setup func(r *rig), test func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{}
		setup(r)
		r.runner = runner.New(r.config(cfg))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			r.runner.Run(ctx)
		}()
		synctest.Wait()
		test(t, r)
		cancel()
		<-ended
		if _, err := r.runner.Do(t.Context(), is(unit.Start)); !errors.Is(err, runner.ErrEnded) {
			t.Errorf("a wish after the end: %v", err)
		}
	})
}

// config completes one with the fakes.
func (r *rig) config(cfg runner.Config) runner.Config {
	cfg.Driver, cfg.Probe, cfg.Drain, cfg.Admit = r, r.probe, r.drain, r.admit
	cfg.Sleep, cfg.Wake = r.turn("asleep"), r.turn("awake")
	cfg.Free = r.free
	cfg.Explain = func(unit.Exit) unit.Finding { return r.finding }
	cfg.Changed = func(s unit.Status) {
		r.set(func() {
			if r.last.Phase != s.Phase {
				r.phases = append(r.phases, s.Phase)
			}
			r.last = s
		})
	}
	cfg.Launching = func(why unit.Reason) { r.set(func() { r.reasons = append(r.reasons, why) }) }
	cfg.Jitter = func() float64 { return 0 }
	cfg.Policy.StartTimeout, cfg.Policy.StallTimeout = 10*time.Minute, 5*time.Minute
	cfg.ProbeStarting, cfg.ProbeReady = 250*time.Millisecond, 5*time.Second
	return cfg
}

// after lets time pass and then everything settle.
func after(d time.Duration) {
	time.Sleep(d) // fake time: it passes at once
	synctest.Wait()
}

func (r *rig) expect(t *testing.T, phase fleet.Phase, starts int) unit.Status {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last.Phase != phase || len(r.started) != starts {
		t.Fatalf("phase %s after %d starts, want %s after %d", r.last.Phase, len(r.started), phase, starts)
	}
	return r.last
}

func (r *rig) do(t *testing.T, kind unit.Kind, why ...unit.Reason) {
	t.Helper()
	e := is(kind)
	if len(why) > 0 {
		e.Reason = why[0]
	}
	if _, err := r.runner.Do(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

// mended is the policy of a model that is started anew when it fails.
var mended = unit.Policy{Restart: true}

func is(kind unit.Kind) unit.Event { return unit.Event{Kind: kind} }
