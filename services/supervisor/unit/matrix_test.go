package unit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// matrix tells of each phase how a unit gets there, and what each event leads to from there: the phase, its reason, and what has to
// be done; "-" where nothing changes that people could see. A server that is unhealthy here is being ended for that.
var matrix = map[fleet.Phase]struct {
	by   []unit.Event
	then map[unit.Kind]string
}{
	fleet.Stopped: {nil, map[unit.Kind]string{
		unit.Start: "pending: admit", unit.Stop: "-", unit.Restart: "pending: admit", unit.Wanted: "-", unit.Retire: "-", unit.Configured: "-", unit.Halt: "-",
		unit.Adopted: "ready (Adopted)", unit.Waiting: "-", unit.Admitted: "-", unit.Due: "-", unit.Failed: "-", unit.Progressed: "-",
		unit.Stalled: "-", unit.Late: "-", unit.Probed: "-", unit.Slept: "-", unit.Woken: "-", unit.Drained: "-", unit.Ended: "-", unit.Freed: "-",
	}},
	fleet.Pending: {[]unit.Event{is(unit.Start)}, map[unit.Kind]string{
		unit.Start: "-", unit.Stop: "stopped", unit.Restart: "-", unit.Wanted: "-", unit.Retire: "-", unit.Configured: "-", unit.Halt: "stopped (SupervisorEnding)",
		unit.Adopted: "-", unit.Waiting: "pending (WaitingForSlot)", unit.Admitted: "starting: launch late stalled", unit.Due: "-",
		unit.Failed: "backoff (StartFailed): due", unit.Progressed: "-", unit.Stalled: "-", unit.Late: "-", unit.Probed: "-",
		unit.Slept: "-", unit.Woken: "-", unit.Drained: "-", unit.Ended: "-", unit.Freed: "-",
	}},
	fleet.Starting: {[]unit.Event{is(unit.Start), is(unit.Admitted)}, map[unit.Kind]string{
		unit.Start: "-", unit.Stop: "stopping (Requested): terminate", unit.Restart: "stopping (Restarting): terminate", unit.Wanted: "-",
		unit.Retire: "-", unit.Configured: "-", unit.Halt: "stopping (SupervisorEnding): terminate", unit.Adopted: "-", unit.Waiting: "-", unit.Admitted: "-",
		unit.Due: "-", unit.Failed: "backoff (StartFailed): due", unit.Progressed: "starting: stalled",
		unit.Stalled: "starting (StartStalled): terminate", unit.Late: "starting (StartTimeout): terminate", unit.Probed: "ready",
		unit.Slept: "-", unit.Woken: "-", unit.Drained: "-", unit.Ended: "backoff (Exited): due", unit.Freed: "-",
	}},
	fleet.Ready: {[]unit.Event{is(unit.Start), is(unit.Admitted), healthy}, map[unit.Kind]string{
		unit.Start: "-", unit.Stop: "draining (Requested): drain", unit.Restart: "draining (Restarting): drain", unit.Wanted: "-",
		unit.Retire: "-", unit.Configured: "-", unit.Halt: "draining (SupervisorEnding): drain", unit.Adopted: "-", unit.Waiting: "-", unit.Admitted: "-",
		unit.Due: "-", unit.Failed: "-", unit.Progressed: "-", unit.Stalled: "-", unit.Late: "-", unit.Probed: "-", unit.Slept: "-", unit.Woken: "-", unit.Drained: "-",
		unit.Ended: "backoff (Exited): due", unit.Freed: "-",
	}},
	fleet.Unhealthy: {[]unit.Event{is(unit.Start), is(unit.Admitted), healthy, sick, sick, sick}, map[unit.Kind]string{
		unit.Start: "-", unit.Stop: "stopping (Requested): terminate", unit.Restart: "stopping (Restarting): terminate", unit.Wanted: "-",
		unit.Retire: "-", unit.Configured: "-", unit.Halt: "stopping (SupervisorEnding): terminate", unit.Adopted: "-", unit.Waiting: "-", unit.Admitted: "-",
		unit.Due: "-", unit.Failed: "-", unit.Progressed: "-", unit.Stalled: "-", unit.Late: "-", unit.Probed: "-", unit.Slept: "-", unit.Woken: "-", unit.Drained: "-",
		unit.Ended: "backoff (LivenessFailed): due", unit.Freed: "-",
	}},
	fleet.Draining: {[]unit.Event{is(unit.Start), is(unit.Admitted), healthy, is(unit.Stop)}, map[unit.Kind]string{
		unit.Start: "draining (Restarting)", unit.Stop: "-", unit.Restart: "draining (Restarting)", unit.Wanted: "-", unit.Retire: "-", unit.Configured: "-",
		unit.Halt: "-", unit.Adopted: "-", unit.Waiting: "-", unit.Admitted: "-", unit.Due: "-", unit.Failed: "-", unit.Progressed: "-",
		unit.Stalled: "-", unit.Late: "-", unit.Probed: "-", unit.Slept: "-", unit.Woken: "-", unit.Drained: "stopping (Requested): terminate", unit.Ended: "stopped", unit.Freed: "-",
	}},
	fleet.Stopping: {[]unit.Event{is(unit.Start), is(unit.Admitted), is(unit.Stop)}, map[unit.Kind]string{
		unit.Start: "stopping (Restarting)", unit.Stop: "-", unit.Restart: "stopping (Restarting)", unit.Wanted: "-", unit.Retire: "-", unit.Configured: "-",
		unit.Halt: "-", unit.Adopted: "-", unit.Waiting: "-", unit.Admitted: "-", unit.Due: "-", unit.Failed: "-", unit.Progressed: "-",
		unit.Stalled: "-", unit.Late: "-", unit.Probed: "-", unit.Slept: "-", unit.Woken: "-", unit.Drained: "-", unit.Ended: "stopped", unit.Freed: "-",
	}},
	fleet.Backoff: {[]unit.Event{is(unit.Start), is(unit.Admitted), crash}, map[unit.Kind]string{
		unit.Start: "pending: admit", unit.Stop: "stopped", unit.Restart: "pending: admit", unit.Wanted: "-", unit.Retire: "-", unit.Configured: "-",
		unit.Halt: "stopped (SupervisorEnding)", unit.Adopted: "-", unit.Waiting: "-", unit.Admitted: "-", unit.Due: "pending: admit", unit.Failed: "-",
		unit.Progressed: "-", unit.Stalled: "-", unit.Late: "-", unit.Probed: "-", unit.Slept: "-", unit.Woken: "-", unit.Drained: "-", unit.Ended: "-", unit.Freed: "-",
	}},
	fleet.Failed: {[]unit.Event{is(unit.Start), is(unit.Admitted), dead}, map[unit.Kind]string{
		unit.Start: "pending: admit", unit.Stop: "stopped", unit.Restart: "pending: admit", unit.Wanted: "-", unit.Retire: "-", unit.Configured: "-",
		unit.Halt: "stopped", unit.Adopted: "ready (Adopted)", unit.Waiting: "-", unit.Admitted: "-", unit.Due: "-", unit.Failed: "-",
		unit.Progressed: "-", unit.Stalled: "-", unit.Late: "-", unit.Probed: "-", unit.Slept: "-", unit.Woken: "-", unit.Drained: "-", unit.Ended: "-", unit.Freed: "-",
	}},
}

