package mockvllm_test

import (
	"io"
	"strings"
	"testing"
)

func TestPoolingModel(t *testing.T) {
	s := start(t, "m", "--served-model-name", "tiny", "--runner", "pooling", "--convert", "embed")
	f := s.asks()
	f("POST", "/v1/embeddings", `{"input":"Hello"}`, 200, `{"id":"embd-mine",...`, "X-Request-Id", "mine")
	f("POST", "/v1/embeddings", `{"input":"Hello","request_id":"own"}`, 200, `{"id":"embd-own",...`)
	f("POST", "/v1/embeddings", `{"model":"nope","input":"x"}`, 404, "{\"error\":{\"message\":\"The model `nope` does not exist.\",\"type\":\"NotFoundError\",\"param\":null,\"code\":404}}")
	f("POST", "/v1/embeddings", `{"input":"x","normalize":false}`, 400, "{\"error\":{\"message\":\"Parameter `normalize` was removed; use `use_activation` instead. (parameter=normalize)\",\"type\":\"BadRequestError\",\"param\":\"normalize\",\"code\":400}}")
	f("POST", "/v1/rerank", `{"query":"Hello"}`, 400, `{"error":{"message":"1 validation error:\n  {'type': 'missing', 'loc': 'body.documents', 'msg': 'Field required', 'input': '<dict of 1 items>'}","type":"Bad Request","param":"body.documents","code":400}}`)
	f("POST", "/pooling", `{"data":{}}`, 400, `{"error":{"message":"No IOProcessor plugin installed. ...`)
	f("POST", "/v2/embed", `{"texts":["Hello"]}`, 200, `{"id":"embd-...`)
	f("POST", "/v1/embeddings", `{"input":"x"}`, 400, `{"error":{"message":"1 validation error:\n  Unsupported Media Type: Only 'application/json' is allowed","type":"Bad Request","param":null,"code":400}}`, "Content-Type", "text/plain")

	f("POST", "/invocations", `{"model":"nope","input":"Hello"}`, 200, `{"id":"embd-...`)
	f("POST", "/invocations", `{"query":"Hello","documents":["b"]}`, 200, `{"id":"score-...`)
	f("POST", "/invocations", `{"text_1":"Hello","text_2":["b"]}`, 200, `{"id":"score-...`)
	f("POST", "/invocations", `{"model":"tiny"}`, 400, `{"error":{"message":"Cannot find suitable handler for request. Expected one of: ['typing.Annotated[...`)
	f("POST", "/invocations", `{x`, 400, `{"error":{"message":"JSON decode error: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)","type":"Bad Request","param":null,"code":400}}`)
	f("POST", "/invocations", `[1]`, 400, `{"error":{"message":"list indices must be integers or slices, not str","type":"BadRequestError","param":null,"code":400}}`)
	f("POST", "/invocations", `{"requestType":"CLOSE"}`, 400, `{"error":{"message":"Invalid payload. stateful sessions not enabled",...`)
	f("POST", "/invocations", `{"input":"x"}`, 404, "{\"error\":{\"message\":\"The model `nobody` does not exist.\",...", "X-Amzn-SageMaker-Adapter-Identifier", "nobody")
	f("POST", "/invocations", `{"input":"x","normalize":1}`, 400, "{\"error\":{\"message\":\"Parameter `normalize` was removed;...")

	resp := s.do("POST", "/v1/embeddings", `{"input":["a","b"],"encoding_format":"bytes"}`)
	body, err := io.ReadAll(resp.Body)
	if err != nil || len(body) != 512 || resp.Header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(resp.Header.Get("Metadata"), `{"id": "embd-`) {
		t.Errorf("%d bytes, %v, %v", len(body), resp.Header, err)
	}
}

// Each text is a request of the engine that has no token.
func TestPooledTextsAreCounted(t *testing.T) {
	s := start(t, "--runner", "pooling", "--convert", "embed")
	f := s.asks()
	f("POST", "/v1/embeddings", `{"input":["a","b","c"]}`, 200, `{"id":"embd-...`)
	f("POST", "/score", `{"text_1":"a","text_2":["b","c"]}`, 200, `{"id":"score-...`)
	f("POST", "/v1/embeddings", `{"input":[[1],[999999999]]}`, 400, `{"error":{"message":"Token id 999999999 is out of vocabulary",...`)
	s.waitMetric(success("stop"), "6")
	for name, want := range map[string]string{"generation_tokens_total": "0", "request_generation_tokens_count": "6", "request_params_n_sum": "6",
		"request_params_max_tokens_count": "0", "time_to_first_token_seconds_count": "6", "inter_token_latency_seconds_count": "0"} {
		if got := s.metric(counter(name)); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	long := `{"input":"` + longPrompt + `"}`
	s.call("POST", "/v1/embeddings", long)
	s.call("POST", "/v1/embeddings", long)
	s.waitMetric(success("stop"), "8")
	if hits, sum := s.metric(counter("prefix_cache_hits_total")), s.metric(counter("prompt_tokens_cached_total")); hits == "0" || hits != sum {
		t.Errorf("%s hits, %s cached tokens", hits, sum)
	}
}

// Pooling requests wait, are turned away and left like others.
func TestPooledTextsRunInTheEngine(t *testing.T) {
	s := start(t, "--runner", "pooling", "--convert", "embed", "--mock-ttft", "1h", "--max-num-queued-reqs", "2")
	conn, _ := s.dial()
	if _, err := io.WriteString(conn, post("/v1/embeddings", `{"input":["a","b"]}`)); err != nil {
		t.Fatal(err)
	}
	s.waitMetric(counter("num_requests_running"), "2")
	if status, body := s.call("POST", "/v1/embeddings", `{"input":"a"}`); status != 503 {
		t.Errorf("%d %s", status, body)
	}
	_ = conn.Close()
	s.waitMetric(counter("num_requests_running"), "0")
	if got := s.metric(success("stop")); got != "0" {
		t.Errorf("%s ended", got)
	}
}

// /load counts answers while they run.
func TestServerLoad(t *testing.T) {
	s := start(t, "m", "--enable-server-load-tracking", "--mock-itl", "1h")
	f := s.asks()
	f("GET", "/load", "", 200, `{"server_load":0}`)
	resp := s.do("POST", "/v1/completions", `{"prompt":"Hi","max_tokens":5,"stream":true}`)
	if resp.StatusCode != 200 { // its head is there, so it runs
		t.Fatal(resp.Status)
	}
	f("GET", "/load", "", 200, `{"server_load":1}`)
}
