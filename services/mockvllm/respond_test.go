package mockvllm_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/mockvllm"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/latency"
)

// run serves a configuration until the test ends.
func run(t *testing.T, change func(*mockvllm.Config)) *server {
	t.Helper()
	cfg := mockvllm.Default()
	cfg.Model, cfg.ServedNames, cfg.AccessLog = "tiny", []string{"tiny"}, false
	change(&cfg)
	log := newLogBuffer()
	vllm, err := mockvllm.New(cfg, mockvllm.Deps{Console: log})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- vllm.Run(ctx, ln) }()
	transport := &http.Transport{}
	t.Cleanup(func() {
		stop()
		transport.CloseIdleConnections()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v; log:\n%s", err, log)
		}
	})
	return &server{t: t, url: "http://" + ln.Addr().String(), stop: stop, log: log, client: &http.Client{Transport: transport}}
}

// response is what tests look at in one.
type response struct {
	ID, Status string
	Output     []struct{ Content []struct{ Text string } }
	Error      *struct{ Message string }
}

func (s *server) response(method, path, body string) response {
	s.t.Helper()
	_, text := s.call(method, path, body)
	var r response
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		s.t.Fatalf("%s %s: %q: %v", method, path, text, err)
	}
	return r
}

const responsesPath = "/v1/responses"

func TestBackgroundIsQueuedUntilItIsCancelled(t *testing.T) {
	s := run(t, func(c *mockvllm.Config) {
		c.Generation.StoreResponses = true
		c.Mock.TTFT = latency.Constant(time.Hour)
	})
	f := func(method, path, body, status, message string) {
		t.Helper()
		got := s.response(method, path, body)
		want := response{Status: status}
		if status != "" {
			want.ID = "resp_b"
			want.Output = got.Output[:0]
		} else {
			want.Error = &struct{ Message string }{message}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s %s: (-want +got)\n%s", method, path, diff)
		}
	}
	const request = `{"input":"Hi","background":true,"request_id":"resp_b"}`
	f("POST", responsesPath, request, "queued", "")
	f("GET", responsesPath+"/resp_b", "", "queued", "")
	f("POST", responsesPath+"/resp_b/cancel", "", "cancelled", "")
	f("GET", responsesPath+"/resp_b", "", "cancelled", "")
	f("POST", responsesPath+"/resp_b/cancel", "", "", "Cannot cancel a synchronous response.")
	f("POST", responsesPath, request, "queued", "")
	f("POST", responsesPath+"/resp_b/cancel", "", "cancelled", "")
	f("GET", responsesPath+"/resp_c", "", "", "Response with id 'resp_c' not found.")
	s.waitMetric(`vllm:num_requests_waiting{engine="0",model_name="tiny"}`, "0")
}

func TestCancellingLeavesWhatTheClientWrote(t *testing.T) {
	s := run(t, func(c *mockvllm.Config) {
		c.Generation.StoreResponses = true
		c.Mock.TTFT = latency.Constant(time.Hour)
	})
	const metadata = `"metadata":{"status":"queued"}`
	s.call("POST", responsesPath, `{"input":"Hi","background":true,"request_id":"resp_b",`+metadata+`}`)
	_, text := s.call("POST", responsesPath+"/resp_b/cancel", "")
	if !strings.Contains(text, metadata) || !strings.Contains(text, `"status":"cancelled","text":`) {
		t.Errorf("cancelled: %s", text)
	}
}

func TestBackgroundEndsWithTheServer(t *testing.T) {
	s := run(t, func(c *mockvllm.Config) {
		c.Generation.StoreResponses = true
		c.Mock.TTFT = latency.Constant(time.Hour)
	})
	for _, body := range []string{`{"input":"Hi","background":true}`, `{"input":"Hi","background":true,"store":true}`} {
		if got := s.response("POST", responsesPath, body); got.Status != "queued" {
			t.Errorf("%s: %+v", body, got)
		}
	}
	// goleak finds what goes on
}

func TestBackgroundIsThereLater(t *testing.T) {
	s := run(t, func(c *mockvllm.Config) { c.Generation.StoreResponses = true })
	whole := s.stream(responsesPath, `{"input":"Hi","background":true,"stream":true,"request_id":"resp_a"}`)
	if again := s.readStream(responsesPath + "/resp_a?stream=true"); cmp.Diff(whole, again) != "" {
		t.Errorf("told twice: (-first +second)\n%s", cmp.Diff(whole, again))
	}
	if rest := s.readStream(responsesPath + "/resp_a?stream=true&starting_after=3"); cmp.Diff(whole[4:], rest) != "" {
		t.Errorf("after 3: (-want +got)\n%s", cmp.Diff(whole[4:], rest))
	}
	got := s.response("GET", responsesPath+"/resp_a", "")
	if got.Status != "completed" || !strings.HasPrefix(got.Output[0].Content[0].Text, "Mock response to: ") {
		t.Errorf("response %+v", got)
	}
	resp := s.do("GET", responsesPath+"/resp_a?stream=true&starting_after=-1000", "")
	if _, err := resp.Body.Read(make([]byte, 1)); resp.StatusCode != http.StatusOK || err == nil {
		t.Errorf("far before the beginning: %s, error %v, want 200 and a broken stream", resp.Status, err)
	}
}

