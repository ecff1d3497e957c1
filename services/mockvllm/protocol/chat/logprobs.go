package chat

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

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
		text := r.spelled(o, i)
		b = r.appendToken(b, position[0], text)
		if r.Params.Beam { // whose steps make no text
			b = append(b, `,"bytes":null`...)
		} else {
			b = appendBytes(b, text)
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
			b = append(appendBytes(r.appendToken(b, other, r.text(other.Token)), r.name(other.Token, r.text(other.Token))), '}')
		}
		b = append(b, "]}"...)
	}
	return append(b, "]}"...)
}

// spelled is the text of token i behind those before it: one that ends within a character has none, and the one that completes the
// character has all of it.
func (r *Request) spelled(o *generation.Output, i int) string {
	id, tok := o.Tokens[i], r.Server.Tokenizer
	text := r.text(id)
	if !strings.HasSuffix(text, broken) {
		return text
	}
	before := slices.Concat(o.Before, o.Tokens[max(0, i-utf8.UTFMax):i])
	for n := 1; n <= min(len(before), utf8.UTFMax); n++ {
		context := before[len(before)-n:]
		all := tok.Decode(slices.Concat(context, []int{id}), false)
		if strings.HasSuffix(all, broken) {
			continue
		}
		for n > 0 && strings.HasSuffix(r.text(context[n-1]), broken) {
			n--
		}
		return strings.TrimPrefix(all, tok.Decode(context[:n], false))
	}
	return ""
}

// broken stands for bytes that are no character.
const broken = "\ufffd"

// appendToken leaves the object open.
func (r *Request) appendToken(b []byte, l generation.Likelihood, text string) []byte {
	b = pyjson.AppendString(append(b, `{"token":`...), r.name(l.Token, text))
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

func (r *Request) text(id int) string { return r.Server.Tokenizer.Text(id) }

// name is how a token is told: its text, or its id where the client wants no text that may be cut.
func (r *Request) name(id int, text string) string {
	if r.tokensAsIDs {
		return "token_id:" + strconv.Itoa(id)
	}
	return text
}
