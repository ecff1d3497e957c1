package gateway

import (
	"path"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/gateway/relay"
)

// endpoint is what the path after the model means.
type endpoint struct {
	label   string    // for metrics, from a closed set
	path    string    // at the backend
	end     relay.End // of its streams
	known   bool      // takes POST and nothing else
	control bool      // of the server itself, such as /sleep: for administrators
}

// chat tells chat and text completions, whose streams have to be asked for usage. Others tell it unasked.
func (e endpoint) chat() bool { return e.end == relay.EndDone }

// endpoints are the known paths. The key is the path after the model, without v1/.
var endpoints = map[string]endpoint{
	"chat/completions":      {label: "chat_completions", path: "/v1/chat/completions", end: relay.EndDone},
	"completions":           {label: "completions", path: "/v1/completions", end: relay.EndDone},
	"responses":             {label: "responses", path: "/v1/responses", end: relay.EndResponse},
	"messages":              {label: "messages", path: "/v1/messages", end: relay.EndMessage},
	"messages/count_tokens": {label: "messages", path: "/v1/messages/count_tokens"},
	"embeddings":            {label: "embeddings", path: "/v1/embeddings"},
	"score":                 {label: "score", path: "/v1/score"},
	"rerank":                {label: "rerank", path: "/v1/rerank"},
	"audio/transcriptions":  {label: "audio", path: "/v1/audio/transcriptions"},
	"audio/translations":    {label: "audio", path: "/v1/audio/translations"},
	"moderations":           {label: "other", path: "/v1/moderations"},
	"tokenize":              {label: "tokenize", path: "/tokenize"},
	"detokenize":            {label: "detokenize", path: "/detokenize"},
	"classify":              {label: "classify", path: "/classify"},
	"pooling":               {label: "pooling", path: "/pooling"},
	"generative_scoring":    {label: "other", path: "/generative_scoring"},
}

// unversioned are labels of inference endpoints that vLLM has under this one path.
var unversioned = map[string]string{
	"v2/rerank":             "rerank",
	"inference/v1/generate": "other",
	"invocations":           "other", // of SageMaker: any of the above, told apart by the body
}

// endpointOf reads the path after the model, such as "v1/chat/completions".
func endpointOf(tail string) endpoint {
	rest, versioned := strings.CutPrefix(tail, "v1/")
	if known, ok := endpoints[rest]; ok {
		known.known = true
		return known
	}
	if known, ok := unversioned[tail]; ok {
		return endpoint{label: known, path: "/" + tail, known: true}
	}
	// A path that is not clean could mean another one to the server, and adapters are loaded by whoever runs it.
	control := !versioned || strings.HasSuffix(rest, "load_lora_adapter") || path.Clean("/"+tail) != "/"+tail
	return endpoint{label: "other", path: "/" + tail, control: control}
}

// anthropicPath tells whether a path belongs to Anthropic's Messages API, whose clients read errors in its own form.
func anthropicPath(path string) bool {
	return strings.HasSuffix(path, "/messages") || strings.HasSuffix(path, "/messages/count_tokens")
}
