package unit_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

var (
	begin   = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	crash   = unit.Event{Kind: unit.Ended, Exit: unit.Exit{Code: 1}}
	healthy = unit.Event{Kind: unit.Probed}
	sick    = unit.Event{Kind: unit.Probed, Message: "health check answered 503"}
	mended  = unit.Policy{Restart: true}
)

func is(kind unit.Kind) unit.Event { return unit.Event{Kind: kind} }

// TestTransitions walks from a new unit through events a second apart, and checks where that leads and what the last event made
// to be done.
func TestTransitions(t *testing.T) {
	f := func(name string, policy unit.Policy, events []unit.Event, phase fleet.Phase, reason unit.Reason, do ...unit.Do) unit.State {
		t.Helper()
		state, effects := walk(unit.New(policy, begin), events)
		if state.Phase != phase || state.Reason != reason {
			t.Errorf("%s: phase %s (%s), want %s (%s)", name, state.Phase, state.Reason, phase, reason)
		}
		if got := dos(effects); !slices.Equal(got, do) {
			t.Errorf("%s: effects %v, want %v", name, got, do)
		}
		return state
	}
	start, stop, restart, halt := is(unit.Start), is(unit.Stop), is(unit.Restart), is(unit.Halt)
	due, late, drained := is(unit.Due), is(unit.Late), is(unit.Drained)
	seq := func(events ...unit.Event) []unit.Event { return events }
	never, remote := unit.Policy{}, unit.Policy{Restart: true, Remote: true}

	f("begin", mended, nil, fleet.Pending, "")
	f("start", mended, seq(start), fleet.Starting, "", unit.Launch)
	f("start twice", mended, seq(start, start), fleet.Starting, "")
	f("ready", mended, seq(start, healthy), fleet.Ready, "")
	f("not yet ready", mended, seq(start, sick), fleet.Starting, "")

	f("stop when ready", mended, seq(start, healthy, stop), fleet.Draining, unit.Requested, unit.Drain)
	f("stop twice", mended, seq(start, healthy, stop, stop), fleet.Draining, unit.Requested)
	f("drained", mended, seq(start, healthy, stop, drained), fleet.Stopping, unit.Requested, unit.Terminate)
	f("stopped", mended, seq(start, healthy, stop, drained, crash), fleet.Stopped, "")
	f("stop while starting", mended, seq(start, stop), fleet.Stopping, unit.Requested, unit.Terminate)
	f("stop before the start", mended, seq(stop), fleet.Stopped, "")
	f("stop during a backoff", mended, seq(start, crash, stop), fleet.Stopped, "")
	f("death while draining for a stop", mended, seq(start, healthy, stop, crash), fleet.Stopped, "")
	f("a stopped unit is not resurrected", mended, seq(start, crash, stop, due, healthy, late, drained), fleet.Stopped, "")

	f("restart drains", mended, seq(start, healthy, restart), fleet.Draining, unit.Restarting, unit.Drain)
	f("drained for a restart", mended, seq(start, healthy, restart, drained), fleet.Stopping, unit.Restarting, unit.Terminate)
	f("no restart after all", mended, seq(start, healthy, restart, stop), fleet.Draining, unit.Requested)
	f("no stop after all", mended, seq(start, healthy, stop, start), fleet.Draining, unit.Restarting)
	f("restart when ready", mended, seq(start, healthy, restart, drained, crash), fleet.Starting, "", unit.Launch)
	f("restart when stopped", mended, seq(start, stop, crash, restart), fleet.Starting, "", unit.Launch)
	f("stop during a restart", mended, seq(start, healthy, restart, stop, drained, crash), fleet.Stopped, "")
	f("start during a stop", mended, seq(start, healthy, stop, start, drained, crash), fleet.Starting, "", unit.Launch)
	f("restart of a remote server", remote, seq(start, healthy, restart), fleet.Ready, "")

	f("crash", mended, seq(start, healthy, crash), fleet.Backoff, unit.Exited, unit.Schedule)
	f("crash while starting", mended, seq(start, crash), fleet.Backoff, unit.Exited, unit.Schedule)
	f("next try", mended, seq(start, crash, due), fleet.Starting, "", unit.Launch)
	f("start during a backoff", mended, seq(start, crash, start), fleet.Starting, "", unit.Launch)
	f("crash, restart not wanted", never, seq(start, crash), fleet.Failed, unit.Exited)
	f("start of a failed one", never, seq(start, crash, start), fleet.Starting, "", unit.Launch)
	f("cannot be started", mended, seq(start, unit.Event{Kind: unit.Failed}), fleet.Backoff, unit.StartFailed, unit.Schedule)
	f("cannot ever be started", mended, seq(start, unit.Event{Kind: unit.Failed, Permanent: true}), fleet.Failed, unit.StartFailed)

	f("too late", mended, seq(start, late), fleet.Starting, unit.StartTimeout, unit.Terminate)
	f("ready after too late", mended, seq(start, late, healthy), fleet.Starting, unit.StartTimeout)
	f("ended for being late", mended, seq(start, late, crash), fleet.Backoff, unit.StartTimeout, unit.Schedule)
	f("late when ready", mended, seq(start, healthy, late), fleet.Ready, "")

	f("two strikes", mended, seq(start, healthy, sick, sick), fleet.Ready, "")
	f("strikes in a row only", mended, seq(start, healthy, sick, sick, healthy, sick, sick), fleet.Ready, "")
	f("three strikes", mended, seq(start, healthy, sick, sick, sick), fleet.Unhealthy, unit.LivenessFailed, unit.Terminate)
	f("well again, but condemned", mended, seq(start, healthy, sick, sick, sick, healthy), fleet.Unhealthy, unit.LivenessFailed)
	f("ended for being sick", mended, seq(start, healthy, sick, sick, sick, crash), fleet.Backoff, unit.LivenessFailed, unit.Schedule)
	f("stop of a condemned one", mended, seq(start, healthy, sick, sick, sick, stop), fleet.Stopping, unit.Requested, unit.Terminate)
	f("sick remote server", remote, seq(start, healthy, sick, sick, sick), fleet.Unhealthy, unit.LivenessFailed)
	f("remote server recovers", remote, seq(start, healthy, sick, sick, sick, healthy), fleet.Ready, "")
	f("stop of a sick remote server", remote, seq(start, healthy, sick, sick, sick, stop), fleet.Draining, unit.Requested, unit.Drain)

	f("halt", mended, seq(start, healthy, halt), fleet.Draining, unit.Requested, unit.Drain)
	f("start after halt", mended, seq(start, healthy, halt, start, drained, crash), fleet.Stopped, "")
	f("restart after halt", mended, seq(start, healthy, halt, restart, drained, crash), fleet.Stopped, "")
	f("halt of a failed one", never, seq(start, crash, halt), fleet.Stopped, "")
	f("halt leaves a remote server in use", remote, seq(start, healthy, halt), fleet.Ready, "")

	if s := f("why it is not ready", remote, seq(start, sick), fleet.Starting, ""); s.Message != sick.Message {
		t.Errorf("a remote server that does not answer says %q", s.Message)
	}
	if s := f("halt keeps what people want", mended, seq(start, halt), fleet.Stopping, unit.Requested, unit.Terminate); s.Desired != unit.Running {
		t.Errorf("after a halt %s is desired", s.Desired)
	}
}

