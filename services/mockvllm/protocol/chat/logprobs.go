package chat

import (
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// appendLogprobs writes the likelihoods of a part's tokens: {"content":[{"token","logprob","bytes","top_logprobs"}]}.
func (r *Request) appendLogprobs(b []byte, o *generation.Output) []byte {
	b = append(b, `{"content":[`...)
	for i, position := range o.Logprobs {
		if i > 0 {
			b = append(b, ',')
		}
		b = r.appendToken(b, position[0])
		if r.Params.Beam { // whose steps make no text
			b = append(b, `,"bytes":null`...)
		} else {
			b = appendBytes(b, position[0].Text)
		}
		b = append(b, `,"top_logprobs":[`...)
		n := len(position)
		if r.Params.LogprobTokens == nil && r.top >= 0 {
			n = min(n, r.top)
		}
		for j, other := range position[:n] {
			if j > 0 {
				b = append(b, ',')
			}
			b = append(appendBytes(r.appendToken(b, other), r.name(other)), '}')
		}
		b = append(b, "]}"...)
	}
	return append(b, "]}"...)
}

// appendToken leaves the object open.
func (r *Request) appendToken(b []byte, l generation.Likelihood) []byte {
	b = pyjson.AppendString(append(b, `{"token":`...), r.name(l))
	return protocol.AppendFloat(append(b, `,"logprob":`...), l.Logprob)
}

// appendBytes writes those of a text in UTF-8.
func appendBytes(b []byte, text string) []byte {
	b = append(b, `,"bytes":[`...)
	for i := range len(text) {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(text[i]), 10)
	}
	return append(b, ']')
}

// name is how a token is told: its text, or its id where the client wants no text that may be cut.
func (r *Request) name(l generation.Likelihood) string {
	if r.tokensAsIDs {
		return "token_id:" + strconv.Itoa(l.Token)
	}
	return l.Text
}
