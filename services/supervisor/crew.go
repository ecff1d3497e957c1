package supervisor

import (
	"context"
	"sync"
)

// crew runs the units. They may come and go at any time of its run.
type crew struct {
	mu      sync.Mutex
	run     context.Context //nolint:containedctx // ends when units are to end; nil before units may begin, and when they may not any more
	board   *board
	opening chan struct{} // closed when the first units have begun
	units   sync.WaitGroup
}

func newCrew() *crew { return &crew{opening: make(chan struct{})} }

// work runs the units on the board, and those that begin later, until ctx ends and every one of them is over. ending is called before
// the first of them has to end; a model does when those that depend on it have been drained.
func (c *crew) work(ctx context.Context, b *board, ending func()) {
	run, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	c.mu.Lock()
	c.run, c.board = run, b
	for _, m := range b.list() {
		for _, i := range b.servers(m) {
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
func (c *crew) start(i *instance) {
	run, board := c.run, c.board
	own, end := context.WithCancel(context.WithoutCancel(run))
	i.end = end
	c.units.Go(func() {
		i.unit.Run(own)
		close(i.ended)
		board.news()
	})
	c.units.Go(func() {
		defer end()
		i.await(run, board)
	})
}

// await returns when the instance is over, or has to end: run has ended, and nothing needs the instance any more.
func (i *instance) await(run context.Context, b *board) {
	select {
	case <-i.ended:
		return
	case <-run.Done():
	}
	for {
		changed := b.Changed()
		if !b.needed(i.model.ID) {
			return
		}
		select {
		case <-i.ended:
			return
		case <-changed:
		}
	}
}

// over tells whether the instance's unit has ended.
func (i *instance) over() bool {
	select {
	case <-i.ended:
		return true
	default:
		return false
	}
}

// begin runs the unit of an instance that is new on the board. It is false when the supervisor does not run, or ends.
func (c *crew) begin(i *instance) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.run == nil {
		return false
	}
	c.start(i)
	return true
}

// after calls f once an instance that has begun is over.
func (c *crew) after(i *instance, f func()) {
	c.beside(func() {
		<-i.ended
		f()
	})
}

// beside runs f beside the units. At the end nothing begins any more.
func (c *crew) beside(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.run != nil {
		c.units.Go(f)
	}
}

// open tells whether units may begin.
func (c *crew) open() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.run != nil && c.run.Err() == nil
}

// opened waits until they may, or ctx ends.
func (c *crew) opened(ctx context.Context) bool {
	select {
	case <-c.opening:
		return true
	case <-ctx.Done():
		return false
	}
}
