package generation

import (
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text"
)

// overwhelming is the bias below the negative of which a token never comes.
const overwhelming = 20

// certain tells whether one token comes whatever the reference model thinks of it: none of its logits are so far apart.
func certain(p *sampling.Params) bool {
	const apart = 40
	return len(p.Bias) == 1 && p.Bias[0].By >= apart && p.Allowed == nil
}

// rarer is how much less likely than a word a token is that the model was never taught to say, as a bias.
const rarer = 8

// choose decides what is said.
func (m *Model) choose(src *source, prompt *Prompt, p *sampling.Params) {
	favourite := m.favourite(p)
	src.boosted = boosted(p.Bias)
	if prompt.Says != nil && (prompt.Trigger == nil || favourite == *prompt.Trigger) {
		m.insist(src, prompt, p, favourite)
		return
	}
	if m.recites(prompt, p) && !certain(p) {
		src.said, src.end, src.least = m.recite(prompt, p, src.choice), noToken, 0
		return
	}
	if p.Allowed != nil {
		src.words = nil
		for _, id := range p.Allowed {
			src.words = append(src.words, int(id))
		}
		src.words = m.unbiased(src.words, p)
		src.stops = slices.Contains(src.words, src.eos)
		return
	}
	if src.forced = favourite; src.forced >= 0 {
		return
	}
	if m.Mode == Random {
		src.words = m.unbiased(src.words, p)
		m.steer(src, prompt, p)
		return
	}
	m.say(src, prompt)
}

// favourite is the token that a request wants at each place, -1 for none. A model that takes the likeliest token needs less of a
// push, and one more for what it was never taught to say: special tokens and marks.
func (m *Model) favourite(p *sampling.Params) int {
	const push, less = 12, 4
	id, most := -1, 0.0
	for _, b := range p.Bias {
		enough := float64(push)
		if likeliest(p) {
			enough -= less
		}
		if m.Tokenizer.IsAdded(int(b.Token)) {
			enough += rarer
		}
		if b.By >= enough && b.By > most {
			id, most = int(b.Token), b.By
		}
	}
	return id
}

// likeliest tells whether hardly anything but the likeliest token is ever drawn.
func likeliest(p *sampling.Params) bool {
	const one = 0.1
	return p.Greedy() || p.TopK == 1 || p.MinP >= 1 || p.TopP <= one
}

// marked makes tokens of a text with marks in it. The one that ends an answer is letters: a user may have written it.
func (m *Model) marked(text string) []int {
	ids := []int{}
	end := m.Tokenizer.Spelling(m.Tokenizer.EOS())
	for end != "" {
		before, after, found := strings.Cut(text, end)
		if !found {
			break
		}
		ids = append(append(ids, m.Tokenizer.Encode(before, false)...), m.Tokenizer.EncodePlain(end)...)
		text = after
	}
	return append(ids, m.Tokenizer.Encode(text, false)...)
}

// boosted are the tokens that a request wants more often than others.
func boosted(bias []sampling.Bias) (ids []int) {
	const wanted = 8
	for _, b := range bias {
		if b.By >= wanted && b.By < overwhelming {
			ids = append(ids, int(b.Token))
		}
	}
	return ids
}

// unbiased leaves out what the request does not want.
func (m *Model) unbiased(words []int, p *sampling.Params) []int {
	if len(p.Bias) == 0 && len(p.BadWords) == 0 {
		return words
	}
	banned := map[int]bool{}
	for _, b := range p.Bias {
		banned[int(b.Token)] = b.By <= -overwhelming
	}
	for _, w := range p.BadWords {
		for _, ids := range m.forms(w) {
			banned[ids[len(ids)-1]] = true
		}
	}
	if len(banned) == 0 {
		return words
	}
	kept := make([]int, 0, len(words))
	for _, id := range words {
		if !banned[id] {
			kept = append(kept, id)
		}
	}
	if len(kept) == 0 {
		return words
	}
	return kept
}

// steer lets a random answer meet what the request waits for, as a model sooner or later would: a stop string that is a
// word of the vocabulary, and, when greedy, the going round in circles that small models fall into.
func (m *Model) steer(src *source, prompt *Prompt, p *sampling.Params) {
	const soon, early = 16, 4
	room := min(soon, int(p.MaxTokens-p.MinTokens)-1)
	for _, s := range p.Stop {
		if ids := m.Tokenizer.Encode(s, false); len(ids) == 1 && src.stop < 0 && room > early {
			src.stop, src.stopAt = ids[0], int(p.MinTokens)+early+pickOf(src.seed, -1, room-early)
		}
	}
	m.begin(src, p)
	if likeliest(p) && p.Repetition.MaxSize > 0 {
		src.loop, src.period = soon/2, int(max(1, p.Repetition.MinSize))
	}
	if prompt.Partial == "" {
		return
	}
	text := ""
	for len(text) < len(prompt.Partial) && strings.HasPrefix(prompt.Partial, text) {
		text += m.Tokenizer.Text(src.word(src.from))
		src.from++
	}
	rest, ours := strings.CutPrefix(text, prompt.Partial)
	if !ours {
		src.from = 0
		return
	}
	src.head = m.Tokenizer.Encode(rest, false)
}

// begin lets a random answer say something before it stops.
func (m *Model) begin(src *source, p *sampling.Params) {
	const tries = 16
	for range tries {
		first := m.Tokenizer.Text(src.word(src.from))
		if !slices.ContainsFunc(p.Stop, func(s string) bool { return strings.Contains(first, s) }) {
			return
		}
		src.from++
	}
}

// say lets an answer be what its mode says. Of one that has begun the rest is left; what begins otherwise is not ours, and the
// whole answer follows it. Marks are tokens where a script has them, not where a user wrote them.
func (m *Model) say(src *source, prompt *Prompt) {
	marked, plain := prompt.Think, ""
	switch answer, scripted := m.Script.Answer(prompt.Asked); {
	case m.Mode == Echo:
		plain = prompt.Asked
	case m.Mode == File && scripted:
		marked += answer
	default:
		plain = text.Guide(prompt.Asked)
	}
	rest, _ := strings.CutPrefix(marked+plain, prompt.Partial)
	cut := max(0, len(rest)-len(plain))
	src.said = append(m.marked(rest[:cut]), m.Tokenizer.EncodePlain(rest[cut:])...)
}
