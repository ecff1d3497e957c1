package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/report"
)

// What needs a model server is tested in integration/, with the real program.

const (
	contentChunk = `data: {"choices":[{"index":0,"delta":{"content":"word"}}]}` + "\n\n"
	usageChunk   = `data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":1}}` + "\n\n"
	doneChunk    = "data: [DONE]\n\n"
)

// answering is a server that gives each completion the same answer.
func answering(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // so that the end of the connection is noticed
		answer(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func streaming(events string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		_, _ = io.WriteString(w, events)
	}
}

// loadtestJSON runs a load test of three requests and returns its exit code and report.
func loadtestJSON(t *testing.T, url string, args ...string) (int, report.Report) {
	t.Helper()
	code, out, failed := fluidmcp(t, append([]string{"loadtest", "--url", url, "--model", "m", "-c", "1", "-n", "3", "--json"}, args...)...)
	var r report.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("exit %d: %v in %q; %s", code, err, out, failed)
	}
	return code, r
}

// Files that are there already stay as they are until a run is sure to take place, and a full disk costs no report.
func TestLoadtestFiles(t *testing.T) {
	url := answering(t, streaming(contentChunk+usageChunk+doneChunk))
	page := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(page, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	fluidmcp(t, "loadtest", "--url", url, "--html", page)                                     // the server lists no models
	fluidmcp(t, "loadtest", "--url", url, "--model", "m", "--html", page, "--endpoint", "no") // refused
	if content, err := os.ReadFile(page); string(content) != "old" {
		t.Errorf("%v, %q", err, content)
	}
	for _, flag := range []string{"--html", "--samples"} {
		code, out, failed := fluidmcp(t, "loadtest", "--url", url, "--model", "m", "-n", "200", flag, "/dev/full")
		if code != 1 || !strings.Contains(out, "200 ok") || !strings.Contains(failed, "no space left") {
			t.Errorf("%s: exit %d, %q, %q", flag, code, out, failed)
		}
	}
	if code, _, failed := fluidmcp(t, "loadtest", "--url", url, "--model", "m", "-n", "1", "--html", page); code != 0 {
		t.Errorf("exit %d, %s", code, failed)
	}
	if content, err := os.ReadFile(page); !strings.HasSuffix(strings.TrimSpace(string(content)), "</html>") {
		t.Errorf("%v, ends with %q", err, content[max(0, len(content)-50):])
	}
}

// Twice the same seed sends the same, and without one no run repeats another's prompts: a prefix cache would answer them.
func TestLoadtestSeeds(t *testing.T) {
	var prompts []string
	url := answering(t, streaming(contentChunk+usageChunk+doneChunk))
	record := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		prompts = append(prompts, string(body))
		streaming(contentChunk+usageChunk+doneChunk)(w, r)
	}))
	defer record.Close()
	for _, seed := range [][]string{nil, nil, {"--seed", "7"}, {"--seed", "7"}} {
		loadtestJSON(t, record.URL, append(seed, "-n", "1")...)
	}
	if len(prompts) != 4 || prompts[0] == prompts[1] || prompts[2] != prompts[3] {
		t.Errorf("%q", prompts)
	}
	if _, r := loadtestJSON(t, url); r.Run.Seed == 0 {
		t.Error("the report does not tell the seed")
	}
}

