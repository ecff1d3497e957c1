package upstream

import (
	"context"
	"errors"

	"github.com/fluidmcp/fluidmcp/internal/rawnet"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream/pool"
)

// Kind says what went wrong between gateway and backend.
type Kind string

// The kinds of failure.
const (
	Connect   Kind = "connect"   // no connection was made, be it for the name, the network, TLS or our own limit; the backend knows nothing of the request
	Exhausted Kind = "exhausted" // no connection was made, because the gateway's own machine had no descriptor or memory left for one
	Broken    Kind = "reset"     // the connection was lost, or what came was not HTTP
	Timeout   Kind = "timeout"   // the backend was silent for too long
	Canceled  Kind = "canceled"  // we gave up, because the client left, its request is no good, or the gateway stops
)

// KindOf classifies an error of a request that was made with ctx.
func KindOf(ctx context.Context, err error) Kind {
	if _, ok := errors.AsType[*TimeoutError](context.Cause(ctx)); ok {
		return Timeout
	}
	_, body := errors.AsType[*BodyError](err)
	_, head := errors.AsType[*RequestError](err)
	if body || head || ctx.Err() != nil {
		return Canceled
	}
	if _, ok := errors.AsType[*pool.ConnectError](err); ok && rawnet.Exhausted(err) {
		return Exhausted
	} else if ok {
		return Connect
	}
	return Broken
}
