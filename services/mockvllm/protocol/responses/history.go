package responses

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// History is what a response leaves for one that continues it.
type History struct {
	Messages []any    // that it answered, those before it among them
	Said     []string // the texts of its own messages
}

// Continue puts a conversation before that of the request. Instructions do not carry over, nor does what was thought or called.
func (r *Request) Continue(h History) {
	var before []any
	messages := r.Talk.Messages
	if request.Str(r.v, "instructions") != "" && len(messages) > 0 {
		before, messages = append(before, messages[0]), messages[1:]
	}
	for _, m := range h.Messages {
		if o, ok := m.(*pyjson.Object); ok {
			if o.Value("role") == "system" {
				continue
			}
		}
		before = append(before, m)
	}
	for _, text := range h.Said {
		before = append(before, message("assistant", text))
	}
	r.Talk.Messages = append(before, messages...)
}

// History is what the request leaves, once it was answered.
func (r *Request) History() History { return History{r.Talk.Messages, r.said} }

// Whole is the response object, once it was written; nil before.
func (r *Request) Whole() []byte { return r.whole }

// keep notes a response that is whole.
func (r *Request) keep(items []*item, whole []byte) {
	r.whole, r.said = whole, nil
	for _, it := range items {
		if it.kind == "message" && len(it.text) > 0 {
			r.said = append(r.said, string(it.text))
		}
	}
}

// Pending is the response object before there is anything in it.
func (r *Request) Pending(h protocol.Head, status string) []byte {
	return r.appendResponse(nil, h, nil, status, nil, nil)
}

// Stored tells whether the response is to be stored, where there is a store.
func (r *Request) Stored() bool { return r.v.Bool("store") }

// Background tells whether the client wants to ask for the response later.
func (r *Request) Background() bool { return r.v.Bool("background") }

// Previous is the id of the response that the request continues.
func (r *Request) Previous() (id string, given bool) { return r.v.Str("previous_response_id") }

// Storable refuses what needs a store where there is none, and two histories at once.
func (r *Request) Storable(store bool) *protocol.Error {
	if r.Background() && !store {
		return invalid(http.StatusBadRequest, "background", "This vLLM engine does not support `store=True` and therefore does not support "+
			"the background mode. To enable these features, set the environment variable `VLLM_ENABLE_RESPONSES_API_STORE=1` when launching the vLLM server.")
	}
	if id, _ := r.Previous(); id != "" && len(request.List(r.v, "previous_input_messages")) > 0 {
		return invalid(http.StatusBadRequest, "previous_response_id", "Only one of `previous_input_messages` and `previous_response_id` can be set.")
	}
	return nil
}

// NotFound refuses a response that is not stored.
func NotFound(id string) *protocol.Error {
	e := invalid(http.StatusNotFound, "response_id", "Response with id '"+id+"' not found.")
	if pyjson.HasSurrogate(id) { // and then the refusal cannot be sent
		return protocol.Refused((&schema.Error{Status: e.Status, Type: e.Type, Message: e.Message}).Sendable())
	}
	return e
}

// Finished refuses to cancel a response that is over.
func Finished() *protocol.Error {
	return invalid(http.StatusBadRequest, "response_id", "Cannot cancel a synchronous response.")
}
