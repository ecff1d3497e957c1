package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/rawnet"
	"github.com/fluidmcp/fluidmcp/internal/reqctx"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream/pool"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream/wire"
)

// sentSoon is how long a complete answer waits for word that the request's body was sent: the server has mostly read it, and
// the goroutine that sent it has not come to say so.
const sentSoon = 20 * time.Millisecond

// silentError says that a connection broke before the first byte of an answer.
type silentError struct {
	reused bool // the connection had carried a request before
	err    error
}

func (e *silentError) Error() string {
	return fmt.Sprintf("the connection broke before the answer began: %v", e.err)
}
func (e *silentError) Unwrap() error { return e.err }

// exchange is one request and its answer on a connection. It is the body of the answer.
type exchange struct {
	resp   http.Response
	values [8]string // of its header, which mostly has no more
	pool   *pool.Pool
	conn   *pool.Conn
	in     *wire.Reader
	body   io.Reader
	rest   *sending    // of the request's body
	unhook reqctx.Hook // the connection from the context
	over   atomic.Bool // the connection was given back or up
	err    error       // what Read gives then
}

// exchange sends msg on conn, and reads the head of the answer. The connection is closed as soon as the context ends.
func (t *Transport) exchange(conn *pool.Conn, msg *message) (*http.Response, error) {
	x := &exchange{pool: t.pool, conn: conn, in: wire.NewReader(conn.Conn)}
	x.unhook = reqctx.AfterFunc(msg.req.Context(), conn.Abort)
	failed := msg.send(conn)
	if errors.Is(failed, rawnet.ErrStale) {
		return nil, x.fail(failed)
	}
	x.rest = msg.rest
	// Also after a failure: a server that refuses a body answers, and closes before it has read all.
	if _, err := x.in.Peek(1); err != nil {
		return nil, x.fail(&silentError{conn.Reused, errors.Join(failed, unexpected(err))})
	}
	body, err := x.in.ReadHead(&x.resp, msg.req, t.maxHeader, x.values[:])
	if err != nil {
		return nil, x.fail(fmt.Errorf("answer of %s: %w", msg.req.URL.Host, err))
	}
	x.resp.Close = x.resp.Close || failed != nil
	if body == http.NoBody {
		x.resp.Body = http.NoBody
		x.finish(true)
		return &x.resp, nil
	}
	x.body, x.resp.Body = body, x
	return &x.resp, nil
}

// fail gives the connection up, and returns what is to blame.
func (x *exchange) fail(err error) error {
	x.finish(false)
	if fault := x.rest.fault(); fault != nil {
		return fault
	}
	return err
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Read reads the body of the answer. At its end the connection is free for the next request.
func (x *exchange) Read(p []byte) (int, error) {
	if x.over.Load() {
		return 0, x.after()
	}
	n, err := x.body.Read(p)
	switch err {
	case nil:
		return n, nil
	case io.EOF:
		x.finish(true)
	default:
		err = x.fail(err)
		if ended := context.Cause(x.resp.Request.Context()); ended != nil {
			err = ended
		}
	}
	x.err = err
	return n, err
}

func (x *exchange) after() error {
	if x.err != nil {
		return x.err
	}
	return http.ErrBodyReadAfterClose
}

// Close gives the connection up unless the answer was read to its end.
func (x *exchange) Close() error {
	x.finish(false)
	return nil
}

// finish ends the use of the connection, once. It is kept when the answer is complete and nothing speaks against it.
func (x *exchange) finish(complete bool) {
	if x.over.Swap(true) {
		return
	}
	running := x.unhook.Stop() // false: the context ended, and the connection with it
	if complete && running && !x.resp.Close && x.in.Buffered() == 0 && x.rest.succeeded(sentSoon) {
		x.in.Recycle()
		x.pool.Keep(x.conn)
		return
	}
	x.pool.Drop(x.conn)
}
