package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// End is the id of the token with which a model ends its answer.
const End = 1

// specials are the control tokens, by id. No other token has an id below idBase.
var specials = []string{"<|begin|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>", "<|tool|>"}

const (
	pieceBytes = 6   // longest piece: ids stay below 2^53, so that JavaScript reads them unharmed
	idBase     = 256 // ids of pieces: the bytes of the piece after a leading 1, as one big-endian number
	// LongestToken is the length of the longest token in characters. vLLM refuses a text that is longer than that many
	// characters for each token of the context without tokenizing it.
	LongestToken = len("<|assistant|>")
)

// Encode cuts text into tokens: control tokens, and pieces of a word or of white space with at most six bytes, each
// whole UTF-8. The pieces of valid UTF-8 joined are the text, byte for byte.
func Encode(text string) []int {
	ids := make([]int, 0, len(text)/4+1)
	for text != "" {
		if id, n := special(text); n > 0 {
			ids = append(ids, id)
			text = text[n:]
			continue
		}
		n := pieceLen(text)
		ids = append(ids, pieceID(text[:n]))
		text = text[n:]
	}
	return ids
}

// encodePlain is Encode for text in which control tokens are ordinary text: what a model itself writes.
func encodePlain(text string) []int {
	ids := make([]int, 0, len(text)/4+1)
	for text != "" {
		n := pieceLen(text)
		ids = append(ids, pieceID(text[:n]))
		text = text[n:]
	}
	return ids
}

// Decode joins the text of tokens. Ids that no text gives add nothing, as in vLLM.
func Decode(ids []int) string {
	var b strings.Builder
	for _, id := range ids {
		b.WriteString(Piece(id))
	}
	return b.String()
}

// Piece returns the text of one token, or "" for an id that stands for none.
func Piece(id int) string {
	if id >= 0 && id < len(specials) {
		return specials[id]
	}
	if id < idBase {
		return ""
	}
	var buf [pieceBytes]byte
	n := pieceBytes
	for ; id > 1; id >>= 8 {
		if n == 0 {
			return ""
		}
		n--
		buf[n] = byte(id)
	}
	if id != 1 {
		return ""
	}
	return string(buf[n:])
}

// Known tells whether id is a token of the vocabulary.
func Known(id int) bool { return Piece(id) != "" }

func pieceID(piece string) int {
	id := 1
	for i := range len(piece) {
		id = id<<8 | int(piece[i])
	}
	return id
}

func special(text string) (id, n int) {
	if text[0] != '<' {
		return 0, 0
	}
	for id, s := range specials {
		if strings.HasPrefix(text, s) {
			return id, len(s)
		}
	}
	return 0, 0
}

// pieceLen finds the end of the first piece: one space at most before a word, words and white space apart, punctuation alone.
func pieceLen(text string) int {
	n := 0
	if len(text) > 1 && text[0] == ' ' && wordRune(text[1:]) {
		n = 1
	}
	first, size := utf8.DecodeRuneInString(text[n:])
	n += size
	kind := kindOf(first)
	if kind == other {
		return n
	}
	for n < len(text) {
		r, size := utf8.DecodeRuneInString(text[n:])
		if kindOf(r) != kind || n+size > pieceBytes {
			break
		}
		n += size
	}
	return n
}

type runeKind int

const (
	other runeKind = iota
	word
	space
)

func kindOf(r rune) runeKind {
	switch {
	case unicode.IsLetter(r) || unicode.IsDigit(r):
		return word
	case unicode.IsSpace(r):
		return space
	}
	return other
}

func wordRune(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return kindOf(r) == word
}

// Vocabulary is one more than the highest id that a token can have.
const Vocabulary = 1 << (8*pieceBytes + 1)
