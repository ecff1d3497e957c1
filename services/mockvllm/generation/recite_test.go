package generation_test

import (
	"slices"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

// TestWhatARequestWishes: the tokens are those with which vLLM answered.
func TestWhatARequestWishes(t *testing.T) {
	m := generation.NewModel(tokenizer.Tiny(), generation.Random, 0)
	prompt := &generation.Prompt{Tokens: []int{1931, 1055, 575, 479, 1833}}
	for name, c := range map[string]struct {
		wish func(p *sampling.Params)
		want []int
	}{
		"nothing":    {func(*sampling.Params) {}, []int{549, 1932, 1932, 1932, 1364, 1932, 1364, 1932, 1241, 1023, 289, 1932}},
		"repetition": {func(p *sampling.Params) { p.RepetitionPenalty = 1.5 }, []int{549, 1932, 1674, 289, 1640, 1618, 1171, 958, 1006, 449, 1871, 1053}},
		"repeat": {func(p *sampling.Params) { p.RepetitionPenalty = 0.5 },
			[]int{1833, 1833, 1833, 1833, 1833, 1833, 1833, 1833, 1833, 1833, 1833, 1833}},
		"frequency": {func(p *sampling.Params) { p.FrequencyPenalty = 2 }, []int{549, 1932, 1674, 289, 1932, 1364, 1006, 449, 1871, 1640, 873, 1793}},
		"frequent": {func(p *sampling.Params) { p.FrequencyPenalty = -1 },
			[]int{549, 1932, 1932, 1932, 1932, 1932, 1932, 1932, 1932, 1932, 1932, 1932}},
		"presence": {func(p *sampling.Params) { p.PresencePenalty = 1.5 }, []int{549, 1932, 1674, 289, 1932, 1364, 1006, 449, 1871, 1640, 873, 1793}},
		"a token": {func(p *sampling.Params) { p.Bias = []sampling.Bias{{Token: 642, By: 8}} },
			[]int{549, 1932, 1932, 1932, 1364, 1932, 1364, 1932, 1241, 642, 1023, 958}},
		"no end": {func(p *sampling.Params) { p.MinTokens, p.StopTokenIDs = 4, []int64{1833, 1932} }, []int{549, 1832, 1468, 769, 1932}},
		"no word": {func(p *sampling.Params) { p.BadWords = []string{"name"} },
			[]int{549, 1932, 1932, 1932, 1364, 1932, 1364, 1932, 1241, 1023, 958, 1932}},
		"no words": {func(p *sampling.Params) { p.BadWords = []string{"offworld"} },
			[]int{549, 1932, 1932, 1932, 1364, 1006, 1139, 1932, 1932, 1932, 1241, 1023}},
		"few": {func(p *sampling.Params) {
			p.Allowed, p.Bias = []int64{549, 1364, 1241}, []sampling.Bias{{Token: 642, By: 50}}
		},
			[]int{549, 549, 549, 1241, 1364, 1364, 1364, 1364, 1364, 1364, 1364, 1364}},
		"chance": {func(p *sampling.Params) { p.Temperature = 0.7 }, []int{903, 615, 896, 936, 1373, 1023, 293, 1932, 742, 744, 399, 1562}},
		"cold":   {func(p *sampling.Params) { p.Temperature = 0.005 }, []int{549, 1932, 1932, 1932, 1364, 1932, 1364, 1932, 1241, 1702, 1932, 1932}},
		"top k": {func(p *sampling.Params) { p.Temperature, p.TopK = 1, 5 },
			[]int{903, 832, 1244, 1115, 899, 1833, 1833, 958, 731, 1855, 1053, 1665}},
		"top p": {func(p *sampling.Params) { p.Temperature, p.TopP = 1, 0.3 }, []int{903, 315, 1036, 748, 1010, 289, 1932, 1932, 315, 53, 1023, 1241}},
		"min p": {func(p *sampling.Params) { p.Temperature, p.MinP = 1, 0.1 }, []int{903, 315, 1373, 748, 748, 1185, 479, 744, 592, 1727, 836, 1932}},
		"all": {func(p *sampling.Params) {
			p.Temperature, p.TopK, p.TopP, p.MinP = 1.7, 50, 0.8, 0.02
			p.PresencePenalty, p.FrequencyPenalty, p.RepetitionPenalty = -1, 0.3, 1.1
		}, []int{903, 793, 408, 62, 1139, 744, 558, 903, 592, 1833, 1377, 440}},
	} {
		p, seed := sampling.Default(), int64(7)
		p.Temperature, p.Seed, p.MaxTokens, p.Logprobs = 0, &seed, 12, new(int64)
		c.wish(&p)
		a := m.Answer(prompt, &p, 0)
		var got []int
		for i := range a.Tokens {
			got = append(got, a.Token(i))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestPartsOfCharacters: a token that ends within a character has no text, and the one that completes it has all of it.
func TestPartsOfCharacters(t *testing.T) {
	m := generation.NewModel(tokenizer.Tiny(), generation.Random, 0)
	prompt := &generation.Prompt{Tokens: m.Tokenizer.Encode("ä 🎉 日本", true)}
	var got []string
	for _, position := range m.PromptLogprobs(prompt, 0)[1:] {
		got = append(got, position[0].Text)
	}
	if want := []string{"", "ä", " ", "", "", "", "🎉", " ", "", "", "日", "", "", "本"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