func (s *server) readStream(path string) []string {
	s.t.Helper()
	return readFrames(s.t, s.do("GET", path, "").Body)
}

func TestResponseContinuesAnother(t *testing.T) {
	s := run(t, func(c *mockvllm.Config) {
		c.Generation.StoreResponses = true
		c.Routes.ScaleOut = true
	})
	input := func(body string) int {
		t.Helper()
		var got struct {
			Usage struct {
				Input int `json:"input_tokens"`
			}
		}
		_, text := s.call("POST", responsesPath, body)
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		return got.Usage.Input
	}
	first := s.response("POST", responsesPath, `{"input":"Hi","instructions":"Be kind","request_id":"resp_1"}`)
	continued := input(`{"input":"More","previous_response_id":"resp_1","request_id":"resp_2"}`)
	said, _ := json.Marshal(first.Output[0].Content[0].Text) // a string always encodes
	if whole := input(`{"input":[{"role":"user","content":"Hi"},{"role":"assistant","content":` + string(said) + `},{"role":"user","content":"More"}]}`); continued != whole {
		t.Errorf("the continued conversation has %d tokens, the same in one request %d", continued, whole)
	}
	if unstored := s.response("GET", responsesPath+"/resp_3", ""); unstored.Error == nil {
		t.Errorf("resp_3: %+v", unstored)
	}
}

// What a stream that breaks off would have become is nobody's to ask for.
func TestBrokenStreamIsNotKept(t *testing.T) {
	s := run(t, func(c *mockvllm.Config) { c.Generation.StoreResponses = true })
	for _, fault := range []string{"", "cut=2"} {
		id := "resp_whole" + strings.TrimPrefix(fault, "cut=")
		resp := s.do("POST", responsesPath, `{"input":"Hi","stream":true,"request_id":"`+id+`"}`, "X-Mock-Fault", fault)
		_, err := io.Copy(io.Discard, resp.Body)
		s.lastRecord() // the handler is over
		kept := s.response("GET", responsesPath+"/"+id, "")
		s.lastRecord()
		if broken := fault != ""; (err != nil) != broken || (kept.Error != nil) != broken {
			t.Errorf("fault %q: error %v, then kept as %+v", fault, err, kept)
		}
	}
}

// A response that cannot be written breaks off before its first event: it repeats fields of the request that may not be null in it.
func TestUnwritableStreamIsEmpty(t *testing.T) {
	s := run(t, func(*mockvllm.Config) {})
	for _, field := range []string{"truncation", "background"} {
		resp := s.do("POST", responsesPath, `{"input":"Hi","stream":true,"`+field+`":null}`)
		body, err := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusOK || len(body) > 0 || err == nil {
			t.Errorf("%s: %d %q, %v", field, resp.StatusCode, body, err)
		}
	}
}

func TestAbortRequests(t *testing.T) {
	s := run(t, func(c *mockvllm.Config) {
		c.Routes.ScaleOut = true
		c.Mock.ITL = latency.Constant(time.Hour)
	})
	f := func(path, body, id string) {
		t.Helper()
		resp := s.do("POST", path, body, "X-Request-Id", "r")
		if _, err := resp.Body.Read(make([]byte, 1)); err != nil { // it runs
			t.Fatal(err)
		}
		if status, text := s.call("POST", "/inference/v1/abort_requests", `{"request_ids":["nobody",`+id+`]}`); status != 200 || text != "" {
			t.Errorf("abort: %d %q", status, text)
		}
		frames := readFrames(t, resp.Body)
		if n := len(frames); n < 2 || frames[n-1] != "[DONE]" || !strings.Contains(frames[n-2], `"finish_reason":"abort"`) {
			t.Errorf("%s: frames %q", path, frames)
		}
	}
	f("/inference/v1/generate", `{"token_ids":[300],"sampling_params":{"max_tokens":9,"ignore_eos":true},"stream":true}`, `"generate-tokens-r"`)
	f(chatPath, chatBody("Hi", `,"stream":true,"max_tokens":9`), `"chatcmpl-r"`)
	f(completionPath, `{"prompt":["a","b"],"stream":true,"max_tokens":9}`, `"cmpl-r-0","cmpl-r-1"`)
}
