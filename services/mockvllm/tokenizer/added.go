package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// addedToken is an entry of added_tokens: a text that is one token wherever it stands, whatever the merges say.
type addedToken struct {
	ID         int    `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"` // only between characters that belong to no word
	LStrip     bool   `json:"lstrip"`      // takes white space before it along
	RStrip     bool   `json:"rstrip"`      // and behind it
	Normalized bool   `json:"normalized"`  // is looked for in the normalized text
	Special    bool   `json:"special"`
}

// trie finds added tokens in a text, at each place the longest.
type trie struct {
	first  [256]bool // bytes that they begin with
	firsts []byte    // the same: one, for the most part
	root   trieNode
}

type trieNode struct {
	edges []trieEdge // one, for the most part
	token *addedToken
}

type trieEdge struct {
	by byte
	to *trieNode
}

// child is nil where there is none.
func (n *trieNode) child(b byte) *trieNode {
	for _, e := range n.edges {
		if e.by == b {
			return e.to
		}
	}
	return nil
}

func (t *trie) add(text string, token *addedToken) {
	if text == "" {
		return
	}
	if !t.first[text[0]] {
		t.first[text[0]], t.firsts = true, append(t.firsts, text[0])
	}
	n := &t.root
	for i := range len(text) {
		to := n.child(text[i])
		if to == nil {
			to = &trieNode{}
			n.edges = append(n.edges, trieEdge{text[i], to})
		}
		n = to
	}
	n.token = token
}

// find returns the first added token at or after position from and where it begins and ends, or nil.
func (t *trie) find(text string, from int) (token *addedToken, start, end int) {
	for i := t.next(text, from); i < len(text); i = t.next(text, i+1) {
		n := &t.root
		for j := i; j < len(text); j++ {
			if n = n.child(text[j]); n == nil {
				break
			}
			if n.token != nil {
				token, start, end = n.token, i, j+1
			}
		}
		if token != nil {
			return token, start, end
		}
	}
	return nil, 0, 0
}

// next is the first place at or after from where an added token may begin, or len(text).
func (t *trie) next(text string, from int) int {
	switch len(t.firsts) {
	case 0:
		return len(text)
	case 1:
		if n := strings.IndexByte(text[from:], t.firsts[0]); n >= 0 {
			return from + n
		}
		return len(text)
	}
	for from < len(text) && !t.first[text[from]] {
		from++
	}
	return from
}

// cut calls plain for the text between added tokens and added for each of them, in order, until one returns false.
func (t *trie) cut(text string, plain func(string) bool, added func(id int) bool) bool {
	done := 0
	for at := 0; ; {
		token, start, end := t.find(text, at)
		if token == nil {
			return done >= len(text) || plain(text[done:])
		}
		at = end
		if token.SingleWord && (endsWithWord(text[:start]) || beginsWithWord(text[end:])) {
			continue
		}
		if token.LStrip {
			start = max(done, len(trimRight(text[:start])))
		}
		if token.RStrip {
			end = len(text) - len(trimLeft(text[end:]))
		}
		if done < start && !plain(text[done:start]) {
			return false
		}
		if !added(token.ID) {
			return false
		}
		done = end
	}
}

func endsWithWord(s string) bool {
	r, n := utf8.DecodeLastRuneInString(s)
	return n > 0 && wordRune(r)
}

func beginsWithWord(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	return n > 0 && wordRune(r)
}

// wordRune is \w of the regular expressions that Hugging Face uses here (Unicode Technical Standard 18).
func wordRune(r rune) bool {
	return unicode.In(r, unicode.L, unicode.Nl, unicode.Other_Alphabetic, unicode.M, unicode.Nd, unicode.Pc, unicode.Join_Control)
}

func trimLeft(s string) string {
	for i, r := range s {
		if !unicode.IsSpace(r) {
			return s[i:]
		}
	}
	return ""
}

func trimRight(s string) string {
	for len(s) > 0 {
		r, n := utf8.DecodeLastRuneInString(s)
		if !unicode.IsSpace(r) {
			break
		}
		s = s[:len(s)-n]
	}
	return s
}
