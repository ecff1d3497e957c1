package mockvllm_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm"
)

func TestStopAbortsWhatRuns(t *testing.T) {
	s := start(t, "--mock-itl", "1h")
	resp := s.do("POST", chatPath, endless(`,"stream":true,"stream_options":{"include_usage":true}`))
	body := bufio.NewReader(resp.Body)
	for range 4 { // role and first token, each with its blank line
		if _, err := body.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	plain := make(chan answer, 1)
	go func() { plain <- s.chat("Hi", `,"ignore_eos":true`) }()
	s.waitMetric(counter("generation_tokens_total"), "2")
	s.stop()

	frames := readFrames(t, body)
	if len(frames) != 3 || frames[2] != "[DONE]" {
		t.Fatalf("after the stop came %q", frames)
	}
	if c := parse(t, frames[0]).Choices[0]; c.FinishReason != "abort" || c.Delta.Content != "" {
		t.Errorf("finish chunk %s", frames[0])
	}
	if u := parse(t, frames[1]).Usage; u == nil || u.Completion != 1 {
		t.Errorf("usage chunk %s", frames[1])
	}
	if a := <-plain; a.Choices[0].FinishReason != "abort" || a.Choices[0].Message.Content != "M" || a.Usage.Completion != 1 {
		t.Errorf("plain answer %+v %+v", a.Choices, a.Usage)
	}
	code := <-s.exited
	s.exited <- code // the cleanup looks at it
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestStopEndsDelays(t *testing.T) {
	s := start(t, "--mock-rate-limit", "1/1h", "--mock-delay", "1h")
	statuses := make(chan int, 2)
	for range 2 {
		go func() {
			status, _ := s.call("POST", chatPath, chatBody("x", ""))
			statuses <- status
		}()
	}
	if got := <-statuses; got != http.StatusTooManyRequests {
		t.Errorf("status %d: the other one should have been turned away", got)
	}
	s.stop() // while the one that was let in waits
	if got := <-statuses; got != http.StatusInternalServerError {
		t.Errorf("status %d after the stop", got)
	}
}

func TestUnusedConnectionsDoNotKeepTheServer(t *testing.T) {
	s := start(t)
	_, r := s.dial()
	s.call("GET", "/health", "") // accepted after the other one
	s.stop()
	if _, err := r.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("the unused connection: %v", err)
	}
	code := <-s.exited
	s.exited <- code // the cleanup looks at it
	if strings.Contains(s.log.String(), "do not take their answers") {
		t.Errorf("the server waited:\n%s", s.log)
	}
}

func TestShutdownTimeoutDrains(t *testing.T) {
	s := start(t, "--shutdown-timeout", "60", "--max-num-seqs", "1", "--mock-ttft", "1h")
	running1 := s.doContext(t.Context(), "POST", chatPath, endless(`,"stream":true`))
	s.waitMetric(running, "1")
	s.stop()
	s.log.waitFor(t, "[shutdown] EngineCore: draining in-flight requests count=1 timeout=60s")
	if status, _ := s.call("GET", "/health", ""); status != 200 {
		t.Errorf("health while draining: %d", status)
	}
	status := 0
	for status != http.StatusInternalServerError { // until the engine has heard of it, a request waits
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		resp := s.doContext(ctx, "POST", chatPath, chatBody("late", `,"stream":true`))
		status = resp.StatusCode
		cancel()
		_ = resp.Body.Close()
	}
	if _, r := s.refusal(chatPath, chatBody("late", "")); r.Error.Message != "cannot schedule new futures after shutdown" {
		t.Errorf("late request: %+v", r.Error)
	}
	_ = running1.Body.Close() // its client leaves: nothing is in flight any more
	if code := <-s.exited; code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.exited <- 0
}

// build makes the real binary.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "mockvllm")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "./cmd/mockvllm").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

func TestTheRealBinary(t *testing.T) {
	bin := build(t)
	for _, sig := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		log := newLogBuffer()
		cmd := exec.Command(bin, "serve", "--host", "127.0.0.1", "--port", "0", "--mock-itl", "1h")
		cmd.Env = append(os.Environ(), "MODEL_NAME=from-env")
		cmd.Stdout, cmd.Stderr = log, log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		_, url, _ := strings.Cut(log.waitFor(t, "Starting vLLM server on "), "server on ")
		log.waitFor(t, "Application startup complete.")
		probe := exec.CommandContext(t.Context(), bin, "healthcheck", "--port", url[strings.LastIndex(url, ":")+1:])
		if out, err := probe.CombinedOutput(); err != nil {
			t.Errorf("healthcheck: %v\n%s", err, out)
		}
		s := &server{t: t, url: url, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
		resp := s.do("POST", chatPath, endless(`,"stream":true`))
		body := bufio.NewReader(resp.Body)
		if first, err := body.ReadString('\n'); err != nil || !strings.Contains(first, `"model":"from-env"`) {
			t.Errorf("first frame %q, %v", first, err)
		}
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		frames := readFrames(t, body)
		if len(frames) == 0 || frames[len(frames)-1] != "[DONE]" {
			t.Errorf("%s: the stream ends with %q", sig, frames)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v; log:\n%s", sig, err, log)
		}
	}
}

func TestExitCodes(t *testing.T) {
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	env := map[string]string{}
	f := func(want int, lastLine string, args ...string) {
		t.Helper()
		log := newLogBuffer()
		code := mockvllm.Main(t.Context(), args, func(name string) string { return env[name] }, io.Discard, log)
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if last := lines[len(lines)-1]; code != want || !strings.HasSuffix(last, lastLine) {
			t.Errorf("%q: exit %d, last line %q; want %d, %q", args, code, last, want, lastLine)
		}
	}
	f(2, "vllm: error: unrecognized arguments: --no-such-flag", "serve", "m", "--no-such-flag")
	f(2, "Hint: did you mean --mock-ttft instead of --mock-tttf?", "serve", "m", "--mock-tttf", "1s")
	f(2, "Hint: did you mean --mock-error-rate instead of --mock-errorrate?", "serve", "m", "--mock_errorrate=1")
	f(2, "--mock-ttft, --mock-worker", "serve", "m", "--mock-everything")
	f(2, "vllm: error: unrecognized arguments: --swap-space 4", "serve", "m", "--swap-space", "4")
	f(2, "or --convert reward.", "serve", "m", "--task", "generate") // a hint follows the error here
	f(2, "vllm: error: unrecognized arguments: --disable-log-requests", "serve", "m", "--disable-log-requests")
	f(2, "vllm serve: error: argument --max-num-seqs: invalid int value: 'x'", "serve", "m", "--max-num-seqs", "x")
	f(2, "vllm serve: error: argument --port: expected one argument", "serve", "m", "--port")
	f(2, "vllm serve: error: argument --served-model-name: expected at least one argument", "serve", "m", "--served-model-name", "--port", "1")
	f(2, "(choose from 'serve', 'healthcheck')", "sevre")
	f(2, "the following arguments are required: subcommand")
	f(1, "https://errors.pydantic.dev/2.14/v/greater_than_equal", "serve", "m", "--max-num-seqs", "0")
	f(1, "https://errors.pydantic.dev/2.14/v/greater_than_equal", "serve", "m", "--max-num-batched-tokens", "0")
	f(1, "https://errors.pydantic.dev/2.14/v/greater_than", "serve", "m", "--block-size", "0")
	f(1, "--enable-auto-tool-choice requires --tool-call-parser", "serve", "m", "--enable-auto-tool-choice")
	f(1, "Error: --enable-log-outputs requires --enable-log-requests", "serve", "m", "--enable-log-outputs")
	f(1, "remove --disable-log-stats to enable per-request metrics.", "serve", "m", "--enable-per-request-metrics", "--disable-log-stats")
	f(1, "The lora adapter 'm' conflicts with a served base model.", "serve", "m", "--enable-lora", "--lora-modules", "m=x")
	f(1, "mockvllm: list index out of range", "serve", "--port", "1", "--model")
	f(1, "--mock-time-scale (MOCKVLLM_TIME_SCALE): 0 is not more than 0 and at most 1000", "serve", "m", "--mock-time-scale", "0")
	env["VLLM_LOG_STATS_INTERVAL"] = "soon"
	f(1, `VLLM_LOG_STATS_INTERVAL: "soon" is no number`, "serve", "m")
	env["VLLM_LOG_STATS_INTERVAL"] = "-1" // is as none
	f(0, "", "serve", "--help=all")
	f(1, "address already in use", "serve", "m", "--host", "127.0.0.1", "--port", port)
	f(0, "", "--version")
	_ = taken.Close()
	f(1, "connection refused (waited 0s); its log tells why, or it has another --host or --port", "healthcheck", "--port", port)
	f(1, "connection refused (waited 10ms); its log tells why, or it has another --host or --port", "healthcheck", "--wait", "10ms", "--port", port)
	f(1, "connection refused (waited 10ms); its log tells why, or it has another --host or --port", "healthcheck", "--wait=10ms", "--port", port)
	f(2, "argument --wait: expected a time such as 30s", "healthcheck", "--wait")
	f(2, "argument --wait: expected a time such as 30s", "healthcheck", "--wait=-1s")
	f(2, "argument --wait: expected a time such as 30s", "healthcheck", "--wait", "soon")
}

// freePort returns a port that is free. It lies below those that the kernel gives to clients, of which one could take it before the
// server does.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(10_000 + rand.IntN(10_000))
		if ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:"+port); err == nil {
			_ = ln.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return ""
}

