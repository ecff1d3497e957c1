package runner

import (
	"context"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// Driver starts model servers. An error of Start may be a Finding; another one is StartFailed, and may pass.
type Driver interface {
	Start(ctx context.Context) (Server, error) // ctx ends when nobody wants the server any more
}

// Adopter is a Driver whose servers can be there before their unit.
type Adopter interface {
	// Adopt returns the server that runs already, or nil. It is asked once, before anything else. After an error the unit backs off
	// and then calls Start, which has to see to it that there are not two.
	Adopt(ctx context.Context) (Server, error)
}

// Server is one that a Driver started.
type Server interface {
	PID() int               // 0 when it is no process of this machine
	Done() <-chan unit.Exit // gives one value once nothing of the server is left
	Stop()                  // makes it end, if need be by force; may be called again
}

// Leaver is a Server that may go on without its unit.
type Leaver interface {
	// Leave ends the watch over the server and leaves it as it is. It returns when nothing of the server comes any more.
	Leave()
}

// Config is what a unit works with. The functions are called by the unit's goroutines.
type Config struct {
	Policy unit.Policy
	Before unit.Before
	Driver Driver
	// Admit is asked before every start, and returns when it may begin. Meanwhile waiting tells why not yet. Its error is that of
	// Driver.Start. release is called once: when the server is ready, or has ended before. When ctx ends nobody waits any more.
	// nil lets every start begin.
	Admit         func(ctx context.Context, waiting func(unit.Reason, string)) (release func(), err error)
	Probe         func(ctx context.Context, ready bool) error // asks the server how it is; ready: whether it was ready before
	Sleep         func(ctx context.Context) error             // puts the server to sleep; for Policy.Sleep
	Wake          func(ctx context.Context) error             // wakes it
	Drain         func(ctx context.Context)                   // returns when nothing is in flight any more, or it took too long
	Explain       func(unit.Exit) unit.Finding                // why a server ended that should not have; nil knows nothing
	Free          func(ctx context.Context) string            // returns when devices have a server's memory back, or it took too long, with what they lack; for Policy.Devices
	Changed       func(unit.Status)                           // called after each event, before its effects begin
	Launching     func(unit.Reason)                           // called before each start after the first
	Jitter        func() float64                              // random from 0 to 1
	ProbeStarting time.Duration                               // between two probes of a server that starts
	ProbeReady    time.Duration                               // between two probes after that
}
