package admission_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway/admission"
)

// rig is the gate of model m and the requests at it, by name.
type rig struct {
	*testing.T
	gates *admission.Gates

	mu     sync.Mutex
	order  []string // in which they got their turn
	slots  map[string]admission.Slot
	errs   map[string]error
	cancel map[string]context.CancelFunc
}

func newRig(t *testing.T, l fleet.Limits) *rig {
	r := &rig{T: t, gates: admission.NewGates(admission.Defaults{Queue: 10, QueueTimeout: 30 * time.Second, LoadTimeout: time.Hour}),
		slots: map[string]admission.Slot{}, errs: map[string]error{}, cancel: map[string]context.CancelFunc{}}
	r.apply(l)
	return r
}

func (r *rig) apply(l fleet.Limits) { r.gates.Apply([]fleet.Model{{ID: "m", Limits: l}}) }

// turn puts the model into a phase.
func (r *rig) turn(phase fleet.Phase, l fleet.Limits) {
	r.gates.Apply([]fleet.Model{{ID: "m", Phase: phase, OnDemand: true, Limits: l, Timeouts: fleet.Timeouts{Load: time.Minute},
		Backends: []fleet.Backend{{ID: "m-0", Routable: phase == fleet.Ready}}}})
	synctest.Wait()
}

// enter begins a request and returns once it is in, refused or waiting.
func (r *rig) enter(name string, ticket admission.Ticket) {
	ctx, cancel := context.WithCancel(r.Context())
	r.enterUntil(ctx, name, ticket)
	r.cancel[name] = cancel
}

func (r *rig) enterUntil(ctx context.Context, name string, ticket admission.Ticket) {
	ticket.Model = "m"
	go func() {
		slot, err := r.gates.Enter(ctx, ticket)
		r.mu.Lock()
		defer r.mu.Unlock()
		if err != nil {
			r.errs[name] = err
			return
		}
		r.order = append(r.order, name)
		r.slots[name] = slot
	}()
	synctest.Wait()
}

func (r *rig) leave(names ...string) {
	r.Helper()
	for _, name := range names {
		r.mu.Lock()
		slot, ok := r.slots[name]
		delete(r.slots, name)
		r.mu.Unlock()
		if !ok {
			r.Fatalf("%s is not in", name)
		}
		slot.Leave()
		synctest.Wait()
	}
}

// leaveAll lets one after the other go and returns the order in which they had got in.
func (r *rig) leaveAll() []string {
	for i := 0; i < len(r.order); i++ {
		if _, in := r.slots[r.order[i]]; in {
			r.leave(r.order[i])
		}
	}
	r.expect(0, 0)
	return r.order
}

func (r *rig) expect(inflight, queued int) {
	r.Helper()
	if l := r.gates.Loads()["m"]; l.Inflight != inflight || l.Queued != queued {
		r.Errorf("%d in flight and %d queued, want %d and %d", l.Inflight, l.Queued, inflight, queued)
	}
}

func key(k string) admission.Ticket { return admission.Ticket{Key: k} }

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

// TestModelThatIsComing: those that may are held in the queue until the model is there, then they take turns as ever.
func TestModelThatIsComing(t *testing.T) {
	held := func(k string) admission.Ticket { return admission.Ticket{Key: k, Hold: true} }
	synctest.Test(t, func(t *testing.T) {
		limits := fleet.Limits{Queue: 3, QueueTimeout: 10 * time.Second}
		r := newRig(t, limits)
		r.turn(fleet.Stopped, limits)
		r.enter("impatient", key("a"))
		if !errors.Is(r.errs["impatient"], admission.ErrShut) {
			t.Errorf("one that may not wait: %v", r.errs["impatient"])
		}
		for _, name := range []string{"a1", "a2", "gone"} {
			r.enter(name, held("a"))
		}
		select {
		case <-r.gates.Wanted():
		default:
			t.Error("nobody was told that the model is wanted")
		}
		r.cancel["gone"]()
		synctest.Wait()
		r.enter("b1", held("b"))
		r.enter("a3", held("a"))
		if e, _ := errors.AsType[*admission.QueueError](r.errs["a3"]); e == nil || !errors.Is(e, admission.ErrQueueFull) || !e.Shut || e.Queued != 3 {
			t.Errorf("one too many: %+v", e)
		}
		time.Sleep(59 * time.Second) // longer than a turn may take
		r.turn(fleet.Starting, limits)
		r.expect(0, 3)
		limits.Inflight = 1
		r.turn(fleet.Ready, limits) // the time for a turn begins now
		time.Sleep(9 * time.Second)
		r.expect(1, 2)
		want := []string{"a1", "b1", "a2"}
		if diff := cmp.Diff(want, r.leaveAll()); diff != "" {
			t.Error(diff)
		}
		if used := r.gates.Loads()["m"].LastUsed; !used.Equal(time.Now()) {
			t.Errorf("last used %s", used)
		}
	})
}

func TestModelThatGoesWhileRequestsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := fleet.Limits{Inflight: 1, QueueTimeout: 10 * time.Second}
		r := newRig(t, limits)
		r.enter("in", key("a"))
		r.enter("may not wait", key("a"))
		r.enter("waits", admission.Ticket{Key: "a", Hold: true})
		r.turn(fleet.Draining, limits)
		if e, _ := errors.AsType[*admission.QueueError](r.errs["may not wait"]); e == nil || e.Reason != admission.ErrShut {
			t.Errorf("%+v", r.errs)
		}
		r.leave("in")
		r.expect(0, 1)
		time.Sleep(time.Minute - time.Millisecond)
		synctest.Wait()
		r.expect(0, 1)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if e, _ := errors.AsType[*admission.QueueError](r.errs["waits"]); e == nil || e.Reason != admission.ErrShut || e.Waited != time.Minute {
			t.Errorf("%+v", e)
		}
		// One that fails lets all go and see.
		r.enter("sees", admission.Ticket{Hold: true})
		r.turn(fleet.Failed, fleet.Limits{})
		r.leave("sees")
		r.expect(0, 0)
	})
}
