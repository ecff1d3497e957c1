package rollout

import (
	"context"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// Server is one that a rollout replaces.
type Server struct {
	ID      string
	Status  func() unit.Status
	Replace func(ctx context.Context) error // lets it drain, end and start anew; returns once that has begun
}

// Extra is one more server of the model, which serves while the others are replaced, and goes then.
type Extra struct {
	ID     string
	Status func() unit.Status
	Retire func() // drains and ends it; for one that a rollout has started it returns once nothing of it is left
}

// Plan is what a rollout is to do.
type Plan struct {
	Why     unit.Reason
	Servers []Server
	Leaving []*Extra                                  // those that the model has too many of: they go once others serve
	Beside  func() []Server                           // the others of the model, which nobody has to Replace; may be nil
	AtOnce  bool                                      // replaces all at the same time, so that the model is not served meanwhile
	Surge   func(ctx context.Context) (*Extra, error) // starts one more server, or gives nil where there is no room; may be nil
	Missing func() string                             // what a new server would have to wait for, "" when nothing; may be nil
	Ended   func(Status)                              // called at the end; may be nil
}

// State says how far a rollout is.
type State string

// The states.
const (
	Rolling  State = "rolling"
	Done     State = "done"     // every server is a new one, and ready
	Failed   State = "failed"   // a server did not come back; those that were not replaced yet are as they were
	Canceled State = "canceled" // somebody stopped the model or began another rollout, or the supervisor ends
)

// Status is what there is to say of a rollout.
type Status struct {
	State   State
	Why     unit.Reason
	Done    int       // servers that are replaced and ready
	Total   int       // servers to be replaced
	Message string    // what it is doing or waiting for, or why it has ended; for people
	Begun   time.Time //
	Ended   time.Time // zero while it goes on
}
