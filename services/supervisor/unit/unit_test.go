package unit_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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

var errLoading = errors.New("connection refused")

func TestReadinessIsSeenWithinAQuarterSecond(t *testing.T) {
	inBubble(t, mended, func(t *testing.T, r *rig) {
		// The first probe went out at once and found the server well.
		r.expect(t, fleet.Ready, 1)
		r.do(t, unit.Restart)
		r.set(func() { r.health = errLoading })
		after(2 * time.Second)
		r.expect(t, fleet.Starting, 2)
		after(3 * time.Minute)
		r.expect(t, fleet.Starting, 2)
		r.set(func() { r.health = nil })
		after(250 * time.Millisecond)
		s := r.expect(t, fleet.Ready, 2)
		if s.PID != 102 || s.Restarts() != 1 {
			t.Errorf("pid %d, %d restarts", s.PID, s.Restarts())
		}
	})
}

func TestLivenessIsAskedEveryFiveSeconds(t *testing.T) {
	inBubble(t, mended, func(t *testing.T, r *rig) {
		r.set(func() { r.probes = nil })
		after(time.Minute)
		r.set(func() {
			if len(r.probes) != 12 {
				t.Errorf("%d probes in a minute", len(r.probes))
			}
			r.health = errLoading
		})
		after(10 * time.Second)
		r.expect(t, fleet.Ready, 1)
		after(5 * time.Second)
		r.expect(t, fleet.Unhealthy, 1)
		after(2 * time.Second)
		r.expect(t, fleet.Backoff, 1)
		after(time.Second)
		r.expect(t, fleet.Starting, 2)
		if r.reasons[0] != unit.LivenessFailed {
			t.Errorf("started anew for %v", r.reasons)
		}
	})
}

func TestCrashesBackOffToACrashLoop(t *testing.T) {
	inBubble(t, mended, func(t *testing.T, r *rig) {
		r.set(func() { r.health = errLoading })
		for n, wait := range []time.Duration{1, 2, 4, 8} {
			r.server.done <- unit.Exit{Code: 1, At: time.Now()}
			synctest.Wait()
			r.expect(t, fleet.Backoff, n+1)
			after(wait*time.Second - time.Millisecond)
			r.expect(t, fleet.Backoff, n+1)
			after(time.Millisecond)
			r.expect(t, fleet.Starting, n+2)
		}
		r.server.done <- unit.Exit{Code: 1, At: time.Now()}
		synctest.Wait()
		s := r.expect(t, fleet.Failed, 5)
		if s.Reason != unit.CrashLoop || s.PID != 0 {
			t.Errorf("%s, pid %d", s.Reason, s.PID)
		}
		after(24 * time.Hour)
		r.expect(t, fleet.Failed, 5)
	})
}

func TestStopDrainsFirst(t *testing.T) {
	inBubble(t, mended, func(t *testing.T, r *rig) {
		r.set(func() { r.draining = time.Minute })
		r.do(t, unit.Stop)
		after(time.Minute - time.Millisecond)
		r.expect(t, fleet.Draining, 1)
		if r.server.stopCalls.Load() != 0 {
			t.Fatal("the server was ended while it drained")
		}
		after(time.Millisecond)
		r.expect(t, fleet.Stopping, 1)
		after(2 * time.Second)
		s := r.expect(t, fleet.Stopped, 1)
		if s.Desired != unit.Stopped || s.PID != 0 || r.drains != 1 {
			t.Errorf("desired %s, pid %d, %d drains", s.Desired, s.PID, r.drains)
		}
		r.set(func() { r.probes = nil })
		after(time.Hour)
		if r.expect(t, fleet.Stopped, 1); len(r.probes) != 0 {
			t.Errorf("a stopped server was probed %d times", len(r.probes))
		}
	})
}

func TestDeathEndsADrain(t *testing.T) {
	inBubble(t, mended, func(t *testing.T, r *rig) {
		r.set(func() { r.draining = time.Hour })
		r.do(t, unit.Restart)
		r.server.done <- unit.Exit{Code: 1, At: time.Now()}
		synctest.Wait()
		r.expect(t, fleet.Ready, 2)
		after(2 * time.Hour) // the drain of the dead server must not be taken for one of the new server
		r.expect(t, fleet.Ready, 2)
	})
}

func TestStartTimeout(t *testing.T) {
	inBubble(t, mended, func(t *testing.T, r *rig) {
		r.set(func() { r.health = errLoading })
		r.do(t, unit.Restart)
		after(2 * time.Second)
		after(10 * time.Minute)
		if r.expect(t, fleet.Starting, 2); r.server.stopCalls.Load() != 1 {
			t.Error("a server that never got ready was not ended")
		}
		after(2 * time.Second)
		if s := r.expect(t, fleet.Backoff, 2); s.Reason != unit.StartTimeout {
			t.Errorf("reason %s", s.Reason)
		}
	})
}

func TestStartThatFails(t *testing.T) {
	inBubble(t, mended, func(t *testing.T, r *rig) {
		r.do(t, unit.Stop)
		after(time.Minute)
		r.set(func() { r.failure = errors.New("too many processes") })
		r.do(t, unit.Start)
		if s := r.expect(t, fleet.Backoff, 2); s.Message != "too many processes" {
			t.Errorf("message %q", s.Message)
		}
		r.set(func() { r.failure = fmt.Errorf("no such program%w", unit.ErrPermanent) })
		after(time.Second)
		r.expect(t, fleet.Failed, 3)
		r.set(func() { r.failure = nil })
		r.do(t, unit.Start)
		r.expect(t, fleet.Ready, 4)
	})
}

func TestEndWaitsForTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rig{draining: 30 * time.Second}
		u := unit.NewUnit(unit.Config{
			Policy: mended, Driver: r, Probe: r.probe, Drain: r.drain, Changed: func(unit.Status) {}, Jitter: func() float64 { return 0 },
			StartTimeout: time.Minute, ProbeStarting: time.Second, ProbeReady: time.Second,
		})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		begin := time.Now()
		u.Run(ctx)
		if took := time.Since(begin); took != 92*time.Second { // a minute of life, the drain, and the server's own two seconds
			t.Errorf("Run took %s", took)
		}
	})
}
