package mockvllm

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
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// asking is a request for text, as one of the interfaces reads it.
type asking interface {
	Shared() *request.Common
	Works() ([]*generation.Work, *protocol.Error)
	Body(protocol.Head, []*generation.Output, protocol.Usage, *protocol.Timing) []byte
	Frames(protocol.Head, func(frame []byte)) request.Frames
}

// api is one of the interfaces for text.
type api struct {
	id     string // prefix of ids
	schema string // name of the request's model in vLLM
	load   bool   // answers tell the load to those who ask in a header
	ticks  bool   // streams have comments while nothing comes
	norank bool   // the header that names a data-parallel rank is not read
	fills  bool   // the usage tells how much of a prompt the cache has taken
	read   func(*schema.Values, *request.Model) (asking, *protocol.Error)
	refuse func(http.ResponseWriter, *protocol.Error)
}

var (
	chatAPI = api{id: "chatcmpl-", schema: "ChatCompletionRequest", load: true, ticks: true, fills: true, read: func(v *schema.Values, m *request.Model) (asking, *protocol.Error) {
		return chat.Read(v, m), nil
	}, refuse: fastapi.Refuse}
	batchAPI = api{id: "chatcmpl-", schema: "BatchChatCompletionRequest", read: func(v *schema.Values, m *request.Model) (asking, *protocol.Error) {
		return chat.ReadBatch(v, m), nil
	}, refuse: fastapi.Refuse}
	textAPI = api{id: "cmpl-", schema: "CompletionRequest", load: true, ticks: true, read: func(v *schema.Values, m *request.Model) (asking, *protocol.Error) {
		return completion.Read(v, m), nil
	}, refuse: fastapi.Refuse}
	messagesAPI = api{id: "chatcmpl-", schema: "AnthropicMessagesRequest", fills: true, read: func(v *schema.Values, m *request.Model) (asking, *protocol.Error) {
		return messages.Read(v, m)
	}, refuse: refuseMessages}
	responsesAPI = api{schema: "ResponsesRequest", norank: true, fills: true, read: func(v *schema.Values, m *request.Model) (asking, *protocol.Error) {
		return responses.Read(v, m), nil
	}, refuse: fastapi.Refuse}
	tokensAPI = api{id: "generate-tokens-", schema: "GenerateRequest", read: func(v *schema.Values, m *request.Model) (asking, *protocol.Error) {
		return generate.Read(v, m), nil
	}, refuse: fastapi.Refuse}
	scoringAPI = api{id: "generative-scoring-", schema: "GenerativeScoringRequest", read: func(v *schema.Values, m *request.Model) (asking, *protocol.Error) {
		return scoring.Read(v, m), nil
	}, refuse: fastapi.Refuse}
)

// refuseMessages answers with an error in the form of Anthropic.
func refuseMessages(w http.ResponseWriter, err *protocol.Error) {
	fastapi.Reply(w, err.Status, messages.ErrorBody(err))
}
