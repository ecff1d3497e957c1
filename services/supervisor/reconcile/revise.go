package reconcile

import (
	"context"
	"slices"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/change"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/restart"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rollout"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// revise makes a model what the file says by now. Servers are touched only where their command or their address has changed.
func (r *Reconciler) revise(m *board.Model, to manifest.Model) {
	if m.Driver != to.Driver || m.Leaving { // it is as good as new, and comes when the one before has gone
		r.dismiss(m, unit.Restarting)
		return
	}
	var retired, surplus, restarted, all []*board.Instance
	wanted := map[*board.Instance]*manifest.Instance{} // by those restarted
	fresh, reverted := false, false                    // a command is new; one is no longer wanted, and had not come to some instance yet
	served := false                                    // by an instance that stays
	r.Board.Change(func() {
		from := m.Model
		m.Model = to
		for _, i := range m.Servers {
			if i.Extra { // its rollout will end it
				continue
			}
			all, i.Outdated = append(all, i), ""
			at := slices.IndexFunc(to.Instances, func(next manifest.Instance) bool { return next.ID == i.ID })
			switch {
			case i.Leaving:
			case at < 0:
				surplus = append(surplus, i)
			default:
				switch next := to.Instances[at]; change.Of(&from, &to, i.Instance, next) {
				case change.None:
					served = served || i.Status.Routable()
					reverted = reverted || i.Next != nil
					i.Instance, i.Next = next, nil
				case change.Restart: // a rollout may be under way to that already
					if i.Next == nil || change.Of(&to, &to, *i.Next, next) != change.None {
						fresh, i.Next = true, new(manifest.Instance)
					}
					*i.Next = next
					wanted[i] = i.Next
					restarted = append(restarted, i)
				default:
					retired = append(retired, i)
				}
			}
		}
	})
	for _, i := range all {
		_, _ = i.Runner.Do(context.Background(), unit.Event{Kind: unit.Configured, Policy: r.Servers.Policy(&to, false)}) // ErrEnded: it goes
	}
	if served && !fresh {
		retired, surplus = append(retired, surplus...), nil
	}
	for _, i := range retired {
		r.retire(i)
	}
	r.fill(m)
	switch {
	case restarted == nil && surplus == nil && reverted:
		r.Rollouts.Cancel(m.ID, errReverted)
	case fresh, surplus != nil:
		_ = r.Restarts.Roll(m, restart.Rolling{Why: unit.Reconfigured, By: "file", Servers: append([]*board.Instance{}, restarted...), Leaving: r.leaving(surplus),
			Done: func(end rollout.Status) { r.rolled(m, wanted, end) }}) // ErrEnded: it goes
	}
}

// leaving are instances of which the model has too many, for a rollout that has them go once others serve.
func (r *Reconciler) leaving(surplus []*board.Instance) (extras []*rollout.Extra) {
	for _, i := range surplus {
		extras = append(extras, &rollout.Extra{ID: i.ID, Status: func() unit.Status { return r.Board.Status(i) }, Retire: func() {
			still := false
			r.Board.Read(func() { still = i.Surplus() })
			if still { // nobody wants it back by now
				r.retire(i)
			}
		}})
	}
	return extras
}

// rolled has what a rollout that failed has not come to keep the command that it runs with, unless the file wants yet another one by now.
func (r *Reconciler) rolled(m *board.Model, wanted map[*board.Instance]*manifest.Instance, end rollout.Status) {
	if end.State != rollout.Failed { // one that another takes the place of goes on there
		return
	}
	var kept []string
	r.Board.Read(func() {
		for _, i := range m.Servers {
			if i.Next != nil && i.Next == wanted[i] {
				i.Next, i.Outdated = nil, "it runs with the command that the models file had before: "+end.Message
				kept = append(kept, i.ID)
			}
		}
	})
	if kept != nil {
		r.Log.Warn("a server did not come up as the models file says by now; the others keep what they run with", zap.String("model", m.ID), zap.Strings("kept", kept))
	}
}

// fill starts the instances of a model that are missing. One that is still being drained under the same id comes later.
func (r *Reconciler) fill(m *board.Model) {
	var missing []manifest.Instance
	var before unit.Before
	r.Board.Read(func() {
		stopped := len(m.Servers) > 0
		for _, i := range m.Servers {
			stopped = stopped && i.Status.Desired == unit.Stopped
		}
		if stopped { // by a person: it stays so
			before.Desired = unit.Stopped
		}
		for _, next := range m.Instances {
			if !slices.ContainsFunc(m.Servers, func(i *board.Instance) bool { return i.ID == next.ID }) {
				missing = append(missing, next)
			}
		}
	})
	for _, next := range missing {
		i := r.Servers.Make(m, next, before)
		r.Board.Add(m, i)
		r.begin(i)
	}
}
