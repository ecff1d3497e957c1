package request

import (
	"net/http"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request/content"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/reasoning"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/toolparser"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

// Reply decides what the model says, where its answer mode is not all that counts: calls of the tools that the user asks
// for, where it may call; what the tools answered, when that came last.
func (c *Conversation) Reply(prompt *generation.Prompt, p *sampling.Params, m *Model) *protocol.Error {
	c.think(prompt, p, m)
	if p.Beam && m.Mode == generation.Random { // no grammar holds the steps of a beam search
		return nil
	}
	results, answered := c.results()
	talks := m.Mode != generation.Random && p.Constraint == nil
	if answered && talks {
		prompt.Says = func(structured.Source) string { return text.FromResults(results) }
	}
	var chosen []toolparser.Tool
	switch c.Tools.Choice {
	case Auto:
		if !answered && talks {
			chosen = text.Wanted(c.Tools.List, prompt.Asked)
		} else if m.Mode == generation.Random && c.Tools.strict != nil {
			c.mayCall(prompt, p, m)
			return nil
		}
	case Required:
		if chosen = text.Wanted(c.Tools.List, prompt.Asked); chosen == nil {
			chosen = c.Tools.List[:1]
		}
	case Named:
		chosen = c.Tools.named()
	}
	if len(chosen) == 0 {
		return nil
	}
	if _, ok := toolparser.Lookup(m.Tools); !ok {
		return &protocol.Error{Status: http.StatusNotImplemented, Type: protocol.TypeNotImplemented,
			Message: "mockvllm does not call tools as --tool-call-parser " + m.Tools + " reads it yet."}
	}
	says, err := calls(chosen, m.Tools)
	if err != nil {
		return protocol.BadRequest("%s", err)
	}
	prompt.Says, prompt.Bound = says, c.Tools.Forced()
	if c.Tools.Choice == Required && c.Tools.Parallel && p.MinTokens > 0 {
		prompt.Says = atLeast(int(min(p.MinTokens, p.MaxTokens)), prompt.Says, m.Tokenizer)
	}
	p.Constraint = nil // the form of a call is all that is prescribed
	return nil
}

// atLeast has a text said again until it is a number of tokens: the end is forbidden until then, and all that vLLM's grammar for
// required tools leaves is one more call. The pieces are counted by themselves, and the whole only when they reach the number: what
// meets where one ends may be one token.
func atLeast(tokens int, once func(structured.Source) string, tok *tokenizer.Tokenizer) func(structured.Source) string {
	return func(src structured.Source) string {
		var all strings.Builder
		for n := 0; n < tokens; n = len(tok.EncodePlain(all.String())) {
			for n < tokens {
				piece := once(src)
				all.WriteString(piece)
				n += max(1, len(tok.EncodePlain(piece)))
			}
		}
		return all.String()
	}
}

// mayCall holds a model that talks at random to the form of a call from the token on that begins one, if there is such a token:
// vLLM's grammar for strict tools waits for it.
func (c *Conversation) mayCall(prompt *generation.Prompt, p *sampling.Params, m *Model) {
	format, ok := toolparser.Lookup(m.Tools)
	if !ok || p.Constraint != nil {
		return
	}
	begun := m.Tokenizer.EncodeN(format.Write([]toolparser.Call{{Arguments: "{}"}}), false, 1)
	says, err := calls(c.Tools.strict[:1], m.Tools)
	if err == nil && len(begun) == 1 && m.Tokenizer.IsAdded(begun[0]) { // without says no call is begun
		prompt.Says, prompt.Bound, prompt.Trigger = says, true, &begun[0]
	}
}

// think lets the model think before it answers, where a parser tells its thoughts apart.
func (c *Conversation) think(prompt *generation.Prompt, p *sampling.Params, m *Model) {
	parser, end, ok := m.thinks(prompt.Tokens, c.thinks())
	if !ok {
		return
	}
	if !c.Unseen {
		prompt.ThinkEnd = end
	}
	if prompt.ThinkEnd == nil && (p.Constraint != nil || c.Tools.Forced()) { // which leave no room for thoughts
		return
	}
	thoughts := "The user said: " + text.Beginning(prompt.Asked)
	if p.ThinkingBudget != nil && *p.ThinkingBudget >= 0 {
		ids := m.Tokenizer.EncodeN(thoughts, false, int(*p.ThinkingBudget))
		thoughts = m.Tokenizer.Decode(ids, true)
	}
	if prompt.Think = thoughts + parser.End; !parser.Begun {
		prompt.Think = parser.Start + prompt.Think
	}
}

// ThinkEnd is the token that a grammar waits for in an answer to a prompt without a conversation, nil where it waits for none.
func (m *Model) ThinkEnd(prompt []int) *int {
	_, end, _ := m.thinks(prompt, nil)
	return end
}

// thinks finds the parser that tells thoughts apart, and the token that ends them in an answer to a prompt: nil where the prompt has
// it. asked is what the request says about thinking, nil when it says nothing.
func (m *Model) thinks(prompt []int, asked *bool) (parser reasoning.Parser, end *int, ok bool) {
	parser, ok = reasoning.Lookup(m.Reasoning, asked)
	if !ok || parser.Start == "" {
		return parser, nil, false
	}
	if id, known := m.Tokenizer.ID(parser.End); known && !over(prompt, m, parser) {
		end = &id
	}
	return parser, end, true
}

// over tells whether the thoughts have ended in a prompt: the last mark of them is the one that ends them.
func over(prompt []int, m *Model, parser reasoning.Parser) bool {
	start, _ := m.Tokenizer.ID(parser.Start)
	end, _ := m.Tokenizer.ID(parser.End)
	for _, id := range slices.Backward(prompt) {
		if id == start || id == end {
			return id == end
		}
	}
	return false
}

// results joins what tools answered, when the conversation ends with that.
func (c *Conversation) results() (all string, ok bool) {
	first := len(c.Messages)
	for first > 0 && c.at(first-1).Value("role") == "tool" {
		first--
	}
	var said []string
	for i := first; i < len(c.Messages); i++ {
		said = append(said, content.Text(c.at(i).Value("content")))
	}
	return strings.Join(said, "; "), len(said) > 0
}

// calls writes calls of tools, in the format of a parser, with arguments that their schemas accept. A schema that makes no sense
// is not what the arguments follow: vLLM refuses it for strict tools alone.
func calls(tools []toolparser.Tool, parser string) (func(structured.Source) string, error) {
	format, _ := toolparser.Lookup(parser)
	arguments := make([]*structured.Constraint, len(tools))
	for i, t := range tools {
		var err error
		if arguments[i], err = structured.Tool(string(t.Parameters)); err != nil {
			return nil, err
		}
	}
	return func(src structured.Source) string {
		made := make([]toolparser.Call, len(tools))
		for i, t := range tools {
			made[i] = toolparser.Call{Name: t.Name, Arguments: arguments[i].Generate(src)}
		}
		return format.Write(made)
	}, nil
}
