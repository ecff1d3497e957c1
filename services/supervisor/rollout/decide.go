package rollout

import (
	"fmt"
	"slices"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// patience is how often a new server may fail before the rollout gives up on it. The unit goes on to try.
const patience = 3

// seen is a server as a rollout finds it.
type seen struct {
	id string
	unit.Status
	starts   int  // before the rollout
	failures int  // before it was to be replaced
	asked    bool // to be replaced
}

// replaced tells whether the server is, or is about to be, a new one: one that has crashed and come back by itself is.
func (s seen) replaced() bool { return s.asked || s.Starts > s.starts }

// settled tells whether nothing is to be waited for: it is a new server that is ready, or nobody wants it to run now.
func (s seen) settled() bool {
	resting := s.Phase == fleet.Stopped && s.Desired != unit.Running
	return s.replaced() && (resting || s.Starts > s.starts && s.Routable())
}

// lost tells whether the new server will not come, as far as a rollout waits.
func (s seen) lost() bool {
	return s.replaced() && (s.Phase == fleet.Failed || s.Phase == fleet.Backoff && s.Failures-s.failures >= patience)
}

// awaited tells whether a server that is not replaced is about to serve. One that waits for memory may wait for that of the old ones.
func (s seen) awaited() bool {
	switch {
	case s.Routable(), s.Desired != unit.Running, s.Phase == fleet.Failed, s.Reason == unit.WaitingForMemory:
		return false
	}
	return s.Phase != fleet.Backoff || s.Failures < patience
}

// decision is what follows for a rollout from how its servers are.
type decision struct {
	state   State
	replace []int // servers, by index
	done    int   // servers that are settled
	message string
}

// view is all that a rollout decides by.
type view struct {
	servers []seen
	beside  []seen // the other servers of the model
	extra   *seen  // nil when there is none
	leaving bool   // servers have to go at the end
	atOnce  bool   // all are to be replaced at the same time
	missing string // what a new server would have to wait for, "" when nothing
}

func decide(v view) decision {
	d := decision{state: Rolling}
	var old, down []int    // that are still to be replaced: all, and those that are not ready
	var coming, lost *seen // new ones that are not there yet, and that will not come
	for i := range v.servers {
		s := &v.servers[i]
		switch {
		case s.lost():
			lost = s
		case s.settled():
			d.done++
		case s.replaced():
			coming = s
		default:
			old = append(old, i)
			if !s.Routable() {
				down = append(down, i)
			}
		}
	}
	switch {
	case lost != nil:
		d.state, d.message = Failed, failure(*lost)
	case v.extra != nil && v.extra.Phase == fleet.Failed && len(old) == len(v.servers):
		d.state, d.message = Failed, failure(*v.extra)
	case v.atOnce && len(old) > 0:
		d.replace = old
	case len(down) > 0: // nothing can be lost by it
		d.replace = down
	case coming != nil:
		d.message = waiting(*coming)
	case len(old) == 0 && v.leaving && !v.served():
		d.message = "waits for a server that may take the place of those that have to go"
	case len(old) == 0:
		d.state = Done
	case v.extra != nil && !v.extra.Routable() && v.extra.Phase != fleet.Failed:
		d.message = waiting(*v.extra)
	case v.missing != "":
		d.message = "waits: " + v.missing
	default:
		if at := slices.IndexFunc(v.beside, seen.awaited); at >= 0 {
			d.message = waiting(v.beside[at])
			break
		}
		d.replace = old[:1]
	}
	return d
}

// served tells whether one of the servers that stay serves, or none is wanted to.
func (v view) served() bool {
	wanted := false
	for _, s := range slices.Concat(v.servers, v.beside) {
		if s.Routable() {
			return true
		}
		wanted = wanted || s.Desired == unit.Running
	}
	return !wanted
}

func failure(s seen) string {
	return fmt.Sprintf("%s does not come back: %s", s.id, s.Message)
}

// waiting says what a rollout waits for.
func waiting(s seen) string {
	text := fmt.Sprintf("waits for %s, which is %s", s.id, s.Phase)
	if s.Message != "" {
		text += ": " + s.Message
	}
	return text
}
