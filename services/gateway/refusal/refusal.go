package refusal

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

// maxNamed is how many model ids an error names.
const maxNamed = 10

// Known lists the models for a client that asked for none of them.
func Known(models []*routing.Model) string {
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

// ModelNotFound is the answer to who asks for a model that does not exist, or that their key may not know of; models are those that
// it may.
func ModelNotFound(name string, models []*routing.Model) error {
	return &openai.Error{Status: http.StatusNotFound, Type: openai.TypeNotFound, Code: "model_not_found", Param: "model",
		Message: fmt.Sprintf("The model %.256q does not exist. %s", name, Known(models))} // the log has it, too
}

// FleetUnknown is the answer before the gateway has heard from the supervisor.
func FleetUnknown() error {
	return &openai.Error{Status: http.StatusServiceUnavailable, Type: openai.TypeUnavailable, Code: "fleet_unknown",
		Message: "The gateway has not heard from the supervisor yet, so it does not know the models. Try again shortly.", RetryAfter: time.Second}
}

// TooLarge is the answer to a body over the limit, in bytes.
func TooLarge(limit int64) error {
	return &openai.Error{Status: http.StatusRequestEntityTooLarge, Type: openai.TypeInvalidRequest, Code: "body_too_large",
		Message: fmt.Sprintf("The body is over the limit of %d bytes.", limit)}
}

// Unavailable explains why a model has no backend for new requests.
func Unavailable(m fleet.Model) *openai.Error {
	e := &openai.Error{Status: http.StatusServiceUnavailable, Type: openai.TypeUnavailable, RetryAfter: 5 * time.Second}
	switch m.Reason {
	case fleet.Restarting:
		e.Code = "model_loading"
		e.Message = fmt.Sprintf("The model %q is restarting. Try again shortly.", m.ID)
		return e
	case fleet.Removed:
		e.Code = "model_stopped"
		e.Message = fmt.Sprintf("The model %q is being taken away and takes no new requests.", m.ID)
		return e
	case fleet.SupervisorEnding:
		e.Code = "model_loading"
		e.Message = fmt.Sprintf("The model %q ended with its supervisor, and starts anew with the next one. Try again shortly.", m.ID)
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
			e.Message = fmt.Sprintf("The model %q is not ready yet: %s. Try again shortly.", m.ID, m.Message)
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

// BadRequest is a fault that the client has to mend.
func BadRequest(code, param, message string) *openai.Error {
	return &openai.Error{Status: http.StatusBadRequest, Type: openai.TypeInvalidRequest, Code: code, Param: param, Message: message}
}