// walk applies events a second apart and returns the effects of the last.
func walk(s unit.State, events []unit.Event) (unit.State, []unit.Effect) {
	var effects []unit.Effect
	for i, e := range events {
		e.At = begin.Add(time.Duration(i) * time.Second)
		s, effects = unit.Step(s, e)
	}
	return s, effects
}

func dos(effects []unit.Effect) []unit.Do {
	var out []unit.Do
	for _, e := range effects {
		out = append(out, e.Do)
	}
	return out
}

// life runs a unit that crashes again and again, each time after having been ready for uptime, and returns the backoffs.
func life(crashes int, uptime time.Duration, jitter float64) (unit.State, []time.Duration) {
	now := begin
	step := func(s unit.State, e unit.Event) (unit.State, []unit.Effect) {
		e.At, e.Jitter = now, jitter
		return unit.Step(s, e)
	}
	s, _ := step(unit.New(mended, now), is(unit.Start))
	var waits []time.Duration
	for range crashes {
		s, _ = step(s, healthy)
		now = now.Add(uptime)
		var effects []unit.Effect
		s, effects = step(s, crash)
		if s.Phase == fleet.Failed {
			break
		}
		waits = append(waits, effects[0].After)
		now = now.Add(effects[0].After)
		s, _ = step(s, is(unit.Due))
	}
	return s, waits
}

