package runner_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// slot is a rule that admits one start at a time.
type slot struct {
	free     chan struct{}
	released int
}

// slots lets the unit wait for a slot, of which n are free.
func (r *rig) slots(n int) {
	r.slot = &slot{free: make(chan struct{}, 1)}
	r.admit = r.slot.admit
	for range n {
		r.slot.free <- struct{}{}
	}
}

func (s *slot) admit(ctx context.Context, waiting func(unit.Reason, string)) (func(), error) {
	waiting(unit.WaitingForSlot, "another model is loading")
	select {
	case <-s.free:
		return func() {
			s.released++
			s.free <- struct{}{}
		}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestStartWaitsForItsTurn(t *testing.T) {
	inBubbleWith(t, runner.Config{Policy: mended}, func(r *rig) { r.slots(0) }, func(t *testing.T, r *rig) {
		after(time.Hour)
		if now := r.expect(t, fleet.Pending, 0); now.Reason != unit.WaitingForSlot || now.Message != "another model is loading" {
			t.Errorf("pending for %s: %s", now.Reason, now.Message)
		}
		r.slot.free <- struct{}{}
		synctest.Wait()
		r.expect(t, fleet.Ready, 1)
		if r.slot.released != 1 {
			t.Errorf("a server that is ready gave its slot back %d times", r.slot.released)
		}
		r.do(t, unit.Stop)
		after(time.Minute)
		if r.slot.released != 1 {
			t.Errorf("released %d times", r.slot.released)
		}
	})
}

// TestSlotComesBack ends starts in every way that there is.
func TestSlotComesBack(t *testing.T) {
	setup := func(r *rig) {
		r.slots(1)
		r.health = errLoading
	}
	f := func(name string, end func(t *testing.T, r *rig)) {
		t.Run(name, func(t *testing.T) {
			inBubbleWith(t, runner.Config{Policy: mended}, setup, func(t *testing.T, r *rig) {
				after(10 * time.Second)
				if r.slot.released != 0 {
					t.Error("released while the server starts")
				}
				end(t, r)
				synctest.Wait()
				if r.slot.released != 1 {
					t.Errorf("released %d times", r.slot.released)
				}
			})
		})
	}
	f("exit", func(_ *testing.T, r *rig) { r.server.done <- unit.Exit{Code: 1} })
	f("stop", func(t *testing.T, r *rig) {
		r.do(t, unit.Stop)
		r.expect(t, fleet.Stopping, 1)
		after(2 * time.Second)
	})
	f("stall", func(*testing.T, *rig) { after(5 * time.Minute) })
	f("ready", func(_ *testing.T, r *rig) {
		r.set(func() { r.health = nil })
		after(time.Second)
	})
}

func TestSlotOfAStartThatFails(t *testing.T) {
	tooMany := func(r *rig) {
		r.slots(1)
		r.failure = errors.New("too many processes")
	}
	inBubbleWith(t, runner.Config{Policy: mended}, tooMany, func(t *testing.T, r *rig) {
		if r.expect(t, fleet.Backoff, 1); r.slot.released != 1 {
			t.Errorf("released %d times", r.slot.released)
		}
	})
}

func TestNobodyWaitsForWhatIsStopped(t *testing.T) {
	inBubbleWith(t, runner.Config{Policy: mended}, func(r *rig) { r.slots(0) }, func(t *testing.T, r *rig) {
		r.do(t, unit.Stop)
		r.expect(t, fleet.Stopped, 0)
		r.slot.free <- struct{}{} // nobody takes it any more
		after(time.Minute)
		r.expect(t, fleet.Stopped, 0)
		if len(r.slot.free) != 1 {
			t.Error("a unit that was stopped while it waited took a slot")
		}
		r.do(t, unit.Start)
		r.expect(t, fleet.Ready, 1)
	})
}

// TestAdmissionThatComesTooLate is granted in the moment in which the unit is stopped: the slot has to come back.
func TestAdmissionThatComesTooLate(t *testing.T) {
	released := 0
	late := func(ctx context.Context, _ func(unit.Reason, string)) (func(), error) {
		<-ctx.Done()
		return func() { released++ }, nil
	}
	inBubbleWith(t, runner.Config{Policy: mended}, func(r *rig) { r.admit = late }, func(t *testing.T, r *rig) {
		r.do(t, unit.Stop)
		if r.expect(t, fleet.Stopped, 0); released != 1 {
			t.Errorf("released %d times", released)
		}
	})
}

// TestOneAdmissionAtATime: the rules know a start by its server alone, so what the last one still takes back must not be the next one's.
func TestOneAdmissionAtATime(t *testing.T) {
	asking, together, asked := 0, 0, 0
	slow := func(ctx context.Context, _ func(unit.Reason, string)) (func(), error) {
		asking, asked = asking+1, asked+1
		together = max(together, asking)
		<-ctx.Done()
		time.Sleep(time.Second)
		asking--
		return nil, ctx.Err()
	}
	inBubbleWith(t, runner.Config{Policy: mended}, func(r *rig) { r.admit = slow }, func(t *testing.T, r *rig) {
		for range 3 {
			r.do(t, unit.Stop)
			r.do(t, unit.Start)
			after(10 * time.Second)
		}
		if asked != 4 || together != 1 {
			t.Errorf("asked %d times, %d of them at a time", asked, together)
		}
	})
}

func TestStartThatIsRefused(t *testing.T) {
	refuse := func(context.Context, func(unit.Reason, string)) (func(), error) {
		return nil, &unit.Finding{Reason: unit.GPUOutOfMemory, Message: "the device is too small", Permanent: true}
	}
	inBubbleWith(t, runner.Config{Policy: mended}, func(r *rig) { r.admit = refuse }, func(t *testing.T, r *rig) {
		if s := r.expect(t, fleet.Failed, 0); s.Reason != unit.GPUOutOfMemory || s.Message != "the device is too small" {
			t.Errorf("%s: %s", s.Reason, s.Message)
		}
	})
}
