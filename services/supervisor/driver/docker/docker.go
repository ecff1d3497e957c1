package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/services/supervisor/engine"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

const (
	// Grace is how long a server may take to end after SIGTERM before the engine kills it.
	Grace = 15 * time.Second
	// outputGrace is how long the log of a server that has ended is still waited for.
	outputGrace = 2 * time.Second
	// pause is the wait before an engine that did not answer is asked again.
	pause = time.Second
)

// Session is what the drivers of one supervisor share: the engine, and a life for all that goes on beside the units.
type Session struct {
	engine *engine.Client
	log    *zap.Logger
	life   context.Context
	end    context.CancelFunc
	works  sync.WaitGroup
}

// Open returns a session with the engine at a unix socket, which is asked for the first time when there is something to do.
func Open(socket string, log *zap.Logger) *Session {
	s := &Session{engine: engine.New(socket), log: log}
	s.life, s.end = context.WithCancel(context.Background())
	return s
}

// Close ends the watch over all containers and leaves them as they are.
func (s *Session) Close() {
	s.end()
	s.works.Wait()
	s.engine.Close()
}

// insist tries until it succeeds, and tells whether it has before ctx ended. It says so once when it does not at first.
func (s *Session) insist(ctx context.Context, what, container string, try func() error) bool {
	for warned := false; ; warned = true {
		err := try()
		if err == nil {
			return true
		}
		if ctx.Err() == nil && !warned {
			s.log.Warn("cannot "+what+" a container, trying again every second", zap.String("container", container), zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
	}
}

// Driver starts one container.
type Driver struct {
	Session *Session
	Name    string // of the container
	Model   string // the value of its label engine.ModelLabel
	Output  io.Writer
	Heard   func() time.Time // when the last line came to Output; zero for never
	Grace   time.Duration    // 0 means Grace
}

var (
	_ runner.Driver  = (*Driver)(nil)
	_ runner.Adopter = (*Driver)(nil)
)

// Start starts the container, and goes on with one that somebody else has started.
func (d *Driver) Start(ctx context.Context) (runner.Server, error) {
	found, err := d.find(ctx)
	if err != nil {
		return nil, err
	}
	if !found.State.Running {
		if err := d.Session.engine.Start(ctx, found.ID); err != nil {
			return nil, fmt.Errorf("start container %s: %w", d.Name, err)
		}
		if found, err = d.Session.engine.Inspect(ctx, found.ID); err != nil {
			return nil, fmt.Errorf("look at container %s: %w", d.Name, err)
		}
	}
	return d.watch(found), nil
}

// Adopt goes on with the container if it runs. When the engine cannot tell, Start goes on with it later.
func (d *Driver) Adopt(ctx context.Context) (runner.Server, error) {
	found, err := d.find(ctx)
	if err != nil || !found.State.Running {
		return nil, nil
	}
	return d.watch(found), nil
}

// Await returns once the container exists. waiting is told why it does not return yet.
func (d *Driver) Await(ctx context.Context, waiting func(why string)) error {
	for {
		_, err := d.find(ctx)
		if err == nil {
			return nil
		}
		waiting(err.Error())
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// find looks for the container with the name among those that carry the label.
func (d *Driver) find(ctx context.Context) (engine.Container, error) {
	all, err := d.Session.engine.List(ctx)
	if err != nil {
		return engine.Container{}, err
	}
	var others []string
	for _, c := range all {
		if c.Labels[engine.ModelLabel] != d.Model {
			continue
		}
		if c.Named(d.Name) {
			return d.Session.engine.Inspect(ctx, c.ID)
		}
		others = append(others, c.Name())
	}
	if len(others) > 0 {
		slices.Sort(others)
		return engine.Container{}, Absent(fmt.Sprintf("no container %s, the label %s=%s is on %s; correct container.name", d.Name, engine.ModelLabel, d.Model, strings.Join(others, ", ")))
	}
	return engine.Container{}, Absent(fmt.Sprintf("no container %s with the label %s=%s yet; create it, as docker compose up does", d.Name, engine.ModelLabel, d.Model))
}

// Absent is the error of a container that does not exist. It says how to mend that.
type Absent string

func (a Absent) Error() string { return string(a) }

// Absent is nil when the container exists, or the engine cannot tell.
func (d *Driver) Absent(ctx context.Context) error {
	_, err := d.find(ctx)
	if absent, ok := errors.AsType[Absent](err); ok {
		return absent
	}
	return nil
}

// watch begins to see a running container to its end.
func (d *Driver) watch(c engine.Container) runner.Server {
	s := &server{Driver: d, id: c.ID, begun: c.State.StartedAt, tty: c.Config.Tty, done: make(chan unit.Exit, 1), left: make(chan struct{})}
	var watch context.Context
	watch, s.leave = context.WithCancel(d.Session.life)
	s.life, s.over = context.WithCancel(d.Session.life)
	// The log of this run is what comes after the end of the one before; the engine notes a beginning later than the first lines. What an
	// earlier supervisor has heard is not heard twice.
	since := c.State.FinishedAt
	if d.Heard != nil {
		if heard := d.Heard(); heard.After(since) {
			since = heard.Add(time.Nanosecond)
		}
	}
	d.Session.works.Go(func() { s.run(watch, since) })
	return s
}