// demanded is what differs from matrix for a model that is started on demand. It gets to its phases by Wanted and Retire.
var demanded = map[fleet.Phase]map[unit.Kind]string{
	fleet.Stopped:   {unit.Wanted: "pending: admit", unit.Stop: "stopped"},
	fleet.Pending:   {unit.Retire: "stopped (Idle)"},
	fleet.Starting:  {unit.Retire: "stopping (Idle): terminate"},
	fleet.Ready:     {unit.Retire: "draining (Idle): drain"},
	fleet.Unhealthy: {unit.Retire: "stopping (Idle): terminate"},
	fleet.Draining: {unit.Stop: "draining (Requested)", unit.Halt: "draining (SupervisorEnding)", unit.Wanted: "draining (Restarting)",
		unit.Drained: "stopping (Idle): terminate", unit.Ended: "stopped (Idle)"},
	fleet.Stopping: {unit.Stop: "stopping (Requested)", unit.Halt: "stopping (SupervisorEnding)", unit.Wanted: "stopping (Restarting)",
		unit.Ended: "stopped (Idle)"},
	fleet.Backoff: {unit.Retire: "stopped (Idle)"},
}

func TestEveryEventInEveryPhase(t *testing.T) {
	for phase, row := range matrix {
		for kind := range unit.Kinds {
			want, ok := row.then[kind]
			if !ok {
				t.Errorf("the matrix does not say what event %d does to a unit that is %s", kind, phase)
				continue
			}
			cell(t, mended, phase, row.by, kind, want)
			if differs, ok := demanded[phase][kind]; ok {
				want = differs
			}
			by := slices.Clone(row.by)
			for i, e := range by {
				switch e.Kind {
				case unit.Start:
					by[i] = is(unit.Wanted)
				case unit.Stop:
					by[i] = because(unit.Retire, unit.Idle)
				}
			}
			cell(t, unit.Policy{Restart: true, OnDemand: true}, phase, by, kind, want)
		}
	}
}

