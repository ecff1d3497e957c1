package added

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Token is an entry of added_tokens: a text that is one token wherever it stands, whatever the merges say.
type Token struct {
	ID         int    `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"` // only between characters that belong to no word
	LStrip     bool   `json:"lstrip"`      // takes white space before it along
	RStrip     bool   `json:"rstrip"`      // and behind it
	Normalized bool   `json:"normalized"`  // is looked for in the normalized text
	Special    bool   `json:"special"`
}

// Set finds added tokens in a text, at each place the longest. The zero value has none.
type Set struct {
	first  [256]bool // bytes that they begin with
	firsts []byte    // the same: one, for the most part
	root   node      // of a trie
}

type node struct {
	edges []edge // one, for the most part
	token *Token
}

type edge struct {
	by byte
	to *node
}

// child is nil where there is none.
func (n *node) child(b byte) *node {
	for _, e := range n.edges {
		if e.by == b {
			return e.to
		}
	}
	return nil
}

// Add has a token found where text stands, which is its content but for a normalizer. An empty one is found nowhere.
func (s *Set) Add(text string, token *Token) {
	if text == "" {
		return
	}
	if !s.first[text[0]] {
		s.first[text[0]], s.firsts = true, append(s.firsts, text[0])
	}
	n := &s.root
	for i := range len(text) {
		to := n.child(text[i])
		if to == nil {
			to = &node{}
			n.edges = append(n.edges, edge{text[i], to})
		}
		n = to
	}
	n.token = token
}

// find returns the first added token at or after position from and where it begins and ends, or nil.
func (s *Set) find(text string, from int) (token *Token, start, end int) {
	for i := s.next(text, from); i < len(text); i = s.next(text, i+1) {
		n := &s.root
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
func (s *Set) next(text string, from int) int {
	switch len(s.firsts) {
	case 0:
		return len(text)
	case 1:
		if n := strings.IndexByte(text[from:], s.firsts[0]); n >= 0 {
			return from + n
		}
		return len(text)
	}
	for from < len(text) && !s.first[text[from]] {
		from++
	}
	return from
}

// Cut calls plain for the text between added tokens and added for each of them, in order, until one returns false.
func (s *Set) Cut(text string, plain func(string) bool, added func(id int) bool) bool {
	done := 0
	for at := 0; ; {
		token, start, end := s.find(text, at)
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
