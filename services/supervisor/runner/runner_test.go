package runner_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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
		if s.PID != 102 || s.Restarts != 1 {
			t.Errorf("pid %d, %d restarts", s.PID, s.Restarts)
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

func TestLogExplainsAnEnd(t *testing.T) {
	why := unit.Finding{Reason: unit.AuthRequired, Message: "the model is gated", Permanent: true, Lines: []string{"401", "gated repo"}}
	inBubbleWith(t, runner.Config{Policy: mended}, func(r *rig) { r.finding, r.health = why, errLoading }, func(t *testing.T, r *rig) {
		r.server.done <- unit.Exit{Code: 1, At: time.Now()}
		synctest.Wait()
		s := r.expect(t, fleet.Failed, 1)
		if s.Reason != unit.AuthRequired || s.Message != why.Message || len(s.Failure.Lines) != 2 || s.FailedAt.IsZero() {
			t.Errorf("%+v", s)
		}
	})
	inBubbleWith(t, runner.Config{Policy: mended}, func(r *rig) { r.finding = why }, func(t *testing.T, r *rig) {
		r.do(t, unit.Stop)
		r.server.done <- unit.Exit{Code: 1, At: time.Now()}
		synctest.Wait()
		if s := r.expect(t, fleet.Stopped, 1); s.Failures != 0 {
			t.Errorf("an end that was asked for counts as a failure: %+v", s.Failure)
		}
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

func TestStartThatStalls(t *testing.T) {
	inBubbleWith(t, runner.Config{Policy: mended}, func(r *rig) { r.health = errLoading }, func(t *testing.T, r *rig) {
		after(4 * time.Minute)
		for percent := range 4 { // the last one counts
			r.runner.Progressed(unit.Progress{Stage: "loading weights", Percent: 10 * float64(percent)})
		}
		after(5*time.Minute - time.Millisecond)
		if s := r.expect(t, fleet.Starting, 1); s.Reason != "" || s.Message != "loading weights 30 %" {
			t.Errorf("before the stall: %s: %s", s.Reason, s.Message)
		}
		after(time.Millisecond)
		if r.expect(t, fleet.Starting, 1); r.server.stopCalls.Load() != 1 {
			t.Error("a server that stalled was not ended")
		}
		after(2 * time.Second)
		s := r.expect(t, fleet.Backoff, 1)
		if s.Reason != unit.StartStalled || s.Message != "no progress for 5m0s; it had come to: loading weights 30 %" {
			t.Errorf("%s: %s", s.Reason, s.Message)
		}
	})
}

func TestStartTimeout(t *testing.T) {
	inBubbleWith(t, runner.Config{Policy: mended}, func(r *rig) { r.health = errLoading }, func(t *testing.T, r *rig) {
		for range 10 {
			r.runner.Progressed(unit.Progress{Stage: "compiling", Percent: -1})
			after(time.Minute)
		}
		if r.expect(t, fleet.Starting, 1); r.server.stopCalls.Load() != 1 {
			t.Error("a server that never got ready was not ended")
		}
		after(2 * time.Second)
		if s := r.expect(t, fleet.Backoff, 1); s.Reason != unit.StartTimeout {
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
		r.set(func() {
			r.failure = &unit.Finding{Reason: unit.PortInUse, Message: "port 8001 is taken", Permanent: true}
		})
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
		u := runner.New(r.config(runner.Config{Policy: mended}))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		begin := time.Now()
		u.Run(ctx)
		if took := time.Since(begin); took != 92*time.Second { // a minute of life, the drain, and the server's own two seconds
			t.Errorf("Run took %s", took)
		}
	})
}
