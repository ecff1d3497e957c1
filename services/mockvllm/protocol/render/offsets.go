package render

import (
	"strconv"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
)

// appendOffsets writes where each token of a prompt begins and ends in its text, in characters. A token that is a part of a
// character spans all of it.
func (r *rendering) appendOffsets(b []byte, p *generation.Prompt) []byte {
	b = append(b, '[')
	for i, span := range r.offsets(p) {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, '['), int64(span[0]), 10)
		b = strconv.AppendInt(append(b, ','), int64(span[1]), 10)
		b = append(b, ']')
	}
	return append(b, ']')
}

func (r *rendering) offsets(p *generation.Prompt) [][2]int {
	tok := r.model.Tokenizer
	special := r.v.Bool("add_special_tokens")
	around := 0 // tokens that the tokenizer puts before a text
	if special {
		around = len(tok.Encode("", true))
	}
	ids := tok.Encode(p.Text, special)
	ends := characters(p.Text)
	spans := make([][2]int, len(ids))
	at := 0
	for i, id := range ids {
		if i < around {
			continue
		}
		n := len(tok.Bytes(id))
		if n == 0 || at+n > len(p.Text) {
			spans[i] = [2]int{ends(at), ends(at)}
			continue
		}
		spans[i] = [2]int{ends(at+1) - 1, ends(at + n)}
		at += n
	}
	kept := len(p.Tokens)
	switch side, _ := r.v.Str("truncation_side"); {
	case kept >= len(spans):
		return spans
	case side == "right":
		return spans[:kept]
	case side == "" && around > 0:
		head := min(kept, around)
		return append(spans[:head:head], spans[len(spans)-(kept-head):]...)
	}
	return spans[len(spans)-kept:]
}

// characters returns a function that tells how many characters the first so many bytes touch. Its argument must not shrink by
// more than the last step.
func characters(text string) func(bytes int) int {
	starts := make([]int, 0, utf8.RuneCountInString(text))
	for i := range text {
		starts = append(starts, i)
	}
	at := 0
	return func(bytes int) int {
		for at < len(starts) && starts[at] < bytes {
			at++
		}
		for at > 0 && starts[at-1] >= bytes {
			at--
		}
		return at
	}
}
