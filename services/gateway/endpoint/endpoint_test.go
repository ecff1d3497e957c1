package endpoint

import "testing"

// TestOf is the rule of doc.go, row by row. It is a pure function; the front door shows a few of the rows.
func TestOf(t *testing.T) {
	f := func(tail, label, path string) {
		t.Helper()
		got := Of(tail)
		if got.Label != label || got.Path != path || got.Control {
			t.Errorf("Of(%q) = %+v; want %s at %s", tail, got, label, path)
		}
	}
	control := func(tail string) {
		t.Helper()
		if got := Of(tail); got.Label != "other" || got.Path != "/"+tail || !got.Control || got.Known {
			t.Errorf("Of(%q) = %+v; want a control", tail, got)
		}
	}
	for _, prefix := range []string{"", "v1/"} {
		f(prefix+"chat/completions", "chat_completions", "/v1/chat/completions")
		f(prefix+"completions", "completions", "/v1/completions")
		f(prefix+"embeddings", "embeddings", "/v1/embeddings")
		f(prefix+"responses", "responses", "/v1/responses")
		f(prefix+"messages", "messages", "/v1/messages")
		f(prefix+"messages/count_tokens", "messages", "/v1/messages/count_tokens")
		f(prefix+"score", "score", "/v1/score")
		f(prefix+"rerank", "rerank", "/v1/rerank")
		f(prefix+"audio/transcriptions", "audio", "/v1/audio/transcriptions")
		f(prefix+"audio/translations", "audio", "/v1/audio/translations")
		f(prefix+"tokenize", "tokenize", "/tokenize")
		f(prefix+"detokenize", "detokenize", "/detokenize")
		f(prefix+"classify", "classify", "/classify")
		f(prefix+"pooling", "pooling", "/pooling")
		control(prefix + "load_lora_adapter")
		control(prefix + "unload_lora_adapter")
		control(prefix)
		control(prefix + "chat/completions/")
		control(prefix + "chat//completions")
		control(prefix + "../sleep")
		control(prefix + "./chat/completions")
	}
	f("v1/chat/completions/batch", "other", "/v1/chat/completions/batch")
	f("v1/brand/new", "other", "/v1/brand/new")
	f("v1/a%2Fb", "other", "/v1/a%2Fb")
	control("v1/x/load_lora_adapter")
	f("v2/embed", "embeddings", "/v2/embed")
	f("v2/rerank", "rerank", "/v2/rerank")
	f("inference/v1/generate", "other", "/inference/v1/generate")
	f("invocations", "other", "/invocations")
	for _, tail := range []string{"sleep", "wake_up", "is_sleeping", "pause", "resume", "metrics", "health", "ping", "version", "load",
		"mock/faults", "reset_prefix_cache", "collective_rpc", "server_info", "docs", "openapi.json", "V1/chat/completions", "v2/chat",
		"v1", "abort_requests", "chat/completions/batch"} {
		control(tail)
	}
}

func TestModelPart(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		if got := ModelPart(path); got != want {
			t.Errorf("ModelPart(%q) = %q, want %q", path, got, want)
		}
	}
	f("/llm/m/chat/completions", "m")
	f("/llm/org/name/v1/chat/completions", "org/name")
	f("/llm/m", "m")
	f("/llm/", "")
}
