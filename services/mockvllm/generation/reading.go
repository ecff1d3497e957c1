package generation

import (
	"cmp"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/refmodel"
)

// reading are the odds that the reference model gives: it reads what stands before a place.
type reading struct {
	model *refmodel.Model
	token func(i int) int // of the prompt, then of the answer
	from  int             // place 0 is so far from the begin of the prompt

	begun *refmodel.Reading
	read  int       // tokens
	state []float32 // after them
}

func (r *reading) at(place, _ int) distribution {
	place += r.from
	if r.begun == nil || r.read > place {
		r.begun, r.read = r.model.Read(), 0
	}
	for ; r.read < place; r.read++ {
		r.state = r.begun.Next(r.token(r.read))
	}
	return &computed{probs: refmodel.LogProbs(r.model.Logits(r.state, nil))}
}

// computed are likelihoods by token.
type computed struct {
	probs []float32
	order []int // likeliest first, once somebody asks
}

func (c *computed) rankOf(id int) (rank int) {
	for _, p := range c.probs {
		if p >= c.probs[id] {
			rank++
		}
	}
	return rank
}

func (c *computed) logprob(id int) float64 { return float64(c.probs[id]) }

func (c *computed) token(rank int) int {
	if c.order == nil {
		c.order = make([]int, len(c.probs))
		for id := range c.order {
			c.order[id] = id
		}
		slices.SortStableFunc(c.order, func(a, b int) int { return cmp.Compare(c.probs[b], c.probs[a]) })
	}
	return c.order[rank-1]
}

// odds are those of an answer.
func (m *Model) odds(a *Answer, prompt *Prompt) odds {
	before := prompt.Tokens // a stream lets go of its prompt
	ref := m.Reference(len(before) + a.Tokens)
	if ref == nil || !m.recites(prompt, a.params) && a.params.LogprobTokens == nil {
		return chance{seed: a.Seed, size: m.Tokenizer.Size(), greedy: a.params.Greedy()}
	}
	return &reading{model: ref, from: len(before), token: func(i int) int {
		if i < len(before) {
			return before[i]
		}
		return a.Token(i - len(before))
	}}
}
