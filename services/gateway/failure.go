package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/relay"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
)

// maxNamed is how many model ids an error names.
const maxNamed = 10

// known lists the models for a client that asked for none of them.
func known(models []*routing.Model) string {
	if len(models) == 0 {
		return "No model is declared."
	}
	ids := make([]string, 0, len(models))
	for _, m := range models {
		ids = append(ids, m.ID)
	}
	more := ""
	if len(ids) > maxNamed {
		more = fmt.Sprintf(" and %d more (GET /v1/models lists all)", len(ids)-maxNamed)
		ids = ids[:maxNamed]
	}
	return "Models: " + strings.Join(ids, ", ") + more + "."
}

func errModelNotFound(name string, models []*routing.Model) error {
	return &openai.Error{Status: http.StatusNotFound, Type: openai.TypeNotFound, Code: "model_not_found", Param: "model",
		Message: fmt.Sprintf("The model %.256q does not exist. %s", name, known(models))} // the log has it, too
}

// modelPart is what the client of an unknown path most likely meant as the model.
func modelPart(path string) string {
	rest := strings.TrimPrefix(path, "/llm/")
	if name, _, ok := strings.Cut(rest, "/v1/"); ok {
		return name
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

func errFleetUnknown() error {
	return &openai.Error{Status: http.StatusServiceUnavailable, Type: openai.TypeUnavailable, Code: "fleet_unknown",
		Message: "The gateway has not heard from the supervisor yet, so it does not know the models. Try again shortly.", RetryAfter: time.Second}
}

func errTooLarge(limit int64) error {
	return &openai.Error{Status: http.StatusRequestEntityTooLarge, Type: openai.TypeInvalidRequest, Code: "body_too_large",
		Message: fmt.Sprintf("The body is over the limit of %d bytes.", limit)}
}

// errUnavailable explains why a model has no backend for new requests.
func errUnavailable(m fleet.Model) *openai.Error {
	e := &openai.Error{Status: http.StatusServiceUnavailable, Type: openai.TypeUnavailable, RetryAfter: 5 * time.Second}
	if m.Reason == fleet.Restarting {
		e.Code = "model_loading"
		e.Message = fmt.Sprintf("The model %q is restarting. Try again shortly.", m.ID)
		return e
	}
	switch m.Phase {
	case fleet.Stopped, fleet.Stopping, fleet.Draining:
		if m.OnDemand {
			e.Code = "model_loading"
			e.Message = fmt.Sprintf("The model %q is started by a request and is not there yet. Try again shortly.", m.ID)
			break
		}
		e.Code = "model_stopped"
		e.Message = fmt.Sprintf("The model %q is %s. POST /api/llm/models/%s/start starts it.", m.ID, m.Phase, m.ID)
	case fleet.Pending, fleet.Starting:
		e.Code = "model_loading"
		if m.Reason == "" && m.Message != "" { // how far it is
			e.Message = fmt.Sprintf("The model %q is loading: %s. Try again shortly.", m.ID, m.Message)
			return e
		}
		e.Message = fmt.Sprintf("The model %q is loading. Try again shortly.", m.ID)
	case fleet.Backoff, fleet.Failed:
		e.Code = "model_failed"
		e.Message = fmt.Sprintf("The model %q failed and is %s.", m.ID, map[fleet.Phase]string{
			fleet.Backoff: "about to be restarted", fleet.Failed: "not restarted by itself"}[m.Phase])
	default:
		e.Code = "model_unavailable"
		e.Message = fmt.Sprintf("The model %q is %s and none of its servers takes requests.", m.ID, m.Phase)
	}
	if why := strings.Join(slices.DeleteFunc([]string{m.Reason, m.Message}, func(s string) bool { return s == "" }), ": "); why != "" {
		e.Message += " Reason: " + why + "."
	}
	return e
}

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
	relay.Fail(w, q.endpoint.end, told)
	c.result = relay.Result{Outcome: relay.Failed, Err: err}
	c.reason = cmp.Or(c.reason, reasonNoBackend)
	return err
}

// failure turns a failed last attempt into what the client is told.
func (c *call) failure(r *http.Request, a *try) error {
	if r.Context().Err() != nil {
		return c.ended(r, a.err)
	}
	if torn, ok := errors.AsType[*upstream.BodyError](a.err); ok {
		return c.g.unread(r, torn.Err)
	}
	if bad, ok := errors.AsType[*upstream.RequestError](a.err); ok {
		return badRequest("malformed_request", "", fmt.Sprintf("The request cannot be sent on: %v.", bad))
	}
	switch a.failed {
	case upstream.Timeout:
		return c.fail(reasonTimeout, &openai.Error{Status: http.StatusGatewayTimeout, Type: openai.TypeTimeout, Code: "upstream_timeout",
			Message: "The model server did not answer in time.", Cause: a.err})
	case upstream.Connect:
		return c.fail(reasonConnect, &openai.Error{Status: http.StatusBadGateway, Type: openai.TypeUpstream, Code: "upstream_unreachable",
			Message: "The model server cannot be reached.", Cause: a.err})
	default:
		return c.fail(reasonInterrupted, &openai.Error{Status: http.StatusBadGateway, Type: openai.TypeUpstream, Code: "upstream_disconnected",
			Message: "The model server broke the connection before its answer was complete.", Cause: a.err})
	}
}
