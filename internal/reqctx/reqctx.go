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
	leave  func() bool // the parent's list; nil when it is not in it

	ended atomic.Bool // after err was set: most who ask need no lock

	mu    sync.Mutex
	err   error         // nil until it ends
	done  chan struct{} // nil until somebody asks for it
	hooks []hook
	room  [2]hook // for the first hooks
	last  int     // id of a hook
}

type hook struct {
	id   int
	call func()
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
	c.leave = AfterFunc(parent, func() { c.End(parent.Err()) })
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
	if leave != nil {
		leave()
	}
	for _, h := range hooks {
		h.call()
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

// AfterFunc has f called when c ends, by who ends it, so f must not wait for anything. Package context uses it for the contexts
// that it makes of c. stop tells whether it has kept f from being called.
func (c *Context) AfterFunc(f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		go f() // package context holds a lock here that f needs
		return func() bool { return false }
	}
	c.last++
	id := c.last
	c.hooks = append(c.hooks, hook{id, f})
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		at := slices.IndexFunc(c.hooks, func(h hook) bool { return h.id == id })
		if at >= 0 {
			c.hooks = slices.Delete(c.hooks, at, at+1)
		}
		return at >= 0
	}
}

// AfterFunc is context.AfterFunc, but for a context that has a method of that name f is called by who ends it, and must not
// wait for anything.
func AfterFunc(ctx context.Context, f func()) (stop func() bool) {
	if own, ok := ctx.(interface{ AfterFunc(func()) func() bool }); ok {
		return own.AfterFunc(f)
	}
	return context.AfterFunc(ctx, f)
}
