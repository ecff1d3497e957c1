package request

import (
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Length is what a request says about the length of its prompt and of its answer: vLLM's TokenizeParams.
type Length struct {
	Max      *int64 // tokens of the answer
	MaxName  string // the field that Max came from
	said     any    // Max as the field has it, which may be larger
	Truncate *int64 // tokens of the prompt to keep; -1 is as many as there is room for
	Side     string // left keeps the last ones, right the first; "" is the tokenizer's, which is left
	Special  bool   // put the tokenizer's special tokens around a text
}

// ReadLength takes what chat and text completions name alike.
func ReadLength(v *schema.Values) Length {
	return Length{Truncate: optInt(v, "truncate_prompt_tokens"), Side: Str(v, "truncation_side"), Special: v.Bool("add_special_tokens")}
}

// ReadMax takes the tokens of the answer from a field, if it is given.
func (l *Length) ReadMax(v *schema.Values, name string) {
	if n, given := v.Int(name); given {
		l.Max, l.MaxName, l.said = new(n), name, v.Get(name)
	}
}

// Check compares the numbers with the context.
func (l Length) Check(m *Model) *protocol.Error {
	most := int64(m.MaxLen)
	if l.Max != nil && *l.Max > most {
		said := strconv.FormatInt(*l.Max, 10)
		if l.said != nil {
			said = pyjson.Str(l.said)
		}
		return protocol.BadValue(l.MaxName, said,
			"%s=%s cannot be greater than max_model_len=%d. Please request fewer output tokens.", l.MaxName, said, most)
	}
	if l.Truncate != nil && *l.Truncate > most {
		return protocol.BadValue("truncate_prompt_tokens", strconv.FormatInt(*l.Truncate, 10),
			"truncate_prompt_tokens=%d cannot be greater than max_model_len = %d. Please request a smaller truncation size.", *l.Truncate, most)
	}
	return nil
}

// BadText is what a tokenizer says about half of a UTF-16 pair.
func BadText() *protocol.Error {
	return protocol.BadRequest("TextEncodeInput must be Union[TextInputSequence, Tuple[InputSequence, InputSequence]]")
}

// Tokens makes the tokens of a text, as many as the request wants.
func (l Length) Tokens(text string, m *Model) ([]int, *protocol.Error) {
	if pyjson.HasSurrogate(text) {
		return nil, BadText()
	}
	bound := m.MaxLen * m.Tokenizer.LongestToken()
	if l.Truncate == nil && len(text) > bound && pyjson.Len(text) > bound { // no text has more characters than bytes
		n := pyjson.Len(text)
		return nil, protocol.BadValue("input_text", strconv.Itoa(n), "This model's maximum context length is %d tokens. "+
			"However, your prompt contains %d characters (more than %d characters, which is the upper bound for %d input tokens). "+
			"Please reduce the length of the input prompt.", m.MaxLen, n, bound, m.MaxLen)
	}
	if l.Truncate == nil {
		return l.Cut(m.Tokenizer.EncodeN(text, l.Special, m.MaxLen+1), m)
	}
	tokens := m.Tokenizer.Encode(text, l.Special)
	if keep := l.keep(m); l.Side == "" && l.Special && keep < len(tokens) {
		// The tokenizer itself truncates: what it puts before a text stays.
		special := m.Tokenizer.Encode("", true)
		rest := max(0, keep-len(special))
		return l.Cut(append(special[:min(keep, len(special))], tokens[len(tokens)-rest:]...), m)
	}
	return l.Cut(tokens, m)
}

// keep is how many tokens of the prompt are to be left.
func (l Length) keep(m *Model) int {
	switch {
	case *l.Truncate >= 0:
		return int(*l.Truncate)
	case l.Max != nil && *l.Max == 0: // nothing is to be answered
		return m.MaxLen
	}
	return m.MaxLen - 1
}

// Cut truncates a prompt that was given in tokens or made of a text, and refuses one that does not fit.
func (l Length) Cut(tokens []int, m *Model) ([]int, *protocol.Error) {
	if l.Truncate != nil {
		switch keep := l.keep(m); {
		case keep >= len(tokens):
		case l.Side == "right":
			tokens = tokens[:keep]
		default:
			tokens = tokens[len(tokens)-keep:]
		}
	}
	if n := len(tokens); n > m.MaxLen {
		return nil, protocol.OverLength(n, m.MaxLen)
	}
	return tokens, nil
}

// TooLong is what the engine says to a prompt that leaves no place for an answer.
func TooLong(prompt int, m *Model) *protocol.Error {
	switch most := m.MaxLen; {
	case prompt > most:
		return protocol.BadRequest("The decoder prompt (length %d) is longer than the maximum model length of %d. "+
			"Make sure that `max_model_len` is no smaller than the number of text tokens.", prompt, most)
	case prompt == most:
		return protocol.BadRequest("The decoder prompt (length %d) plus the number of requested output tokens (at least 1) is longer than the maximum "+
			"model length of %d. Make sure that `max_model_len` is no smaller than the number of text tokens (prompt + requested output tokens).", prompt, most)
	}
	return nil
}

// Budget is how many tokens the answer to a prompt may have: what was asked for, but no more than the context has left.
func (l Length) Budget(prompt *generation.Prompt, m *Model) int64 {
	budget := int64(m.MaxLen - len(prompt.Tokens))
	for _, bound := range []*int64{l.Max, m.Defaults.MaxTokens} {
		if bound != nil {
			budget = min(budget, *bound)
		}
	}
	return budget
}
