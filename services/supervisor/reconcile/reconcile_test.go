package reconcile

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/crew"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
	"github.com/fluidmcp/fluidmcp/services/supervisor/modelsfile"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

func parse(t *testing.T, args string) *manifest.File {
	t.Helper()
	file, err := read.Parse("models.json", []byte(`{"llmModels": {"m": {"command": "mockvllm", "args": ["--port", "1"`+args+`]}}}`), nil)
	require.NoError(t, err)
	return file
}

// TestCompareLooksAtWhatRuns, which may be on its way from one plan to another already.
func TestCompareLooksAtWhatRuns(t *testing.T) {
	before, next := parse(t, ""), parse(t, `, "--seed", "1"`)
	f := func(name string, coming *manifest.Instance, phase fleet.Phase, to *manifest.File, want ...string) {
		t.Helper()
		b := board.New()
		m := &board.Model{ID: "m", Driver: manifest.Process, Model: before.Models[0]}
		i := board.NewInstance(m, before.Models[0].Instances[0])
		i.Runner, i.Next = runner.New(runner.Config{}), coming
		m.Servers = []*board.Instance{i}
		b.Put(m)
		b.Update(i, unit.Status{State: unit.State{Phase: phase}}, nil)
		var got []string
		for _, change := range (&Reconciler{Board: b}).Compare(before, to).Models {
			got = append(got, change.ID+": "+string(change.Effect))
		}
		require.Equal(t, want, got, name)
	}
	coming := &next.Models[0].Instances[0]
	f("the same", nil, fleet.Ready, before)
	f("another command", nil, fleet.Ready, next, "m: rolling restart")
	f("a rollout is under way to that", coming, fleet.Ready, next, "m: none")
}

func TestNothingIsAppliedBeforeItRuns(t *testing.T) {
	plan := parse(t, "")
	_, err := (&Reconciler{Board: board.New(), Crew: crew.New()}).Apply(plan, plan, plan.Source)
	require.ErrorIs(t, err, modelsfile.ErrNotRunning)
}
