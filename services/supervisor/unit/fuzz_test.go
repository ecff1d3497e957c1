package unit_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// FuzzStep plays random events, of those that a loop could send, and checks what must hold in any order. Then the world is kind to
// the unit, and it has to get to what people want.
func FuzzStep(f *testing.F) {
	f.Add(uint64(1), uint64(2), uint8(1))
	f.Add(uint64(3), uint64(4), uint8(0))
	f.Add(uint64(5), uint64(6), uint8(3))
	f.Add(uint64(7), uint64(8), uint8(33))
	f.Add(uint64(9), uint64(10), uint8(89))
	f.Fuzz(func(t *testing.T, a, b uint64, bits uint8) {
		random := rand.New(rand.NewPCG(a, b))
		p := unit.Policy{Restart: bits&1 != 0, Remote: bits&2 != 0, Outlives: bits&4 != 0, OnDemand: bits&8 != 0, Sleep: bits&16 != 0, Devices: bits&64 != 0,
			StartTimeout: time.Minute, StallTimeout: time.Minute}
		before := unit.Before{Starts: 2}
		if bits&32 != 0 && !p.Remote {
			before.Failures = unit.FailureHistory{Times: []time.Time{begin.Add(-time.Minute)}, Reason: unit.CrashLoop}
		}
		w := &world{t: t, now: begin, state: unit.New(p, before, begin)}
		for range 200 {
			e := unit.Event{Kind: unit.Kind(random.IntN(int(unit.Kinds))), Jitter: random.Float64()}
			w.now = w.now.Add(time.Duration(random.Int64N(int64(time.Minute))))
			switch random.IntN(4) {
			case 0:
				e.Message = "something"
			case 1:
				e.Reason = unit.Reconfigured
			case 3:
				e.Policy = p
				e.Policy.OnDemand = random.IntN(2) == 0
			case 2:
				e.Finding = unit.Finding{Reason: unit.GPUOutOfMemory, Permanent: random.IntN(8) == 0}
			}
			if !w.possible(e.Kind) {
				continue
			}
			w.step(e)
			if w.halted && (p.Remote || p.Outlives) {
				return // the loop is over
			}
		}
		w.settle()
	})
}

// world is what a unit is in: it knows of the server, and of what has to be done.
type world struct {
	t         *testing.T
	now       time.Time
	state     unit.State
	alive     bool
	asked     bool // whether the start may begin
	draining  bool
	condemned bool      // the server was told to end
	turning   unit.Kind // Slept or Woken, when it was told to sleep or to wake up
	freeing   bool      // its devices are still to get their memory back
	halted    bool
	begun     bool
	scheduled map[unit.Kind]bool
}

// possible tells whether a loop could send such an event now.
func (w *world) possible(kind unit.Kind) bool {
	switch kind {
	case unit.Ended, unit.Probed, unit.Progressed:
		return w.alive
	case unit.Adopted:
		return !w.begun
	case unit.Waiting, unit.Admitted:
		return w.asked
	case unit.Failed:
		return w.asked || w.alive && w.state.Phase == fleet.Starting && w.turning != unit.Woken
	case unit.Slept, unit.Woken:
		return w.turning == kind
	case unit.Drained:
		return w.draining
	case unit.Freed:
		return w.freeing
	case unit.Due, unit.Late, unit.Stalled:
		return w.scheduled[kind]
	}
	return true
}

func (w *world) step(e unit.Event) {
	w.t.Helper()
	e.At, w.begun = w.now, true
	w.halted = w.halted || e.Kind == unit.Halt
	before := w.state
	var effects []unit.Effect
	w.state, effects = unit.Step(before, e)
	switch e.Kind {
	case unit.Adopted:
		w.alive = true
	case unit.Ended, unit.Failed:
		w.alive = before.Asleep && e.Kind == unit.Failed // the start was refused, and the server sleeps on
		w.draining, w.condemned, w.turning = false, false, 0
	case unit.Slept, unit.Woken:
		w.turning = 0
	case unit.Drained:
		w.draining = false
	}
	if w.state.Phase != before.Phase {
		w.scheduled, w.asked, w.freeing = map[unit.Kind]bool{}, false, false
	}
	for _, effect := range effects {
		w.carryOut(effect, e, before)
	}
	w.check(e, before)
}

