package unit

import (
	"slices"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// Reason says in one word why a unit is in its phase, why its server failed, or why one is started.
type Reason string

// The reasons, a closed list: they are the values of a metric's label.
const (
	Exited               Reason = "Exited"              // the server ended though nobody had asked it to, whatever its exit code
	StartFailed          Reason = "StartFailed"         // the server could not be started
	StartStalled         Reason = "StartStalled"        // the server made no progress with its start
	StartTimeout         Reason = "StartTimeout"        // the server was not ready in time
	LivenessFailed       Reason = "LivenessFailed"      // the server stopped answering its health check
	GPUOutOfMemory       Reason = "GPUOutOfMemory"      // the model does not fit into the memory of its device
	HostOOMKilled        Reason = "HostOOMKilled"       // the kernel, or the engine of its container, killed the server for memory
	BadArguments         Reason = "BadArguments"        // the server does not take its command line
	AuthRequired         Reason = "AuthRequired"        // the model may not be downloaded with the token given
	ModelNotFound        Reason = "ModelNotFound"       // there is no such model
	PortInUse            Reason = "PortInUse"           // somebody else listens on the server's port
	CrashLoop            Reason = "CrashLoop"           // the server failed too often
	Requested            Reason = "Requested"           // a person said so
	Restarting           Reason = fleet.Restarting      // the server is being ended and then started anew
	Removed              Reason = fleet.Removed         // nobody needs the server any more: the models file lacks it by now, or its rollout is over
	SupervisorEnding     Reason = "SupervisorEnding"    // the server ends with its supervisor, and starts anew with the next one
	Reconfigured         Reason = "Reconfigured"        // the models file gives it another command
	SupervisorRestarted  Reason = "SupervisorRestarted" // the server of an earlier supervisor is started anew
	WasAdopted           Reason = "Adopted"             // the server ran already when the supervisor began
	ByDemand             Reason = "OnDemand"            // it is stopped until somebody asks for it, or started because somebody did
	Idle                 Reason = "Idle"                // nobody had asked for it for long
	Evicted              Reason = "Evicted"             // it made room for another model
	WaitingForDependency Reason = "WaitingForDependency"
	WaitingForSlot       Reason = "WaitingForSlot"
	WaitingForMemory     Reason = "WaitingForMemory"
)

// Failures are the reasons for which a server can fail.
var Failures = []Reason{Exited, StartFailed, StartStalled, StartTimeout, LivenessFailed, GPUOutOfMemory, HostOOMKilled, BadArguments,
	AuthRequired, ModelNotFound, PortInUse}

// Launches are the reasons for which a server is started after the first.
var Launches = slices.Concat(Failures, []Reason{Requested, Reconfigured, ByDemand, SupervisorRestarted})

// Finding is why a server failed, as its log and its exit tell. A driver's error may be one.
type Finding struct {
	Reason    Reason   // of Failures; "" when it is not known
	Message   string   // one sentence for people
	Permanent bool     // another try would not help
	Lines     []string // the last of its log, the oldest first
}

// Error makes a Finding an error.
func (f *Finding) Error() string { return f.Message }

// or fills in what is not known.
func (f Finding) or(reason Reason, message string) Finding {
	if !slices.Contains(Failures, f.Reason) {
		f.Reason = reason
	}
	if f.Message == "" {
		f.Message = message
	}
	return f
}
