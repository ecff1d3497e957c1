package admission_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway/admission"
)

func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, fleet.Limits{Inflight: 1})
		r.enter("first", key("a"))
		for _, name := range []string{"a1", "a2", "a3", "b1", "c1", "b2"} {
			r.enter(name, key(name[:1]))
		}
		r.enter("low", admission.Ticket{Key: "a", Priority: -1})
		r.enter("high", admission.Ticket{Key: "a", Priority: 7})
		r.expect(1, 8)
		want := []string{"first", "high", "a1", "b1", "c1", "a2", "b2", "a3", "low"}
		if diff := cmp.Diff(want, r.leaveAll()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestLeavingTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, fleet.Limits{Inflight: 1, QueueTimeout: 10 * time.Second})
		r.enter("in", key("a"))
		r.enter("gone", key("a"))
		deadline, cancel := context.WithTimeout(t.Context(), 9*time.Second)
		defer cancel()
		r.enterUntil(deadline, "deadline", key("a"))
		later, cancel := context.WithTimeout(t.Context(), 11*time.Second)
		defer cancel()
		r.enterUntil(later, "timeout", key("a"))
		r.expect(1, 3)
		r.cancel["gone"]()
		synctest.Wait()
		r.expect(1, 2)
		time.Sleep(9*time.Second - time.Millisecond)
		synctest.Wait()
		r.expect(1, 2)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		r.expect(1, 1)
		time.Sleep(time.Second)
		synctest.Wait()
		r.expect(1, 0)
		if !errors.Is(r.errs["gone"], context.Canceled) || !errors.Is(r.errs["deadline"], context.DeadlineExceeded) {
			t.Errorf("%v", r.errs)
		}
		e, _ := errors.AsType[*admission.QueueError](r.errs["timeout"])
		if e == nil || !errors.Is(e, admission.ErrQueueTimeout) || e.Waited != 10*time.Second || e.Model != "m" {
			t.Errorf("%+v", e)
		}
		if _, err := r.gates.Enter(deadline, admission.Ticket{Model: "m"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a request that is over already: %v", err)
		}
		r.leaveAll()
	})
}

func TestFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, fleet.Limits{Inflight: 1, Queue: 3})
		for _, name := range []string{"in", "a1", "a2", "a3"} {
			r.enter(name, key("a"))
		}
		full := func(name string) {
			t.Helper()
			if err := r.errs[name]; !errors.Is(err, admission.ErrQueueFull) {
				t.Errorf("%s: %v", name, err)
			}
			r.expect(1, 3)
		}
		r.enter("a4", key("a"))
		full("a4")
		r.enter("low", admission.Ticket{Key: "b", Priority: -1})
		full("low")
		r.enter("b1", key("b")) // the key with the longest line makes room
		full("a3")
		r.enter("b2", key("b")) // two would be as many as a has
		full("b2")
		r.enter("high", admission.Ticket{Key: "a", Priority: 1}) // so does a lower priority
		full("a2")
		if diff := cmp.Diff([]string{"in", "high", "a1", "b1"}, r.leaveAll()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestChangedLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, fleet.Limits{})
		r.enter("free1", key("a"))
		r.enter("free2", key("a"))
		r.apply(fleet.Limits{Inflight: 1, Queue: 20})
		for _, name := range []string{"q1", "q2", "q3", "q4", "q5", "q6"} {
			r.enter(name, key("a"))
		}
		r.expect(2, 6) // nobody is interrupted
		r.leave("free1")
		r.expect(1, 6)
		r.apply(fleet.Limits{Inflight: 3, Queue: 20})
		r.expect(3, 4)
		r.apply(fleet.Limits{Inflight: 2, Queue: 1}) // who waits already stays
		r.leave("free2")
		r.expect(2, 4)
		r.leave("q1")
		r.expect(2, 3)
		r.apply(fleet.Limits{})
		r.expect(5, 0)
		r.apply(fleet.Limits{Inflight: 1})
		r.enter("q7", key("a"))
		r.expect(5, 1)
		r.gates.Apply(nil)
		r.expect(6, 0)
		r.apply(fleet.Limits{Inflight: 6})
		r.enter("q8", key("a"))
		r.expect(6, 1) // a model that comes back finds its requests
		r.leave("q2", "q3", "q4", "q5", "q6", "q7", "q8")
		r.gates.Apply(nil)
		if l := r.gates.Loads(); len(l) != 0 {
			t.Errorf("gates without a model: %v", l)
		}
		if slot, err := r.gates.Enter(t.Context(), admission.Ticket{Model: "m"}); err != nil {
			t.Error(err)
		} else {
			slot.Leave()
		}
	})
}