func (w *world) carryOut(effect unit.Effect, e unit.Event, before unit.State) {
	w.t.Helper()
	begins := effect.Do == unit.Admit || effect.Do == unit.Launch
	if begins && (w.alive && !(effect.Do == unit.Admit && w.state.Asleep) || w.asked || w.state.Desired == unit.Stopped || w.halted) {
		w.t.Fatalf("effect %d with a server: %t, desired %s, halted %t, after %+v on %+v", effect.Do, w.alive, w.state.Desired, w.halted, e, before)
	}
	if !begins && effect.Do != unit.Schedule && effect.Do != unit.Free && !w.alive || effect.Do == unit.Free && w.alive {
		w.t.Fatalf("effect %d without a server, after %+v on %+v", effect.Do, e, before)
	}
	switch effect.Do {
	case unit.Admit:
		w.asked = true
	case unit.Launch:
		w.alive = true
	case unit.Drain:
		w.draining = true
	case unit.Terminate:
		w.condemned = true
	case unit.Sleep:
		w.turning = unit.Slept
	case unit.Wake:
		w.turning = unit.Woken
	case unit.Free:
		w.freeing = true
	case unit.Schedule:
		w.scheduled[effect.Then] = true
	}
}

func (w *world) check(e unit.Event, before unit.State) {
	w.t.Helper()
	s := w.state
	without := w.freeing || s.Phase == fleet.Stopped || s.Phase == fleet.Pending || s.Phase == fleet.Backoff || s.Phase == fleet.Failed
	switch {
	case without == (w.alive && !s.Asleep), s.Asleep && !(without && w.alive):
		w.t.Fatalf("phase %s with a server: %t, asleep: %t, after %+v on %+v", s.Phase, w.alive, s.Asleep, e, before)
	case s.Asleep && s.Desired == unit.Stopped, s.Routable() && w.turning != 0:
		w.t.Fatalf("asleep: %t, desired %s, routable %t, after %+v on %+v", s.Asleep, s.Desired, s.Routable(), e, before)
	case s.Routable() != (s.Phase == fleet.Ready), s.Routable() && w.condemned:
		w.t.Fatalf("routable while %s, told to end: %t", s.Phase, w.condemned)
	case s.Starts < before.Starts, s.Failures < before.Failures, s.Since.Before(before.Since):
		w.t.Fatalf("went back: %+v after %+v", s, before)
	case s.Phase == fleet.Stopping && !w.condemned && w.turning != unit.Slept && !w.freeing, s.Phase == fleet.Draining && !w.draining, s.Phase == fleet.Pending && !w.asked:
		w.t.Fatalf("%s, and nobody does what that needs, after %+v on %+v", s.Phase, e, before)
	case before.Desired == unit.Stopped && s.Desired != unit.Stopped && e.Kind != unit.Start && e.Kind != unit.Restart:
		w.t.Fatalf("event %d made a stopped unit %s", e.Kind, s.Desired)
	}
	if _, ok := matrix[s.Phase]; !ok {
		w.t.Fatalf("the matrix does not know the phase %s", s.Phase)
	}
	switch e.Kind {
	case unit.Ended:
		if before.Phase != fleet.Draining && before.Phase != fleet.Stopping && !before.Asleep {
			return
		}
	case unit.Failed:
		return
	}
	if s.Failures != before.Failures {
		w.t.Fatalf("counted as a failure: %+v on %+v", e, before)
	}
}

// settle is kind to the unit: everything that it waits for happens.
func (w *world) settle() {
	w.t.Helper()
	for range 10 {
		w.now = w.now.Add(time.Second)
		switch {
		case w.asked:
			w.step(is(unit.Admitted))
		case w.draining:
			w.step(is(unit.Drained))
		case w.turning != 0:
			w.step(is(w.turning))
		case w.freeing:
			w.step(is(unit.Freed))
		case w.condemned:
			w.step(is(unit.Ended))
		case w.scheduled[unit.Due]:
			w.step(is(unit.Due))
		case w.alive:
			w.step(healthy)
		}
	}
	s := w.state
	want := map[unit.Desired][]fleet.Phase{
		unit.Running:  {fleet.Ready, fleet.Failed},
		unit.OnDemand: {fleet.Ready, fleet.Failed, fleet.Stopped},
		unit.Stopped:  {fleet.Stopped},
	}[s.Desired]
	if w.halted {
		want = []fleet.Phase{fleet.Stopped}
	}
	for _, phase := range want {
		if s.Phase == phase && !(w.halted && s.Asleep) {
			return
		}
	}
	w.t.Fatalf("desired %s, halted %t, but it stays %+v", s.Desired, w.halted, s)
}
