package generation

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

// TestPlanRefuses: what only the engine of vLLM can check.
func TestPlanRefuses(t *testing.T) {
	m := NewModel(tokenizer.Tiny(), Guide, 0)
	f := func(prompt []int, change func(*sampling.Params), want string) {
		t.Helper()
		p := sampling.Default()
		change(&p)
		got := ""
		if err := (&Work{Prompt: Prompt{Tokens: prompt}, Params: &p}).Plan(t.Context(), m, sampling.Limits{Vocabulary: 2000, MaxLogprobs: 20}); err != nil {
			got = err.Message
		}
		if got != want && !(strings.HasSuffix(want, "…") && strings.HasPrefix(got, strings.TrimSuffix(want, "…"))) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	words := func(words ...string) func(*sampling.Params) { return func(p *sampling.Params) { p.BadWords = words } }
	many := func(n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprintf("w%d", i)) // with a blank before it, another token
		}
		return all
	}
	f([]int{0, 1999}, words(), "")
	f([]int{0, 2000, 2001}, words(), "Token id 2001 is out of vocabulary")
	f([]int{5}, words("a", " b", "\tc"), "")
	f([]int{5}, words("a", " "), "bad_words entries must tokenize to at least one token. (parameter=bad_words, value=['a', ' '])")
	f([]int{5}, func(p *sampling.Params) { p.BadWords = []string{" "}; *p = p.Beams() }, "")
	f([]int{5}, words("\x1c"), "bad_words entries must tokenize to at least one token. (parameter=bad_words, value=['\\x1c'])")
	f([]int{5}, words(many(64)...), "")
	f([]int{5}, words(many(65)...), "Too many bad words after tokenization: 129. The max number is 128. (parameter=bad_words, value=['w0', 'w1', …")
	// The checks of parameters come first, then those of the prompt.
	f([]int{2000}, func(p *sampling.Params) { p.Allowed, p.BadWords = []int64{}, []string{" "} }, "allowed_token_ids is not None and empty! (parameter=allowed_token_ids, value=[])")
	f([]int{2000}, words(" "), "Token id 2000 is out of vocabulary")
}

func TestPlanEndsWithTheClient(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	leave()
	p := sampling.Default()
	p.N = 10_000
	w := &Work{Prompt: Prompt{Tokens: []int{5}}, Params: &p}
	if err := w.Plan(ctx, NewModel(tokenizer.Tiny(), Random, 0), sampling.Limits{Vocabulary: 2000}); err == nil || w.Answers[300] != nil {
		t.Errorf("planned on: %v", err)
	}
}
