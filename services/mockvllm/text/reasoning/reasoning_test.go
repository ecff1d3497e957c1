package reasoning_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/reasoning"
)

// record is what vLLM 0.32 made of one answer: the pieces are the tokens of each step. testdata/vllm.jsonl holds answers with and
// without marks, in pieces of one token or more.
type record struct {
	Parser string     `json:"parser"`
	Pieces [][]string `json:"pieces"`
	Deltas []*delta   `json:"deltas"`
	Whole  struct {
		Reasoning, Content *string
	} `json:"whole"`
	Count int `json:"count"`
}

type delta struct{ Reasoning, Content string }

func TestAgreesWithVLLM(t *testing.T) {
	path := os.Getenv("REASONING_RECORDS")
	if path == "" {
		path = "testdata/vllm.jsonl"
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	failed := map[string]int{}
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		var r record
		if err := json.Unmarshal(scanner.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if failed[r.Parser] > 3 {
			continue
		}
		if diff := differs(t, r); diff != "" {
			failed[r.Parser]++
			t.Errorf("%s %q (-vLLM +got):\n%s", r.Parser, r.Pieces, diff)
		}
	}
	if scanner.Err() != nil {
		t.Fatal(scanner.Err())
	}
}

func differs(t *testing.T, r record) string {
	p, ok := reasoning.Lookup(r.Parser, nil)
	if !ok {
		t.Fatalf("%s is not there", r.Parser)
	}
	s := p.Stream("")
	var deltas []*delta
	var tokens []string
	text := ""
	for i, piece := range r.Pieces {
		all := strings.Join(piece, "")
		d, ok := s.Feed(all, piece)
		if i == len(r.Pieces)-1 {
			rest, more := s.Finish()
			d.Reasoning, d.Content, ok = d.Reasoning+rest.Reasoning, d.Content+rest.Content, ok || more
		}
		if ok {
			deltas = append(deltas, &delta{d.Reasoning, d.Content})
		} else {
			deltas = append(deltas, nil)
		}
		tokens = append(tokens, piece...)
		text += all
	}
	diff := cmp.Diff(r.Count, p.Count(tokens))
	if r.Parser != "granite" { // vLLM sends its words in other pieces, and loses some
		diff += cmp.Diff(r.Deltas, deltas)
	}
	thoughts, content := p.Split(text)
	return diff + cmp.Diff(r.Whole.Reasoning, thoughts) + cmp.Diff(r.Whole.Content, content)
}

// TestPrompt: a prompt that has thinking behind it leaves content only.
func TestPrompt(t *testing.T) {
	f := func(prompt, wantReasoning, wantContent string) {
		t.Helper()
		p, _ := reasoning.Lookup("deepseek_r1", nil)
		d, _ := p.Stream(prompt).Feed("x", []string{"x"})
		if d.Reasoning != wantReasoning || d.Content != wantContent {
			t.Errorf("%q: %+v", prompt, d)
		}
	}
	f("", "x", "")
	f("<think>", "x", "")
	f("<think>a</think>", "", "x")
	f("<think>a</think><think>", "x", "")
}

func TestLookup(t *testing.T) {
	f := func(name string, thinking *bool, want string) {
		t.Helper()
		p, ok := reasoning.Lookup(name, thinking)
		got := "nothing"
		if ok {
			if thoughts, _ := p.Split("a"); thoughts != nil {
				got = *thoughts
			} else {
				got = "content"
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	yes, no := true, false
	f("deepseek_r1", &no, "a")
	f("deepseek_v3", nil, "content")
	f("deepseek_v3", &yes, "a")
	f("holo2", nil, "a")
	f("holo2", &no, "content")
	f("qwen3", nil, "a")
	f("qwen3", &no, "content")
	f("mistral", nil, "content")
	f("hy_v4", nil, "nothing")
	for name, begun := range map[string]bool{"deepseek_r1": true, "qwen3": false} {
		if p, _ := reasoning.Lookup(name, nil); p.Begun != begun {
			t.Errorf("%s: begun %v", name, p.Begun)
		}
	}
	for _, name := range reasoning.Supported() {
		if err := reasoning.CheckName(name); err != nil {
			t.Error(err)
		}
	}
	err := reasoning.CheckName("nope")
	if err == nil || !strings.HasPrefix(err.Error(), "KeyError: 'invalid reasoning parser: nope (chose from { cohere_command3,") {
		t.Error(err)
	}
}

// FuzzStream: where a text is cut makes no difference. (Parsers that see tokens take no text for a mark, so they are left out.)
func FuzzStream(f *testing.F) {
	f.Add("qwen3", "thoughts </think> words </think> <think>", 2)
	f.Add("mistral", "a [THINK] b\n [/THINK] \n[TOOL_CALLS]f", 3)
	f.Add("granite", "Here is my thought process: a Here's my response: b", 4)
	f.Add("kimi_k2", "a <|tool_calls_section_begin|> b", 1)
	f.Fuzz(func(t *testing.T, name, text string, size int) {
		p, ok := reasoning.Lookup(name, nil)
		if !ok || p.Start == "" || !utf8.ValidString(text) {
			return
		}
		p.Split(text)
		if _, ok := map[string]bool{"deepseek_r1": true, "deepseek_v3": true, "holo2": true, "poolside_v1": true, "step3": true}[name]; ok {
			return
		}
		sum := func(size int) (out reasoning.Delta) {
			s := p.Stream("")
			for rest := text; rest != ""; {
				n := min(max(1, size), len(rest))
				d, _ := s.Feed(rest[:n], nil)
				rest = rest[n:]
				out.Reasoning, out.Content = out.Reasoning+d.Reasoning, out.Content+d.Content
			}
			d, _ := s.Finish()
			return reasoning.Delta{Reasoning: out.Reasoning + d.Reasoning, Content: out.Content + d.Content}
		}
		one, some := sum(1), sum(size)
		if strings.Contains(one.Content, p.Start) || strings.Contains(one.Content, p.End) {
			return // marks after the end are dropped in the piece in which thinking ends, as in vLLM
		}
		if diff := cmp.Diff(one, some); diff != "" {
			t.Errorf("%s %q by %d: %s", name, text, size, diff)
		}
	})
}
