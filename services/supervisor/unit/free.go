package unit

import "github.com/fluidmcp/fluidmcp/internal/fleet"

// A server that was stopped is gone before the memory of its GPUs is back, and stopped is to mean that others can have it.
//
//	stopping ──exit──► stopping, freeing ──freed──► stopped
//	                       │ start, restart
//	                       └──► pending, whose start waits for its memory anyway
const freeing = "its server has ended, and its GPU gives the memory back"

// free waits for the memory of a server that has ended.
func (s State) free(e Event) (State, []Effect) {
	if s.Phase != fleet.Stopping {
		s = s.enter(e, fleet.Stopping, s.Reason, "")
	}
	s.Message, s.freeing, s.nap = freeing, true, false
	return s, []Effect{{Do: Free}}
}

// freed takes in what came of it: Message says what lacks, "" that nothing does.
func (s State) freed(e Event) State {
	return s.enter(e, fleet.Stopped, rest(s.Reason), e.Message)
}
