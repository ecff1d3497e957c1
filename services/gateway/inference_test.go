package gateway_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

const hello = `{"messages":[{"role":"user","content":"Hello"}]}`

func TestChat(t *testing.T) {
	b := newBackend(t, vllm)
	slash := model("org/name", b.URL)
	slash.Aliases = []string{"short"}
	f := start(t, nil, model("m", b.URL), slash)
	withModel := func(name string) string { return `{"model":"` + name + `",` + hello[1:] }

	ok := func(path, body, wantPath, wantBody string) {
		t.Helper()
		a := f.post(path, body)
		if a.status != 200 || a.body != chatAnswer {
			t.Fatalf("POST %s %s = %d %s", path, body, a.status, a.body)
		}
		got := b.last()
		if got.URL.Path != wantPath || got.body != wantBody {
			t.Errorf("POST %s %s reached the backend as %s %s; want %s %s", path, body, got.URL, got.body, wantPath, wantBody)
		}
	}
	const chat = "/v1/chat/completions"
	ok("/llm/m/chat/completions", hello, chat, hello)
	ok("/llm/m/v1/chat/completions", hello, chat, hello)
	ok("/llm/m/v1/chat/completions", withModel("m"), chat, withModel("m-served"))
	ok("/llm/m/v1/chat/completions", withModel("short"), chat, withModel("m-served")) // the path counts
	ok("/llm/m/v1/chat/completions", withModel("whatever"), chat, withModel("m-served"))
	ok("/llm/m/v1/chat/completions", withModel(""), chat, withModel(""))
	ok("/llm/m-served/v1/chat/completions", withModel("m-served"), chat, withModel("m-served"))
	ok("/llm/org/name/v1/chat/completions", hello, chat, hello)
	ok("/llm/org%2Fname/chat/completions", hello, chat, hello)
	ok("/llm/short/completions", hello, "/v1/completions", hello)
	ok("/v1/chat/completions", withModel("m"), chat, withModel("m-served"))
	ok("/llm/v1/chat/completions", withModel("org/name"), chat, withModel("org/name-served"))
	ok("/v1/completions", withModel("short"), "/v1/completions", withModel("org/name-served"))
	ok("/llm/m/tokenize", hello, "/tokenize", hello)
	ok("/llm/m/v1/tokenize", hello, "/tokenize", hello)
	ok("/llm/m/responses", hello, "/v1/responses", hello)
	ok("/llm/m/v1/messages", hello, "/v1/messages", hello)
	ok("/llm/m/v1/some/future/path", hello, "/v1/some/future/path", hello)
	ok("/v1/embeddings", withModel("m"), "/v1/embeddings", withModel("m-served"))
}

func TestStream(t *testing.T) {
	b := newBackend(t, vllm)
	f := start(t, nil, model("m", b.URL))

	a := f.post("/llm/m/chat/completions", `{"stream":true,"messages":[]}`)
	if want := roleFrame + helloFrame + worldFrame + finishFrame + doneFrame; a.status != 200 || a.body != want {
		t.Errorf("got %d %q, want %q", a.status, a.body, want)
	}
	if got := a.header.Get("Content-Type"); got != "text/event-stream; charset=utf-8" {
		t.Errorf("Content-Type = %q", got)
	}
	if want := `{"stream":true,"messages":[],"stream_options":{"include_usage":true}}`; b.last().body != want {
		t.Errorf("backend got %s, want %s", b.last().body, want)
	}
	a = f.post("/v1/chat/completions", `{"model":"m","stream":true,"stream_options":{"include_usage":true}}`)
	if !strings.Contains(a.body, usageFrame) {
		t.Errorf("the usage chunk that the client asked for is missing: %q", a.body)
	}
	f.awaitMetric(`fluidmcp_streams_total{model="m",outcome="completed"}`, 2)
	f.awaitMetric(`fluidmcp_tokens_total{model="m",type="prompt"}`, 18)
	f.awaitMetric(`fluidmcp_tokens_total{model="m",type="completion"}`, 6)
	f.awaitMetric(`fluidmcp_time_to_first_token_seconds_count{model="m"}`, 2)
	f.awaitMetric(`fluidmcp_inter_token_seconds_count{model="m"}`, 2)
	f.awaitMetric(`fluidmcp_gateway_overhead_seconds_count{model="m"}`, 2)
}

