package board

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/logs"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// Model is one entry of the file while it runs. ID and Driver are its own for life; all else changes with the file and with what
// happens, and is read and written with the board locked.
type Model struct {
	ID     string
	Driver manifest.Driver
	manifest.Model

	Servers    []*Instance // what runs of it, while Instances is what the file says; a new list with each change
	Leaving    bool        // it is no longer wanted, and goes when its last instance has gone
	Overridden bool        // it is not as the file says, because somebody said otherwise over HTTP
}

// Instance is one model server with all that serves it. ID, Model, Unit, Output and Ended are its own for life; what is said of
// the fields of a model holds for the others, but for End.
type Instance struct {
	ID string
	manifest.Instance
	Next     *manifest.Instance // what the file says by now and its next start will run; nil when that is what runs
	Outdated string             // why it runs with the command that the file had before; "" when it does not
	Leaving  bool               // it is being drained and ended, and goes then
	Model    *Model
	Runner   *runner.Runner
	Driver   runner.Driver // of what runs, or runs next
	Output   *logs.Stream
	Status   unit.Status
	End      func(unit.Reason) // halts the unit: its server is drained and ended
	Ended    chan struct{}     // closed when the unit's Run is over

	silent bool   // the unit has not said anything yet, and snapshots wait for it
	shown  uint64 // revision of the snapshot that first had its phase
}

// NewInstance is an instance of a model that has no unit yet. It is on no board.
func NewInstance(m *Model, from manifest.Instance) *Instance {
	return &Instance{ID: from.ID, Instance: from, Model: m, End: func(unit.Reason) {}, Ended: make(chan struct{})}
}

// Coming is what the next start of the instance runs. The board is locked.
func (i *Instance) Coming() manifest.Instance {
	if i.Next != nil {
		return *i.Next
	}
	return i.Instance
}

// Surplus tells whether the file has no place for an instance any more. The board is locked.
func (i *Instance) Surplus() bool {
	return !i.Extra && !slices.ContainsFunc(i.Model.Instances, func(from manifest.Instance) bool { return from.ID == i.ID })
}

// Over tells whether the instance's unit has ended.
func (i *Instance) Over() bool {
	select {
	case <-i.Ended:
		return true
	default:
		return false
	}
}

// Rests tells whether the instance answers nothing any more. The board is locked.
func (i *Instance) Rests() bool {
	return i.Over() || i.Status.Phase == fleet.Stopping || i.Status.Phase == fleet.Stopped
}

// Visible is the status for people, who may ask before the unit has said anything: while it looks whether its server runs
// already. The board is locked.
func (i *Instance) Visible() unit.Status {
	now := i.Status
	now.Phase, now.Desired = cmp.Or(now.Phase, fleet.Pending), cmp.Or(now.Desired, unit.Running)
	return now
}

// greet gives an instance a status before its unit has said anything. No snapshot waits for the first word of one that joins later.
func (i *Instance) greet() { i.Status, i.silent = unit.Status{State: i.Runner.First()}, false }

// Phases are all that there are. Their order says which instance speaks for a model of several: the best of those that run, then
// the worst of the rest.
var Phases = []fleet.Phase{fleet.Ready, fleet.Starting, fleet.Pending, fleet.Unhealthy, fleet.Draining, fleet.Stopping, fleet.Backoff,
	fleet.Failed, fleet.Stopped}

// Foremost is the status that speaks for the model. One that is being taken away says nothing of a model that stays. The board is locked.
func (m *Model) Foremost() unit.Status {
	for _, going := range []bool{false, true} {
		for _, phase := range Phases {
			for _, i := range m.Servers {
				if i.Status.Phase == phase && (i.Status.Reason == unit.Removed) == going {
					return i.Status
				}
			}
		}
	}
	if len(m.Servers) == 0 { // all of them have just been taken out
		return unit.Status{State: unit.State{Desired: unit.Stopped, Phase: fleet.Stopped}}
	}
	return m.Servers[0].Visible()
}

// Message is a state's sentence for people, with what comes next.
func Message(s unit.State) string {
	switch s.Phase {
	case fleet.Backoff:
		return fmt.Sprintf("%s; starting again in %s", s.Message, s.RetryAt.Sub(s.Since).Round(100*time.Millisecond))
	case fleet.Failed:
		return s.Message + "; it stays down until it is started"
	}
	return s.Message
}
