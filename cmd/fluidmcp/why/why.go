package why

import (
	"cmp"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// Reasons that come without a message, in words: why a server is stopped and what starts it, and why one is being stopped.
var (
	whyStopped = map[unit.Reason]string{
		unit.ByDemand: "the first request for it starts it",
		unit.Idle:     "nobody had asked for it; the next request starts it",
		unit.Evicted:  "it made room for another model; the next request starts it",
		unit.Removed:  "nobody needs it any more",

		unit.SupervisorEnding: "together with FluidMCP",
	}
	whyStopping = map[unit.Reason]string{
		unit.Requested:        "as somebody asked",
		unit.Restarting:       "to be started anew",
		unit.Removed:          "nobody needs it any more",
		unit.SupervisorEnding: "together with FluidMCP",
		unit.Reconfigured:     "to be started with another command",
		unit.Idle:             "nobody had asked for it",
		unit.Evicted:          "to make room for another model",
	}
)

// Of says why a server is in its phase: the message, else what the reason means, else "".
func Of(phase fleet.Phase, reason, message string) string {
	switch phase {
	case fleet.Stopped:
		return cmp.Or(message, whyStopped[unit.Reason(reason)])
	case fleet.Stopping:
		return cmp.Or(message, whyStopping[unit.Reason(reason)])
	}
	return message
}
