package admission_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway/admission"
)

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
