package handlers

import (
	"net/http"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/answers"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/config"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/models"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pooling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sagemaker"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Maker makes one of the answers of a pooling model.
type Maker = func(pooling.Model, pooling.Head, *schema.Values, *pyjson.Object) (*pooling.Answer, *protocol.Error)

// Handlers answer for one model.
type Handlers struct {
	cfg     config.Config
	answers *answers.Answers
	model   *request.Model
	models  *models.Models
}

// New makes the handlers of a model.
func New(cfg config.Config, a *answers.Answers, model *request.Model, names *models.Models) *Handlers {
	return &Handlers{cfg, a, model, names}
}

// Handler makes the handler of a kind of request.
func (h *Handlers) Handler(schema string, make Maker) http.HandlerFunc {
	answer := h.answer(make)
	return func(w http.ResponseWriter, r *http.Request) {
		if v, raw, ok := fastapi.ReadRequest(w, r, schema); ok {
			body, _ := raw.(*pyjson.Object)
			answer(w, r, v, body)
		}
	}
}

// answer answers a request that is decoded.
func (h *Handlers) answer(make Maker) func(http.ResponseWriter, *http.Request, *schema.Values, *pyjson.Object) {
	return func(w http.ResponseWriter, r *http.Request, v *schema.Values, body *pyjson.Object) {
		if err := request.ReadMedia(v).Check(); err != nil {
			fastapi.Refuse(w, err)
			return
		}
		name, _ := v.Str("model")
		served, _, err := h.models.Find(name)
		if err != nil { // without the aliases here
			fastapi.Refuse(w, &protocol.Error{Status: err.Status, Type: err.Type, Message: "The model `" + name + "` does not exist."})
			return
		}
		h.pool(w, r, served, v, body, make)
	}
}

func (h *Handlers) pool(w http.ResponseWriter, r *http.Request, served string, v *schema.Values, body *pyjson.Object, make Maker) {
	id := fastapi.Latin1(r.Header.Get("X-Request-Id"))
	if id == "" && v.Given("request_id") {
		id, _ = v.Str("request_id")
	}
	named := id != ""
	if !named {
		id = protocol.NewID()
	}
	journal.Of(r.Context()).Named(id)
	m := pooling.Model{Model: h.model, Task: h.cfg.Pooling.Task()}
	a, err := make(m, pooling.Head{ID: id, Created: time.Now().Unix(), Model: served}, v, body)
	if err == nil {
		delays := ""
		if named {
			delays = id
		}
		var there bool
		if there, err = h.answers.Pool(r.Context(), delays, a.Prompts); err == nil && !there {
			return
		}
	}
	switch {
	case err != nil:
		fastapi.Refuse(w, err)
	case a.Parts == nil:
		fastapi.Reply(w, http.StatusOK, a.JSON)
	default:
		sendParts(w, a)
	}
}

// sendParts sends each vector as a chunk of its own.
func sendParts(w http.ResponseWriter, a *pooling.Answer) {
	if a.Metadata != "" {
		w.Header().Set("Metadata", a.Metadata)
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.WriteHeader(http.StatusOK)
	for _, part := range a.Parts {
		if _, err := w.Write(part); err != nil {
			return // the client has left
		}
		_ = http.NewResponseController(w).Flush()
	}
}

// Forms are those that SageMaker's route takes, in the order in which vLLM tries them, and how vLLM lists them.
func (h *Handlers) Forms() (forms []sagemaker.Form, expected string) {
	add := func(schema string, make Maker) {
		forms = append(forms, sagemaker.Form{Schema: schema, Answer: h.answer(make)})
	}
	if h.cfg.Pooling.Task() == "classify" {
		add("ClassificationRequest", pooling.Model.Classify)
	} else {
		add("EmbeddingRequest", pooling.Model.Embed)
		add("RerankRequest", pooling.Model.Rerank)
		add("ScoreRequest", pooling.Model.Score)
	}
	add("PoolingRequest", pooling.Model.Pool)
	return forms, unsuitable[h.cfg.Pooling.Task()]
}

const pooled = "'typing.Annotated[vllm.entrypoints.pooling.pooling.protocol.PoolingCompletionRequest | " +
	"vllm.entrypoints.pooling.pooling.protocol.PoolingChatRequest | vllm.entrypoints.pooling.pooling.protocol.IOProcessorRequest, " +
	"BeforeValidator(func=<function reject_removed_pooling_parameters>, json_schema_input_type=PydanticUndefined)]']"

// unsuitable lists what the route takes, by the names of vLLM's classes.
var unsuitable = map[string]string{
	"embed": "['typing.Annotated[vllm.entrypoints.pooling.embed.protocol.EmbeddingCompletionRequest | " +
		"vllm.entrypoints.pooling.embed.protocol.EmbeddingChatRequest | vllm.entrypoints.pooling.embed.protocol.EmbeddingBatchChatRequest | " +
		"vllm.entrypoints.pooling.embed.protocol.EmbeddingChatInputRequest | vllm.entrypoints.pooling.embed.protocol.EmbeddingBatchChatInputRequest, " +
		"BeforeValidator(func=<function reject_removed_pooling_parameters>, json_schema_input_type=PydanticUndefined)]', 'RerankRequest', " +
		"'vllm.entrypoints.pooling.scoring.protocol.ScoreQueriesDocumentsRequest | vllm.entrypoints.pooling.scoring.protocol.ScoreQueriesItemsRequest | " +
		"vllm.entrypoints.pooling.scoring.protocol.ScoreDataRequest | vllm.entrypoints.pooling.scoring.protocol.ScoreTextRequest', " + pooled,
	"classify": "['typing.Annotated[vllm.entrypoints.pooling.classify.protocol.ClassificationCompletionRequest | " +
		"vllm.entrypoints.pooling.classify.protocol.ClassificationChatRequest, " +
		"BeforeValidator(func=<function reject_removed_pooling_parameters>, json_schema_input_type=PydanticUndefined)]', " + pooled,
}
