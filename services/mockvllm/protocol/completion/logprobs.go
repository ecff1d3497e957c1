package completion

import (
	"strconv"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// appendLogprobs writes {"text_offset","token_logprobs","tokens","top_logprobs"} of tokens whose first character stands at
// offset, and returns the offset of what follows. A nil position is a token about which nothing is known: a prompt's first.
func (r *Request) appendLogprobs(b []byte, tokens []int, all []generation.Position, offset int) ([]byte, int) {
	b = append(b, `{"text_offset":[`...)
	for i, id := range tokens {
		b = separate(b, i)
		b = strconv.AppendInt(b, int64(offset), 10)
		offset += utf8.RuneCountInString(r.said(id, all[i]))
	}
	b = append(b, `],"token_logprobs":[`...)
	for i := range tokens {
		b = separate(b, i)
		if all[i] == nil {
			b = append(b, "null"...)
		} else {
			b = protocol.AppendFloat(b, all[i][0].Logprob)
		}
	}
	b = append(b, `],"tokens":[`...)
	for i, id := range tokens {
		b = pyjson.AppendString(separate(b, i), r.said(id, all[i]))
	}
	b = append(b, `],"top_logprobs":[`...)
	for i := range tokens {
		b = r.appendTop(separate(b, i), all[i])
	}
	return append(b, "]}"...), offset
}

func separate(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ',')
	}
	return b
}

// appendTop writes the likelihoods by the texts of their tokens. Of two tokens with the same text the later one counts, at
// the place of the first, as in the dict that vLLM makes.
func (r *Request) appendTop(b []byte, position generation.Position) []byte {
	if position == nil {
		return append(b, "null"...)
	}
	n := len(position)
	if r.params.LogprobTokens == nil && r.top >= 0 {
		n = min(n, r.top+1)
	}
	names := make([]string, 0, n)
	values := make(map[string]float64, n)
	for _, l := range position[:n] {
		name := r.name(l)
		if _, twice := values[name]; !twice {
			names = append(names, name)
		}
		values[name] = l.Logprob
	}
	b = append(b, '{')
	for i, name := range names {
		b = append(pyjson.AppendString(separate(b, i), name), ':')
		b = protocol.AppendFloat(b, values[name])
	}
	return append(b, '}')
}

// said is the name of a token that is there, even if nothing else is known about it.
func (r *Request) said(id int, position generation.Position) string {
	if position == nil {
		return r.name(generation.Likelihood{Token: id, Text: r.model.Tokenizer.Text(id)})
	}
	return r.name(position[0])
}

// name is how a token is told: its text, or its id where the client wants no text that may be cut.
func (r *Request) name(l generation.Likelihood) string {
	if r.tokensAsIDs {
		return "token_id:" + strconv.Itoa(l.Token)
	}
	return l.Text
}
