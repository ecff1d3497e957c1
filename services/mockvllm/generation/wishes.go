package generation

import (
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/refmodel"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
)

// wishes are what a request does to the likelihood of tokens.
type wishes struct {
	*sampling.Params
	least    int     // tokens before one that ends an answer
	ends     []int64 // such tokens
	bad      [][]int // words
	prompted []bool  // by token
}

func (m *Model) wishes(prompt *Prompt, p *sampling.Params) *wishes {
	w := &wishes{Params: p, least: int(p.MinTokens), ends: append([]int64{int64(m.Tokenizer.EOS())}, p.StopTokenIDs...), prompted: make([]bool, m.Tokenizer.Size())}
	for _, word := range p.BadWords {
		w.bad = append(w.bad, m.forms(word)...)
	}
	for _, id := range prompt.Tokens {
		w.prompted[id] = true
	}
	return w
}

// bend makes tokens as likely as the request wants them after what was said, in the order of vLLM's sampler.
func (w *wishes) bend(logits []float32, said []int) {
	if w.Allowed != nil {
		for id := range logits {
			if !slices.Contains(w.Allowed, int64(id)) {
				logits[id] = refmodel.Never
			}
		}
	}
	for _, form := range w.bad {
		last := len(form) - 1
		if begun := max(0, len(said)-last); slices.Equal(said[begun:], form[:last]) {
			logits[form[last]] = refmodel.Never
		}
	}
	if len(said) < w.least {
		w.goOn(logits)
	}
	for _, b := range w.Bias {
		logits[b.Token] += float32(b.By)
	}
	w.penalize(logits, said)
	if w.Greedy() {
		return
	}
	refmodel.Soften(logits, max(w.Temperature, leastTemperature))
	if w.MinP > 0 {
		refmodel.MinP(logits, w.MinP)
	}
	if w.TopK > 0 {
		refmodel.TopK(logits, int(min(w.TopK, int64(len(logits)))))
	}
	if w.TopP < 1 {
		refmodel.TopP(logits, w.TopP)
	}
}

// leastTemperature is the one that vLLM takes for less, 0 aside.
const leastTemperature = 0.01

// goOn forbids the tokens that end an answer.
func (w *wishes) goOn(logits []float32) {
	for _, id := range w.ends {
		logits[id] = refmodel.Never
	}
}

// penalize changes the likelihood of tokens that came before.
func (w *wishes) penalize(logits []float32, said []int) {
	if w.RepetitionPenalty == 1 && w.FrequencyPenalty == 0 && w.PresencePenalty == 0 {
		return
	}
	times := make([]int, len(logits))
	for _, id := range said {
		times[id]++
	}
	repetition := float32(w.RepetitionPenalty)
	for id := range logits {
		switch came := times[id] > 0 || w.prompted[id]; {
		case came && logits[id] > 0:
			logits[id] *= 1 / repetition
		case came:
			logits[id] *= repetition
		}
		logits[id] -= float32(float32(w.FrequencyPenalty) * float32(times[id]))
		if times[id] > 0 {
			logits[id] -= float32(w.PresencePenalty)
		}
	}
}
