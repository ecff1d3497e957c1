package unit_test

import (
	"slices"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// life runs a unit that crashes again and again, each time after having been ready for uptime, and returns the backoffs.
func life(crashes int, uptime time.Duration, jitter float64) (unit.State, []time.Duration) {
	now := begin
	step := func(s unit.State, e unit.Event) (unit.State, []unit.Effect) {
		e.At, e.Jitter = now, jitter
		return unit.Step(s, e)
	}
	up := func(s unit.State, kind unit.Kind) unit.State {
		s, _ = step(s, is(kind))
		s, _ = step(s, is(unit.Admitted))
		s, _ = step(s, healthy)
		return s
	}
	s := up(unit.New(mended, unit.Before{}, now), unit.Start)
	var waits []time.Duration
	for range crashes {
		now = now.Add(uptime)
		var effects []unit.Effect
		s, effects = step(s, crash)
		if s.Phase == fleet.Failed {
			break
		}
		waits = append(waits, effects[0].After)
		now = now.Add(effects[0].After)
		s = up(s, unit.Due)
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
	s, _ := walk(unit.New(mended, unit.Before{}, begin), append(events, is(unit.Restart)))
	if s.Phase != fleet.Stopping && s.Phase != fleet.Starting {
		t.Errorf("restarts by hand led to %s (%s)", s.Phase, s.Reason)
	}
	if s.Restarts < 10 {
		t.Errorf("%d restarts counted", s.Restarts)
	}
}

func TestExitsInWords(t *testing.T) {
	for want, exit := range map[string]unit.Exit{
		"the server exited with code 0":               {},
		`the server was ended by signal "killed"`:     {Code: 137, Signal: "killed"},
		"the server ended while nobody could see how": {Code: unit.Unseen},
	} {
		if got := exit.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
