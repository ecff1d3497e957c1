//go:build linux

package http1

import (
	"context"
	"net"
	"syscall"

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

// HungUp implements hangup.Conn. A client that closes only its sending side is taken for gone, as vLLM and net/http take it.
func (c *conn) HungUp(bool) { c.left() }

// left ends the request in progress, because its client is gone.
func (c *conn) left() {
	c.mu.Lock()
	c.gone = true
	ctx := c.ctx
	c.mu.Unlock()
	if ctx != nil {
		ctx.End(context.Canceled)
	}
}

// descriptor is that of the connection, or of the one that it wraps (go-proxyproto has Raw).
func descriptor(c *conn) syscall.RawConn {
	if c.raw != nil {
		return c.raw
	}
	inner := socket(c.net)
	if wrapper, ok := inner.(interface{ Raw() net.Conn }); ok {
		inner = wrapper.Raw()
	}
	sys, ok := inner.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}
