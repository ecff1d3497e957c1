package tokens

import (
	"math"
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Tokenize answers with the tokens of a prompt or of a conversation. There is no limit to their number.
func Tokenize(v *schema.Values, m *request.Model) ([]byte, *protocol.Error) {
	text, special := request.Str(v, "prompt"), v.Bool("add_special_tokens")
	if v.Get("messages") != nil {
		talk := request.ReadConversation(v)
		var err *protocol.Error
		if text, err = talk.Render(m); err != nil {
			return nil, err
		}
	}
	if pyjson.HasSurrogate(text) {
		return nil, request.BadText()
	}
	ids := m.Tokenizer.Encode(text, special)
	b := strconv.AppendInt([]byte(`{"count":`), int64(len(ids)), 10)
	b = strconv.AppendInt(append(b, `,"max_model_len":`...), int64(m.MaxLen), 10)
	b = protocol.AppendInts(append(b, `,"tokens":`...), ids)
	b = append(b, `,"token_strs":`...)
	if !v.Bool("return_token_strs") {
		return append(b, "null}"...), nil
	}
	sep := byte('[')
	for _, id := range ids {
		b = pyjson.AppendString(append(b, sep), m.Tokenizer.Spelling(id))
		sep = ','
	}
	if len(ids) == 0 {
		b = append(b, sep)
	}
	return append(b, "]}"...), nil
}

// Detokenize answers with the text of tokens, special ones included. Those that there are not add nothing.
func Detokenize(v *schema.Values, m *request.Model) ([]byte, *protocol.Error) {
	var ids []int
	for _, id := range request.List(v, "tokens") {
		n, _ := schema.Int(id)
		if n > math.MaxUint32 {
			return nil, protocol.BadRequest("number too large to fit in target type")
		}
		ids = append(ids, int(n))
	}
	return append(pyjson.AppendString([]byte(`{"prompt":`), m.Tokenizer.Decode(ids, false)), '}'), nil
}
