package tokenizer

import (
	"math"
	"sync"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer/pretokenizer"
)

// Encode returns the tokens of text. With addSpecial the post-processor puts its tokens around them: the one that begins a
// text in most families.
func (t *Tokenizer) Encode(text string, addSpecial bool) []int {
	return t.EncodeN(text, addSpecial, math.MaxInt)
}

// EncodePlain encodes a text in which no added token is looked for. The result is not nil.
func (t *Tokenizer) EncodePlain(text string) []int {
	e := encoding{t: t, limit: math.MaxInt, ids: make([]int, 0, len(text)/3+4)}
	if text != "" {
		e.text(text)
	}
	return e.ids
}

// EncodeN is Encode that stops early: it returns at most the first limit tokens. vLLM tokenizes a prompt up to one token more
// than the context holds, and says "at least" so many when it stopped there.
func (t *Tokenizer) EncodeN(text string, addSpecial bool, limit int) []int {
	limit = max(limit, 0)
	room := rooms.Get().(*[]int)
	e := encoding{t: t, limit: limit, ids: (*room)[:0]}
	if addSpecial {
		e.ids = append(e.ids, t.before...)
	}
	if text != "" {
		t.raw.Cut(text, e.text, e.added)
	}
	if addSpecial {
		e.ids = append(e.ids, t.after...)
	}
	ids := make([]int, min(len(e.ids), limit))
	copy(ids, e.ids)
	if *room = e.ids; cap(e.ids) <= mostRoom {
		rooms.Put(room)
	}
	return ids
}

// rooms lend memory to encode in: how many tokens a text has is known only then, and they may be kept for long.
var rooms = sync.Pool{New: func() any { return new([]int) }}

// mostRoom bounds what is kept of it, in tokens.
const mostRoom = 4 << 10

// encoding is one text on its way. Its methods return false once limit tokens are there.
type encoding struct {
	t     *Tokenizer
	limit int
	ids   []int
}

func (e *encoding) more() bool { return len(e.ids) < e.limit }

func (e *encoding) added(id int) bool {
	e.ids = append(e.ids, id)
	return e.more()
}

// text takes what lies between two added tokens that are looked for in the raw text.
func (e *encoding) text(text string) bool {
	if e.t.normalize != nil && !ascii(text) {
		text = e.t.normalize(text)
	}
	return e.t.normalized.Cut(text, e.plain, e.added)
}

func (e *encoding) plain(text string) bool { return e.split(text, e.t.stages) }

// split cuts text into words, stage by stage.
func (e *encoding) split(text string, stages []pretokenizer.Stage) bool {
	if len(stages) == 0 {
		e.ids = e.t.model.Encode(e.ids, text)
		return e.more()
	}
	s := stages[0]
	if s.PrefixSpace && text[0] != ' ' {
		text = " " + text
	}
	last := len(stages) == 1
	for text != "" {
		n, drop := s.First(text)
		switch {
		case drop:
		case last:
			if e.ids = e.t.model.Encode(e.ids, text[:n]); !e.more() {
				return false
			}
		case !e.split(text[:n], stages[1:]):
			return false
		}
		text = text[n:]
	}
	return true
}

func ascii(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
