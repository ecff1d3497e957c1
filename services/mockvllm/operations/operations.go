package operations

import (
	"net/http"
	"sync/atomic"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/config"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/starlette"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn"
)

// Operations are those on one server.
type Operations struct {
	cfg        config.Config
	model      *request.Model
	serverLoad atomic.Int64 // requests that Load counts
}

// New makes the handlers for a server.
func New(cfg config.Config, model *request.Model) *Operations {
	return &Operations{cfg: cfg, model: model}
}

// Version tells the version of vLLM that is imitated.
func (o *Operations) Version(w http.ResponseWriter, _ *http.Request) {
	fastapi.Reply(w, http.StatusOK, []byte(`{"version":"`+config.Version+`"}`))
}

// Load is 0 unless the server is told to track it.
func (o *Operations) Load(w http.ResponseWriter, _ *http.Request) {
	fastapi.ReplyValue(w, http.StatusOK, "server_load", o.serverLoad.Load())
}

// KVEventSources tells where events of the KV cache come from, which is nowhere.
func (o *Operations) KVEventSources(w http.ResponseWriter, _ *http.Request) {
	fastapi.Reply(w, http.StatusOK, []byte(`{}`))
}

// IsScaling tells that no scaling is under way.
func (o *Operations) IsScaling(w http.ResponseWriter, _ *http.Request) {
	fastapi.Reply(w, http.StatusOK, []byte(`{"is_scaling_elastic_ep":false}`))
}

// Loading counts the requests of some routes while they run, for /load.
func (o *Operations) Loading(t *starlette.Router, next http.Handler) http.Handler {
	if !o.cfg.Routes.ServerLoad {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rt := t.Route(r); rt != nil && rt.Kind.Loads {
			o.serverLoad.Add(1)
			loading := &uvicorn.Whole{ResponseWriter: w, Ender: loaded{o}}
			loading.Answer(func() { next.ServeHTTP(loading, r) })
			return
		}
		next.ServeHTTP(w, r)
	})
}

// loaded ends what Loading counts.
type loaded struct{ *Operations }

func (o loaded) Over(bool) { o.serverLoad.Add(-1) }

// Decision refuses structured decisions, which no ordinary model takes.
func (o *Operations) Decision(w http.ResponseWriter, r *http.Request) {
	if _, _, ok := fastapi.ReadRequest(w, r, "StructuredDecisionRequest"); ok {
		fastapi.Refuse(w, &protocol.Error{Status: http.StatusNotImplemented, Type: protocol.TypeNotImplemented,
			Message: "The model does not support the structured decision API"})
	}
}

// TokenizerInfo tells the configuration of the tokenizer.
func (o *Operations) TokenizerInfo(w http.ResponseWriter, _ *http.Request) {
	info := o.model.Tokenizer.Info(o.cfg.Model, o.model.Templates.Default.Source())
	fastapi.Reply(w, http.StatusOK, pyjson.AppendJSON(nil, info, pyjson.Format{Compact: true}))
}
