package request

import (
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// AppendPromptLogprobs writes how likely the tokens of a prompt were: null for the first, then objects by token id; null for
// nothing asked.
func AppendPromptLogprobs(b []byte, all []generation.Position) []byte {
	if all == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, position := range all {
		if i > 0 {
			b = append(b, ',')
		}
		if position == nil {
			b = append(b, "null"...)
			continue
		}
		b = append(b, '{')
		for j, l := range position {
			if j > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(append(b, '"'), int64(l.Token), 10)
			b = protocol.AppendFloat(append(b, `":{"logprob":`...), l.Logprob)
			b = strconv.AppendInt(append(b, `,"rank":`...), int64(l.Rank), 10)
			b = pyjson.AppendString(append(b, `,"decoded_token":`...), l.Text)
			b = append(b, '}')
		}
		b = append(b, '}')
	}
	return append(b, ']')
}