// The estimate is what the waiting would take at the pace so far, within bounds.
func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, fleet.Limits{Inflight: 2, Queue: 3, QueueTimeout: time.Hour})
		estimate := func() time.Duration {
			t.Helper()
			for _, name := range []string{"a", "b", "c", "d", "e", "full"} {
				r.enter(name, key(""))
			}
			e, ok := errors.AsType[*admission.QueueError](r.errs["full"])
			if !ok || e.Queued != 3 {
				t.Fatalf("%v", r.errs["full"])
			}
			return e.RetryAfter
		}
		if got := estimate(); got != time.Second {
			t.Errorf("nothing is known, and the estimate is %s", got)
		}
		serve := func(each time.Duration) {
			for _, pair := range [][]string{{"a", "b"}, {"c", "d"}, {"e"}} {
				time.Sleep(each)
				r.leave(pair...)
			}
			r.expect(0, 0)
		}
		serve(10 * time.Second)
		if got := estimate(); got != 20*time.Second { // four times 10 s on two slots
			t.Errorf("the estimate is %s", got)
		}
		for range 20 {
			serve(time.Second)
			estimate()
		}
		if got := r.errs["full"].(*admission.QueueError).RetryAfter; got < 2*time.Second || got > 3*time.Second {
			t.Errorf("the pace has changed, the estimate is %s", got)
		}
		for range 4 {
			serve(5 * time.Minute)
			estimate()
		}
		if got := r.errs["full"].(*admission.QueueError).RetryAfter; got != time.Minute {
			t.Errorf("the estimate is %s", got)
		}
		r.leaveAll()
	})
}

// While it waits a request can keep its client company.
func TestTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, fleet.Limits{Inflight: 1})
		ticks := 0
		ticket := admission.Ticket{Tick: func() { ticks++ }, Every: 2 * time.Second}
		r.enter("in", ticket)
		r.enter("waits", ticket)
		time.Sleep(7 * time.Second)
		r.leave("in")
		time.Sleep(7 * time.Second)
		if ticks != 3 || r.slots["waits"].Waited != 7*time.Second {
			t.Errorf("%d ticks, waited %s", ticks, r.slots["waits"].Waited)
		}
		r.leave("waits")
	})
}

// A flood of one key does not keep another one waiting: of b's requests each comes next but one.
func TestFairness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, fleet.Limits{Inflight: 1, Queue: 1000})
		for i := range 100 {
			r.enter("a"+string(rune('0'+i)), key("a"))
		}
		for _, name := range []string{"b1", "b2", "b3"} {
			r.enter(name, key("b"))
		}
		order := r.leaveAll()
		for i, name := range []string{"b1", "b2", "b3"} {
			if at := slices.Index(order, name); at != 2*(i+1) {
				t.Errorf("%s came as number %d", name, at)
			}
		}
	})
}

// A slot that comes the moment its client leaves goes to the next one.
func TestSlotComesTooLate(t *testing.T) {
	late := 0
	for range 500 {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, fleet.Limits{Inflight: 1})
			for _, name := range []string{"in", "leaves", "next"} {
				r.enter(name, key(""))
			}
			r.mu.Lock() // which keeps a request that is in from going on
			slot := r.slots["in"]
			delete(r.slots, "in")
			slot.Leave()
			r.cancel["leaves"]()
			r.mu.Unlock()
			synctest.Wait()
			if r.errs["leaves"] != nil {
				late++
				r.expect(1, 0)
			}
			r.leaveAll()
		})
	}
	if late == 0 {
		t.Error("it never happened")
	}
}
