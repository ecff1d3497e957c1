package answers

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/chat"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/completion"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/generate"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/messages"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/responses"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/scoring"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sagemaker"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Asking is a request for text, as one of the interfaces reads it.
type Asking interface {
	Shared() *request.Common
	Works() ([]*generation.Work, *protocol.Error)
	AppendBody([]byte, protocol.Head, []*generation.Output, protocol.Usage, *protocol.Timing) []byte
	Frames(protocol.Head, func(frame []byte)) request.Frames
}

// API is one of the interfaces for text.
type API struct {
	ID     string // prefix of ids
	Schema string // name of the request's model in vLLM
	load   bool   // answers tell the load to those who ask in a header
	ticks  bool   // streams have comments while nothing comes
	norank bool   // the header that names a data-parallel rank is not read
	noprio bool   // the header that names a priority is not read
	fills  bool   // the usage tells how much of a prompt the cache has taken
	Logs   string // where in vLLM a model that is not served is logged, "" for nowhere
	Read   func(*schema.Values, *request.Model) (Asking, *protocol.Error)
	Refuse func(http.ResponseWriter, *protocol.Error)
}

// The interfaces.
var (
	Chat = &API{ID: "chatcmpl-", Schema: "ChatCompletionRequest", Logs: "serving.py:274", load: true, ticks: true, fills: true, Read: func(v *schema.Values, m *request.Model) (Asking, *protocol.Error) {
		return chat.Read(v, m), nil
	}, Refuse: fastapi.Refuse}
	Batch = &API{ID: "chatcmpl-", Schema: "BatchChatCompletionRequest", Logs: "batch_serving.py:67", noprio: true, Read: func(v *schema.Values, m *request.Model) (Asking, *protocol.Error) {
		return chat.ReadBatch(v, m), nil
	}, Refuse: fastapi.Refuse}
	Text = &API{ID: "cmpl-", Schema: "CompletionRequest", load: true, ticks: true, Read: func(v *schema.Values, m *request.Model) (Asking, *protocol.Error) {
		return completion.Read(v, m), nil
	}, Refuse: fastapi.Refuse}
	Messages = &API{ID: "chatcmpl-", Schema: "AnthropicMessagesRequest", Logs: "serving.py:274", fills: true, Read: func(v *schema.Values, m *request.Model) (Asking, *protocol.Error) {
		return messages.Read(v, m)
	}, Refuse: RefuseMessages}
	Responses = &API{Schema: "ResponsesRequest", Logs: "serving.py:334", norank: true, fills: true, Read: func(v *schema.Values, m *request.Model) (Asking, *protocol.Error) {
		return responses.Read(v, m), nil
	}, Refuse: fastapi.Refuse}
	Tokens = &API{ID: "generate-tokens-", Schema: "GenerateRequest", Logs: "serving.py:184", noprio: true, Read: func(v *schema.Values, m *request.Model) (Asking, *protocol.Error) {
		return generate.Read(v, m), nil
	}, Refuse: fastapi.Refuse}
	Scoring = &API{ID: "generative-scoring-", Schema: "GenerativeScoringRequest", norank: true, noprio: true, Read: func(v *schema.Values, m *request.Model) (Asking, *protocol.Error) {
		return scoring.Read(v, m), nil
	}, Refuse: fastapi.Refuse}
)

// RefuseMessages answers with an error in the form of Anthropic.
func RefuseMessages(w http.ResponseWriter, err *protocol.Error) {
	fastapi.Reply(w, err.Status, messages.ErrorBody(err))
}

// Forms are those that SageMaker's route takes, in the order in which vLLM tries them, and how vLLM lists them.
func (s *Answers) Forms() (forms []sagemaker.Form, expected string) {
	for _, a := range []*API{Chat, Text} {
		forms = append(forms, sagemaker.Form{Schema: a.Schema, Answer: func(w http.ResponseWriter, r *http.Request, v *schema.Values, _ *pyjson.Object) {
			s.Answer(w, r, a, v)
		}})
	}
	return forms, "['" + Chat.Schema + "', '" + Text.Schema + "']"
}