func TestLoadtestShowsNoPassword(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"data":[]}`)) }))
	defer server.Close()
	t.Setenv("FLUIDMCP_URL", strings.Replace(server.URL, "http://", "http://user:sekret@", 1))
	for _, args := range [][]string{{"loadtest"}, {"loadtest", "--help"}, {"ps", "--help"}, {"loadtest", "--model", "m", "-n", "1"}} {
		if _, out, failed := fluidmcp(t, args...); strings.Contains(out+failed, "sekret") {
			t.Errorf("fluidmcp %v: %s %s", args, out, failed)
		}
	}
}

func TestLoadtestWithoutAModel(t *testing.T) {
	f := func(status int, list, want string) {
		t.Helper()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v1/models" {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, list)
				return
			}
			streaming(contentChunk+usageChunk+doneChunk)(w, r)
		}))
		defer server.Close()
		if _, out, failed := fluidmcp(t, "loadtest", "--url", server.URL, "-n", "1"); !strings.Contains(out+failed, want) {
			t.Errorf("%d %s: %s %s; want %q", status, list, out, failed, want)
		}
	}
	f(200, `{"data":[{"id":"llama"}]}`, "\nllama, 10 at a time, 1 requests")
	f(200, `{"data":[{"id":"llama"},{"id":"qwen"}]}`, "has 2 models; choose one with --model: llama, qwen")
	f(200, `{"data":[]}`, "has no model")
	f(200, `<html>`, "is no list of models")
	f(401, `{"error":"Unauthorized"}`, "--api-key sends a key")
}

// Without usage the chunks that bring text are counted, and a warning says so.
func TestLoadtestWithoutUsage(t *testing.T) {
	code, r := loadtestJSON(t, answering(t, streaming(contentChunk+contentChunk+doneChunk)))
	ofTokens := func(warning string) bool { return strings.Contains(warning, "token counts") } // a busy machine has another one
	if code != 0 || r.Tokens.Output != 6 || !slices.ContainsFunc(r.Warnings, ofTokens) {
		t.Errorf("exit %d, %+v, %q", code, r.Tokens, r.Warnings)
	}
}

func TestLoadtestSendsWhatItIsTold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "prompts.jsonl")
	if err := os.WriteFile(file, []byte(`{"prompt":"first","temperature":0.5}`+"\n"+`{"messages":[{"role":"user","content":"second"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	type request struct {
		Key, ID string
		Body    map[string]any
	}
	var got []request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := request{Key: r.Header.Get("Authorization"), ID: r.Header.Get("X-Request-Id")}
		if err := json.NewDecoder(r.Body).Decode(&q.Body); err != nil || r.URL.Path != "/prefix/v1/chat/completions" {
			t.Errorf("%s: %v", r.URL, err)
		}
		got = append(got, q)
		streaming(contentChunk+usageChunk+doneChunk)(w, r)
	}))
	defer server.Close()
	t.Setenv("OPENAI_API_KEY", "sk-secret")
	code, out, failed := fluidmcp(t, "loadtest", "--url", server.URL+"/prefix/v1/", "--model", "m", "-c", "1", "-n", "3", "--prompts", file, "--json")
	if code != 0 || len(got) != 3 || strings.Contains(out+failed, "sk-secret") {
		t.Fatalf("exit %d after %d requests: %s %s", code, len(got), out, failed)
	}
	say := func(text string) []any { return []any{map[string]any{"role": "user", "content": text}} }
	usage := map[string]any{"include_usage": true}
	first := map[string]any{"model": "m", "stream": true, "stream_options": usage, "messages": say("first"), "temperature": .5}
	second := map[string]any{"model": "m", "stream": true, "stream_options": usage, "messages": say("second")}
	run := strings.TrimSuffix(got[0].ID, "-0")
	for i, body := range []map[string]any{first, second, first} {
		want := request{"Bearer sk-secret", fmt.Sprintf("%s-%d", run, i), body}
		if diff := cmp.Diff(want, got[i]); diff != "" {
			t.Errorf("request %d: %s", i, diff)
		}
	}
}

func TestLoadtestRefusals(t *testing.T) {
	file := filepath.Join(t.TempDir(), "prompts.jsonl")
	if err := os.WriteFile(file, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(args string, wants ...string) {
		t.Helper()
		code, out, failed := fluidmcp(t, append([]string{"loadtest", "--url", "http://127.0.0.1:1", "--model", "m"}, strings.Fields(args)...)...)
		if code != 1 || out != "" {
			t.Errorf("%s: exit %d, %q", args, code, out)
		}
		for _, want := range wants {
			if !strings.Contains(failed, want) {
				t.Errorf("%s is refused without %q: %s", args, want, failed)
			}
		}
	}
	f("--url localhost -n -1", "--url: write an address", "--requests")
	f("--url http://localhost?key=1", "leave out the query")
	f("--api-key two\x00lines", "--api-key: the key has")
	f("--endpoint embeddings -c 0 -n -1 --timeout 0s --warmup soon --rate 0 --arrivals never --output-tokens x --prompts "+file, // everything at once
		`--endpoint "embeddings"`, "--concurrency and --rate are both 0", "--requests", "--timeout 0s", `--warmup "soon"`, `--arrivals "never"`, "--output-tokens", "not an object")
	f("--prompts "+file+" --input-tokens 5", "[input-tokens prompts]")
	f("--rate -1", "--rate -1")
	f("--rate 0", "--concurrency and --rate are both 0")
	f("--arrivals constant", "give its --rate too")
	f("--html same --samples same", "--html and --samples both name same")
	f("--rate 1 --arrivals never", `arrivals "never"`)
	f("--fail-if ttft_max>1s --no-stream", "without a stream there is no ttft")
	f("--fail-if ttft_scheduled_p99>1s", "only with --rate")
	f("--fail-if ttft_p98>1s", "there is no ttft_p98")
	f("-n 1 --duration 1s", "[duration requests]")
	f("--html /does/not/exist.html", "/does/not/exist.html")
}
