package runner_test

import (
	"errors"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// found is a server that runs already. It belongs to the bubble that it is made in.
func found() *fakeServer {
	return &fakeServer{pid: 7, done: make(chan unit.Exit, 1), stubborn: time.Second}
}

func TestAdoptedServerIsReadyAtOnce(t *testing.T) {
	lasting := runner.Config{Policy: unit.Policy{Restart: true, Outlives: true}, Before: unit.Before{Starts: 3}}
	var server *fakeServer
	inBubbleWith(t, lasting, func(r *rig) {
		server = found()
		r.adopts = server
	}, func(t *testing.T, r *rig) {
		s := r.expect(t, fleet.Ready, 0)
		if s.PID != 7 || s.Reason != unit.WasAdopted || s.Starts != 3 || !s.Launched.IsZero() {
			t.Errorf("adopted: %+v", s)
		}
		if len(r.phases) != 1 {
			t.Errorf("before it was seen to be ready it was said to be %v", r.phases)
		}
	})
	if server.stopCalls.Load() != 0 {
		t.Error("a server that outlives its supervisor was ended")
	}
}

func TestAdoptedServerThatLoadsIsWaitedFor(t *testing.T) {
	inBubbleWith(t, runner.Config{Policy: mended}, func(r *rig) { r.adopts, r.health = found(), errLoading }, func(t *testing.T, r *rig) {
		if s := r.expect(t, fleet.Starting, 0); s.Reason != unit.WasAdopted {
			t.Errorf("reason %s", s.Reason)
		}
		r.set(func() { r.health = nil })
		after(time.Second)
		r.expect(t, fleet.Ready, 0)
	})
}

func TestAdoptedServerThatSaysNothing(t *testing.T) {
	inBubbleWith(t, runner.Config{Policy: mended}, func(r *rig) { r.adopts, r.hang = found(), true }, func(t *testing.T, r *rig) {
		r.set(func() {
			if len(r.phases) != 0 {
				t.Error("said something before the first probe was over")
			}
		})
		after(2 * time.Second)
		r.expect(t, fleet.Starting, 0)
	})
}

func TestServerOfAStoppedModelIsEnded(t *testing.T) {
	stopped := runner.Config{Policy: mended, Before: unit.Before{Desired: unit.Stopped}}
	inBubbleWith(t, stopped, func(r *rig) { r.adopts = found() }, func(t *testing.T, r *rig) {
		after(time.Second)
		server := r.adopts.(*fakeServer)
		if s := r.expect(t, fleet.Stopped, 0); s.Desired != unit.Stopped || server.stopCalls.Load() != 1 {
			t.Errorf("desired %s, ended %d times", s.Desired, server.stopCalls.Load())
		}
	})
}

func TestAdoptionThatFails(t *testing.T) {
	inBubbleWith(t, runner.Config{Policy: mended}, func(r *rig) { r.cannotAdopt = errors.New("the engine does not answer") }, func(t *testing.T, r *rig) {
		if s := r.expect(t, fleet.Backoff, 0); s.Message != "the engine does not answer" {
			t.Errorf("message %q", s.Message)
		}
		after(time.Second)
		r.expect(t, fleet.Ready, 1)
	})
}

func TestStoppedModelStaysStoppedOverARestartOfTheSupervisor(t *testing.T) {
	inBubbleWith(t, runner.Config{Policy: mended, Before: unit.Before{Desired: unit.Stopped, Starts: 2}}, func(*rig) {}, func(t *testing.T, r *rig) {
		after(time.Hour)
		r.expect(t, fleet.Stopped, 0)
		r.do(t, unit.Start)
		if s := r.expect(t, fleet.Ready, 1); s.Starts != 3 || r.reasons[0] != unit.Requested {
			t.Errorf("%d starts, for %v", s.Starts, r.reasons)
		}
	})
	inBubbleWith(t, runner.Config{Policy: mended, Before: unit.Before{Desired: unit.Running, Starts: 2}}, func(*rig) {}, func(t *testing.T, r *rig) {
		if r.expect(t, fleet.Ready, 1); len(r.reasons) != 1 || r.reasons[0] != unit.SupervisorRestarted {
			t.Errorf("started for %v", r.reasons)
		}
	})
}

func TestRemoteServerIsReadyAtOnce(t *testing.T) {
	remote := runner.Config{Policy: unit.Policy{Restart: true, Remote: true}}
	inBubbleWith(t, remote, func(*rig) {}, func(t *testing.T, r *rig) {
		if r.expect(t, fleet.Ready, 1); len(r.phases) != 1 {
			t.Errorf("before it was seen to be ready it was said to be %v", r.phases)
		}
	})
	remote.Before.Desired = unit.Stopped
	inBubbleWith(t, remote, func(*rig) {}, func(t *testing.T, r *rig) { r.expect(t, fleet.Stopped, 0) })
}

func TestModelOnDemand(t *testing.T) {
	demand := runner.Config{Policy: unit.Policy{Restart: true, OnDemand: true}}
	inBubbleWith(t, demand, func(*rig) {}, func(t *testing.T, r *rig) {
		after(time.Hour)
		if s := r.expect(t, fleet.Stopped, 0); s.Desired != unit.OnDemand || s.Reason != unit.ByDemand {
			t.Errorf("%s is desired: %s", s.Desired, s.Reason)
		}
		r.do(t, unit.Wanted)
		r.do(t, unit.Wanted)
		r.expect(t, fleet.Ready, 1)
		r.do(t, unit.Retire, unit.Idle)
		after(2 * time.Second)
		if s := r.expect(t, fleet.Stopped, 1); s.Reason != unit.Idle || s.Failures != 0 || r.drains != 1 {
			t.Errorf("%s, %d failures, %d drains", s.Reason, s.Failures, r.drains)
		}
		r.do(t, unit.Wanted)
		if r.expect(t, fleet.Ready, 2); r.reasons[0] != unit.ByDemand {
			t.Errorf("started for %v", r.reasons)
		}
	})
}
