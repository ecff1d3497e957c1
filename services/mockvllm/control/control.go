package control

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/clock"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/life"
)

// Paths is what the paths of what only a mock has begin with. vLLM has none that does.
const Paths = "/mock/"

// Control is that of one server.
type Control struct {
	life    *life.Life
	journal *journal.Journal
	clock   clock.Clock
	model   string // what requests ask for that name none
}

// New makes the control of a server.
func New(l *life.Life, j *journal.Journal, c clock.Clock, model string) *Control {
	return &Control{life: l, journal: j, clock: c, model: model}
}
