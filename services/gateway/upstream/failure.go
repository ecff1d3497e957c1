package upstream

import (
	"context"
	"errors"
	"net"
)

// Kind says what went wrong between gateway and backend.
type Kind string

// The kinds of failure.
const (
	Connect  Kind = "connect"  // no connection was made; the backend knows nothing of the request
	Broken   Kind = "reset"    // the connection was lost, or what came was not HTTP
	Timeout  Kind = "timeout"  // the backend was silent for too long
	Canceled Kind = "canceled" // we gave up, because the client left or the gateway stops
)

// KindOf classifies an error of a request that was made with ctx.
func KindOf(ctx context.Context, err error) Kind {
	var timeout *TimeoutError
	if errors.As(context.Cause(ctx), &timeout) {
		return Timeout
	}
	if ctx.Err() != nil {
		return Canceled
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return Connect
	}
	return Broken
}
