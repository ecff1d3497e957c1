package report

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

func TestProgressInSnapshotAndReport(t *testing.T) { synctest.Test(t, progressInSnapshotAndReport) }

func progressInSnapshotAndReport(t *testing.T) {
	m := &board.Model{Model: manifest.Model{ID: "m"}}
	i := &board.Instance{Instance: manifest.Instance{ID: "m-0"}, Model: m, Runner: runner.New(runner.Config{Policy: unit.Policy{Restart: true}})}
	m.Servers = []*board.Instance{i}
	b := board.New()
	b.Begin([]*board.Model{m})
	now := time.Now()
	s := unit.New(unit.Policy{Restart: true}, unit.Before{}, now)
	tell := func(e unit.Event) (woken bool) {
		e.At = now
		s, _ = unit.Step(s, e)
		changed := b.Changed()
		b.Update(i, unit.Status{State: s}, nil)
		select {
		case <-changed:
			return true
		default:
			return false
		}
	}
	if !tell(unit.Event{Kind: unit.Start}) || !tell(unit.Event{Kind: unit.Admitted}) {
		t.Error("nobody learns of a change of phase at once")
	}
	starting := b.Shown(i)
	half := unit.Progress{Stage: "loading weights", Percent: 43, Message: "Loading safetensors checkpoint shards:  43%"}
	begin := time.Now()
	if tell(unit.Event{Kind: unit.Progressed, Progress: half}) {
		t.Error("progress wakes everybody who watches the fleet")
	}
	if <-b.Changed(); time.Since(begin) != time.Second {
		t.Errorf("watchers hear of progress after %s", time.Since(begin))
	}
	if now := b.Each(func(*board.Model) {}); b.Shown(i) != starting || now != starting+1 {
		t.Errorf("revision %d, of the phase %d; the phase began with %d", now, b.Shown(i), starting)
	}
	snapshot, err := b.Snapshot(false)
	if err != nil || snapshot.Models[0].Message != "loading weights 43 %" || snapshot.Models[0].Phase != fleet.Starting {
		t.Errorf("%v: %+v", err, snapshot.Models)
	}
	report := Of(m)
	if p := report.Progress; p == nil || p.Stage != half.Stage || *p.Percent != 43 || p.Message != half.Message || report.Instances[0].Progress == nil {
		t.Errorf("%+v", p)
	}
	tell(unit.Event{Kind: unit.Progressed, Progress: unit.Progress{Stage: "compiling", Percent: -1}})
	if p := Of(m).Progress; p == nil || p.Percent != nil {
		t.Errorf("without a percentage: %+v", p)
	}
	tell(unit.Event{Kind: unit.Probed})
	if report := Of(m); report.Progress != nil || report.Instances[0].LastFailure != nil || !report.Instances[0].Conditions[0].Status {
		t.Errorf("a server that is ready: %+v", report)
	}
	tell(unit.Event{Kind: unit.Ended, Finding: unit.Finding{Reason: unit.GPUOutOfMemory, Message: "no room", Permanent: true, Lines: []string{"CUDA out of memory"}}})
	f := Of(m).Instances[0].LastFailure
	if f == nil || f.Reason != "GPUOutOfMemory" || !f.Permanent || len(f.Lines) != 1 || f.At != now {
		t.Errorf("last failure: %+v", f)
	}
}

// TestBeforeTheFirstWord: people can ask for a model before its unit has said anything.
func TestBeforeTheFirstWord(t *testing.T) {
	f := func(policy unit.Policy, before unit.Before, desired unit.Desired, phase fleet.Phase) {
		t.Helper()
		m := &board.Model{ID: "m"}
		m.Servers = []*board.Instance{{ID: "m-0", Model: m, Runner: runner.New(runner.Config{Policy: policy, Before: before})}}
		board.New().Begin([]*board.Model{m})
		if r := Of(m); r.Desired != desired || r.Phase != phase || r.Since.IsZero() || len(r.Instances[0].Conditions) != 3 {
			t.Errorf("before the first word: %+v", r)
		}
	}
	f(unit.Policy{}, unit.Before{}, unit.Running, fleet.Pending)
	f(unit.Policy{OnDemand: true}, unit.Before{}, unit.OnDemand, fleet.Stopped)
	f(unit.Policy{}, unit.Before{Desired: unit.Stopped}, unit.Stopped, fleet.Stopped)
}
