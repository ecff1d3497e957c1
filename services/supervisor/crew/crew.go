package crew

import (
	"context"
	"sync"

	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// Crew runs the units. They may come and go at any time of its run.
type Crew struct {
	mu      sync.Mutex
	run     context.Context // ends when units are to end; nil before units may begin, and when they may not any more
	board   *board.Board
	opening chan struct{} // closed when the first units have begun
	units   sync.WaitGroup
}

// New is a crew that runs nothing yet.
func New() *Crew { return &Crew{opening: make(chan struct{})} }

// Work runs the units on the board, and those that begin later, until ctx ends and every one of them is over. ending is called before
// the first of them has to end; a model does when those that depend on it have been drained.
func (c *Crew) Work(ctx context.Context, b *board.Board, ending func()) {
	run, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	c.mu.Lock()
	c.run, c.board = run, b
	for _, m := range b.List() {
		for _, i := range b.Servers(m) {
			c.start(i)
		}
	}
	close(c.opening)
	c.mu.Unlock()
	<-ctx.Done()
	c.mu.Lock()
	c.run = nil
	c.mu.Unlock()
	ending()
	end()
	c.units.Wait()
}

// start runs a unit. The crew is locked.
func (c *Crew) start(i *board.Instance) {
	run, b := c.run, c.board
	own, end := context.WithCancelCause(context.WithoutCancel(run))
	i.End = func(why unit.Reason) { end(runner.Halted(why)) }
	c.units.Go(func() {
		i.Runner.Run(own)
		close(i.Ended)
		b.Wake()
	})
	c.units.Go(func() {
		defer end(nil)
		await(run, b, i)
	})
}

// await returns when the instance is over, or has to end: run has ended, and nothing needs the instance any more.
func await(run context.Context, b *board.Board, i *board.Instance) {
	select {
	case <-i.Ended:
		return
	case <-run.Done():
	}
	for {
		changed := b.Changed()
		if !b.Needed(i.Model.ID) {
			return
		}
		select {
		case <-i.Ended:
			return
		case <-changed:
		}
	}
}

// Begin runs the unit of an instance that is new on the board. It is false when the supervisor does not run, or ends.
func (c *Crew) Begin(i *board.Instance) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.run == nil {
		return false
	}
	c.start(i)
	return true
}

// After calls f once an instance that has begun is over.
func (c *Crew) After(i *board.Instance, f func()) {
	c.beside(func() {
		<-i.Ended
		f()
	})
}

// beside runs f beside the units. At the end nothing begins any more.
func (c *Crew) beside(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.run != nil {
		c.units.Go(f)
	}
}

// Open tells whether units may begin.
func (c *Crew) Open() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.run != nil
}

// Opened waits until they may, or ctx ends.
func (c *Crew) Opened(ctx context.Context) bool {
	select {
	case <-c.opening:
		return true
	case <-ctx.Done():
		return false
	}
}
