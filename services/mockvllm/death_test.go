package mockvllm_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const deadMessage = "EngineCore encountered an issue. See stack trace (above) for the root cause."

// inFlight opens a stream and a plain request that do not end, and returns what reads the rest of the stream, and a channel for
// the status and body of the plain one.
func (s *server) inFlight(ctx context.Context) (*bufio.Reader, <-chan string) {
	s.t.Helper()
	body := bufio.NewReader(s.doContext(ctx, "POST", chatPath, endless(`,"stream":true`)).Body)
	if _, err := body.ReadString('\n'); err != nil {
		s.t.Fatal(err)
	}
	plain := make(chan string, 1)
	go func() {
		resp, err := s.client.Do(s.request(ctx, "POST", completionPath, `{"prompt":"x","ignore_eos":true,"max_tokens":1000}`))
		if err != nil {
			plain <- "error"
			return
		}
		defer resp.Body.Close()
		text, _ := bufio.NewReader(resp.Body).ReadString('\n')
		plain <- resp.Status + " " + text
	}()
	s.waitMetric(running, "2")
	return body, plain
}

func (s *server) exit() int {
	s.t.Helper()
	code := <-s.exited
	s.exited <- code // the cleanup looks at it
	return code
}

func TestTheEngineDies(t *testing.T) {
	for do, line := range map[string]string{`{"crash":0}`: "MPClient: engine core exited unexpectedly", `{"oom":0}`: "torch.OutOfMemoryError: CUDA out of memory."} {
		s := start(t, "--mock-itl", "1h")
		stream, plain := s.inFlight(t.Context())
		if status, text := s.call("PUT", "/mock/faults", `{"rules":[{"do":`+do+`}]}`); status != 200 {
			t.Errorf("%d %s", status, text)
		}
		frames := readFrames(t, stream)
		want := `{"error": {"message": "` + deadMessage + `", "type": "InternalServerError", "param": null, "code": 500}}`
		if len(frames) < 2 || frames[len(frames)-1] != "[DONE]" || frames[len(frames)-2] != want {
			t.Errorf("the stream ended with %q", frames)
		}
		if got := <-plain; got != `500 Internal Server Error {"error":{"message":"`+deadMessage+`","type":"InternalServerError","param":null,"code":500}}` {
			t.Errorf("plain: %s", got)
		}
		if code := s.exit(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		s.log.waitFor(t, line)
		s.log.waitFor(t, "EngineDeadError: "+deadMessage)
		s.log.waitFor(t, "Finished server process")
	}
}

func TestTheEngineDiesInAStream(t *testing.T) {
	s := start(t)
	frames := s.over(withFault(chatPath, chatBody("Hello", streamed), "crash=2"))
	if len(frames.chunks) != 5 || !strings.Contains(frames.chunks[3], deadMessage) { // role, two tokens, error, done
		t.Errorf("%q", frames.chunks)
	}
	if code := s.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// A stream of the responses API is closed without an end, as vLLM does.
func TestTheEngineDiesInAResponse(t *testing.T) {
	s := start(t)
	a := s.over(withFault("/v1/responses", `{"input":"Hello","stream":true}`, "oom=2"))
	if len(a.chunks) < 3 || a.whole || a.err == nil || strings.Contains(a.text(), "response.completed") {
		t.Errorf("%v, %q", a.err, a.chunks)
	}
	if code := s.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestTheServerStaysWhenItsEngineDies(t *testing.T) {
	t.Setenv("MOCKVLLM_ITL", "1h")
	s := startIn(t, map[string]string{"VLLM_KEEP_ALIVE_ON_ENGINE_DEATH": "1"})
	s.inFlight(t.Context())
	f := func(method, path, body string, want int, part string, header ...string) {
		t.Helper()
		if status, text := s.call(method, path, body, header...); status != want || !strings.Contains(text, part) {
			t.Errorf("%s %s: %d %s", method, path, status, text)
		}
	}
	f("POST", chatPath, chatBody("x", ""), 500, deadMessage, "X-Mock-Fault", "crash=0")
	f("GET", "/health", "", 503, "")
	f("POST", chatPath, chatBody("x", `,"stream":true`), 500, deadMessage)
	f("POST", completionPath, `{"prompt":"x"}`, 500, deadMessage)
	f("POST", "/v1/messages", `{"model":"mock-model","max_tokens":3,"messages":[{"role":"user","content":"x"}]}`, 500, `{"type":"error"`)
	f("GET", "/v1/models", "", 200, "mock-model")
	f("POST", "/tokenize", `{"prompt":"x"}`, 200, "tokens")
	if got := s.metric(running); got != "2" {
		t.Errorf("running %s: the gauge stays where it was", got)
	}
	stats := s.stats()
	if stats.Aborted.Server != 2 || stats.InFlight != 0 {
		t.Errorf("%+v", stats)
	}
}

// worker is the pid of the second process, as the log tells it.
func (s *server) worker() (pid int) {
	s.t.Helper()
	line := s.log.waitFor(s.t, "Worker process ")
	if _, err := fmt.Sscanf(line[strings.Index(line, "Worker"):], "Worker process %d is up", &pid); err != nil {
		s.t.Fatalf("%s: %v", line, err)
	}
	return pid
}

// TestTheWorkerIsKilled ends the second process, from outside.
func TestTheWorkerIsKilled(t *testing.T) {
	s := start(t, "--mock-itl", "1h", "--mock-worker")
	stream, plain := s.inFlight(t.Context())
	pid := s.worker()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if frames := readFrames(t, stream); !strings.Contains(strings.Join(frames, ""), deadMessage) {
		t.Errorf("the stream ended with %q", frames)
	}
	if got := <-plain; !strings.Contains(got, deadMessage) {
		t.Errorf("plain: %s", got)
	}
	if code := s.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestTheWorkerGoesAlong ends the server as asked.
func TestTheWorkerGoesAlong(t *testing.T) {
	s := start(t, "--mock-worker")
	pid := s.worker()
	s.stop()
	if code := s.exit(); code != 0 || syscall.Kill(pid, 0) == nil {
		t.Errorf("exit code %d, the worker is left: %t", code, syscall.Kill(pid, 0) == nil)
	}
}

func TestSIGTERMHangs(t *testing.T) {
	s := start(t, "--mock-itl", "1h", "--mock-shutdown", "hang")
	ctx, leave := context.WithCancel(t.Context())
	stream, plain := s.inFlight(ctx)
	s.stop()
	s.log.waitFor(t, "Waiting for connections to close. (CTRL+C to force quit)")
	ended := make(chan int, 1)
	go func() { ended <- len(readAll(stream)) }()
	select {
	case code := <-s.exited:
		t.Fatalf("it ended with %d", code)
	case n := <-ended:
		t.Fatalf("the stream ended after %d bytes", n)
	case got := <-plain:
		t.Fatalf("the plain request got %s", got)
	default:
	}
	leave()
	if got := <-plain; got != "error" {
		t.Errorf("the plain request got %s", got)
	}
	if code := s.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	<-ended
}

func readAll(r *bufio.Reader) (all []byte) {
	for {
		b, err := r.ReadByte()
		if err != nil {
			return all
		}
		all = append(all, b)
	}
}

func TestACrashOfTheRealBinary(t *testing.T) {
	scenario := filepath.Join(t.TempDir(), "oom.yaml")
	if err := os.WriteFile(scenario, []byte("rules:\n- match: {nth: 2}\n  do: {oom: 0}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	log := newLogBuffer()
	cmd := exec.Command(build(t), "serve", "--host", "127.0.0.1", "--port", "0", "--mock-scenario", scenario)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, url, _ := strings.Cut(log.waitFor(t, "Starting vLLM server on "), "server on ")
	s := &server{t: t, url: url, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	if got := s.outcomes(2); got != "ox" {
		t.Errorf("outcomes %s", got)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v; log:\n%s", err, log)
	}
	if !strings.Contains(log.String(), "EngineCore encountered a fatal error.") {
		t.Errorf("log:\n%s", log)
	}
}

func TestScenarioFiles(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(bad, []byte(`{"rules":[{"do":{"dealy":"1s"}},{"mach":{},"do":{"cut":-1}}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	log := newLogBuffer()
	code := mainOf([]string{"serve", "--mock-scenario", bad}, log)
	want := `--mock-scenario (MOCKVLLM_SCENARIO): ` + bad + `: rules[0].do.dealy: unknown field; did you mean "delay"?` + "\n" +
		`rules[1].mach: unknown field; did you mean "match"?` + "\n" + `rules[1].do.cut: -1 is less than 0`
	if code != 1 || !strings.Contains(log.String(), want) {
		t.Errorf("%d %s\nwant %s", code, log, want)
	}
	if code := mainOf([]string{"serve", "--mock-shutdown", "maybe"}, log); code != 1 || !strings.Contains(log.String(), `"maybe" is not known, use abort or hang`) {
		t.Errorf("%d %s", code, log)
	}
	if code := mainOf([]string{"serve", "--mock-scenario", bad + "x"}, log); code != 1 {
		t.Errorf("a file that is not there: %d", code)
	}
}
