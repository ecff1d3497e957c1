package mockvllm_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// exchange is one recorded by a real vLLM 0.32: what was asked and what it answered.
type exchange struct {
	Name, Method, Path, Body string
	Headers                  map[string]string
	Status                   int
	AnswerHeaders            map[string]string `json:"answer_headers"`
	Answer                   string
}

func readExchanges(t *testing.T, file string) (all []exchange) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e exchange
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, e)
	}
	if len(all) == 0 || lines.Err() != nil {
		t.Fatalf("%s: %d exchanges, %v", file, len(all), lines.Err())
	}
	return all
}

// reference runs with the flags of the recorded server.
func reference(t *testing.T, flags ...string) *server {
	return start(t, append([]string{"./tiny-model", "--served-model-name", "tiny", "--dtype", "float32", "--enforce-eager",
		"--max-model-len", "2048", "--max-num-seqs", "16"}, flags...)...)
}

func (e exchange) send(s *server) (*http.Response, string) {
	s.t.Helper()
	req := s.request(s.t.Context(), e.Method, e.Path, e.Body)
	req.Header.Del("Content-Type")
	for name, value := range e.Headers {
		if name == "Host" {
			req.Host = value
			continue
		}
		req.Header.Set(name, value)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatalf("%s: %v", e.Name, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatalf("%s: %v", e.Name, err)
	}
	return resp, string(body)
}

var volatile = regexp.MustCompile(`"created":\d+|"(id|modelperm)":"modelperm-[0-9a-f]{16}"`)

func maskVolatile(body string) string { return volatile.ReplaceAllString(body, "<varies>") }

func TestAnswersAsRecorded(t *testing.T) {
	s := reference(t)
	for _, e := range readExchanges(t, "testdata/golden.jsonl") {
		resp, body := e.send(s)
		got := map[string]string{}
		for name, values := range resp.Header {
			if name != "Date" && name != "Content-Length" {
				got[strings.ToLower(name)] = strings.Join(values, ", ")
			}
		}
		if resp.Close { // the client's transport takes the header away
			got["connection"] = "close"
		}
		if resp.StatusCode != e.Status {
			t.Errorf("%s: status %d, want %d", e.Name, resp.StatusCode, e.Status)
		}
		if diff := cmp.Diff(e.AnswerHeaders, got); diff != "" {
			t.Errorf("%s: headers (-vLLM +mock):\n%s", e.Name, diff)
		}
		if diff := cmp.Diff(maskVolatile(e.Answer), maskVolatile(body)); diff != "" {
			t.Errorf("%s: body (-vLLM +mock):\n%s", e.Name, diff)
		}
	}
}

// What the words of a model decide, and what differs from run to run. An empty text is not hidden.
var (
	words   = regexp.MustCompile(`"(content|text|arguments|partial_json|id|system_fingerprint)":"(\\.|[^"\\])+"`)
	numbers = regexp.MustCompile(`:-?\d+(\.\d+)?`)
)

// shape keeps keys, their order, nulls, booleans, finish reasons and punctuation, and hides words and counts.
func shape(body string) string {
	body = numbers.ReplaceAllString(words.ReplaceAllString(body, `"$1":_`), ":_")
	var frames []string
	for frame := range strings.SplitSeq(body, "\n\n") {
		if n := len(frames); n == 0 || frames[n-1] != frame { // one delta is as good as ten
			frames = append(frames, frame)
		}
	}
	return strings.Join(frames, "\n\n")
}

func TestSuccessesHaveTheRecordedShape(t *testing.T) {
	plain, tools := reference(t), reference(t, "--enable-auto-tool-choice", "--tool-call-parser", "hermes")
	f := func(s *server, e exchange) {
		t.Helper()
		resp, body := e.send(s)
		if resp.StatusCode != e.Status {
			t.Errorf("%s: %s %s", e.Name, resp.Status, body)
			return
		}
		if diff := cmp.Diff(shape(e.Answer), shape(body)); diff != "" {
			t.Errorf("%s (-vLLM +mock):\n%s", e.Name, diff)
		}
	}
	for _, e := range readExchanges(t, "testdata/shapes.jsonl") {
		e.Body = steering.ReplaceAllString(e.Body, "")
		e.Body = strings.Replace(e.Body, "[300, 301, 302]", "[353, 354, 355]", 1) // letters, in the mock's vocabulary
		f(plain, e)
	}
	for _, e := range readExchanges(t, "testdata/messages.jsonl") {
		f(plain, e)
	}
	for _, e := range readExchanges(t, "testdata/tools.jsonl") {
		if steering.MatchString(e.Body) && strings.Contains(e.Body, "regex") { // which made the random model call
			e.Body = strings.Replace(e.Body, "Hello there", "Hello get_weather", 1)
		}
		e.Body = steering.ReplaceAllString(e.Body, "")
		f(tools, e)
	}
}

// steering is what made a random model say what was to be recorded. The mock needs none and does not support it.
var steering = regexp.MustCompile(`,? *"(logit_bias|min_tokens|structured_outputs)": *(\{("(\\.|[^"\\])*"|[^}"])*\}|\d+)`)
