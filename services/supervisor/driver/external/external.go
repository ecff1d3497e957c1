package external

import (
	"context"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// Driver drives nothing. The zero value is ready.
type Driver struct{}

var _ runner.Driver = Driver{}

// Start takes the server into the watch.
func (Driver) Start(context.Context) (runner.Server, error) {
	return &server{done: make(chan unit.Exit, 1)}, nil
}

type server struct {
	once sync.Once
	done chan unit.Exit
}

func (*server) PID() int { return 0 }

func (s *server) Done() <-chan unit.Exit { return s.done }

// Stop ends the watch, not the server.
func (s *server) Stop() {
	s.once.Do(func() { s.done <- unit.Exit{At: time.Now()} })
}