func TestHealthcheckWaitsForALoad(t *testing.T) {
	port := freePort(t)
	ctx, stop := context.WithCancel(t.Context())
	exited := make(chan int, 1)
	env := func(string) string { return "" }
	go func() {
		exited <- mockvllm.Main(ctx, []string{"serve", "m", "--host", "127.0.0.1", "--port", port, "--mock-load-time", "500ms"}, env, io.Discard, io.Discard)
	}()
	log := newLogBuffer()
	if code := mockvllm.Main(ctx, []string{"healthcheck", "--wait", patience.String(), "--port", port}, env, log, log); code != 0 {
		t.Errorf("exit %d: %s", code, log)
	}
	stop()
	if code := <-exited; code != 0 {
		t.Errorf("the server ended with %d", code)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"serve", "--help"}, {"healthcheck", "-h"}} {
		out := newLogBuffer()
		if code := mockvllm.Main(t.Context(), args, os.Getenv, out, io.Discard); code != 0 || !strings.Contains(out.String(), "--mock-ttft") {
			t.Errorf("%q: exit %d, %s", args, code, out)
		}
	}
}

// TestHelpOfOptions: --help=WORD tells the options that have the word in their names, as vLLM does, and which of them do nothing here.
func TestHelpOfOptions(t *testing.T) {
	f := func(word, want string) {
		t.Helper()
		out := newLogBuffer()
		if code := mockvllm.Main(t.Context(), []string{"serve", "--help=" + word}, os.Getenv, out, io.Discard); code != 0 || out.String() != want {
			t.Errorf("--help=%s: exit %d, %s\nwant %s", word, code, out, want)
		}
	}
	f("max_Model-len", "Arguments matching 'max-model-len':\n  --max-model-len MAX_MODEL_LEN\n")
	f("scheduling", "Arguments matching 'scheduling':\n  --async-scheduling, --no-async-scheduling  (accepted without effect)\n"+
		"  --scheduling-policy {fcfs,priority}\n")
	f("mock-seed", "Arguments matching 'mock-seed':\n  --mock-seed MOCK_SEED\n")
	f("served", "Arguments matching 'served':\n  --served-model-name SERVED_MODEL_NAME [SERVED_MODEL_NAME ...]\n")
	f("ModelConfig", "No arguments matching 'modelconfig'.\nUse '--help' to see those that act here or '--help=all' to see all available parameters.\n")
	all := newLogBuffer()
	if code := mockvllm.Main(t.Context(), []string{"--help=all"}, os.Getenv, all, io.Discard); code != 0 || strings.Count(all.String(), "\n") < 200 {
		t.Errorf("--help=all: exit %d, %s", code, all)
	}
}

