package supervisor

import (
	"context"
	"errors"
	"slices"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/change"
	"github.com/fluidmcp/fluidmcp/services/supervisor/modelsfile"
	"github.com/fluidmcp/fluidmcp/services/supervisor/restart"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rollout"
	"github.com/fluidmcp/fluidmcp/services/supervisor/spec"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

var (
	errNotWanted = errors.New("the model is no longer in the models file")
	errReverted  = errors.New("the models file wants the command of before again")
)

// applier is what runs by the models file.
type applier struct{ *Supervisor }

// Compare implements modelsfile.Fleet.
func (s applier) Compare(inForce, plan *spec.File) change.Set {
	return change.Between(s.present(inForce, plan), plan)
}

// Apply implements modelsfile.Fleet. It does not wait for servers: those that are no longer wanted are drained, and restarts go on,
// after it has returned.
func (s applier) Apply(inForce, plan *spec.File, declared *spec.Source) (change.Set, error) {
	if !s.crew.Open() {
		return change.Set{}, modelsfile.ErrNotRunning
	}
	set := s.Compare(inForce, plan)
	s.warn(plan)
	s.hide(plan)
	s.demand.Regroup(plan.SwapGroups)
	for _, have := range s.board.List() {
		if at := slices.IndexFunc(plan.Models, func(m spec.Model) bool { return m.ID == have.ID }); at < 0 {
			s.dismiss(have)
		} else {
			s.revise(have, plan.Models[at])
		}
	}
	for _, m := range plan.Models {
		if s.board.Find(m.ID) == nil {
			s.enter(m)
		}
	}
	s.mark(plan.Source, declared)
	return set, nil
}

// present is the plan in force with the instances that are there, as they are on their way to another plan.
func (s *Supervisor) present(inForce, plan *spec.File) *spec.File {
	file := &spec.File{Source: inForce.Source}
	s.board.Each(func(m *board.Model) {
		if m.Leaving {
			return
		}
		now := m.Model
		now.Instances = nil
		for _, i := range m.Servers {
			if !i.Leaving && !i.Extra {
				now.Instances = append(now.Instances, toward(i, plan))
			}
		}
		file.Models = append(file.Models, now)
	})
	return file
}

// toward is what the instance runs; what its next start runs where that is what the plan wants, or nothing runs. The board is locked.
func toward(i *board.Instance, plan *spec.File) spec.Instance {
	for n := range plan.Models {
		m := &plan.Models[n]
		for _, wanted := range m.Instances {
			if wanted.ID == i.ID && change.Of(m, m, i.Coming(), wanted) == change.None {
				return i.Coming()
			}
		}
	}
	if i.Status.Phase == fleet.Stopped {
		return i.Coming()
	}
	return i.Instance
}

// mark says of each model whether it is as the file has it.
func (s *Supervisor) mark(plan, declared *spec.Source) {
	models := s.board.List()
	s.board.Change(func() {
		for _, m := range models {
			m.Overridden = !change.Alike(plan, declared, m.ID)
		}
	})
}

// enter takes in a model that is new.
func (s *Supervisor) enter(from spec.Model) {
	m := s.servers.Model(from)
	s.metrics.begin(m)
	s.board.Put(m)
	for _, i := range s.board.Servers(m) {
		s.begin(i)
	}
}

// begin runs an instance that is on the board.
func (s *Supervisor) begin(i *board.Instance) {
	if !s.crew.Begin(i) { // everything ends
		s.board.Remove(i.Model, i)
	}
}

// dismiss drains and ends a model. It goes with its last instance.
func (s *Supervisor) dismiss(m *board.Model) {
	s.board.Read(func() { m.Leaving = true })
	s.rollouts.Cancel(m.ID, errNotWanted)
	for _, i := range s.board.Servers(m) {
		s.retire(i)
	}
}

// revise makes a model what the file says by now. Servers are touched only where their command or their address has changed.
func (s *Supervisor) revise(m *board.Model, to spec.Model) {
	if m.Driver != to.Driver || m.Leaving { // it is as good as new, and comes when the one before has gone
		s.dismiss(m)
		return
	}
	var retired, restarted, all []*board.Instance
	fresh, reverted := false, false // a command is new; one is no longer wanted, and had not come to some instance yet
	s.board.Change(func() {
		from := m.Model
		m.Model = to
		for _, i := range m.Servers {
			if i.Extra { // its rollout will end it
				continue
			}
			all = append(all, i)
			at := slices.IndexFunc(to.Instances, func(next spec.Instance) bool { return next.ID == i.ID })
			switch {
			case i.Leaving:
			case at < 0:
				retired = append(retired, i)
			default:
				switch next := to.Instances[at]; change.Of(&from, &to, i.Instance, next) {
				case change.None:
					reverted = reverted || i.Next != nil
					i.Instance, i.Next = next, nil
				case change.Restart: // a rollout may be under way to that already
					fresh = fresh || i.Next == nil || change.Of(&to, &to, *i.Next, next) != change.None
					i.Next = &next
					restarted = append(restarted, i)
				default:
					retired = append(retired, i)
				}
			}
		}
	})
	for _, i := range all {
		_, _ = i.Unit.Do(context.Background(), unit.Event{Kind: unit.Configured, Policy: s.servers.Policy(&to, false)}) // ErrEnded: it goes
	}
	for _, i := range retired {
		s.retire(i)
	}
	s.fill(m)
	switch {
	case restarted == nil && reverted:
		s.rollouts.Cancel(m.ID, errReverted)
	case fresh:
		_ = s.restarts.Roll(m, restart.Rolling{Why: unit.Reconfigured, By: "file", Servers: restarted, Done: func(end rollout.Status) { s.rolled(m, restarted, end) }}) // ErrEnded: it goes
	}
}

// rolled has what a rollout that failed has not come to keep the command that it runs with.
func (s *Supervisor) rolled(m *board.Model, restarted []*board.Instance, end rollout.Status) {
	if end.State != rollout.Failed { // one that another takes the place of goes on there
		return
	}
	var kept []string
	s.board.Read(func() {
		for _, i := range restarted {
			if i.Next != nil {
				i.Next = nil
				kept = append(kept, i.ID)
			}
		}
	})
	if kept != nil {
		s.log.Warn("a server did not come up as the models file says by now; the others keep what they run with", zap.String("model", m.ID), zap.Strings("kept", kept))
	}
}

// fill starts the instances of a model that are missing. One that is still being drained under the same id comes later.
func (s *Supervisor) fill(m *board.Model) {
	var missing []spec.Instance
	var before unit.Before
	s.board.Read(func() {
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
		i := s.servers.Make(m, next, before)
		s.board.Add(m, i)
		s.begin(i)
	}
}

// retire drains and ends an instance. It leaves the board when it is over.
func (s *Supervisor) retire(i *board.Instance) {
	first := false
	s.board.Read(func() { first, i.Leaving = !i.Leaving, true })
	if !first {
		return
	}
	i.End()
	s.crew.After(i, func() {
		s.file.Hold(func(inForce *spec.File) { s.gone(i, inForce) })
	})
}

// gone takes an instance off the board, and its model when it was the last of one that is leaving. What the file wants in their
// places comes now. The file is held.
func (s *Supervisor) gone(i *board.Instance, inForce *spec.File) {
	m := i.Model
	s.board.Remove(m, i)
	switch left := s.board.Servers(m); {
	case !m.Leaving:
		s.fill(m)
	case len(left) == 0:
		s.metrics.forget(m.ID)
		s.store.Models.Forget(m.ID)
		s.board.Drop(m)
		s.log.Info("model is gone", zap.String("model", m.ID))
		if at := slices.IndexFunc(inForce.Models, func(want spec.Model) bool { return want.ID == m.ID }); at >= 0 && s.crew.Open() {
			s.enter(inForce.Models[at])
		}
	}
}
