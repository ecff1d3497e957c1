package loading_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/services/supervisor/loading"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is one that asks a rule.
type start struct {
	told    []string // what it waits for
	release func()
	err     error
	asked   bool // the answer is there
	leave   context.CancelFunc
}

// ask asks a rule beside the test, and returns once the answer or a wait is there.
func ask(t *testing.T, rule loading.Rule) *start {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &start{leave: cancel}
	go func() {
		s.release, s.err = rule(ctx, func(why unit.Reason, what string) { s.told = append(s.told, fmt.Sprintf("%s: %s", why, what)) })
		s.asked = true
	}()
	synctest.Wait()
	return s
}

func expect(t *testing.T, what string, got []*start, want ...bool) {
	t.Helper()
	synctest.Wait()
	for i, s := range got {
		if s.asked != want[i] || s.asked && s.err != nil {
			t.Errorf("%s: start %d may begin: %t (%v), want %t", what, i, s.asked, s.err, want[i])
		}
	}
}

func TestSlotsAreGivenInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := loading.Slots(2)
		var all []*start
		for range 5 {
			all = append(all, ask(t, slots))
		}
		expect(t, "two slots", all, true, true, false, false, false)
		if want := []string{"WaitingForSlot: 2 load already, as many as may at a time"}; !slices.Equal(all[2].told, want) || all[0].told != nil {
			t.Errorf("told %q and %q", all[2].told, all[0].told)
		}
		all[1].release()
		expect(t, "one is ready", all, true, true, true, false, false)
		all[3].leave() // a person has stopped it
		synctest.Wait()
		if !errors.Is(all[3].err, context.Canceled) {
			t.Errorf("error %v", all[3].err)
		}
		all[0].release()
		expect(t, "the next of those that are left", []*start{all[4]}, true)
		all[2].release()
		all[4].release()
		expect(t, "all are ready", []*start{ask(t, slots), ask(t, slots)}, true, true)
	})
}

// dependency is a model that another one needs.
type dependency struct {
	lacks   string
	changed chan struct{}
}

func (d *dependency) missing() (string, <-chan struct{}) { return d.lacks, d.changed }

func (d *dependency) becomes(lacks string) {
	before := d.changed
	d.lacks, d.changed = lacks, make(chan struct{})
	close(before)
	synctest.Wait()
}

func TestAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dependency{"b is starting", make(chan struct{})}
		s, gone := ask(t, loading.After(d.missing)), ask(t, loading.After(d.missing))
		gone.leave()
		d.becomes("b is starting")
		d.becomes("b has failed")
		expect(t, "a dependency that fails is waited for", []*start{s}, false)
		d.becomes("")
		expect(t, "ready", []*start{s}, true)
		if want := []string{"WaitingForDependency: b is starting", "WaitingForDependency: b has failed"}; !slices.Equal(s.told, want) {
			t.Errorf("told %q", s.told)
		}
		if !errors.Is(gone.err, context.Canceled) {
			t.Errorf("error %v", gone.err)
		}
		s.release()
	})
}

// TestNoSlotIsHeldWhileADependencyIsWaitedFor: else the one slot would never come to the dependency.
func TestNoSlotIsHeldWhileADependencyIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := loading.Slots(1)
		d := &dependency{"b is pending", make(chan struct{})}
		a := ask(t, loading.All(loading.After(d.missing), slots))
		b := ask(t, loading.All(slots))
		expect(t, "the dependency goes first", []*start{a, b}, false, true)
		d.becomes("")
		expect(t, "then a slot", []*start{a}, false)
		if want := "WaitingForSlot: 1 load already, as many as may at a time"; len(a.told) != 2 || a.told[1] != want {
			t.Errorf("told %q", a.told)
		}
		b.release()
		expect(t, "at last", []*start{a}, true)
		a.release()
	})
}

// TestAllGivesBack what was given by the rules before one that fails, in reverse.
func TestAllGivesBack(t *testing.T) {
	var trace []string
	rule := func(name string, err error) loading.Rule {
		return func(context.Context, func(unit.Reason, string)) (func(), error) {
			trace = append(trace, name)
			return func() { trace = append(trace, "-"+name) }, err
		}
	}
	f := func(want []string, rules ...loading.Rule) {
		t.Helper()
		trace = nil
		release, err := loading.All(rules...)(t.Context(), nil)
		if err == nil {
			release()
		}
		if !slices.Equal(trace, want) {
			t.Errorf("%q, want %q", trace, want)
		}
	}
	f(nil)
	f([]string{"a", "b", "-b", "-a"}, rule("a", nil), rule("b", nil))
	f([]string{"a", "b", "c", "-b", "-a"}, rule("a", nil), rule("b", nil), rule("c", errors.New("no")), rule("d", nil))
}
