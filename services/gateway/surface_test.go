package gateway_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway"
)

func TestModels(t *testing.T) {
	b := newBackend(t, vllm)
	f := start(t, nil, model("a", b.URL), fleet.Model{ID: "org/b", Aliases: []string{"bee"}, Phase: fleet.Starting})

	list := func(path string, want ...string) {
		t.Helper()
		a := f.do("GET", path, "")
		var got struct {
			Object string
			Data   []struct {
				ID, Object, Root, Phase string
				OwnedBy                 string `json:"owned_by"`
			}
		}
		if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != 200 || got.Object != "list" {
			t.Fatalf("GET %s = %d %s (%v)", path, a.status, a.body, err)
		}
		var cards []string
		for _, m := range got.Data {
			cards = append(cards, strings.Join([]string{m.ID, m.Object, m.Root, m.Phase, m.OwnedBy}, " "))
		}
		if diff := cmp.Diff(want, cards); diff != "" {
			t.Errorf("GET %s (-want +got):\n%s", path, diff)
		}
	}
	one, two := "a model a-served ready fluidmcp", "org/b model org/b starting fluidmcp"
	list("/v1/models", one, two)
	list("/llm/v1/models", one, two)
	list("/llm/a/v1/models", one)
	list("/llm/bee/models", two)
	list("/llm/org/b/v1/models", two)
	if a := f.do("GET", "/v1/models/org/b", ""); a.status != 200 || !strings.Contains(a.body, `"phase":"starting"`) {
		t.Errorf("one card: %d %s", a.status, a.body)
	}
	if a := f.do("GET", "/llm/v1/models/bee", ""); a.status != 200 || !strings.Contains(a.body, `"id":"org/b"`) {
		t.Errorf("one card by its alias: %d %s", a.status, a.body)
	}
	if a := f.do("GET", "/v1/models/none", ""); a.status != 404 || a.code() != "model_not_found" {
		t.Errorf("no card: %d %s", a.status, a.body)
	}
	ready := start(t, func(c *gateway.Config) { c.ListLoading = false }, model("a", b.URL), fleet.Model{ID: "org/b", Phase: fleet.Starting})
	if a := ready.do("GET", "/v1/models", ""); !strings.Contains(a.body, `"id":"a"`) || strings.Contains(a.body, "org/b") {
		t.Errorf("only those that can answer: %s", a.body)
	}
	f.awaitMetric(`fluidmcp_requests_total{code="200",endpoint="models",model="unknown"}`, 2)
	f.awaitMetric(`fluidmcp_requests_total{code="404",endpoint="models",model="unknown"}`, 1)
}

func TestAllow(t *testing.T) {
	b := newBackend(t, vllm)
	f := start(t, nil, model("m", b.URL), model("n", b.URL))
	allow := func(method, path, want string) {
		t.Helper()
		if a := f.do(method, path, ""); a.status != 405 || a.header.Get("Allow") != want || a.code() != "method_not_allowed" {
			t.Errorf("%s %s = %d, Allow %q, %s; want %q", method, path, a.status, a.header.Get("Allow"), a.body, want)
		}
	}
	allow("GET", "/v1/chat/completions", "POST")
	allow("PUT", "/tokenize", "POST")
	allow("TRACE", "/llm/m/chat/completions", "POST")
	allow("TRACE", "/v1/anything", "POST")
	allow("POST", "/v1/models", "GET, HEAD")
	allow("POST", "/v1/models/m", "GET, HEAD")
	allow("POST", "/llm/m/models", "GET, HEAD")
	allow("POST", "/metrics", "GET, HEAD")
	f.awaitMetric(`fluidmcp_requests_total{code="405",endpoint="chat_completions",model="unknown"}`, 1)
}

