package unit_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// givenUp is what an earlier supervisor left of a unit in a crash loop.
var givenUp = unit.Before{Starts: 5, Failures: unit.FailureHistory{
	Times: []time.Time{begin.Add(-2 * time.Hour), begin.Add(-time.Hour)}, Reason: unit.CrashLoop, Message: "it always crashes",
}}

// supervisors lets one supervisor after the other live, each until the unit's server has crashed once and for pause after that, until
// the unit is given up. It returns how many there were and the backoffs.
func supervisors(t *testing.T, pause time.Duration) (n int, waits []time.Duration, s unit.State) {
	t.Helper()
	now, before := begin, unit.Before{}
	step := func(s unit.State, e unit.Event) (unit.State, []unit.Effect) {
		e.At = now
		return unit.Step(s, e)
	}
	for n = 1; n <= 20; n++ {
		s = unit.New(mended, before, now)
		s, _ = step(s, because(unit.Start, unit.SupervisorRestarted))
		s, _ = step(s, is(unit.Admitted))
		now = now.Add(30 * time.Second)
		s, effects := step(s, crash)
		if s.Phase == fleet.Failed {
			return n, waits, s
		}
		waits = append(waits, effects[0].After)
		now = now.Add(pause)
		s, _ = step(s, is(unit.Halt))
		before = unit.Before{Starts: s.Starts, Failures: s.History()}
	}
	return n, waits, s
}

func TestCrashLoopIsSeenOverSupervisors(t *testing.T) {
	n, waits, s := supervisors(t, time.Minute)
	require.Equal(t, 5, n)
	require.Equal(t, []time.Duration{1e9, 2e9, 4e9, 8e9}, waits)
	require.Equal(t, unit.CrashLoop, s.Reason)

	n, waits, _ = supervisors(t, 10*time.Minute) // as far from each other as to be forgotten
	require.Equal(t, 21, n)
	require.Equal(t, time.Second, waits[19])
}

func TestWhatWasGivenUpStaysDown(t *testing.T) {
	s := unit.New(mended, givenUp, begin)
	require.Equal(t, fleet.Failed, s.Phase)
	require.Equal(t, unit.CrashLoop, s.Reason)
	require.Equal(t, "the supervisor before this one gave it up: it always crashes", s.Message)
	require.Equal(t, begin.Add(-time.Hour), s.Since)
	require.Equal(t, unit.Running, s.Desired)

	onDemand := unit.New(unit.Policy{Restart: true, OnDemand: true}, givenUp, begin)
	onDemand, effects := unit.Step(onDemand, is(unit.Wanted))
	require.Equal(t, fleet.Failed, onDemand.Phase)
	require.Empty(t, effects)

	halted, _ := unit.Step(s, is(unit.Halt)) // the supervisor ends, and the next one knows
	require.Equal(t, fleet.Stopped, halted.Phase)
	require.True(t, halted.History().Same(givenUp.Failures))

	person := givenUp
	person.Desired = unit.Stopped
	stopped := unit.New(mended, person, begin)
	require.Equal(t, fleet.Stopped, stopped.Phase)
	require.Empty(t, stopped.Reason)
}

func TestWhatWasGivenUpIsForgiven(t *testing.T) {
	for name, by := range map[string]unit.Event{
		"a start": is(unit.Start), "a restart": is(unit.Restart), "another command": because(unit.Restart, unit.Reconfigured),
	} {
		s, effects := unit.Step(unit.New(mended, givenUp, begin), by)
		require.Equal(t, fleet.Pending, s.Phase, name)
		require.Equal(t, []unit.Effect{{Do: unit.Admit}}, effects, name)
		require.Zero(t, s.History(), name)
	}
}

// TestRestartsOfTheSupervisorAreNotTheModels: what is counted of a model is what befell the model, over supervisors.
func TestRestartsOfTheSupervisorAreNotTheModels(t *testing.T) {
	again := because(unit.Start, unit.SupervisorRestarted)
	s, _ := walk(unit.New(mended, unit.Before{}, begin), []unit.Event{is(unit.Start), healthy, is(unit.Restart), crash, healthy})
	require.Equal(t, 1, s.Restarts)
	for n := range 3 {
		s, _ = walk(unit.New(mended, unit.Before{Starts: s.Starts, Restarts: s.Restarts}, begin), []unit.Event{again, healthy})
		require.Equal(t, []int{3 + n, 1}, []int{s.Starts, s.Restarts})
	}
	s, _ = walk(s, []unit.Event{crash, is(unit.Due), healthy})
	require.Equal(t, 2, s.Restarts)
}
