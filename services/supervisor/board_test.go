package supervisor

import (
	"fmt"
	"testing"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/spec"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// Models and instances come and go without a pause in the feed: each change is a snapshot, and none waits for what is new.
func TestBoardChanges(t *testing.T) {
	plan := func(id string) *model {
		file, err := spec.Parse("m.json", []byte(`{"llmModels": {"`+id+`": {"endpoints": {"servers": [{"base_url": "http://a"}, {"base_url": "http://b"}]}}}}`), nil)
		if err != nil {
			t.Fatal(err)
		}
		s, err := New(Default(), Deps{Log: zap.NewNop(), Models: file})
		if err != nil {
			t.Fatal(err)
		}
		return s.board.list()[0]
	}
	b := newBoard()
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
	b.put(m)
	f("1 m:pending m-0 m-1")
	b.put(l)
	f("2 l:pending l-0 l-1 m:pending m-0 m-1")
	if b.find("m") != m || b.find("l") != l || b.find("k") != nil {
		t.Error("find")
	}
	first, second := b.servers(m)[0], b.servers(m)[1]
	changed := b.Changed()
	b.remove(m, first)
	<-changed
	f("3 l:pending l-0 l-1 m:pending m-1")
	b.remove(m, second)
	f("4 l:pending l-0 l-1 m:" + string(fleet.Stopped))
	b.add(m, first)
	f("5 l:pending l-0 l-1 m:pending m-0")
	b.drop(m)
	f("6 l:pending l-0 l-1")
	if newCrew().begin(first) {
		t.Error("a unit began though the supervisor does not run")
	}
}

// TestBeforeTheFirstWord: people can ask for a model before its unit has said anything. Gateways wait for that.
func TestBeforeTheFirstWord(t *testing.T) {
	f := func(policy unit.Policy, before unit.Before, desired unit.Desired, phase fleet.Phase) {
		t.Helper()
		m := &model{ID: "m"}
		i := &instance{ID: "m-0", model: m, unit: unit.NewUnit(unit.Config{Policy: policy, Before: before})}
		m.instances = []*instance{i}
		b := newBoard()
		b.begin([]*model{m})
		if r := m.report(); r.Desired != desired || r.Phase != phase || r.Since.IsZero() || len(r.Instances[0].Conditions) != 3 {
			t.Errorf("before the first word: %+v", r)
		}
		if _, err := b.Snapshot(false); err == nil {
			t.Error("there is a snapshot")
		}
		changed := b.Changed()
		b.update(i, unit.Status{State: i.unit.First()}) // also when it says what was to be expected
		<-changed
		if s, err := b.Snapshot(false); err != nil || s.Revision != 1 {
			t.Errorf("after the first word: revision %d, %v", s.Revision, err)
		}
	}
	f(unit.Policy{}, unit.Before{}, unit.Running, fleet.Pending)
	f(unit.Policy{OnDemand: true}, unit.Before{}, unit.OnDemand, fleet.Stopped)
	f(unit.Policy{}, unit.Before{Desired: unit.Stopped}, unit.Stopped, fleet.Stopped)
}
