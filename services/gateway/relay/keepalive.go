package relay

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/internal/anthropic"
	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/sse"
)

// KeepAlive tells a client that waits for its stream to begin that it is not forgotten, so that nothing between takes the
// connection for dead. With the first comment the answer has begun as an event stream, whatever comes of it: a later
// failure can only be an event.
type KeepAlive struct {
	w     http.ResponseWriter
	begun bool
}

// NewKeepAlive returns one that has said nothing yet.
func NewKeepAlive(w http.ResponseWriter) *KeepAlive { return &KeepAlive{w: w} }

// Comment sends a comment.
func (k *KeepAlive) Comment() {
	if !k.begun {
		k.begun = true
		k.w.Header().Set("Content-Type", sse.ContentType+"; charset=utf-8")
		k.w.Header().Set("X-Accel-Buffering", "no") // nginx would collect frames
		k.w.WriteHeader(http.StatusOK)
	}
	if _, err := k.w.Write([]byte(": waiting\n\n")); err == nil {
		_ = http.NewResponseController(k.w).Flush() // who has left is known by the request's context
	}
}

// Begun reports whether a comment was sent. A nil KeepAlive sends none.
func (k *KeepAlive) Begun() bool { return k != nil && k.begun }

// Fail ends a stream that has begun with an error event, in the form in which the API's SDKs raise it.
func Fail(w http.ResponseWriter, end End, e *openai.Error) {
	if _, err := w.Write(errorEvent(end, e)); err == nil {
		_ = http.NewResponseController(w).Flush() // the client may be gone as well
	}
}

// errorEvent is the last event of a stream that failed. The event that ends a complete stream does not follow, so no client
// takes it for complete.
func errorEvent(end End, e *openai.Error) []byte {
	if end == EndMessage { // an event without this name would be ignored
		return sse.AppendData([]byte("event: error\n"), anthropic.Envelope(e))
	}
	data, err := e.MarshalJSON()
	if err != nil { // strings always marshal
		panic(err)
	}
	return sse.AppendData(nil, data)
}
