package runner_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// TestSleepingServer: a model that retires keeps its process, which ends only when it is to be another, dies or does not obey.
func TestSleepingServer(t *testing.T) {
	inBubble(t, unit.Policy{Restart: true, OnDemand: true, Sleep: true}, func(t *testing.T, r *rig) {
		r.expect(t, fleet.Stopped, 0)
		r.do(t, unit.Wanted)
		pid := r.expect(t, fleet.Ready, 1).PID

		for range 3 {
			r.do(t, unit.Retire, unit.Idle)
			r.expect(t, fleet.Stopping, 1)
			after(time.Minute)
			if s := r.expect(t, fleet.Stopped, 1); !s.Asleep || s.PID != pid || s.Reason != unit.Idle {
				t.Fatalf("after it went to sleep: %+v", s)
			}
			r.do(t, unit.Wanted)
			r.expect(t, fleet.Starting, 1)
			after(2 * time.Second)
			if s := r.expect(t, fleet.Ready, 1); s.Asleep || s.PID != pid || s.Restarts != 0 {
				t.Fatalf("after it woke up: %+v", s)
			}
		}
		if want := []string{"asleep", "awake", "asleep", "awake", "asleep", "awake"}; !slices.Equal(r.turns, want) {
			t.Errorf("it was told: %v", r.turns)
		}

		r.do(t, unit.Retire, unit.Evicted)
		after(time.Minute)
		r.server.done <- unit.Exit{Signal: "killed", Code: 137}
		after(0)
		s := r.expect(t, fleet.Stopped, 1)
		if s.Asleep || s.PID != 0 || s.Failures != 0 || s.Message != `in its sleep the server was ended by signal "killed"` {
			t.Errorf("after it died in its sleep: %+v", s)
		}

		r.do(t, unit.Wanted)
		r.expect(t, fleet.Ready, 2)
		r.set(func() { r.turning = errors.New("404 Not Found") })
		r.do(t, unit.Retire, unit.Idle)
		after(time.Second)
		if s := r.expect(t, fleet.Stopping, 2); s.Message != "it is ended, because it did not go to sleep: 404 Not Found" {
			t.Errorf("a server without a sleep mode: %s", s.Message)
		}
		after(2 * time.Second)
		r.expect(t, fleet.Stopped, 2)

		r.set(func() { r.turning = nil })
		r.do(t, unit.Wanted)
		r.do(t, unit.Retire, unit.Idle)
		after(time.Minute)
		r.set(func() { r.turning = errors.New("no memory") })
		r.do(t, unit.Wanted)
		after(time.Second)
		if s := r.expect(t, fleet.Starting, 3); s.Reason != unit.StartFailed || s.Message != "it did not wake up: no memory" {
			t.Errorf("a server that does not wake up: %s: %s", s.Reason, s.Message)
		}
		after(2 * time.Second) // it ends
		r.expect(t, fleet.Backoff, 3)
		after(time.Second)
		r.expect(t, fleet.Ready, 4)

		r.set(func() { r.turning = nil })
		r.do(t, unit.Retire, unit.Idle)
		after(time.Minute)
		if s := r.expect(t, fleet.Stopped, 4); !s.Asleep { // and is ended with its unit
			t.Errorf("%+v", s)
		}
	})
}