func TestStopWhileLoading(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	log := newLogBuffer()
	exited := make(chan int, 1)
	go func() {
		exited <- mockvllm.Main(ctx, []string{"serve", "m", "--mock-load-time", "1h", "--port", "0"}, func(string) string { return "" }, log, log)
	}()
	log.waitFor(t, "Using max model len")
	stop()
	if code := <-exited; code != 0 || strings.Contains(log.String(), "Starting vLLM server") {
		t.Errorf("exit %d; log:\n%s", code, log)
	}
}

// TestCollectsLate: each way to the command lets the garbage collector run late, unless the environment says how late.
func TestCollectsLate(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	f := func(given string, want int) {
		t.Helper()
		stopped, stop := context.WithCancel(t.Context())
		stop()
		env := map[string]string{"GOGC": given}
		if code := mockvllm.Main(stopped, []string{"serve", "m", "--mock-load-time", "1h"}, func(name string) string { return env[name] }, io.Discard, io.Discard); code != 0 {
			t.Fatalf("exit %d", code)
		}
		if got := debug.SetGCPercent(100); got != want {
			t.Errorf("GOGC=%s: %d percent, want %d", given, got, want)
		}
	}
	f("50", 100) // which the runtime itself has obeyed
	f("", 400)   // from here on it follows what the process has become
}

func TestRunReportsABrokenListener(t *testing.T) {
	s, err := mockvllm.New(mockvllm.Default(), mockvllm.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	if err := s.Run(t.Context(), ln); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Run = %v", err)
	}
}
