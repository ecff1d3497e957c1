package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/refusal"
	"github.com/fluidmcp/fluidmcp/services/gateway/relay"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
)

// clientLeft says that nobody waits for an answer.
func clientLeft(err error) error { return fmt.Errorf("%w: %w", web.ErrClientLeft, err) }

// ended says why a request ended that has no answer yet: its client left, its deadline passed, or the gateway stops.
func (c *call) ended(r *http.Request, err error) error {
	switch why := cause(r.Context(), r.Context()); {
	case errors.Is(why, web.ErrStopping):
		return c.fail(reasonStopping, &openai.Error{Status: http.StatusServiceUnavailable, Type: openai.TypeUnavailable, Code: "shutting_down",
			Message: "The gateway is shutting down. Send the request again.", RetryAfter: time.Second, Cause: err})
	case errors.Is(why, errDeadline):
		late := *errDeadline
		late.Cause = err
		return c.fail(reasonDeadline, &late)
	case why != nil:
		return clientLeft(err)
	}
	return err
}

// late turns a failure into the form that the client can still be told: where comments have begun its stream, an event.
func (c *call) late(w http.ResponseWriter, q *query, err error) error {
	if !c.waiting.Begun() {
		return err
	}
	c.stream = true
	told, ok := errors.AsType[*openai.Error](err)
	if !ok { // nobody is there to be told
		c.result.Outcome = relay.ClientClosed
		return err
	}
	relay.Fail(w, q.endpoint.End, told)
	c.result = relay.Result{Outcome: relay.Failed, Err: err}
	c.reason = cmp.Or(c.reason, reasonNoBackend)
	return err
}

// failure turns a failed last attempt into what the client is told.
func (c *call) failure(r *http.Request, q *query, a *try) error {
	if r.Context().Err() != nil {
		return c.ended(r, a.err)
	}
	if torn, ok := errors.AsType[*upstream.BodyError](a.err); ok {
		return q.body.Refuse(torn.Err)
	}
	if bad, ok := errors.AsType[*upstream.RequestError](a.err); ok {
		return refusal.BadRequest("malformed_request", "", fmt.Sprintf("The request cannot be sent on: %v.", bad))
	}
	switch a.failed {
	case defect, upstream.Canceled: // and not by the client
		c.reason = reasonInternal
		return a.err
	case upstream.Timeout:
		return c.fail(reasonTimeout, &openai.Error{Status: http.StatusGatewayTimeout, Type: openai.TypeTimeout, Code: "upstream_timeout",
			Message: "The model server did not answer in time.", Cause: a.err})
	case upstream.Exhausted:
		return c.fail(reasonOverloaded, &openai.Error{Status: http.StatusServiceUnavailable, Type: openai.TypeUnavailable, Code: "overloaded",
			Message: "The gateway has no room for another connection. Try again shortly.", RetryAfter: time.Second, Cause: a.err})
	case upstream.Connect:
		return c.fail(reasonConnect, &openai.Error{Status: http.StatusBadGateway, Type: openai.TypeUpstream, Code: "upstream_unreachable",
			Message: "The model server cannot be reached.", Cause: a.err})
	default:
		return c.fail(reasonInterrupted, &openai.Error{Status: http.StatusBadGateway, Type: openai.TypeUpstream, Code: "upstream_disconnected",
			Message: "The model server broke the connection before its answer was complete.", Cause: a.err})
	}
}
