package generation

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured"
)

// insist lets the answer be what the request makes it. A random model thinks until it is made to stop.
func (m *Model) insist(src *source, prompt *Prompt, p *sampling.Params, favourite int) {
	switch thinks := m.Mode == Random && prompt.ThinkEnd != nil; {
	case !thinks:
		src.said = append(m.marked(prompt.Think), m.utter(src, prompt, p)...)
	case favourite == *prompt.ThinkEnd:
		src.said = m.utter(src, prompt, p)
		src.mark, src.lead, src.boosted = favourite, 0, nil
	case slices.Contains(src.boosted, *prompt.ThinkEnd):
		src.said = m.utter(src, prompt, p)
		src.mark, src.lead, src.boosted = *prompt.ThinkEnd, 4+pickOf(src.seed, -2, 5), nil
	case m.recites(prompt, p):
		src.said, src.end, src.least = m.recite(prompt, p, src.choice), noToken, 0
		return
	default: // it thinks, and nothing holds that
		src.words, src.forced = m.unbiased(src.words, p), favourite
		m.begin(src, p)
		return
	}
	switch {
	case prompt.Trigger != nil: // what was wanted once is wanted again
		src.end = noToken
	case bound(prompt, p):
		src.held(p, m.Mode == Random)
	}
}

// held ends what is said where a grammar ends: whatever the least number of tokens is, and with a token that the request wants to
// stop at, if there is one and the request does not want the usual one more. Who asked that the end be ignored gets words that
// nothing holds.
func (s *source) held(p *sampling.Params, free bool) {
	s.least, s.free = 0, free
	for _, id := range p.StopTokenIDs {
		if int(id) != s.eos && biasOf(s.eos, p) < rarer {
			s.end = int(id)
			return
		}
	}
}

func biasOf(id int, p *sampling.Params) (by float64) {
	for _, b := range p.Bias {
		if int(b.Token) == id {
			by = b.By
		}
	}
	return by
}

// bound tells whether a grammar holds the answer.
func bound(prompt *Prompt, p *sampling.Params) bool { return p.Constraint != nil || prompt.Bound }

// utter makes tokens of what the request makes the model say: of several texts, those that it wants most.
func (m *Model) utter(src *source, prompt *Prompt, p *sampling.Params) (best []int) {
	const texts = 16
	if m.determined(prompt, p) && bound(prompt, p) && prompt.Trigger == nil && len(p.BadWords)+len(p.Allowed) == 0 {
		var all [][]byte
		for try := range uint64(texts) {
			all = append(all, []byte(m.said(prompt, src.seed+try*golden)))
		}
		all = slices.CompactFunc(all, bytes.Equal)
		if p.Logprobs != nil || len(all) == 1 && len(p.Bias) == 0 {
			return m.recite(prompt, p, src.choice, all...)
		}
	}
	most := math.Inf(-1)
	for try := range uint64(texts) {
		ids := m.spell(m.said(prompt, src.seed+try*golden), prompt, p)
		if !bound(prompt, p) || len(p.Bias)+len(p.BadWords)+len(p.Allowed) == 0 {
			return ids
		}
		if w := m.wish(ids, p); w > most {
			best, most = ids, w
		}
	}
	return best
}

// wish is how much a request wants tokens: what is banned counts as much as can be.
func (m *Model) wish(ids []int, p *sampling.Params) (sum float64) {
	for _, id := range ids {
		sum += biasOf(id, p)
		if m.banned(id, p) {
			sum -= 1e3
		}
	}
	return sum
}

// banned tells whether a request forbids a token.
func (m *Model) banned(id int, p *sampling.Params) bool {
	if p.Allowed != nil && !slices.Contains(p.Allowed, int64(id)) {
		return true
	}
	return slices.ContainsFunc(p.BadWords, func(w string) bool {
		return slices.ContainsFunc(m.forms(w), func(form []int) bool { return len(form) == 1 && form[0] == id })
	})
}

// stuck finds the token of an answer at which a grammar leaves none that the request allows: the engine fails then.
func (m *Model) stuck(a *Answer, prompt *Prompt, p *sampling.Params) (at int, found bool) {
	if !bound(prompt, p) || len(p.Allowed)+len(p.BadWords) == 0 || a.source.said == nil {
		return 0, false
	}
	for i := range a.Tokens {
		if m.banned(a.Token(i), p) {
			return i, true
		}
	}
	return 0, false
}

// spell makes tokens of a text. A grammar is matched by what tokens say, so under one no token stands for a mark, but for one that
// the grammar waits for.
func (m *Model) spell(text string, prompt *Prompt, p *sampling.Params) []int {
	switch {
	case prompt.Trigger == nil && p.Constraint == nil:
		return m.marked(text)
	case prompt.Trigger != nil:
		rest := text[len(m.Tokenizer.Spelling(*prompt.Trigger)):]
		return append([]int{*prompt.Trigger}, m.Tokenizer.EncodePlain(rest)...)
	}
	return m.Tokenizer.EncodePlain(text)
}

// said is what the request makes a choice say.
func (m *Model) said(prompt *Prompt, seed uint64) string {
	return prompt.Says(structured.Source{Rand: rand.New(rand.NewPCG(seed, golden)), Guide: m.Mode != Random, Asked: prompt.Asked})
}
