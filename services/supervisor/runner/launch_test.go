package runner_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// slowDriver is one whose server comes after a minute, or not at all.
func slowDriver(failure error) func(r *rig) {
	return func(r *rig) { r.slow, r.failure = time.Minute, failure }
}

// doesAtOnce has the runner do something and expects the answer before its driver has given one.
func (r *rig) doesAtOnce(t *testing.T, kind unit.Kind) {
	t.Helper()
	asked := time.Now()
	r.do(t, kind)
	require.Less(t, time.Since(asked), time.Second)
}

// TestNobodyWaitsForASlowDriver, as the engine of a container can be: a wish is taken in while it starts a server.
func TestNobodyWaitsForASlowDriver(t *testing.T) {
	inBubbleWith(t, runner.Config{Policy: mended}, slowDriver(nil), func(t *testing.T, r *rig) {
		after(time.Minute + time.Second) // to look for what runs
		r.expect(t, fleet.Starting, 0)
		r.doesAtOnce(t, unit.Start)
		after(time.Minute)
		require.NotZero(t, r.expect(t, fleet.Ready, 1).PID)
	})
}

// TestStopDuringASlowStart: what comes in the end is ended, and not used.
func TestStopDuringASlowStart(t *testing.T) {
	inBubbleWith(t, runner.Config{Policy: mended}, slowDriver(nil), func(t *testing.T, r *rig) {
		after(time.Minute + time.Second)
		r.doesAtOnce(t, unit.Stop)
		r.expect(t, fleet.Stopping, 0)
		after(time.Minute)
		r.expect(t, fleet.Stopping, 1)
		after(2 * time.Second)
		r.expect(t, fleet.Stopped, 1)
		require.EqualValues(t, 1, r.server.stopCalls.Load())
	})
	inBubbleWith(t, runner.Config{Policy: mended}, slowDriver(errors.New("no such image")), func(t *testing.T, r *rig) {
		after(time.Minute + time.Second)
		r.doesAtOnce(t, unit.Stop)
		after(time.Minute)
		s := r.expect(t, fleet.Stopped, 1)
		require.Zero(t, s.LastExit)
		require.Zero(t, s.Failures)
	})
}

// TestSlowStartThatIsTooLate: it was given up before it failed.
func TestSlowStartThatIsTooLate(t *testing.T) {
	setup := func(r *rig) { r.slow, r.failure = 11*time.Minute, errors.New("no such image") }
	inBubbleWith(t, runner.Config{Policy: mended}, setup, func(t *testing.T, r *rig) {
		after(11*time.Minute + 10*time.Minute + time.Second)
		r.expect(t, fleet.Starting, 0)
		after(59*time.Second + 500*time.Millisecond)
		s := r.expect(t, fleet.Backoff, 1)
		require.Equal(t, unit.StartStalled, s.Reason)
		r.doesAtOnce(t, unit.Stop)
		r.expect(t, fleet.Stopped, 1)
	})
}

func TestSlowStartThatFails(t *testing.T) {
	inBubbleWith(t, runner.Config{Policy: mended}, slowDriver(errors.New("no such image")), func(t *testing.T, r *rig) {
		after(2*time.Minute + 500*time.Millisecond)
		s := r.expect(t, fleet.Backoff, 1)
		require.Equal(t, unit.StartFailed, s.Reason)
		require.Equal(t, "no such image", s.Message)
	})
}

// TestWishBeforeItIsKnownWhatRuns: it is taken in at once, and holds once that is known.
func TestWishBeforeItIsKnownWhatRuns(t *testing.T) {
	setup := func(r *rig) { r.slow, r.adopts = time.Minute, found() }
	inBubbleWith(t, runner.Config{Policy: mended}, setup, func(t *testing.T, r *rig) {
		r.doesAtOnce(t, unit.Stop)
		r.set(func() { require.Empty(t, r.phases, "something was said before it was known what runs") })
		after(time.Minute)
		require.Equal(t, 7, r.expect(t, fleet.Stopping, 0).PID)
		after(time.Second)
		r.expect(t, fleet.Stopped, 0)
	})
}

// TestEndDuringASlowStart: a server that outlives the supervisor is not waited for.
func TestEndDuringASlowStart(t *testing.T) {
	for name, moment := range map[string]time.Duration{"while it looks": time.Second, "while it starts": time.Minute + time.Second} {
		synctest.Test(t, func(t *testing.T) {
			r := &rig{slow: time.Minute}
			u := runner.New(r.config(runner.Config{Policy: unit.Policy{Restart: true, Outlives: true}}))
			ctx, cancel := context.WithTimeout(t.Context(), moment)
			defer cancel()
			begin := time.Now()
			u.Run(ctx)
			require.Equal(t, moment, time.Since(begin), name)
			require.Empty(t, r.started, name)
		})
	}
}
