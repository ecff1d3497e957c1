package supervisor

import (
	"context"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// rolling is a restart of instances one after the other.
type rolling struct {
	why       unit.Reason
	instances []*instance
	done      func(ok bool) // hears whether all of them have become ready, or are not to run at all
}

// roll restarts instances one after the other, beside its caller. The first that does not become ready ends it.
func (s *Supervisor) roll(_ *model, r rolling) {
	s.crew.beside(func() {
		for _, i := range r.instances {
			if !s.renewed(i, r.why) {
				r.done(false)
				return
			}
		}
		r.done(true)
	})
}

// renewed restarts an instance and waits for it to be ready again.
func (s *Supervisor) renewed(i *instance, why unit.Reason) bool {
	before, err := i.unit.Do(context.Background(), unit.Event{Kind: unit.Restart, Reason: why})
	if err != nil {
		return false
	}
	for {
		changed := s.board.changed()
		var now unit.Status
		s.board.read(func() { now = i.status })
		switch {
		case now.Phase == fleet.Stopped && before.Phase == fleet.Stopped:
			return true // nobody wants it to run
		case now.Starts > before.Starts && now.Phase == fleet.Ready:
			return true
		case now.Failures > before.Failures, now.Phase == fleet.Stopped, now.Phase == fleet.Failed:
			return false
		}
		select {
		case <-changed:
		case <-i.ended:
			return false
		}
	}
}
