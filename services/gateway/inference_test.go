package gateway_test

import (
	"strings"
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
	ok("/llm/m/v1/chat/completions", withModel("an-adapter"), chat, withModel("an-adapter"))
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

// TestAdapters: behind the path of a model its server is asked for a name that nobody has declared, which may be that of an adapter. Where
// it knows none, the path counts.
func TestAdapters(t *testing.T) {
	b := newBackend(t, func(c *exchange) {
		if strings.Contains(c.body, `"m-served"`) || strings.Contains(c.body, `"an-adapter"`) {
			vllm(c)
			return
		}
		c.plain(404, `{"error":{"message":"The model does not exist.","type":"NotFoundError","param":"model","code":404}}`)
	})
	f := start(t, nil, model("m", b.URL), model("n", b.URL))
	ok := func(path, body string, want ...string) {
		t.Helper()
		before := len(b.requests())
		a := f.post(path, body)
		var asked []string
		for _, r := range b.requests()[before:] {
			asked = append(asked, r.body)
		}
		if a.status != 200 || strings.Join(asked, " ") != strings.Join(want, " ") {
			t.Errorf("%s %s: %d %s after asking for %s, want %s", path, body, a.status, a.body, asked, want)
		}
	}
	const chat = "/llm/m/v1/chat/completions"
	ok(chat, `{"model":"an-adapter"}`, `{"model":"an-adapter"}`)
	ok(chat, `{"model":"an-adapter","stream":true}`, `{"model":"an-adapter","stream":true,"stream_options":{"include_usage":true}}`)
	ok(chat, `{"model":"whatever"}`, `{"model":"whatever"}`, `{"model":"m-served"}`)
	ok(chat, `{"model":"n"}`, `{"model":"m-served"}`) // declared, so it is no adapter's
	f.awaitMetric(`fluidmcp_upstream_attempts_total{backend="m-0",model="m",outcome="ok"}`, 4)

	f.deploy(model("m", b.URL))
	if a := f.post("/v1/chat/completions", `{"model":"whatever"}`); a.status != 404 || !strings.Contains(a.body, "NotFoundError") {
		t.Errorf("nothing but the body names a model: %d %s", a.status, a.body)
	}
}
