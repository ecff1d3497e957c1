package mockvllm_test

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// dial opens a raw connection, for what an HTTP client hides.
func (s *server) dial() (net.Conn, *bufio.Reader) {
	s.t.Helper()
	conn, err := new(net.Dialer).DialContext(s.t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	return conn, bufio.NewReader(conn)
}

func post(path, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}

func readLine(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(line, "\r\n")
}

func TestEachFrameIsOneChunk(t *testing.T) {
	conn, r := start(t).dial()
	if _, err := io.WriteString(conn, post(chatPath, chatBody("Hello", `,"stream":true,"stream_options":{"include_usage":true}`))); err != nil {
		t.Fatal(err)
	}
	for readLine(t, r) != "" { // the head
	}
	frames := 0
	for {
		size, err := strconv.ParseInt(readLine(t, r), 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		chunk := make([]byte, size)
		if _, err := io.ReadFull(r, chunk); err != nil {
			t.Fatal(err)
		}
		readLine(t, r)
		if size == 0 {
			break
		}
		frames++
		if text := string(chunk); !strings.HasPrefix(text, "data: ") || strings.Index(text, "\n\n") != len(text)-2 {
			t.Errorf("chunk %q is not one frame", text)
		}
	}
	if frames < 10 { // role, a token each, usage, done
		t.Errorf("%d frames", frames)
	}
}

func TestTheHeadComesBeforeTheFirstToken(t *testing.T) {
	s := start(t, "--mock-ttft", "1h")
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	resp := s.doContext(ctx, "POST", chatPath, chatBody("x", `,"stream":true`)) // returns with the head
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %s", resp.Status)
	}
}

func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	conn, r := start(t).dial()
	const get = "GET %s HTTP/1.1\r\nHost: x\r\n\r\n"
	if _, err := io.WriteString(conn, fmt.Sprintf(get, "/version")+post(completionPath, `{"prompt":"Hi"}`)+fmt.Sprintf(get, "/load")); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`{"version":"0.32.0"}`, "Mock response to: Hi...", `{"server_load":0}`} {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || !strings.Contains(string(body), part) {
			t.Errorf("%v: %s, want %s", err, body, part)
		}
	}
}

// A body that ends early is no request: nothing is generated for it, and nobody is answered.
func TestHalfARequest(t *testing.T) {
	s := start(t)
	conn, r := s.dial()
	if _, err := io.WriteString(conn, strings.TrimSuffix(post(chatPath, chatBody("x", "")), "}")); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, r) // until the server closes
	if got := s.metric(counter("prompt_tokens_total")); got != "0" {
		t.Errorf("prompt tokens %s", got)
	}
	s.chat("still here", "")
}

