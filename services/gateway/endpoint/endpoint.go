package endpoint

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/gateway/relay"
)

// Endpoint is what the path after the model means.
type Endpoint struct {
	Label   string    // for metrics, from a closed set
	Path    string    // at the backend
	End     relay.End // of its streams
	Known   bool      // takes POST and nothing else
	Control bool      // of the server itself, such as /sleep: for administrators
}

// Chat tells chat and text completions, whose streams have to be asked for usage. Others tell it unasked.
func (e Endpoint) Chat() bool { return e.End == relay.EndDone }

// endpoints are the known paths. The key is the path after the model, without v1/.
var endpoints = map[string]Endpoint{
	"chat/completions":      {Label: "chat_completions", Path: "/v1/chat/completions", End: relay.EndDone},
	"completions":           {Label: "completions", Path: "/v1/completions", End: relay.EndDone},
	"responses":             {Label: "responses", Path: "/v1/responses", End: relay.EndResponse},
	"messages":              {Label: "messages", Path: "/v1/messages", End: relay.EndMessage},
	"messages/count_tokens": {Label: "messages", Path: "/v1/messages/count_tokens"},
	"embeddings":            {Label: "embeddings", Path: "/v1/embeddings"},
	"score":                 {Label: "score", Path: "/v1/score"},
	"rerank":                {Label: "rerank", Path: "/v1/rerank"},
	"audio/transcriptions":  {Label: "audio", Path: "/v1/audio/transcriptions"},
	"audio/translations":    {Label: "audio", Path: "/v1/audio/translations"},
	"moderations":           {Label: "other", Path: "/v1/moderations"},
	"tokenize":              {Label: "tokenize", Path: "/tokenize"},
	"detokenize":            {Label: "detokenize", Path: "/detokenize"},
	"classify":              {Label: "classify", Path: "/classify"},
	"pooling":               {Label: "pooling", Path: "/pooling"},
	"generative_scoring":    {Label: "other", Path: "/generative_scoring"},
}

// unversioned are labels of inference endpoints that vLLM has under this one path.
var unversioned = map[string]string{
	"v2/embed":              "embeddings",
	"v2/rerank":             "rerank",
	"inference/v1/generate": "other",
	"invocations":           "other", // of SageMaker: any of the above, told apart by the body
}

// Of reads the path after the model, such as "v1/chat/completions".
func Of(tail string) Endpoint {
	rest, versioned := strings.CutPrefix(tail, "v1/")
	if known, ok := endpoints[rest]; ok {
		known.Known = true
		return known
	}
	if known, ok := unversioned[tail]; ok {
		return Endpoint{Label: known, Path: "/" + tail, Known: true}
	}
	// A path that is not clean could mean another one to the server, and adapters are loaded by whoever runs it.
	control := !versioned || strings.HasSuffix(rest, "load_lora_adapter") || path.Clean("/"+tail) != "/"+tail
	return Endpoint{Label: "other", Path: "/" + tail, Control: control}
}

// Anthropic tells whether a path belongs to Anthropic's Messages API, whose clients read errors in its own form.
func Anthropic(path string) bool {
	return strings.HasSuffix(path, "/messages") || strings.HasSuffix(path, "/messages/count_tokens")
}

// ModelPart is what the client of an unknown path most likely meant as the model.
func ModelPart(path string) string {
	rest := strings.TrimPrefix(path, "/llm/")
	if name, _, ok := strings.Cut(rest, "/v1/"); ok {
		return name
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// Known are the paths after the model, without v1/, of all endpoints that are found with and without it.
func Known() []string { return slices.Sorted(maps.Keys(endpoints)) }
