package generation

import (
	"math"
	"slices"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

func number(n int64) *int64 { return &n }

// TestLikelihoodsAddUp: over the whole vocabulary they are one, in order, and no token is there twice.
func TestLikelihoodsAddUp(t *testing.T) {
	for _, size := range []int{2, 3, 16, 97, 1280, 2000, 128256} {
		for place := range 8 {
			for _, greedy := range []bool{false, true} {
				o := chance{seed: uint64(size), size: size, greedy: greedy} // not negative
				drawn := (place * 7919) % size
				addUp(t, o, place, drawn)
			}
		}
	}
}

func addUp(t *testing.T, o chance, place, drawn int) {
	t.Helper()
	all := position(o.at(place, drawn), drawn, o.size, &sampling.Params{Logprobs: number(-1)})
	sum, seen := 0.0, make([]bool, o.size)
	for _, l := range all {
		if seen[l.Token] {
			t.Fatalf("%+v: token %d is there twice", o, l.Token)
		}
		seen[l.Token] = true
		sum += math.Exp(l.Logprob)
	}
	if len(all) != o.size || o.size > 90 && math.Abs(sum-1) > 1e-5 || sum > 1+1e-5 {
		t.Errorf("%+v: %d likelihoods, together %g", o, len(all), sum)
	}
	if all[0].Token != drawn || o.greedy && all[0].Rank != 1 {
		t.Errorf("%+v: first %+v, want token %d", o, all[0], drawn)
	}
	if !slices.IsSortedFunc(all[1:], func(a, b Likelihood) int { return a.Rank - b.Rank }) {
		t.Errorf("%+v: not in order", o)
	}
	for _, l := range all[:min(len(all), 9)] { // each token has the same odds when it is asked for
		these := position(o.at(place, drawn), drawn, o.size, &sampling.Params{LogprobTokens: []int64{int64(l.Token)}})
		if got := these[len(these)-1]; got != l {
			t.Errorf("%+v: asked for %+v, got %+v", o, l, got)
		}
	}
}

func TestHowManyLikelihoods(t *testing.T) {
	o := chance{seed: 1, size: 50}
	for place := range 20 {
		for _, n := range []int64{0, 1, 5, 50, 99} {
			all := position(o.at(place, 7), 7, o.size, &sampling.Params{Logprobs: &n})
			if len(all) != min(int(n), 50)+1 && !(all[0].Rank <= int(n) && len(all) == min(int(n), 50)) {
				t.Errorf("asked for %d: %+v", n, all)
			}
		}
	}
	prompt := &Prompt{Tokens: []int{4, 5, 6}}
	if all := NewModel(tokenizer.Tiny(), Guide, 1).PromptLogprobs(prompt, 2); len(all) != 3 || all[0] != nil || all[1][0].Token != 5 || all[2][0].Token != 6 {
		t.Errorf("of a prompt: %+v", all)
	}
	these := position(o.at(0, 7), 7, o.size, &sampling.Params{LogprobTokens: []int64{3, 7, 3}})
	if len(these) != 2 || these[0].Token != 7 || these[1].Token != 3 {
		t.Errorf("asked for 3, 7 and 3: %+v", these)
	}
}
