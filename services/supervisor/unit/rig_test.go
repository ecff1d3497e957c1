package unit_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// rig is a unit with everything around it faked. Its clock is that of the synctest bubble.
type rig struct {
	unit *unit.Unit

	mu       sync.Mutex
	server   *fakeServer // the last one started
	started  []time.Time
	failure  error // of the next starts
	health   error // what probes say
	probes   []time.Time
	draining time.Duration // how long a drain takes
	drains   int
	last     unit.Status
	reasons  []unit.Reason // of the starts after the first
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

func (r *rig) Start() (unit.Server, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.started = append(r.started, time.Now())
	if r.failure != nil {
		return nil, r.failure
	}
	r.server = &fakeServer{pid: 100 + len(r.started), done: make(chan unit.Exit, 1), stubborn: 2 * time.Second}
	return r.server, nil
}

func (r *rig) probe(context.Context, bool) error {
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

// set changes what the fakes do.
func (r *rig) set(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// inBubble runs a test of one unit on fake time and ends the unit afterwards.
func inBubble(t *testing.T, policy unit.Policy, test func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{}
		r.unit = unit.NewUnit(unit.Config{
			Policy: policy, Driver: r, Probe: r.probe, Drain: r.drain,
			Changed:      func(s unit.Status) { r.set(func() { r.last = s }) },
			Launching:    func(why unit.Reason) { r.set(func() { r.reasons = append(r.reasons, why) }) },
			Jitter:       func() float64 { return 0 },
			StartTimeout: 10 * time.Minute, ProbeStarting: 250 * time.Millisecond, ProbeReady: 5 * time.Second,
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			r.unit.Run(ctx)
		}()
		synctest.Wait()
		test(t, r)
		cancel()
		<-ended
		if _, err := r.unit.Do(t.Context(), unit.Start); !errors.Is(err, unit.ErrEnded) {
			t.Errorf("a wish after the end: %v", err)
		}
	})
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

func (r *rig) do(t *testing.T, kind unit.Kind) {
	t.Helper()
	if _, err := r.unit.Do(t.Context(), kind); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}
