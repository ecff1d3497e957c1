package mockvllm_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/services/mockvllm"
)

// TestMain makes this binary the worker that a server starts of itself.
func TestMain(m *testing.M) {
	if os.Args[len(os.Args)-1] == "worker" {
		os.Exit(mainOf([]string{"worker"}, newLogBuffer()))
	}
	goleak.VerifyTestMain(m)
}

// patience bounds waits for what must happen; nothing asserts how long it took.
const patience = time.Minute

// server is a running mockvllm, started through its command line.
type server struct {
	t      *testing.T
	url    string
	stop   context.CancelFunc
	exited chan int
	log    *logBuffer
	client *http.Client
}

// start runs `mockvllm serve ARGS --port 0` until the test ends.
func start(t *testing.T, args ...string) *server {
	t.Helper()
	return startIn(t, nil, args...)
}

func noEnv(string) string { return "" }

// startIn is start with variables in the environment.
func startIn(t *testing.T, env map[string]string, args ...string) *server {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	transport := &http.Transport{DisableCompression: true}
	s := &server{t: t, stop: stop, exited: make(chan int, 1), log: newLogBuffer(),
		client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		args = append([]string{"mock-model"}, args...)
	}
	args = append([]string{"serve"}, append(args, "--host", "127.0.0.1", "--port", "0")...)
	go func() {
		s.exited <- mockvllm.Main(ctx, args, func(name string) string { return env[name] }, s.log, s.log)
	}()
	t.Cleanup(func() {
		stop()
		transport.CloseIdleConnections()
		if code := <-s.exited; code != 0 {
			t.Errorf("exit code %d; log:\n%s", code, s.log)
		}
	})
	_, rest, _ := strings.Cut(s.log.waitFor(t, "Starting vLLM server on "), "server on ")
	s.url = rest
	return s
}

// mainOf is a command that ends by itself.
func mainOf(args []string, log *logBuffer) int {
	return mockvllm.Main(context.Background(), args, noEnv, log, log)
}

// do sends a request. The body, if any, is sent as JSON.
func (s *server) do(method, path, body string, header ...string) *http.Response {
	s.t.Helper()
	return s.doContext(s.t.Context(), method, path, body, header...)
}

func (s *server) doContext(ctx context.Context, method, path, body string, header ...string) *http.Response {
	s.t.Helper()
	req := s.request(ctx, method, path, body, header...)
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func (s *server) request(ctx context.Context, method, path, body string, header ...string) *http.Request {
	s.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return req
}

// call sends a request and returns its status and whole body.
func (s *server) call(method, path, body string, header ...string) (int, string) {
	s.t.Helper()
	resp := s.do(method, path, body, header...)
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// answer is what tests look at in a completion.
type answer struct {
	ID, Object, Model string
	Choices           []struct {
		Index        int
		Text         string
		Message      struct{ Role, Content string }
		Delta        struct{ Role, Content string }
		FinishReason string `json:"finish_reason"`
		StopReason   any    `json:"stop_reason"`
	}
	Usage *usage
}

type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

const (
	chatPath       = "/v1/chat/completions"
	completionPath = "/v1/completions"
)

// chat asks one question, with further fields such as `,"max_tokens":3`.
func (s *server) chat(question, fields string) answer {
	s.t.Helper()
	return s.ask(chatPath, chatBody(question, fields))
}

func chatBody(question, fields string) string {
	quoted, _ := json.Marshal(question) // strings always marshal
	return `{"messages":[{"role":"user","content":` + string(quoted) + `}]` + fields + `}`
}

func (s *server) ask(path, body string) answer {
	s.t.Helper()
	status, text := s.call("POST", path, body)
	if status != http.StatusOK {
		s.t.Fatalf("POST %s %s: %d %s", path, body, status, text)
	}
	var a answer
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		s.t.Fatalf("answer %q: %v", text, err)
	}
	return a
}

// stream sends a streamed request and returns the data of all frames.
func (s *server) stream(path, body string) []string {
	s.t.Helper()
	resp := s.do("POST", path, body)
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || got != "text/event-stream; charset=utf-8" {
		s.t.Fatalf("POST %s %s: %s, content type %q", path, body, resp.Status, got)
	}
	return readFrames(s.t, resp.Body)
}

func readFrames(t *testing.T, r io.Reader) (frames []string) {
	t.Helper()
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			frames = append(frames, data)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return frames
}

func parse(t *testing.T, frame string) answer {
	t.Helper()
	var a answer
	if err := json.Unmarshal([]byte(frame), &a); err != nil {
		t.Fatalf("frame %q: %v", frame, err)
	}
	return a
}

// metric returns the value of one sample of /metrics, a count without the .0 that all of vLLM's have; "" when there is none.
func (s *server) metric(sample string) string {
	s.t.Helper()
	_, text := s.call("GET", "/metrics", "")
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, sample+" "); ok {
			count, float := strings.CutSuffix(strings.TrimSpace(value), ".0")
			if !float && !strings.ContainsAny(value, ".e") {
				s.t.Errorf("%s = %s is not written as vLLM writes it", sample, value)
			}
			return count
		}
	}
	return ""
}

// waitMetric waits until a sample has a value.
func (s *server) waitMetric(sample, want string) {
	s.t.Helper()
	s.wait(sample, want, func() string { return s.metric(sample) })
}

// waitBusy waits until one request is in flight.
func (s *server) waitBusy() {
	s.t.Helper()
	s.wait("requests in flight", "1", func() string { return strconv.FormatInt(s.busy(), 10) })
}

// wait asks again and again until what is as wanted.
func (s *server) wait(what, want string, ask func() string) {
	s.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for {
		got := ask()
		if got == want {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			s.t.Fatalf("%s = %q, want %q", what, got, want)
		}
	}
}

// logBuffer collects lines and lets a test wait for one.
type logBuffer struct {
	mu    sync.Mutex
	text  bytes.Buffer
	grown chan struct{} // closed and replaced at each write
}

func newLogBuffer() *logBuffer { return &logBuffer{grown: make(chan struct{})} }

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.grown)
	b.grown = make(chan struct{})
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// waitFor returns the first line that holds part.
func (b *logBuffer) waitFor(t *testing.T, part string) string {
	t.Helper()
	deadline := time.After(patience)
	for {
		b.mu.Lock()
		text, grown := b.text.String(), b.grown
		b.mu.Unlock()
		for line := range strings.Lines(text) {
			if strings.Contains(line, part) && strings.HasSuffix(line, "\n") {
				return strings.TrimSpace(line)
			}
		}
		select {
		case <-grown:
		case <-deadline:
			t.Fatalf("no line with %q in:\n%s", part, text)
		}
	}
}
