package supervisor

import (
	"context"
	"sync"
)

// crew runs the units. They may come and go at any time of its run.
type crew struct {
	mu    sync.Mutex
	begun func(*instance) // nil before run and after its end
	units sync.WaitGroup
}

// run runs the units on the board, and those that begin later, until ctx ends and every one of them is over.
func (c *crew) run(ctx context.Context, b *board) {
	c.mu.Lock()
	c.begun = func(i *instance) {
		own, cancel := context.WithCancel(ctx)
		i.end = cancel
		c.units.Go(func() {
			defer close(i.ended)
			defer cancel()
			i.unit.Run(own)
		})
	}
	for _, m := range b.list() {
		for _, i := range b.servers(m) {
			c.begun(i)
		}
	}
	c.mu.Unlock()
	<-ctx.Done()
	c.mu.Lock()
	c.begun = nil
	c.mu.Unlock()
	c.units.Wait()
}

// begin runs the unit of an instance that is new on the board. It is false when the supervisor does not run or is ending.
func (c *crew) begin(i *instance) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.begun == nil {
		return false
	}
	c.begun(i)
	return true
}
