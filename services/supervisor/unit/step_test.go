package unit_test

import (
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
	dead    = ended(unit.Finding{Reason: unit.BadArguments, Message: "unrecognized arguments: --fast", Permanent: true, Lines: []string{"usage"}})
	adopted = unit.Event{Kind: unit.Adopted}
	slow    = unit.Event{Kind: unit.Adopted, Message: "connection refused"}
	mended  = unit.Policy{Restart: true}
)

func is(kind unit.Kind) unit.Event { return unit.Event{Kind: kind} }

// launch is what an admitted start makes to be done.
var launch = []unit.Do{unit.Launch, unit.Schedule, unit.Schedule}

// TestTransitions walks from a new unit through events a second apart, with every start admitted at once, and checks where that
// leads and what the last event made to be done. What each event does in each phase is in matrix_test.go.
func TestTransitions(t *testing.T) {
	f := func(name string, policy unit.Policy, events []unit.Event, phase fleet.Phase, reason unit.Reason, do ...unit.Do) unit.State {
		t.Helper()
		state, effects := walk(unit.New(policy, unit.Before{}, begin), events)
		if state.Phase != phase || state.Reason != reason {
			t.Errorf("%s: phase %s (%s), want %s (%s)", name, state.Phase, state.Reason, phase, reason)
		}
		if got := dos(effects); !slices.Equal(got, do) {
			t.Errorf("%s: effects %v, want %v", name, got, do)
		}
		return state
	}
	start, stop, restart, halt := is(unit.Start), is(unit.Stop), is(unit.Restart), is(unit.Halt)
	due, late, stalled, drained := is(unit.Due), is(unit.Late), is(unit.Stalled), is(unit.Drained)
	wanted, idle, evict := is(unit.Wanted), because(unit.Retire, unit.Idle), because(unit.Retire, unit.Evicted)
	changed, gone := because(unit.Restart, unit.Reconfigured), because(unit.Halt, unit.Removed)
	seq := func(events ...unit.Event) []unit.Event { return events }
	never, remote := unit.Policy{}, unit.Policy{Restart: true, Remote: true}
	lasting, demand := unit.Policy{Restart: true, Outlives: true}, unit.Policy{Restart: true, OnDemand: true}

	f("stop twice", mended, seq(start, healthy, stop, stop), fleet.Draining, unit.Requested)
	f("drained", mended, seq(start, healthy, stop, drained), fleet.Stopping, unit.Requested, unit.Terminate)
	f("stopped", mended, seq(start, healthy, stop, drained, crash), fleet.Stopped, "")
	f("death while draining for a stop", mended, seq(start, healthy, stop, crash), fleet.Stopped, "")
	f("a stopped unit is not resurrected", mended, seq(start, crash, stop, due, healthy, late, stalled, drained, wanted, changed), fleet.Stopped, "")

	configured := func(p unit.Policy) unit.Event { return unit.Event{Kind: unit.Configured, Policy: p} }
	f("stopped stays stopped whatever the file says", demand, seq(start, stop, crash, configured(mended), wanted), fleet.Stopped, "")
	f("no longer on demand", demand, seq(wanted, idle, crash, configured(mended)), fleet.Starting, "", launch...)
	f("on demand from now on", mended, seq(start, healthy, configured(demand), idle), fleet.Draining, unit.Idle, unit.Drain)
	f("nothing restarts from now on", mended, seq(start, configured(never), crash), fleet.Failed, unit.Exited)
	f("who runs a server is not for the file", remote, seq(start, configured(mended), restart), fleet.Starting, "")
	f("halted", demand, seq(wanted, idle, crash, halt, configured(mended)), fleet.Stopped, unit.Idle)

	f("drained for a restart", mended, seq(start, healthy, restart, drained), fleet.Stopping, unit.Restarting, unit.Terminate)
	f("no restart after all", mended, seq(start, healthy, restart, stop), fleet.Draining, unit.Requested)
	f("no stop after all", mended, seq(start, healthy, stop, start), fleet.Draining, unit.Restarting)
	f("restart when ready", mended, seq(start, healthy, restart, drained, crash), fleet.Starting, "", launch...)
	f("restart when stopped", mended, seq(start, stop, crash, restart), fleet.Starting, "", launch...)
	f("stop during a restart", mended, seq(start, healthy, restart, stop, drained, crash), fleet.Stopped, "")
	f("start during a stop", mended, seq(start, healthy, stop, start, drained, crash), fleet.Starting, "", launch...)
	f("restart of a remote server", remote, seq(start, healthy, restart), fleet.Ready, "")
	f("another command", mended, seq(start, healthy, changed), fleet.Draining, unit.Restarting, unit.Drain)
	f("another command while it stops", mended, seq(start, healthy, stop, changed, crash), fleet.Stopped, "")
	f("another command for what failed for good", mended, seq(start, dead, changed), fleet.Starting, "", launch...)

	f("crash while starting", mended, seq(start, crash), fleet.Backoff, unit.Exited, unit.Schedule)
	f("exit with code 0 that nobody asked for", mended, seq(start, healthy, unit.Event{Kind: unit.Ended}), fleet.Backoff, unit.Exited, unit.Schedule)
	f("next try", mended, seq(start, crash, due), fleet.Starting, "", launch...)
	f("crash, restart not wanted", never, seq(start, crash), fleet.Failed, unit.Exited)
	f("start of a failed one", never, seq(start, crash, start), fleet.Starting, "", launch...)
	f("known cause", mended, seq(start, ended(unit.Finding{Reason: unit.GPUOutOfMemory, Message: "no room"})), fleet.Backoff, unit.GPUOutOfMemory, unit.Schedule)
	f("no use in trying again", mended, seq(start, dead), fleet.Failed, unit.BadArguments)
	f("a cause that is none", mended, seq(start, ended(unit.Finding{Reason: "Bored"})), fleet.Backoff, unit.Exited, unit.Schedule)
	f("must not be started", mended, seq(start, crash, due, failed(unit.Finding{Reason: unit.PortInUse, Permanent: true})), fleet.Failed, unit.PortInUse)

	f("ready after too late", mended, seq(start, late, healthy), fleet.Starting, unit.StartTimeout)
	f("ended for being late", mended, seq(start, late, crash), fleet.Backoff, unit.StartTimeout, unit.Schedule)
	f("ended for standing still", mended, seq(start, stalled, crash), fleet.Backoff, unit.StartStalled, unit.Schedule)
	f("stalled and late", mended, seq(start, stalled, late), fleet.Starting, unit.StartStalled)
	f("progress after all, but condemned", mended, seq(start, stalled, loading(7)), fleet.Starting, unit.StartStalled)
	f("its log knows better", mended, seq(start, stalled, dead), fleet.Failed, unit.BadArguments)
	f("its log tells of the end only", mended, seq(start, stalled, ended(unit.Finding{Reason: unit.HostOOMKilled})), fleet.Backoff, unit.StartStalled, unit.Schedule)

	f("two strikes", mended, seq(start, healthy, sick, sick), fleet.Ready, "")
	f("strikes in a row only", mended, seq(start, healthy, sick, sick, healthy, sick, sick), fleet.Ready, "")
	f("strikes of the server before", mended, seq(start, healthy, sick, sick, sick, crash, due, healthy, sick, sick), fleet.Ready, "")
	f("three strikes", mended, seq(start, healthy, sick, sick, sick), fleet.Unhealthy, unit.LivenessFailed, unit.Terminate)
	f("well again, but condemned", mended, seq(start, healthy, sick, sick, sick, healthy), fleet.Unhealthy, unit.LivenessFailed)
	f("ended for being sick", mended, seq(start, healthy, sick, sick, sick, crash), fleet.Backoff, unit.LivenessFailed, unit.Schedule)
	f("sick server that is not to be restarted", never, seq(start, healthy, sick, sick, sick), fleet.Unhealthy, unit.LivenessFailed)
	f("sick remote server", remote, seq(start, healthy, sick, sick, sick), fleet.Unhealthy, unit.LivenessFailed)
	f("remote server recovers", remote, seq(start, healthy, sick, sick, sick, healthy), fleet.Ready, "")
	f("stop of a sick remote server", remote, seq(start, healthy, sick, sick, sick, stop), fleet.Draining, unit.Requested, unit.Drain)
	f("a remote server may take its time", remote, seq(start), fleet.Starting, "", unit.Launch)
	f("a remote server is never late", remote, seq(start, late, stalled), fleet.Starting, "")

	f("wanted", demand, seq(wanted), fleet.Starting, "", launch...)
	f("idle", demand, seq(wanted, healthy, idle), fleet.Draining, unit.Idle, unit.Drain)
	f("ended for being idle", demand, seq(wanted, healthy, idle, drained, crash), fleet.Stopped, unit.Idle)
	f("evicted", demand, seq(wanted, healthy, evict, drained, crash), fleet.Stopped, unit.Evicted)
	f("evicted while it starts", demand, seq(wanted, evict), fleet.Stopping, unit.Evicted, unit.Terminate)
	f("wanted again", demand, seq(wanted, healthy, idle, wanted, drained, crash), fleet.Starting, "", launch...)
	f("wanted once it has gone", demand, seq(wanted, healthy, idle, drained, crash, wanted), fleet.Starting, "", launch...)
	f("wanted during a backoff", demand, seq(wanted, crash, wanted), fleet.Backoff, unit.Exited)
	f("wanted when failed", demand, seq(wanted, dead, wanted), fleet.Failed, unit.BadArguments)
	f("idle during a restart", demand, seq(wanted, healthy, restart, idle), fleet.Draining, unit.Restarting)
	f("wanted when a person has stopped it", demand, seq(wanted, healthy, stop, drained, crash, wanted), fleet.Stopped, "")
	f("started by a person", demand, seq(stop, start), fleet.Starting, "", launch...)
	f("idle after a person started it", demand, seq(start, healthy, idle), fleet.Draining, unit.Idle, unit.Drain)
	f("another command while nobody wants it", demand, seq(changed), fleet.Stopped, unit.ByDemand)
	f("what always runs is never idle", mended, seq(start, healthy, idle), fleet.Ready, "")

	naps := unit.Policy{Restart: true, OnDemand: true, Sleep: true}
	slept, woken := is(unit.Slept), is(unit.Woken)
	cannot := func(kind unit.Kind) unit.Event { return unit.Event{Kind: kind, Message: "404 Not Found"} }
	sleeps := func(more ...unit.Event) []unit.Event {
		return append(seq(wanted, healthy, idle, drained, slept), more...)
	}
	waking := []unit.Do{unit.Wake, unit.Schedule, unit.Schedule}
	f("put to sleep", naps, seq(wanted, healthy, idle, drained), fleet.Stopping, unit.Idle, unit.Sleep)
	if s := f("asleep", naps, sleeps(), fleet.Stopped, unit.Idle); !s.Asleep {
		t.Error("it does not sleep")
	}
	f("does not sleep", naps, seq(wanted, healthy, evict, drained, cannot(unit.Slept)), fleet.Stopping, unit.Evicted, unit.Terminate)
	f("ended instead", naps, seq(wanted, healthy, evict, drained, cannot(unit.Slept), crash), fleet.Stopped, unit.Evicted)
	f("woken", naps, sleeps(wanted), fleet.Starting, "", waking...)
	f("not awake yet, whatever its health says", naps, sleeps(wanted, healthy), fleet.Starting, "")
	if s := f("awake", naps, sleeps(wanted, woken, healthy), fleet.Ready, ""); s.Asleep || s.Starts != 1 {
		t.Errorf("awake: %+v", s)
	}
	f("does not wake up", naps, sleeps(wanted, cannot(unit.Woken)), fleet.Starting, unit.StartFailed, unit.Terminate)
	f("started anew for that", naps, sleeps(wanted, cannot(unit.Woken), crash, due), fleet.Starting, "", launch...)
	f("dies in its sleep", naps, sleeps(crash), fleet.Stopped, unit.Idle)
	f("wanted after that", naps, sleeps(crash, wanted), fleet.Starting, "", launch...)
	f("dies while it wakes up", naps, sleeps(wanted, crash), fleet.Backoff, unit.Exited, unit.Schedule)
	f("wanted while it falls asleep", naps, seq(wanted, healthy, idle, drained, wanted, slept), fleet.Starting, "", waking...)
	f("stopped in its sleep", naps, sleeps(stop), fleet.Stopping, unit.Requested, unit.Terminate)
	f("stopped while it falls asleep", naps, seq(wanted, healthy, idle, drained, stop), fleet.Stopping, unit.Requested, unit.Terminate)
	f("stopped, and then it did sleep", naps, seq(wanted, healthy, idle, drained, stop, slept), fleet.Stopping, unit.Requested)
	f("stopped before it could", naps, seq(wanted, healthy, idle, stop, drained), fleet.Stopping, unit.Requested, unit.Terminate)
	f("halted in its sleep", naps, sleeps(halt), fleet.Stopping, unit.SupervisorEnding, unit.Terminate)
	f("restarted in its sleep", naps, sleeps(restart), fleet.Stopping, unit.Restarting, unit.Terminate)
	f("another command in its sleep", naps, sleeps(changed, crash), fleet.Stopped, unit.ByDemand)
	f("what is sick does not sleep", naps, seq(wanted, healthy, sick, sick, sick, idle), fleet.Stopping, unit.Idle, unit.Terminate)
	f("what a person stops does not sleep", naps, seq(wanted, healthy, stop, drained), fleet.Stopping, unit.Requested, unit.Terminate)

	f("halt", mended, seq(start, healthy, halt), fleet.Draining, unit.SupervisorEnding, unit.Drain)
	f("start after halt", mended, seq(start, healthy, halt, start, drained, crash), fleet.Stopped, unit.SupervisorEnding)
	f("restart after halt", mended, seq(start, healthy, halt, restart, drained, crash), fleet.Stopped, unit.SupervisorEnding)
	f("halt during a restart", mended, seq(start, healthy, restart, halt, drained, crash), fleet.Stopped, unit.SupervisorEnding)
	f("wanted after halt", demand, seq(wanted, healthy, halt, wanted, drained, crash), fleet.Stopped, unit.SupervisorEnding)
	f("no longer needed", mended, seq(start, healthy, gone), fleet.Draining, unit.Removed, unit.Drain)
	f("no longer needed, and over", mended, seq(start, healthy, gone, drained, crash), fleet.Stopped, unit.Removed)
	f("needed again, as another one", mended, seq(start, healthy, gone, because(unit.Halt, unit.Restarting)), fleet.Draining, unit.Restarting)
	f("no longer needed when a person has stopped it", mended, seq(start, healthy, stop, gone), fleet.Draining, unit.Removed)
	f("halt of a failed one", never, seq(start, crash, halt), fleet.Stopped, "")
	f("halt of one that a person stops", mended, seq(start, healthy, stop, halt), fleet.Draining, unit.Requested)
	f("halt leaves a remote server in use", remote, seq(start, healthy, halt), fleet.Ready, "")
	f("halt leaves a server that outlives it", lasting, seq(start, healthy, halt), fleet.Ready, "")

	f("adopted, but stopped meanwhile", lasting, seq(adopted, stop, drained, crash), fleet.Stopped, "")
	f("adopted while it loads", lasting, seq(slow), fleet.Starting, unit.WasAdopted, unit.Schedule, unit.Schedule)
	f("adopted, then ready", lasting, seq(slow, healthy), fleet.Ready, "")
	f("remote server that was there", remote, seq(adopted), fleet.Ready, "")

	if s := f("why it is not ready", remote, seq(start, sick), fleet.Starting, ""); s.Message != sick.Message {
		t.Errorf("a remote server that does not answer says %q", s.Message)
	}
	if s := f("halt keeps what people want", mended, seq(start, halt), fleet.Stopping, unit.SupervisorEnding, unit.Terminate); s.Desired != unit.Running {
		t.Errorf("after a halt %s is desired", s.Desired)
	}
	if s := f("start keeps what the file says", demand, seq(stop, start), fleet.Starting, "", launch...); s.Desired != unit.OnDemand {
		t.Errorf("after a start %s is desired", s.Desired)
	}
}

