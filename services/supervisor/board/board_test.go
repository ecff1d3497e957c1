package board

import (
	"fmt"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// Models and instances come and go without a pause in the feed: each change is a snapshot, and none waits for what is new.
func TestBoardChanges(t *testing.T) {
	plan := func(id string) *Model {
		file, err := read.Parse("m.json", []byte(`{"llmModels": {"`+id+`": {"endpoints": {"servers": [{"base_url": "http://a"}, {"base_url": "http://b"}]}}}}`), nil)
		if err != nil {
			t.Fatal(err)
		}
		m := &Model{ID: id, Model: file.Models[0]}
		for _, from := range m.Instances {
			i := NewInstance(m, from)
			i.Runner = runner.New(runner.Config{Policy: unit.Policy{Remote: true}})
			m.Servers = append(m.Servers, i)
		}
		return m
	}
	b := New()
	f := func(want string) {
		t.Helper()
		snapshot, err := b.Snapshot(false)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(snapshot.Revision)
		for _, m := range snapshot.Models {
			got += fmt.Sprintf(" %s:%s", m.ID, m.Phase)
			for _, backend := range m.Backends {
				got += " " + backend.ID
			}
		}
		if got != want {
			t.Errorf("snapshot %q, want %q", got, want)
		}
	}
	m, l := plan("m"), plan("l")
	f("0")
	b.Put(m)
	f("1 m:pending m-0 m-1")
	b.Put(l)
	f("2 l:pending l-0 l-1 m:pending m-0 m-1")
	if b.Find("m") != m || b.Find("l") != l || b.Find("k") != nil {
		t.Error("find")
	}
	first, second := b.Servers(m)[0], b.Servers(m)[1]
	changed := b.Changed()
	b.Remove(m, first)
	<-changed
	f("3 l:pending l-0 l-1 m:pending m-1")
	b.Remove(m, second)
	f("4 l:pending l-0 l-1 m:" + string(fleet.Stopped))
	b.Add(m, first)
	f("5 l:pending l-0 l-1 m:pending m-0")
	b.Drop(m)
	f("6 l:pending l-0 l-1")
}

// TestBeforeTheFirstWord: people can ask for a model before its unit has said anything. Gateways wait for that.
func TestBeforeTheFirstWord(t *testing.T) {
	f := func(policy unit.Policy, before unit.Before, desired unit.Desired, phase fleet.Phase) {
		t.Helper()
		m := &Model{ID: "m"}
		i := &Instance{ID: "m-0", Model: m, Runner: runner.New(runner.Config{Policy: policy, Before: before})}
		m.Servers = []*Instance{i}
		b := New()
		b.Begin([]*Model{m})
		if now := m.Foremost(); now.Desired != desired || now.Phase != phase || now.Since.IsZero() || len(now.Conditions) != 3 {
			t.Errorf("before the first word: %+v", now)
		}
		if _, err := b.Snapshot(false); err == nil {
			t.Error("there is a snapshot")
		}
		changed := b.Changed()
		b.Update(i, unit.Status{State: i.Runner.First()}, nil) // also when it says what was to be expected
		<-changed
		if s, err := b.Snapshot(false); err != nil || s.Revision != 1 {
			t.Errorf("after the first word: revision %d, %v", s.Revision, err)
		}
	}
	f(unit.Policy{}, unit.Before{}, unit.Running, fleet.Pending)
	f(unit.Policy{OnDemand: true}, unit.Before{}, unit.OnDemand, fleet.Stopped)
	f(unit.Policy{}, unit.Before{Desired: unit.Stopped}, unit.Stopped, fleet.Stopped)
}

// TestRecordComesFirst: who learns of a status finds what is kept of it.
func TestRecordComesFirst(t *testing.T) {
	m := &Model{ID: "m"}
	i := &Instance{ID: "m-0", Model: m, Runner: runner.New(runner.Config{})}
	m.Servers = []*Instance{i}
	b := New()
	b.Put(m)
	changed, kept := b.Changed(), false
	b.Update(i, unit.Status{State: unit.State{Phase: fleet.Ready}}, func(before unit.Status) {
		select {
		case <-changed:
			t.Error("watchers knew before")
		default:
		}
		if before.Phase != fleet.Pending || i.Status.Phase != fleet.Pending {
			t.Errorf("it was %s, and is %s", before.Phase, i.Status.Phase)
		}
		kept = true
	})
	<-changed
	if !kept || b.Status(i).Phase != fleet.Ready {
		t.Errorf("kept: %t, the board says %s", kept, b.Status(i).Phase)
	}
}

// One that is being taken away says nothing of a model that stays, or requests would not wait for the others.
func TestForemost(t *testing.T) {
	going := unit.State{Phase: fleet.Draining, Reason: unit.Removed}
	f := func(want fleet.Phase, states ...unit.State) {
		t.Helper()
		m := &Model{}
		for _, s := range states {
			m.Servers = append(m.Servers, &Instance{Status: unit.Status{State: s}})
		}
		if got := m.Foremost(); got.Phase != want {
			t.Errorf("%s speaks for %+v, want %s", got.Phase, states, want)
		}
	}
	f(fleet.Backoff, going, unit.State{Phase: fleet.Backoff})
	f(fleet.Ready, unit.State{Phase: fleet.Backoff}, unit.State{Phase: fleet.Ready})
	f(fleet.Draining, going, unit.State{Phase: fleet.Stopping, Reason: unit.Removed})
	f(fleet.Stopped)
}
