package generation

import (
	"bytes"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/refmodel"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
)

// recites tells whether the reference model says the words itself: where more than words follows from them, such as their likelihoods
// or where a stop string ends them. It takes half a millisecond for each, so who asks for nothing but words gets random ones.
func (m *Model) recites(prompt *Prompt, p *sampling.Params) bool {
	told := p.Logprobs != nil || p.PromptLogprobs != nil || p.LogprobTokens != nil
	follows := told || len(p.Stop)+len(p.StopTokenIDs)+len(p.Bias) > 0 || p.Repetition.MaxSize > 0
	return follows && m.determined(prompt, p)
}

// determined tells whether the reference model would say the same each time.
func (m *Model) determined(prompt *Prompt, p *sampling.Params) bool {
	return (p.Greedy() || p.Seed != nil) && !p.Beam && m.Reference(len(prompt.Tokens)+int(p.MaxTokens)) != nil
}

// recite gives the words of the reference model to choice number i. With texts it says one of these, without the token that ends an answer.
func (m *Model) recite(prompt *Prompt, p *sampling.Params, i int, texts ...[]byte) (ids []int) {
	pick := refmodel.Likeliest
	if !p.Greedy() {
		pick = refmodel.NewSampler(*p.Seed + int64(i)).Pick
	}
	wish := m.wishes(prompt, p)
	if texts != nil { // a form ends where it ends
		wish.least = 0
	}
	r := m.reference.Read()
	var state []float32
	for _, id := range prompt.Tokens {
		state = r.Next(id)
	}
	for int64(len(ids)) < p.MaxTokens {
		logits := m.reference.Logits(state, m.beginning(texts))
		wish.bend(logits, ids)
		id := pick(logits)
		if id == m.Tokenizer.EOS() && texts != nil {
			break
		}
		ids = append(ids, id)
		if id == m.Tokenizer.EOS() && !p.IgnoreEOS {
			break
		}
		texts = m.rests(texts, id)
		state = r.Next(id)
	}
	return ids
}

// beginning are the tokens that a text begins with, and where one is over the token that ends an answer. It is nil without texts.
func (m *Model) beginning(texts [][]byte) (ids []int) {
	for _, text := range texts {
		if len(text) == 0 {
			ids = append(ids, m.Tokenizer.EOS())
			continue
		}
		for id := range m.Tokenizer.Size() {
			if !m.Tokenizer.IsSpecial(id) && bytes.HasPrefix(text, m.Tokenizer.Bytes(id)) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// rests are what is left of the texts that begin with a token.
func (m *Model) rests(texts [][]byte, id int) (rests [][]byte) {
	for _, text := range texts {
		if rest, begins := bytes.CutPrefix(text, m.Tokenizer.Bytes(id)); begins {
			rests = append(rests, rest)
		}
	}
	return rests
}
