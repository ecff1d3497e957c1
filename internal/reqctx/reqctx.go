package reqctx

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Context is a context.Context that ends by End or with its parent. It has the parent's values and deadline. Err gives what it has
// ended with, and so does context.Cause, unless a context above it has ended as well: then it gives that one's cause.
//
// It is begun once, before anything else, and may be part of a larger value.
type Context struct {
	parent context.Context
	leave  Hook // the parent's list

	ended atomic.Bool // after err was set: most who ask need no lock

	mu    sync.Mutex
	err   error         // nil until it ends
	done  chan struct{} // nil until somebody asks for it
	hooks []hook
	room  [2]hook // for the first hooks
	last  int     // id of a hook
}

type hook struct {
	id    int
	call  func()   // or
	child *Context // that ends with the same error
}

// Begin makes c one with the values of parent. Whoever begins it ends it, also when the parent ends.
func (c *Context) Begin(parent context.Context) { c.parent, c.hooks = parent, c.room[:0] }

// Follow makes c one that ends with parent. End has to be called when it is over.
func (c *Context) Follow(parent context.Context) {
	c.Begin(parent)
	if err := parent.Err(); err != nil {
		c.End(err)
		return
	}
	c.mu.Lock() // the parent may end at once
	defer c.mu.Unlock()
	if own := Of(parent); own != nil {
		c.leave = own.add(hook{child: c})
	} else {
		c.leave = AfterFunc(parent, func() { c.End(parent.Err()) })
	}
}

// End ends c with err, which is not nil, unless it has ended before. When it returns, all that hangs on c has been told.
func (c *Context) End(err error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = err
	c.ended.Store(true)
	if c.done != nil {
		close(c.done)
	}
	hooks, leave := c.hooks, c.leave
	c.hooks = nil
	c.mu.Unlock()
	leave.Stop()
	for _, h := range hooks {
		h.run(err)
	}
}

// Deadline implements context.Context.
func (c *Context) Deadline() (time.Time, bool) { return c.parent.Deadline() }

// Value implements context.Context.
func (c *Context) Value(key any) any { return c.parent.Value(key) }

// Err implements context.Context.
func (c *Context) Err() error {
	if !c.ended.Load() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Done implements context.Context.
func (c *Context) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
	}
	return c.done
}

func (h *hook) run(err error) {
	if h.child != nil {
		h.child.End(err)
		return
	}
	h.call()
}

// AfterFunc has f called when c ends, by who ends it, so f must not wait for anything. Package context uses it for the contexts
// that it makes of c. stop tells whether it has kept f from being called.
func (c *Context) AfterFunc(f func()) (stop func() bool) { return c.add(hook{call: f}).Stop }

// Ends is c itself, for Of.
func (c *Context) Ends() *Context { return c }

func (c *Context) add(h hook) Hook {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		go h.run(c.err) // package context holds a lock here that f needs
		return Hook{}
	}
	c.last++
	h.id = c.last
	c.hooks = append(c.hooks, h)
	return Hook{of: c, id: h.id}
}

func (c *Context) remove(id int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.IndexFunc(c.hooks, func(h hook) bool { return h.id == id })
	if at >= 0 {
		c.hooks = slices.Delete(c.hooks, at, at+1)
	}
	return at >= 0
}

// Hook is a function that waits for the end of a context. The zero value is none.
type Hook struct {
	of   *Context
	id   int
	stop func() bool // of package context, where of is nil
}

// Stop tells whether it has kept the function from being called.
func (h Hook) Stop() bool {
	switch {
	case h.of != nil:
		return h.of.remove(h.id)
	case h.stop != nil:
		return h.stop()
	}
	return false
}

// Of is the Context with which ctx ends, nil when it has an end of its own. A type that only adds values to a context has a method
// Ends for it, which is Of of that context.
func Of(ctx context.Context) *Context {
	if c, ok := ctx.(interface{ Ends() *Context }); ok {
		return c.Ends()
	}
	return nil
}

// AfterFunc is context.AfterFunc, but where ctx ends with a Context f is called by who ends it, and must not wait for anything.
func AfterFunc(ctx context.Context, f func()) Hook {
	if own := Of(ctx); own != nil {
		return own.add(hook{call: f})
	}
	return Hook{stop: context.AfterFunc(ctx, f)}
}
