package mockvllm

import (
	"errors"
	"net/http"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pooling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// poolingAnswer makes one of the answers of a pooling model.
type poolingAnswer = func(pooling.Model, pooling.Head, *schema.Values, *pyjson.Object) (*pooling.Answer, *protocol.Error)

func (s *Server) poolingRoutes() []route {
	if s.cfg.Pooling.Task() == "classify" {
		return []route{
			on("POST", "/pooling", s.pools("PoolingRequest", pooling.Model.Pool), answer),
			on("POST", "/classify", s.pools("ClassificationRequest", pooling.Model.Classify), answer),
		}
	}
	score, rerank := s.pools("ScoreRequest", pooling.Model.Score), s.pools("RerankRequest", pooling.Model.Rerank)
	return []route{
		on("POST", "/pooling", s.pools("PoolingRequest", pooling.Model.Pool), answer),
		on("POST", "/v1/embeddings", s.pools("EmbeddingRequest", pooling.Model.Embed), answer),
		on("POST", "/v2/embed", s.pools("CohereEmbedRequest", pooling.Model.EmbedCohere), answer),
		on("POST", "/score", score, answer),
		on("POST", "/v1/score", score, answer),
		on("POST", "/rerank", rerank, answer),
		on("POST", "/v1/rerank", rerank, answer),
		on("POST", "/v2/rerank", rerank, answer),
	}
}

// pools makes the handler of one of them.
func (s *Server) pools(model string, make poolingAnswer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, raw, ok := fastapi.ReadRequest(w, r, model)
		if !ok {
			return
		}
		name, _ := v.Str("model")
		served, _, err := s.models.Find(name)
		if err != nil { // without the aliases here
			fastapi.Refuse(w, &protocol.Error{Status: err.Status, Type: err.Type, Message: "The model `" + name + "` does not exist."})
			return
		}
		s.pool(w, r, served, v, raw, make)
	}
}

func (s *Server) pool(w http.ResponseWriter, r *http.Request, served string, v *schema.Values, raw any, make poolingAnswer) {
	id := fastapi.Latin1(r.Header.Get("X-Request-Id"))
	if id == "" && v.Given("request_id") {
		id, _ = v.Str("request_id")
	}
	if id == "" {
		id = protocol.NewID()
	}
	journal.Of(r.Context()).Named(id)
	body, _ := raw.(*pyjson.Object)
	m := pooling.Model{Task: s.cfg.Pooling.Task(), MaxLen: s.cfg.MaxModelLen, Tokens: s.model.Tokenizer,
		Template: s.model.Templates.Default, TrustTemplate: s.cfg.Generation.TrustTemplate}
	a, err := make(m, pooling.Head{ID: id, Created: time.Now().Unix(), Model: served}, v, body)
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

// invokable are the requests that SageMaker's route takes, in the order in which vLLM tries them.
func (s *Server) invokable() []struct {
	model string
	make  poolingAnswer
} {
	type invoked = struct {
		model string
		make  poolingAnswer
	}
	if s.cfg.Pooling.Task() == "classify" {
		return []invoked{{"ClassificationRequest", pooling.Model.Classify}, {"PoolingRequest", pooling.Model.Pool}}
	}
	return []invoked{{"EmbeddingRequest", pooling.Model.Embed}, {"RerankRequest", pooling.Model.Rerank},
		{"ScoreRequest", pooling.Model.Score}, {"PoolingRequest", pooling.Model.Pool}}
}

// invokePooling answers the first request that the body is. It does not look at the model's name.
func (s *Server) invokePooling(w http.ResponseWriter, r *http.Request) {
	body, ok := fastapi.ReadBody(w, r)
	if !ok {
		return
	}
	if err := protocol.CheckType(r.Header.Get("Content-Type")); err != nil {
		fastapi.Refuse(w, err)
		return
	}
	raw, err := pyjson.Decode(body)
	if err != nil {
		fastapi.Raised(w, http.StatusBadRequest, "JSON decode error: "+err.Error())
		return
	}
	if _, list := raw.([]any); list {
		fastapi.Refuse(w, &protocol.Error{Status: http.StatusBadRequest, Type: protocol.TypeBadRequest, Message: "list indices must be integers or slices, not str"})
		return
	}
	for _, candidate := range s.invokable() {
		v, err := schema.Parse(candidate.model, raw)
		var invalid *schema.Error
		switch {
		case err == nil:
			s.pool(w, r, s.cfg.ServedNames[0], v, raw, candidate.make)
			return
		case errors.As(err, &invalid) && invalid.Type == schema.TypeSchema:
			continue
		}
		fastapi.Refuse(w, protocol.Refused(err))
		return
	}
	fastapi.Refuse(w, &protocol.Error{Status: http.StatusBadRequest, Type: protocol.TypeBadRequest,
		Message: "Cannot find suitable handler for request. Expected one of: " + unsuitable[s.cfg.Pooling.Task()]})
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
