package generate

import (
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// appendLogprobs writes how likely tokens were, each with as many of the likeliest as were asked for, but never none.
func (r *Request) appendLogprobs(b []byte, all []generation.Position) []byte {
	b = append(b, `{"content":[`...)
	for i, position := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(r.appendLikelihood(b, position[0]), `,"top_logprobs":[`...)
		n := len(position)
		if asked := *r.params.Logprobs; asked >= 0 {
			n = min(n, max(1, int(asked)))
		}
		for j, other := range position[:n] {
			if j > 0 {
				b = append(b, ',')
			}
			b = append(r.appendLikelihood(b, other), '}')
		}
		b = append(b, "]}"...)
	}
	return append(b, "]}"...)
}

// appendLikelihood leaves the object open.
func (r *Request) appendLikelihood(b []byte, l generation.Likelihood) []byte {
	if !r.text {
		b = strconv.AppendInt(append(b, `{"token_id":`...), int64(l.Token), 10)
		b = protocol.AppendFloat(append(b, `,"logprob":`...), l.Logprob)
		return strconv.AppendInt(append(b, `,"rank":`...), int64(l.Rank), 10)
	}
	if r.model.TokensAsIDs {
		b = append(b, `{"token":"token_id:`+strconv.Itoa(l.Token)+`","logprob":`...)
		return append(protocol.AppendFloat(b, l.Logprob), `,"bytes":null`...)
	}
	return protocol.AppendWord(b, l.Text, l.Logprob)
}