func cell(t *testing.T, policy unit.Policy, phase fleet.Phase, by []unit.Event, kind unit.Kind, want string) {
	t.Helper()
	now := begin
	step := func(s unit.State, e unit.Event) (unit.State, []unit.Effect) {
		now = now.Add(time.Second)
		e.At = now
		return unit.Step(s, e)
	}
	before := unit.New(policy, unit.Before{}, now)
	for _, e := range by {
		before, _ = step(before, e)
	}
	if before.Phase != phase {
		t.Fatalf("the way to %s leads to %s", phase, before.Phase)
	}
	e := example(kind)
	e.Policy = policy
	after, effects := step(before, e)
	if got := outcome(before, after, effects); got != want {
		t.Errorf("%s, on demand: %t: event %d leads to %q, want %q", phase, policy.OnDemand, kind, got, want)
	}
}

// example is an event of the kind with what goes with it.
func example(kind unit.Kind) unit.Event {
	e := is(kind)
	switch kind {
	case unit.Retire:
		e.Reason = unit.Idle
	case unit.Waiting:
		e.Reason, e.Message = unit.WaitingForSlot, "two models are loading"
	case unit.Progressed:
		e.Progress = unit.Progress{Stage: "loading weights", Percent: 43}
	case unit.Ended:
		e.Exit = unit.Exit{Code: 1}
	}
	return e
}

func outcome(before, after unit.State, effects []unit.Effect) string {
	if after.Phase == before.Phase && after.Reason == before.Reason && after.Message == before.Message && len(effects) == 0 {
		return "-"
	}
	var text strings.Builder
	text.WriteString(string(after.Phase))
	if after.Reason != "" {
		fmt.Fprintf(&text, " (%s)", after.Reason)
	}
	for i, e := range effects {
		if i == 0 {
			text.WriteString(":")
		}
		word := map[unit.Do]string{unit.Admit: "admit", unit.Launch: "launch", unit.Drain: "drain", unit.Terminate: "terminate",
			unit.Sleep: "sleep", unit.Wake: "wake", unit.Free: "free"}[e.Do]
		if e.Do == unit.Schedule {
			word = map[unit.Kind]string{unit.Due: "due", unit.Late: "late", unit.Stalled: "stalled"}[e.Then]
		}
		text.WriteString(" " + word)
	}
	return text.String()
}