func TestBackoffDoublesUntilTheLoopIsSeen(t *testing.T) {
	s, waits := life(10, time.Second, 0)
	if want := []time.Duration{1e9, 2e9, 4e9, 8e9}; !slices.Equal(waits, want) {
		t.Errorf("waits %v, want %v", waits, want)
	}
	if s.Phase != fleet.Failed || s.Reason != unit.CrashLoop {
		t.Errorf("after five quick crashes: %s (%s)", s.Phase, s.Reason)
	}
}

func TestBackoffIsBounded(t *testing.T) {
	// Three minutes up are too short to be forgiven and too long for five failures in ten minutes.
	s, waits := life(9, 3*time.Minute, 0)
	if s.Phase == fleet.Failed || waits[8] != time.Minute || waits[6] != time.Minute {
		t.Errorf("phase %s, waits %v", s.Phase, waits)
	}
	if _, waits := life(1, time.Second, 1); waits[0] != 800*time.Millisecond {
		t.Errorf("with full jitter the first wait is %s", waits[0])
	}
}

func TestTenHealthyMinutesAreForgiven(t *testing.T) {
	_, waits := life(8, 10*time.Minute, 0)
	for _, wait := range waits {
		if wait != time.Second {
			t.Errorf("waits %v, want a second each", waits)
		}
	}
}

func TestPeopleAreNotCounted(t *testing.T) {
	var events []unit.Event
	for range 20 {
		events = append(events, is(unit.Restart), crash)
	}
	s, _ := walk(unit.New(mended, begin), append(events, is(unit.Restart)))
	if s.Phase != fleet.Stopping && s.Phase != fleet.Starting {
		t.Errorf("restarts by hand led to %s (%s)", s.Phase, s.Reason)
	}
	if s.Restarts() < 10 {
		t.Errorf("%d restarts counted", s.Restarts())
	}
}

// FuzzStep plays random events, of those that a loop could send, and checks what must hold in any order.
func FuzzStep(f *testing.F) {
	f.Add(uint64(1), uint64(2), true, false)
	f.Add(uint64(3), uint64(4), false, false)
	f.Add(uint64(5), uint64(6), true, true)
	f.Fuzz(func(t *testing.T, a, b uint64, restart, remote bool) {
		random := rand.New(rand.NewPCG(a, b))
		s := unit.New(unit.Policy{Restart: restart, Remote: remote}, begin)
		now, alive, halted := begin, false, false
		for range 200 {
			e := unit.Event{Kind: unit.Kind(random.IntN(int(unit.Ended) + 1)), Jitter: random.Float64(), Permanent: random.IntN(20) == 0}
			now = now.Add(time.Duration(random.Int64N(int64(time.Minute))))
			e.At = now
			if random.IntN(2) == 0 {
				e.Message = "something"
			}
			if needsServer := e.Kind == unit.Ended || e.Kind == unit.Probed || e.Kind == unit.Late || e.Kind == unit.Drained; needsServer && !alive {
				continue
			}
			if e.Kind == unit.Failed && (!alive || s.Phase != fleet.Starting) {
				continue
			}
			halted = halted || e.Kind == unit.Halt
			before := s
			var effects []unit.Effect
			s, effects = unit.Step(s, e)
			if e.Kind == unit.Ended || e.Kind == unit.Failed {
				alive = false
			}
			for _, effect := range effects {
				switch effect.Do {
				case unit.Launch:
					if alive || s.Desired == unit.Stopped || halted {
						t.Fatalf("launch with alive %t, desired %s, halted %t, after %+v on %+v", alive, s.Desired, halted, e, before)
					}
					alive = true
				case unit.Terminate, unit.Drain:
					if !alive {
						t.Fatalf("effect %d without a server, after %+v on %+v", effect.Do, e, before)
					}
				}
			}
			check(t, s, before, alive)
			if halted && remote {
				return // the loop is over
			}
		}
	})
}

func check(t *testing.T, s, before unit.State, alive bool) {
	t.Helper()
	idle := s.Phase == fleet.Stopped || s.Phase == fleet.Pending || s.Phase == fleet.Backoff || s.Phase == fleet.Failed
	if idle == alive {
		t.Fatalf("phase %s with a server: %t", s.Phase, alive)
	}
	if s.Starts < before.Starts || s.Since.Before(before.Since) {
		t.Fatalf("went back: %+v after %+v", s, before)
	}
	if s.Routable() != (s.Phase == fleet.Ready) {
		t.Fatalf("routable while %s", s.Phase)
	}
}
