package generation

import (
	"slices"
	"strings"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"

	"github.com/fluidmcp/fluidmcp/internal/splitmix"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/refmodel"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

// Modes of answering.
const (
	Guide  = "guide"  // "Mock response to: " and the beginning of what was asked
	Echo   = "echo"   // what was asked
	Random = "random" // words of the vocabulary without an end of their own
	File   = "file"   // scripted answers
)

// Model answers prompts. Its fields do not change while it is used.
type Model struct {
	Tokenizer *tokenizer.Tokenizer
	Mode      string
	Seed      uint64
	Script    Script // for File

	reference *refmodel.Model // for Random; nil with another tokenizer than its own

	library atomic.Int32 // that follows constraints

	words []int
	stops bool // one of them is the token that ends an answer
}

// NewModel prepares a model with a tokenizer.
func NewModel(tok *tokenizer.Tokenizer, mode string, seed uint64) *Model {
	m := &Model{Tokenizer: tok, Mode: mode, Seed: seed, words: words(tok)}
	m.stops = slices.Contains(m.words, tok.EOS())
	if mode == Random {
		m.reference = refmodel.Of(tok)
	}
	return m
}

// Reference is the reference model where that answers: in Random, with its own tokenizer, and what has no more tokens than it can read.
// Else it is nil.
func (m *Model) Reference(tokens int) *refmodel.Model {
	if tokens > refmodel.Context {
		return nil
	}
	return m.reference
}

// words are the tokens that a random answer is made of: letters, maybe with a blank before them, so that each is a word or a
// part of one in every position.
func words(tok *tokenizer.Tokenizer) (ids []int) {
	for id := range tok.Size() {
		text := strings.TrimPrefix(tok.Text(id), " ")
		if !tok.IsSpecial(id) && text != "" && strings.Trim(strings.ToLower(text), "abcdefghijklmnopqrstuvwxyz") == "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// Prompt is what an answer follows.
type Prompt struct {
	Tokens  []int
	Text    string // what the tokens were made of; "" when they were given
	Asked   string // the last thing a user said
	Beyond  string // the first of the tokens that is beyond an int64, as it was written
	Partial string // the beginning of an answer, at the end of the prompt, that is to be continued

	// Says, unless nil, makes the answer, whatever the mode: the markup of tool calls, or a text whose form was prescribed.
	Says func(structured.Source) string

	// Bound says that a grammar holds what Says makes, as it holds what follows a constraint of the parameters. With a Trigger it
	// does so from that token on, and until then the model says what it likes: Says counts where the request wants the token.
	Bound   bool
	Trigger *int

	// Think comes before whatever is said, in the words that a parser of reasoning knows. ThinkEnd is the token that ends
	// thinking, nil where no parser looks for it: a random model says it only when it is made to.
	Think    string
	ThinkEnd *int
}

// Answer plans choice number i of a request.
func (m *Model) Answer(prompt *Prompt, p *sampling.Params, i int) *Answer {
	seed := m.seed(prompt, p, i)
	src := source{seed: seed, choice: i, eos: m.Tokenizer.EOS(), end: m.Tokenizer.EOS(), words: m.words, stops: m.stops, forced: -1, stop: -1, mark: -1, least: int(p.MinTokens)}
	if src.least > 0 {
		src.ends = append(src.ends, src.eos)
		for _, id := range p.StopTokenIDs {
			src.ends = append(src.ends, int(id))
		}
	}
	m.choose(&src, prompt, p)
	detok := m.Tokenizer.Detokenizer(prompt.Tokens, p.HideSpecial, p.SpacesBetween)
	a := plan(detok, src, p)
	if p.Logprobs != nil || p.LogprobTokens != nil {
		a.odds, a.model = m.odds(a, prompt), m
	}
	return a
}

// seed depends on the server's seed, the request's, the prompt without an answer that was begun, and the choice. The choices
// of a greedy request and those of one without a seed are as steady as those of one with a seed.
func (m *Model) seed(prompt *Prompt, p *sampling.Params, i int) uint64 {
	seed := splitmix.Mix(m.Seed + golden)
	if p.Seed != nil {
		seed ^= splitmix.Mix(uint64(*p.Seed))
	}
	base := strings.TrimSuffix(prompt.Text, prompt.Partial)
	seed ^= xxhash.Sum64String(base)
	if prompt.Text == "" {
		for _, id := range prompt.Tokens {
			seed = splitmix.Mix(seed + uint64(id))
		}
	}
	return splitmix.Mix(seed + uint64(i))
}
