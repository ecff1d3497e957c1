package reconcile

import (
	"context"
	"errors"
	"slices"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/change"
	"github.com/fluidmcp/fluidmcp/services/supervisor/crew"
	"github.com/fluidmcp/fluidmcp/services/supervisor/demand"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/source"
	"github.com/fluidmcp/fluidmcp/services/supervisor/modelsfile"
	"github.com/fluidmcp/fluidmcp/services/supervisor/restart"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rollout"
	"github.com/fluidmcp/fluidmcp/services/supervisor/servers"
	"github.com/fluidmcp/fluidmcp/services/supervisor/store"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

var (
	errNotWanted = errors.New("the model is no longer in the models file")
	errReverted  = errors.New("the models file wants the command of before again")
)

// Reconciler is what runs by the models file: it implements modelsfile.Fleet. All of its fields are needed.
type Reconciler struct {
	Board    *board.Board
	Crew     *crew.Crew
	Servers  *servers.Servers
	Demand   *demand.Demand
	Rollouts *rollout.Rollouts
	Restarts *restart.Restarts
	Models   *store.Models
	Metrics  Metrics
	Log      *zap.Logger
	Coming   func(plan *manifest.File) // called with each plan before anything of it runs
	File     *modelsfile.File          // has the plan in force
}

// Metrics has the series of each model.
type Metrics interface {
	Begin(m *board.Model)
	Forget(model string)
}

// Apply implements modelsfile.Fleet. It does not wait for servers: those that are no longer wanted are drained, and restarts go on,
// after it has returned.
func (r *Reconciler) Apply(inForce, plan *manifest.File, declared *source.Source) (change.Set, error) {
	if !r.Crew.Open() {
		return change.Set{}, modelsfile.ErrNotRunning
	}
	set := r.Compare(inForce, plan)
	r.Coming(plan)
	r.Demand.Regroup(plan.SwapGroups)
	for _, have := range r.Board.List() {
		if at := slices.IndexFunc(plan.Models, func(m manifest.Model) bool { return m.ID == have.ID }); at < 0 {
			r.dismiss(have, unit.Removed)
		} else {
			r.revise(have, plan.Models[at])
		}
	}
	for _, m := range plan.Models {
		if r.Board.Find(m.ID) == nil {
			r.enter(m)
		}
	}
	r.mark(plan.Source, declared)
	return set, nil
}

// enter takes in a model that is new.
func (r *Reconciler) enter(from manifest.Model) {
	m := r.Servers.Model(from)
	r.Metrics.Begin(m)
	r.Board.Put(m)
	for _, i := range r.Board.Servers(m) {
		r.begin(i)
	}
}

// begin runs an instance that is on the board.
func (r *Reconciler) begin(i *board.Instance) {
	if !r.Crew.Begin(i) { // everything ends
		r.Board.Remove(i.Model, i)
	}
}

// dismiss drains and ends a model. It goes with its last instance.
func (r *Reconciler) dismiss(m *board.Model, why unit.Reason) {
	r.Board.Read(func() { m.Leaving = true })
	r.Rollouts.Cancel(m.ID, errNotWanted)
	for _, i := range r.Board.Servers(m) {
		r.end(i, why)
	}
}

// retire drains and ends an instance of a model that stays. Another one may come in its place.
func (r *Reconciler) retire(i *board.Instance) {
	why := unit.Restarting
	r.Board.Read(func() {
		if i.Surplus() {
			why = unit.Removed
		}
	})
	r.end(i, why)
}

// end drains and ends an instance. It leaves the board when it is over.
func (r *Reconciler) end(i *board.Instance, why unit.Reason) {
	first := false
	r.Board.Read(func() { first, i.Leaving = !i.Leaving, true })
	if !first { // why may be another one by now
		_, _ = i.Runner.Do(context.Background(), unit.Event{Kind: unit.Halt, Reason: why, By: "supervisor"}) // ErrEnded: it is over
		return
	}
	i.End(why)
	r.Crew.After(i, func() {
		r.File.Hold(func(inForce *manifest.File) { r.gone(i, inForce) })
	})
}

// gone takes an instance off the board, and its model when it was the last of one that is leaving. What the file wants in their
// places comes now. The file is held.
func (r *Reconciler) gone(i *board.Instance, inForce *manifest.File) {
	m := i.Model
	r.Board.Remove(m, i)
	r.Servers.Logs.Forget(i.ID)
	switch left := r.Board.Servers(m); {
	case !m.Leaving:
		r.fill(m)
	case len(left) == 0:
		r.Metrics.Forget(m.ID)
		r.Models.Forget(m.ID)
		r.Rollouts.Forget(m.ID)
		r.Board.Drop(m)
		r.Log.Info("model is gone", zap.String("model", m.ID))
		if at := slices.IndexFunc(inForce.Models, func(want manifest.Model) bool { return want.ID == m.ID }); at >= 0 && r.Crew.Open() {
			r.enter(inForce.Models[at])
		}
	}
}
