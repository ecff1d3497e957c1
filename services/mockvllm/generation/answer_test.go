package generation_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

// TestAnyParameters: whatever a request asks for, the parts of a stream are the whole answer, and the answer keeps its bounds.
func TestAnyParameters(t *testing.T) {
	tok := tokenizer.Tiny()
	models := map[string]*generation.Model{}
	for _, mode := range []string{generation.Guide, generation.Echo, generation.Random} {
		models[mode] = generation.NewModel(tok, mode, 1)
	}
	const recited = 16 // one of so many, since the reference model takes its time
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 0))
		p := anyParams(r, tok.Size())
		mode := pick(r, generation.Guide, generation.Echo, generation.Random)
		asked := pick(r, "Hi", "", "äöü日🎉 <|end|>", strings.Repeat("so and ", 20), "a\nb  c")
		prompt := &generation.Prompt{Text: asked, Asked: asked, Tokens: tok.Encode(asked, true)}
		if mode == generation.Random && p.Greedy() && seed%recited != 0 {
			p.Temperature = 1
		}
		for i := range int(p.N) {
			a := models[mode].Answer(prompt, &p, i)
			if fault := check(a, &p, r, tok); fault != "" {
				t.Fatalf("seed %d, %s of %q, choice %d, %+v: %s", seed, mode, asked, i, p, fault)
			}
		}
	}
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// anyParams draws parameters that pass the checks, each of them now and then.
func anyParams(r *rand.Rand, vocabulary int) sampling.Params {
	p := sampling.Default()
	some := func() bool { return r.IntN(4) == 0 }
	ids := func() (ids []int64) {
		for range 1 + r.IntN(4) {
			ids = append(ids, int64(r.IntN(vocabulary)))
		}
		return ids
	}
	p.MaxTokens, p.HideSpecial, p.IncludeStop, p.IgnoreEOS = int64(1+r.IntN(80)), !some(), some(), some()
	if some() {
		p.MinTokens = r.Int64N(p.MaxTokens + 1)
	}
	for some() {
		p.Stop = append(p.Stop, pick(r, "o", " t", "response", "...", "ä", "日", "zzz", "se to", "e", "and so", "�"))
	}
	if some() {
		p.StopTokenIDs = ids()
	}
	if some() {
		p.Allowed = ids()
	}
	for some() {
		p.Bias = append(p.Bias, sampling.Bias{Token: int64(r.IntN(vocabulary)), By: float64(r.IntN(201) - 100)})
	}
	if some() {
		p.Repetition = sampling.Repetition{MaxSize: int64(r.IntN(6)), MinSize: int64(r.IntN(3)), Count: int64(2 + r.IntN(3))}
	}
	if some() {
		p.Logprobs = new(int64)
	}
	if p.Temperature = float64(r.IntN(2)); p.Temperature > 0 {
		p.N = int64(1 + r.IntN(3))
	}
	if some() {
		p.BadWords = []string{pick(r, "Mock", " to", "e")}
	}
	return p
}

// check reads an answer whole and in random parts, and says what is wrong.
func check(a *generation.Answer, p *sampling.Params, r *rand.Rand, tok *tokenizer.Tokenizer) string {
	if a.Tokens < 1 || int64(a.Tokens) > p.MaxTokens {
		return fmt.Sprintf("%d tokens", a.Tokens)
	}
	whole := *a.Read().Next(a.Tokens, true)
	text, tokens, likely := "", []int(nil), 0
	for reader, n := a.Read(), 0; n < a.Tokens; {
		n = min(a.Tokens, n+1+r.IntN(4))
		part := reader.Next(n, n == a.Tokens)
		text, tokens, likely = text+part.Text, append(tokens, part.Tokens...), likely+len(part.Logprobs)
		if (part.Finish != "") != (n == a.Tokens) {
			return fmt.Sprintf("finish %q after %d of %d", part.Finish, n, a.Tokens)
		}
	}
	stop, stopped := a.Stop.(string)
	stopped = stopped && a.Finish == generation.FinishStop
	switch {
	case text != whole.Text:
		return fmt.Sprintf("parts %q, whole %q", text, whole.Text)
	case !slices.Equal(tokens, whole.Tokens) || len(tokens) != a.Tokens:
		return fmt.Sprintf("parts %v, whole %v", tokens, whole.Tokens)
	case p.Logprobs != nil && (likely != a.Tokens || len(whole.Logprobs) != a.Tokens):
		return fmt.Sprintf("%d likelihoods of %d tokens", likely, a.Tokens)
	case stopped && strings.HasSuffix(text, stop) != p.IncludeStop && p.MinTokens == 0:
		return fmt.Sprintf("stopped by %q: %q", stop, text)
	case a.Finish == generation.FinishLength && int64(a.Tokens) != p.MaxTokens:
		return fmt.Sprintf("length after %d tokens", a.Tokens)
	}
	if p.MinTokens == 0 {
		said := text
		if stopped && p.IncludeStop {
			said = strings.TrimSuffix(text, stop)
		}
		for _, s := range p.Stop {
			if strings.Contains(said, s) {
				return fmt.Sprintf("stop string %q in %q", s, text)
			}
		}
	}
	return ended(a, p, tok)
}

// ended looks for tokens that should have ended an answer before its last one.
func ended(a *generation.Answer, p *sampling.Params, tok *tokenizer.Tokenizer) string {
	for i := range a.Tokens - 1 {
		id := a.Token(i)
		if id == tok.EOS() && !p.IgnoreEOS || slices.Contains(p.StopTokenIDs, int64(id)) {
			return fmt.Sprintf("token %d is %d, and %d follow", i, id, a.Tokens-1-i)
		}
	}
	return ""
}

// TestWhatIsAskedForIsNoToken: the words of a user end no answer.
func TestWhatIsAskedForIsNoToken(t *testing.T) {
	tok := tokenizer.Tiny()
	f := func(asked string) {
		t.Helper()
		p := sampling.Default()
		p.MaxTokens = 10000
		a := generation.NewModel(tok, generation.Echo, 0).Answer(&generation.Prompt{Text: asked, Asked: asked}, &p, 0)
		if out := a.Read().Next(a.Tokens, true); out.Text != asked || out.Finish != generation.FinishStop {
			t.Errorf("%q: %q %s", asked, out.Text, out.Finish)
		}
	}
	f("<|end|>")
	f("a<|end|>b<|user|><|end|")
	f("<<|end|>>")
	f(strings.Repeat("<|end|>", 500))
	f("日本\x00\n<think>")
}

// TestSaysSomethingFirst: a random answer does not begin with a stop string, nor is it made to stop when it is short.
func TestSaysSomethingFirst(t *testing.T) {
	tok := tokenizer.Tiny()
	m := generation.NewModel(tok, generation.Random, 1)
	for i := range 200 {
		p := sampling.Default()
		p.MaxTokens, p.Stop = 3, []string{"q", "e"}
		text := fmt.Sprintf("so %d", i)
		out := m.Answer(&generation.Prompt{Text: text, Tokens: tok.Encode(text, true)}, &p, 0).Read().Next(3, true)
		if out.Text == "" {
			t.Fatalf("%s: nothing was said", text)
		}
	}
}