func TestHeaders(t *testing.T) {
	b := newBackend(t, func(c *exchange) {
		c.plain(200, chatAnswer, "Connection: X-Hop", "X-Hop: 1", "Keep-Alive: timeout=5", "X-Request-Id: theirs", "X-Kept: yes")
	})
	m := model("m", b.URL)
	m.Backends[0].APIKey = "backend-secret"
	f := start(t, nil, m)
	a := f.do("POST", "/llm/m/chat/completions?x=1", hello, "Authorization", "Bearer client-secret", "X-Api-Key", "client-secret",
		"Cookie", "session=client-secret", "X-Request-Id", "abc", "Traceparent", "00-1-2-01", "X-Forwarded-For", "6.6.6.6", "X-Real-Ip", "6.6.6.6",
		"Connection", "X-Mine, Content-Type, x-request-id", "X-Mine", "1", "Accept-Encoding", "gzip", "User-Agent", "tester")
	if a.status != 200 || a.header.Get("X-Kept") != "yes" || a.header.Get("X-Hop") != "" || a.header.Get("Keep-Alive") != "" {
		t.Errorf("answer %d %v", a.status, a.header)
	}
	if ids := a.header.Values("X-Request-Id"); len(ids) != 1 || ids[0] != "abc" {
		t.Errorf("request id in the answer: %v", ids)
	}
	got := b.last()
	want := http.Header{
		"Authorization": {"Bearer backend-secret"}, "Content-Type": {"application/json"}, "Content-Length": {"48"},
		"Traceparent": {"00-1-2-01"}, "User-Agent": {"tester"}, "X-Request-Id": {"abc"},
		"X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Host": {strings.TrimPrefix(f.url, "http://")}, "X-Forwarded-Proto": {"http"},
	}
	if diff := cmp.Diff(want, got.Header); diff != "" {
		t.Errorf("headers at the backend (-want +got):\n%s", diff)
	}
	if got.URL.RawQuery != "x=1" || got.Host != strings.TrimPrefix(b.URL, "http://") {
		t.Errorf("query %q, host %q", got.URL.RawQuery, got.Host)
	}
	if a := f.post("/llm/m/chat/completions", hello); len(a.header.Get("X-Request-Id")) != 16 || b.last().Header.Get("X-Request-Id") != a.header.Get("X-Request-Id") {
		t.Errorf("request id made here: %q, at the backend %q", a.header.Get("X-Request-Id"), b.last().Header.Get("X-Request-Id"))
	}
	if logs := f.logs.String(); strings.Contains(logs, "secret") {
		t.Errorf("a secret is in the log: %s", logs)
	}
}

