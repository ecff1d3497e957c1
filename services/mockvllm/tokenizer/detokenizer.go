package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// Detokenizer turns the tokens of one stream into text as they come. It is what vLLM's FastIncrementalDetokenizer and the
// DecodeStream under it do: text is held back while it ends in a part of a character, or in U+FFFD.
type Detokenizer struct {
	t           *Tokenizer
	skipSpecial bool
	joinAdded   bool // spaces_between_special_tokens is off and control tokens are shown
	lastAdded   bool
	held        string // the bytes since the last text
}

// Detokenizer begins a stream behind a prompt. A prompt that ends in the middle of a character is given out with the first
// text, as vLLM does. spaces is spaces_between_special_tokens.
func (t *Tokenizer) Detokenizer(prompt []int, skipSpecial, spaces bool) Detokenizer {
	d := Detokenizer{t: t, skipSpecial: skipSpecial, joinAdded: !skipSpecial && !spaces}
	if len(prompt) > 0 && d.endsBroken(prompt) {
		var b strings.Builder
		for _, id := range prompt {
			b.WriteString(d.bytes(t.at(id)))
		}
		d.held = b.String()
	}
	return d
}

// Add takes one token and returns the text that is whole with it.
func (d *Detokenizer) Add(id int) string {
	tok := d.t.at(id)
	text := d.step(tok)
	if d.joinAdded {
		if tok.added != "" && d.lastAdded {
			text = tok.added
		}
		d.lastAdded = tok.added != ""
	}
	return text
}

func (d *Detokenizer) step(tok *token) string {
	s := d.bytes(tok)
	if d.held == "" && tok.whole {
		return s
	}
	if s != "" {
		d.held += s
	}
	if broken(d.held) {
		return ""
	}
	text := lossy(d.held)
	d.held = ""
	return text
}

func (d *Detokenizer) bytes(tok *token) string {
	if d.skipSpecial && tok.special {
		return ""
	}
	return tok.bytes
}

// endsBroken tells whether the text of ids ends in U+FFFD, from the few ids that it takes to know.
func (d *Detokenizer) endsBroken(ids []int) bool {
	tail := ""
	for i := len(ids) - 1; i >= 0 && len(tail) < utf8.UTFMax; i-- {
		s := d.bytes(d.t.at(ids[i]))
		if tail == "" && s != "" && s[len(s)-1] < utf8.RuneSelf { // as most
			return false
		}
		tail = s + tail
	}
	return broken(tail)
}

func broken(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return s != "" && r == utf8.RuneError
}
