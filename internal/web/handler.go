package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/secret"
)

// ErrClientLeft is the failure of a request whose client is gone. Handler breaks the connection for it.
var ErrClientLeft = errors.New("the client left")

// Handler is a handler that returns its failure instead of writing it.
type Handler func(w http.ResponseWriter, r *http.Request) error

// ServeHTTP calls the handler and is the one place that writes a failure: an *openai.Error as it is, anything else
// as a 500 whose cause only the log shows. Once a header went out nothing can be added, so the failure is only recorded.
func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.Serve(w, r, (*openai.Error).Write)
}

// Serve is ServeHTTP for failures in another form than OpenAI's.
func (h Handler) Serve(w http.ResponseWriter, r *http.Request, write func(*openai.Error, http.ResponseWriter)) {
	err := h(w, r)
	if err == nil {
		return
	}
	rec := RecordOf(r.Context())
	rec.Err = err
	if errors.Is(err, ErrClientLeft) {
		rec.Status = StatusClientClosed
		panic(http.ErrAbortHandler) // what a handler leaves when it returns looks complete, and may still reach somebody
	}
	if rec.Status != 0 {
		return
	}
	var failure *openai.Error
	switch {
	case errors.As(err, &failure):
	case errors.Is(context.Cause(r.Context()), ErrStopping):
		failure = &openai.Error{Status: http.StatusServiceUnavailable, Type: openai.TypeUnavailable, Code: "shutting_down",
			Message: "The server is shutting down. Send the request again.", RetryAfter: time.Second}
	case r.Context().Err() != nil && errors.Is(err, context.Canceled):
		rec.Status = StatusClientClosed
		panic(http.ErrAbortHandler)
	default:
		failure = &openai.Error{Status: http.StatusInternalServerError, Type: openai.TypeInternal, Code: "internal_error",
			Message: "Internal error. The log has the details under request id " + rec.ID + "."}
	}
	quiet := *failure // it quotes no API key: a client that sends one as the name of a model has logs of its own
	quiet.Message = secret.MaskOf(r, failure.Message)
	write(&quiet, w)
}
