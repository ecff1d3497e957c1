package derender

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

// word is a token with its likelihood, in words.
type word struct {
	text    string
	unknown bool // the vocabulary has no such token
	logprob float64
	top     []word
}

// restore makes words of likelihoods that came by token; nil where these were null. context are the tokens before them.
func restore(choice *schema.Values, tok *tokenizer.Tokenizer, context []int64) (words []word, told bool) {
	logprobs := choice.Values("logprobs")
	if logprobs == nil {
		return nil, false
	}
	ids := make([]int, 0, len(context))
	for _, id := range context {
		ids = append(ids, int(min(id, int64(tok.MaxID())+1)))
	}
	content, given := logprobs.List("content")
	if given {
		words = []word{}
	}
	for _, entry := range content {
		entry, _ := entry.(*schema.Values)
		w := wordOf(entry, tok, ids)
		for _, top := range request.List(entry, "top_logprobs") {
			top, _ := top.(*schema.Values)
			w.top = append(w.top, wordOf(top, tok, ids))
		}
		id, _ := entry.Int("token_id")
		words, ids = append(words, w), append(ids, int(min(id, int64(tok.MaxID())+1)))
	}
	return words, true
}

func wordOf(entry *schema.Values, tok *tokenizer.Tokenizer, context []int) word {
	w := word{}
	w.logprob, _ = entry.Float("logprob")
	id, _ := entry.Int("token_id")
	if id < 0 || id > int64(tok.MaxID()) || !tok.Known(int(id)) {
		w.unknown = true
		return w
	}
	if w.text = tok.Text(int(id)); strings.HasSuffix(w.text, "\ufffd") {
		w.text = completed(int(id), context, tok)
	}
	return w
}

// completed is the text that a part of a character adds to the tokens before it, if it ends the character.
func completed(id int, context []int, tok *tokenizer.Tokenizer) string {
	broken := func(ids []int) bool { return strings.HasSuffix(tok.Decode(ids, false), "\ufffd") }
	for n := 1; n <= min(len(context), contextSize); n++ {
		before := context[len(context)-n:]
		whole := tok.Decode(append(append([]int{}, before...), id), false)
		if strings.HasSuffix(whole, "\ufffd") {
			continue
		}
		clean := len(before)
		for clean > 0 && broken(before[clean-1:clean]) {
			clean--
		}
		prefix := tok.Decode(before[:clean], false)
		common := 0
		for common < min(len(prefix), len(whole)) && prefix[common] == whole[common] {
			common++
		}
		for common < len(whole) && !utf8.RuneStart(whole[common]) {
			common--
		}
		return whole[common:]
	}
	return ""
}

// appendChatWords writes likelihoods as chat completions tell them.
func appendChatWords(b []byte, words []word, told bool) []byte {
	if !told {
		return append(b, "null"...)
	}
	if words == nil {
		return append(b, `{"content":null}`...)
	}
	b = append(b, `{"content":[`...)
	for i, w := range words {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(w.append(b), `,"top_logprobs":[`...)
		for j, top := range w.top {
			if j > 0 {
				b = append(b, ',')
			}
			b = append(top.append(b), '}')
		}
		b = append(b, "]}"...)
	}
	return append(b, "]}"...)
}

// append leaves the object open.
func (w word) append(b []byte) []byte {
	if w.unknown {
		return append(b, `{"token":"","logprob":`+pyjson.Float(w.logprob)+`,"bytes":null`...)
	}
	return protocol.AppendWord(b, w.text, w.logprob)
}

// appendTextWords writes likelihoods as text completions tell them. offset is where the first one begins.
func appendTextWords(b []byte, words []word, told bool, offset int64) []byte {
	if !told {
		return append(b, "null"...)
	}
	each := func(write func(w word)) {
		b = append(b, '[')
		for i, w := range words {
			if i > 0 {
				b = append(b, ',')
			}
			write(w)
		}
		b = append(b, ']')
	}
	b = append(b, `{"text_offset":`...)
	each(func(w word) {
		b = strconv.AppendInt(b, offset, 10)
		offset += int64(utf8.RuneCountInString(w.text))
	})
	b = append(b, `,"token_logprobs":`...)
	each(func(w word) { b = append(b, pyjson.Float(w.logprob)...) })
	b = append(b, `,"tokens":`...)
	each(func(w word) { b = pyjson.AppendString(b, w.text) })
	b = append(b, `,"top_logprobs":`...)
	each(func(w word) {
		if w.top == nil {
			b = append(b, "null"...)
			return
		}
		top := pyjson.NewObject()
		for _, other := range w.top {
			top.Set(other.text, other.logprob)
		}
		b = protocol.AppendJSON(b, top)
	})
	return append(b, '}')
}