// TestAnswersAsTheyAre: nothing is added that would be another answer.
func TestAnswersAsTheyAre(t *testing.T) {
	b := newBackend(t, func(c *exchange) {
		c.write("HTTP/1.1 307 Temporary Redirect\r\nlocation: http://", c.Host, "/v1/x\r\ncontent-length: 5\r\n\r\n<html")
	})
	f := start(t, nil, model("m", b.URL))
	a := f.post("/llm/m/v1/x/", `{}`)
	if types, ok := a.header["Content-Type"]; a.status != 307 || ok {
		t.Errorf("%d, a content type was guessed: %v", a.status, types)
	}
	if got := a.header.Get("Location"); got != f.url+"/llm/m/v1/x" {
		t.Errorf("Location = %q", got)
	}
	chunked := newBackend(t, func(c *exchange) {
		c.write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
	})
	if a := start(t, nil, model("m", chunked.URL)).do("HEAD", "/llm/m/v1/x", ""); a.status != 200 || a.header["Content-Length"] != nil {
		t.Errorf("HEAD: %d, a length that nobody has told: %v", a.status, a.header)
	}
	for _, c := range []struct{ name, body, client, want string }{
		{"the body's id counts", `{"request_id":"mine"}`, "", ""},
		{"the header's counts more", `{"request_id":"mine"}`, "theirs", "theirs"},
		{"no id", `{"a":{"request_id":"mine"}}`, "", "made"},
	} {
		header := []string{"X-Request-Id", c.client}
		a := f.do("POST", "/v1/completions", c.body, header[:2*min(1, len(c.client))]...)
		if c.want == "made" {
			c.want = a.header.Get("X-Request-Id")
		}
		if got := b.last().Header.Get("X-Request-Id"); got != c.want || a.header.Get("X-Request-Id") == "" {
			t.Errorf("%s: the backend got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestLongName: a name that is none is neither told nor logged in full.
func TestLongName(t *testing.T) {
	f := start(t, nil, model("m", newBackend(t, vllm).URL), model("n"))
	a := f.post("/v1/chat/completions", `{"model":"`+strings.Repeat("x", 1<<20)+`"}`)
	if logs := f.logs.String(); a.status != 404 || len(a.body) > 1000 || len(logs) > 10000 {
		t.Errorf("%d; %d bytes of answer, %d of log", a.status, len(a.body), len(logs))
	}
}

// TestOnlyModel: where there is one model nobody has to name it, and the root is its own.
func TestOnlyModel(t *testing.T) {
	b := newBackend(t, vllm)
	f := start(t, nil, model("m", b.URL))
	reaches := func(method, path, body, want string) {
		t.Helper()
		if a := f.do(method, path, body); a.status != 200 || b.last().Method+" "+b.last().URL.String() != want {
			t.Errorf("%s %s = %d %s; reached %s %s, want %s", method, path, a.status, a.body, b.last().Method, b.last().URL, want)
		}
	}
	reaches("POST", "/v1/chat/completions", hello, "POST /v1/chat/completions")
	reaches("POST", "/v1/chat/completions", `{"model":null}`, "POST /v1/chat/completions")
	reaches("POST", "/tokenize", `{"prompt":"x"}`, "POST /tokenize")
	reaches("POST", "/v2/rerank", `{}`, "POST /v2/rerank")
	reaches("GET", "/v1/responses/resp_1?stream=true", "", "GET /v1/responses/resp_1?stream=true")
	reaches("DELETE", "/v1/responses/resp_1", "", "DELETE /v1/responses/resp_1")
	reaches("GET", "/version", "", "GET /version")
	reaches("GET", "//nowhere/", "", "GET //nowhere/")
	reaches("GET", "/llmfoo", "", "GET /llmfoo")

	// What only the server can judge, and what only it can know, is for the server.
	asItCame := func(method, path, body string) {
		t.Helper()
		reaches(method, path, body, method+" "+strings.TrimPrefix(path, "/llm/m"))
		if got := b.last().body; got != body {
			t.Errorf("%s %s reached the backend as %s", method, body, got)
		}
	}
	for _, body := range []string{``, `{`, `[1]`, `null`, `{"prompt":"x",}`, `{"model":5}`, `{"model":["m"]}`, `{"model":"adapter","stream":false}`} {
		asItCame("POST", "/v1/completions", body)
		asItCame("POST", "/pause?mode=wait", body)
	}
	asItCame("POST", "/llm/m/v1/completions", `{"model":`)
	asItCame("POST", "/llm/m/v1/completions", ``)
	asItCame("GET", "/v1/completions", ``)
	asItCame("OPTIONS", "/v1/chat/completions", ``)
	asItCame("PUT", "/llm/m/v1/responses", `{}`)
	reaches("POST", "/v1/completions", `{"model":"m"}`, "POST /v1/completions")
	if got := b.last().body; got != `{"model":"m-served"}` {
		t.Errorf("the model's own name is not replaced: %s", got)
	}

	f.deploy(model("m", b.URL), model("n", b.URL))
	reaches("POST", "/tokenize", `{"model":"m"}`, "POST /tokenize")
	if a := f.do("GET", "/version", ""); a.status != 404 || a.code() != "path_not_found" {
		t.Errorf("two models: %d %s", a.status, a.body)
	}
}

func TestConsole(t *testing.T) {
	f := start(t, nil)
	for path, want := range map[string]string{"/ui/": "<title>FluidMCP", "/ui/console.js": "/v1/chat/completions", "/ui/style.css": "color-scheme"} {
		a := f.do("GET", path, "")
		if a.status != 200 || !strings.Contains(a.body, want) || !strings.Contains(a.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("GET %s = %d %v %.80s", path, a.status, a.header, a.body)
		}
		if strings.Contains(a.body, "http://") || strings.Contains(a.body, "https://") || strings.Contains(a.body, "<script>") {
			t.Errorf("%s needs something that the policy forbids", path)
		}
	}
	for path, to := range map[string]string{"/": "/ui/", "/ui": "/ui/"} {
		if a := f.do("GET", path, ""); a.header.Get("Location") != to {
			t.Errorf("GET %s leads to %q", path, a.header.Get("Location"))
		}
	}
}
