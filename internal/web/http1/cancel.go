//go:build linux

package http1

import (
	"context"

	"github.com/fluidmcp/fluidmcp/internal/reqctx"
)

// beginRequest says what ends with the request in progress. Where the client has left before, or all requests were ended, that is
// at once.
func (c *conn) beginRequest(ctx *reqctx.Context) {
	c.mu.Lock()
	c.ctx = ctx
	gone := c.gone
	c.mu.Unlock()
	if gone || c.server.BaseContext.Err() != nil {
		ctx.End(context.Canceled)
	}
}

// endRequest ends what is bound to the request in progress.
func (c *conn) endRequest() {
	c.mu.Lock()
	ctx := c.ctx
	c.ctx = nil
	c.mu.Unlock()
	if ctx != nil {
		ctx.End(context.Canceled)
	}
}

// left is called by the watcher when the client has closed its side.
func (c *conn) left() {
	c.mu.Lock()
	c.gone = true
	ctx := c.ctx
	c.mu.Unlock()
	if ctx != nil {
		ctx.End(context.Canceled)
	}
}
