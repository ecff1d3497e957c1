package restart

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rollout"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestAskRefusesToInterrupt asks for restarts when nothing can begin any more: whoever gets that far was let through.
func TestAskRefusesToInterrupt(t *testing.T) {
	f := func(name string, from manifest.Model, phases []fleet.Phase, force bool, want string) {
		t.Helper()
		b := board.New()
		rollouts := rollout.New(b.Changed, func(string, rollout.Status) {})
		rollouts.Close()
		m := &board.Model{ID: "m", Driver: from.Driver, Model: from}
		for range phases {
			i := board.NewInstance(m, manifest.Instance{})
			i.Runner = runner.New(runner.Config{})
			m.Servers = append(m.Servers, i)
		}
		b.Put(m)
		for n, phase := range phases {
			b.Update(m.Servers[n], unit.Status{State: unit.State{Phase: phase, ReadyAt: time.Now()}}, nil)
		}
		r := &Restarts{Board: b, Rollouts: rollouts}
		err := r.Ask(t.Context(), m, "api", force)
		if want == "" {
			require.ErrorIs(t, err, runner.ErrEnded, name)
			return
		}
		var alone *Interrupts
		require.ErrorAs(t, err, &alone, name)
		require.Equal(t, want, alone.Lack.Error()+": "+alone.Mend, name)
	}
	one, two := []fleet.Phase{fleet.Ready}, []fleet.Phase{fleet.Ready, fleet.Ready}
	process := manifest.Model{Driver: manifest.Process}
	f("its only server", process, one, false, "rollout.surge is not true: rollout.surge, replicas or limits.keep_alive")
	f("its only container", manifest.Model{Driver: manifest.Docker}, one, false, "containers are not created here: another container or limits.keep_alive")
	f("by force", process, one, true, "")
	f("one of two", process, two, false, "")
	f("one that is down", process, []fleet.Phase{fleet.Failed}, false, "")
	f("requests wait", manifest.Model{Driver: manifest.Process, Limits: fleet.Limits{KeepAlive: true}}, one, false, "")
	f("requests start it", manifest.Model{Driver: manifest.Process, Demand: manifest.Demand{Start: true}}, one, false, "")
	f("there is room for one more", manifest.Model{Driver: manifest.Process, Surge: true, Instances: []manifest.Instance{{}}}, one, false, "")
}
