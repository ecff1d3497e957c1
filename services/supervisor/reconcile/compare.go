package reconcile

import (
	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/change"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/source"
)

// Compare implements modelsfile.Fleet.
func (r *Reconciler) Compare(inForce, plan *manifest.File) change.Set {
	return change.Between(r.present(inForce, plan), plan)
}

// present is the plan in force with the instances that are there, as they are on their way to another plan.
func (r *Reconciler) present(inForce, plan *manifest.File) *manifest.File {
	file := &manifest.File{Source: inForce.Source}
	r.Board.Each(func(m *board.Model) {
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
func toward(i *board.Instance, plan *manifest.File) manifest.Instance {
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
func (r *Reconciler) mark(plan, declared *source.Source) {
	models := r.Board.List()
	r.Board.Change(func() {
		for _, m := range models {
			m.Overridden = !change.Alike(plan, declared, m.ID)
		}
	})
}