func because(kind unit.Kind, why unit.Reason) unit.Event { return unit.Event{Kind: kind, Reason: why} }

func ended(f unit.Finding) unit.Event {
	return unit.Event{Kind: unit.Ended, Finding: f, Exit: unit.Exit{Code: 1}}
}

func failed(f unit.Finding) unit.Event { return unit.Event{Kind: unit.Failed, Finding: f} }

func loading(percent float64) unit.Event {
	return unit.Event{Kind: unit.Progressed, Progress: unit.Progress{Stage: "loading weights", Percent: percent}}
}

// walk applies events a second apart, admits every start at once, and returns the effects of the last event.
func walk(s unit.State, events []unit.Event) (unit.State, []unit.Effect) {
	var effects []unit.Effect
	now := begin
	for _, e := range events {
		now = now.Add(time.Second)
		e.At = now
		s, effects = unit.Step(s, e)
		if s.Phase == fleet.Pending {
			s, effects = unit.Step(s, unit.Event{Kind: unit.Admitted, At: now})
		}
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

// A server that is adopted was started by an earlier supervisor, which may have counted that.
func TestAdoptionIsNoRestart(t *testing.T) {
	for before, want := range map[int]int{0: 1, 1: 1, 4: 4} {
		s, _ := unit.Step(unit.New(mended, unit.Before{Starts: before}, begin), adopted)
		if s.Starts != want || s.Reason != unit.WasAdopted {
			t.Errorf("after %d starts: %d, %s", before, s.Starts, s.Reason)
		}
	}
}