func TestRefusals(t *testing.T) {
	b := newBackend(t, vllm)
	stopped := fleet.Model{ID: "off", Phase: fleet.Stopped}
	f := start(t, nil, model("m", b.URL), stopped)

	refuse := func(method, path, body string, status int, code, words string) {
		t.Helper()
		a := f.do(method, path, body)
		if a.status != status || a.code() != code || !strings.Contains(a.body, words) {
			t.Errorf("%s %s %.60s = %d %s; want %d, code %s, words %q", method, path, body, a.status, a.body, status, code, words)
		}
	}
	refuse("POST", "/llm/nope/chat/completions", hello, 404, "model_not_found", `\"nope\" does not exist. Models: m, off.`)
	refuse("POST", "/v1/chat/completions", `{"model":"nope"}`, 404, "model_not_found", "Models: m, off.")
	refuse("POST", "/v1/chat/completions", hello, 400, "model_required", "Models: m, off.")
	refuse("POST", "/v1/chat/completions", `{"model":7}`, 400, "model_required", "has to be a string")
	refuse("POST", "/v1/chat/completions", `{"model":"m",}`, 400, "invalid_json", "unexpected character '}' at byte 13")
	refuse("POST", "/v1/chat/completions", `[1]`, 400, "invalid_json", "expected an object at byte 0")
	refuse("POST", "/v1/chat/completions", ``, 400, "invalid_json", "at byte 0")
	refuse("POST", "/llm/m/chat/completions", "{\"prompt\":\"\xff\"}", 400, "invalid_json", "invalid UTF-8 at byte 11")
	refuse("POST", "/llm/m/chat/completions", "{\x00\"\x00a\x00\"\x00:\x001\x00}\x00", 400, "invalid_json", "at byte 1") // UTF-16
	refuse("POST", "/llm/m/chat/completions", `{"a":`+strings.Repeat("[", 20000), 400, "invalid_json", "nested too deep")
	refuse("GET", "/v1/chat/completions", ``, 405, "method_not_allowed", "GET is not allowed")
	refuse("DELETE", "/v1/models", ``, 405, "method_not_allowed", "DELETE is not allowed")
	refuse("POST", "/health", ``, 405, "method_not_allowed", "")
	refuse("GET", "/nowhere", ``, 404, "path_not_found", "/nowhere")
	refuse("POST", "/llm/off/chat/completions", hello, 503, "model_stopped", "POST /api/llm/models/off/start")
	refuse("POST", "/llm/m/chat/completions", `{"model":"m","model":"m"}`, 400, "duplicate_model", "twice")
	if n := len(b.requests()); n != 0 {
		t.Errorf("%d refused requests reached the backend", n)
	}
}

// TestAdapters: behind the path of a model the body may name an adapter that the server lists as one. Any other name does not matter
// there: it is not a way to what else the server's account has.
func TestAdapters(t *testing.T) {
	var list atomic.Pointer[string]
	b := newBackend(t, func(c *exchange) {
		switch text := list.Load(); {
		case c.URL.Path != "/v1/models":
			vllm(c)
		case text == nil || c.Header.Get("Authorization") != "Bearer theirs":
			c.plain(401, `{"error":{"message":"no"}}`)
		default:
			c.plain(200, *text)
		}
	})
	m, other := model("m", b.URL), model("n", b.URL+"/other")
	m.Backends[0].APIKey = "theirs"
	f := start(t, nil, m, other)
	ok := func(path, name, want string) {
		t.Helper()
		a := f.post(path, `{"model":"`+name+`"}`)
		if a.status != 200 || b.last().body != `{"model":"`+want+`"}` {
			t.Errorf("%s %s: %d %s, asked for %s, want %s", path, name, a.status, a.body, b.last().body, want)
		}
	}
	const chat = "/llm/m/v1/chat/completions"
	cards := `{"object":"list","data":[{"id":"m-served","parent":null},{"id":"dear"},{"id":"an-adapter","root":"/x","parent":"m-served"}]}`
	list.Store(&cards)
	for range 3 {
		ok(chat, "an-adapter", "an-adapter")
		ok(chat, "whatever", "m-served")
		ok(chat, "dear", "m-served")
		ok(chat, "n", "m-served")
	}
	asked := 0
	for _, r := range b.requests() {
		if r.URL.Path == "/v1/models" {
			asked++
		}
	}
	if asked > 3 { // once, unless the machine is very slow
		t.Errorf("the server was asked %d times for its adapters", asked)
	}
	ok("/llm/n/v1/chat/completions", "whatever", "n-served") // a server that does not tell
}
