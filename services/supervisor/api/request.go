package api

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/gorilla/mux"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
)

// lastEventID is the header with which a client comes back to a stream that broke off (WHATWG HTML, 9.2.5).
const lastEventID = "Last-Event-ID"

func (a *API) find(r *http.Request) (*board.Model, error) {
	id := mux.Vars(r)["id"]
	if m := a.Board.Find(id); m != nil {
		return m, nil
	}
	return nil, unknown(id)
}

func unknown(id string) error {
	return &openai.Error{Status: http.StatusNotFound, Type: openai.TypeNotFound, Code: "model_not_found",
		Message: fmt.Sprintf("The model %q is not in the models file.", id)}
}

// asker is who asks over HTTP, for the events: "api", and the id of the API key that a gateway tells.
func asker(r *http.Request) string {
	if key := r.Header.Get(fleet.KeyHeader); key != "" {
		return "api:" + key
	}
	return "api"
}

func badRequest(code, param, message string) error {
	return &openai.Error{Status: http.StatusBadRequest, Type: openai.TypeInvalidRequest, Code: code, Param: param, Message: message}
}

func shuttingDown(err error) error {
	return &openai.Error{Status: http.StatusServiceUnavailable, Type: openai.TypeUnavailable, Code: "shutting_down",
		Message: "The supervisor is ending.", Cause: err}
}

// conflict refuses what FluidMCP cannot do with a server that it does not run.
func conflict(m *board.Model, what string) error {
	return &openai.Error{Status: http.StatusConflict, Type: openai.TypeConflict, Code: "not_supported",
		Message: fmt.Sprintf("The model %q is external: its server runs elsewhere and %s from here.", m.ID, what)}
}

// readBool reads a parameter that is false when it is absent.
func readBool(r *http.Request, name string) (bool, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return false, nil
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		return false, badRequest("invalid_flag", name,
			fmt.Sprintf("%s must be true or false.", name))
	}
	return value, nil
}