// A body that ends early counts as one that FastAPI could not parse, or, where vLLM's handler reads it itself, as a failure. Of an
// answer that nobody gets, and of a plain one whose client has left, the log has no line.
func TestThoseWhoLeaveAreCountedAndNotLogged(t *testing.T) {
	s := start(t, "--mock-ttft", "1h")
	leave := func(request, sample string) {
		t.Helper()
		conn, _ := s.dial()
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(request, "}") {
			s.waitMetric(counter("num_requests_running"), "1")
		}
		_ = conn.Close()
		s.waitMetric(sample, "1")
	}
	half := func(path string) string { return strings.TrimSuffix(post(path, "{}"), "}") }
	counts := func(path, class string) string {
		return `http_requests_total{handler="` + path + `",method="POST",status="` + class + `"}`
	}
	leave(half(chatPath), counts(chatPath, "4xx"))
	leave(half("/tokenize"), counts("/tokenize", "4xx"))
	leave(half("/invocations"), counts("/invocations", "5xx"))
	leave("POST "+completionPath+" HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"", counts(completionPath, "4xx"))
	leave(post(chatPath, chatBody("x", "")), counts(chatPath, "2xx"))
	for path, size := range map[string]string{"/tokenize": "48", "/invocations": "0", chatPath: "52"} {
		if got := s.metric(`http_response_size_bytes_sum{handler="` + path + `"}`); got != size {
			t.Errorf("%s: %s bytes", path, got)
		}
	}
	if log := s.log.String(); strings.Contains(log, `"POST `) {
		t.Errorf("log:\n%s", log)
	}
}

// The line of a stream comes with its head, and has the path as Python quotes it.
func TestTheAccessLog(t *testing.T) {
	s := start(t, "--mock-ttft", "1h")
	conn, _ := s.dial()
	if _, err := io.WriteString(conn, post(chatPath, chatBody("x", `,"stream":true`))); err != nil {
		t.Fatal(err)
	}
	s.log.waitFor(t, conn.LocalAddr().String()+` - "POST /v1/chat/completions HTTP/1.1" 200 OK`)
	_ = conn.Close()
	s.call("GET", "/a%20b:c/%C3%A9~?q=%20:", "")
	s.log.waitFor(t, `"GET /a%20b%3Ac/%C3%A9~?q=%20: HTTP/1.1" 404 Not Found`)
}

// A hundred clients at once, of which a third leaves in the middle: every answer is whole, and nothing stays behind.
func TestManyClients(t *testing.T) {
	s := start(t, "--max-num-seqs", "7", "--mock-itl", "1ms")
	var clients sync.WaitGroup
	for i := range 100 {
		question := fmt.Sprintf("client %d", i)
		clients.Go(func() {
			switch i % 3 {
			case 0:
				if a := s.chat(question, ""); a.Choices[0].Message.Content != "Mock response to: "+question+"..." {
					t.Errorf("%s got %+v", question, a.Choices)
				}
			case 1:
				text, last := streamText(t, s.stream(chatPath, chatBody(question, `,"stream":true`)))
				if text != "Mock response to: "+question+"..." || last.FinishReason != "stop" {
					t.Errorf("%s got %q, %+v", question, text, last)
				}
			default:
				s.leaveEarly(t)
			}
		})
	}
	clients.Wait()
	s.waitMetric(running, "0")
	s.waitMetric(waiting, "0")
	s.waitMetric(success("stop"), "67")
	if got := s.metric(success("length")); got != "0" {
		t.Errorf("%s answers without end were counted as complete", got)
	}
}

// leaveEarly opens a stream without end and leaves after its first frame.
func (s *server) leaveEarly(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	resp, err := s.client.Do(s.request(ctx, "POST", chatPath, endless(`,"stream":true`)))
	if err != nil {
		t.Error(err)
		return
	}
	defer resp.Body.Close()
	if _, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil {
		t.Error(err)
	}
}

func TestSmallRoutes(t *testing.T) {
	s := start(t)
	f := func(method, path string, want int, body string) {
		t.Helper()
		if status, got := s.call(method, path, ""); status != want || got != body {
			t.Errorf("%s %s: %d %s, want %d %s", method, path, status, got, want, body)
		}
	}
	f("GET", "/load", 200, `{"server_load":0}`)
	f("GET", "/kv_event_sources", 200, `{}`)
	f("POST", "/is_scaling_elastic_ep", 200, `{"is_scaling_elastic_ep":false}`)
	f("GET", "/v1/models/mock-model", 404, `{"detail":"Not Found"}`)
	f("GET", "/ready", 404, `{"detail":"Not Found"}`)
	f("GET", "/v1/%6Dodels/nope", 404, `{"detail":"Not Found"}`)
	resp := s.do("GET", "/health", "")
	if _, there := resp.Header["Content-Type"]; there || resp.ContentLength != 0 {
		t.Errorf("health: content type %v, length %d", resp.Header["Content-Type"], resp.ContentLength)
	}
}

func TestSeveralNames(t *testing.T) {
	s := start(t, "org/model", "--served-model-name", "first", "second")
	for _, name := range []string{"first", "second", ""} {
		if a := s.chat("x", `,"model":"`+name+`"`); a.Model != "first" {
			t.Errorf("asked for %q, answered by %q", name, a.Model)
		}
	}
	_, r := s.refusal(chatPath, chatBody("x", `,"model":"org/model"`))
	if r.Error.Message != "The model `org/model` does not exist. Valid aliases: first, second." {
		t.Errorf("%+v", r.Error)
	}
	if _, body := s.call("GET", "/v1/models", ""); strings.Count(body, `"root":"org/model"`) != 2 {
		t.Errorf("models: %s", body)
	}
}

func TestTheLogTellsHowFarItIs(t *testing.T) {
	s := start(t, "--dtype", "auto", "--api-key", "secret")
	s.call("GET", "/health", "")
	for _, part := range []string{"non-default args: {'model_tag': '", "accepted without effect: --dtype", "Starting vLLM server on http://127.0.0.1:",
		"Available routes are:", "Route: /v1/chat/completions, Methods: POST", "INFO:     Started server process [",
		"INFO:     Application startup complete.", `- "GET /health HTTP/1.1" 200 OK`} {
		s.log.waitFor(t, part)
	}
	s.stop()
	code := <-s.exited
	s.exited <- code // the cleanup looks at it
	log := s.log.String()
	if strings.Contains(log, "secret") {
		t.Error("the key is in the log")
	}
	_, end, _ := strings.Cut(log, "shutdown triggered\n")
	var told []string
	for line := range strings.Lines(end) {
		_, words, _ := strings.Cut(line, "] [shutdown] ")
		told = append(told, strings.TrimSpace(cmp.Or(words, line)))
	}
	// As vLLM ends that has nothing to do, without its race between the engine's end and the kill.
	want := []string{"API server: stopping engine client mode=abort timeout=0s", "MPClient: start timeout=0s", "MPClient: stopping engine manager",
		"EngineCore: trigger received signal=SIGTERM", "EngineCore: start mode=abort timeout=0s",
		"EngineCore: request processing complete; starting resource teardown", "EngineCore: exiting busy loop", "MPClient: engine manager stopped",
		"MPClient: cleaning up background resources", "MPClient: complete", "API server: engine client stopped",
		"API server: signalling HTTP server shutdown", "API server: shutting down FastAPI HTTP server", "INFO:     Shutting down",
		"INFO:     Waiting for application shutdown.", "INFO:     Application shutdown complete."}
	if !slices.Equal(told, want) {
		t.Errorf("told %q", told)
	}
}
