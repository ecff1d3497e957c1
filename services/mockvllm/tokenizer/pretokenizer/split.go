package pretokenizer

import (
	"unicode"
	"unicode/utf8"
)

// kind is what the patterns of the families tell apart.
type kind uint8

const (
	other kind = iota
	letter
	number
	space
	newline // \r and \n, white space too
)

var asciiKinds = func() (kinds [utf8.RuneSelf]kind) {
	for r := range rune(utf8.RuneSelf) {
		kinds[r] = unicodeKind(r)
	}
	kinds['\r'], kinds['\n'] = newline, newline
	return kinds
}()

func unicodeKind(r rune) kind {
	switch {
	case unicode.IsLetter(r):
		return letter
	case unicode.IsNumber(r):
		return number
	case unicode.IsSpace(r):
		return space
	}
	return other
}

// kindAt returns the kind and the length of the character at the begin of text; the length is 0 at its end.
func kindAt(text string) (k kind, n int) {
	if text == "" {
		return other, 0
	}
	if text[0] < utf8.RuneSelf {
		return asciiKinds[text[0]], 1
	}
	r, n := utf8.DecodeRuneInString(text)
	return unicodeKind(r), n
}

// run returns the length of the characters of the given kind at the begin of text.
func run(text string, want kind) int {
	at := 0
	for at < len(text) && text[at] < utf8.RuneSelf && asciiKinds[text[at]] == want { // as most
		at++
	}
	if at < len(text) && text[at] < utf8.RuneSelf {
		return at
	}
	for {
		k, n := kindAt(text[at:])
		if n == 0 || k != want {
			return at
		}
		at += n
	}
}

// spaces measures the white space at the begin of text: \s+(?!\S) or, when that fails, \s+. So the last character stays
// for the word behind it, unless it is the only one. breaks is where the last line break ends, 0 without one.
func spaces(text string) (n, breaks int) {
	last := 0
	for {
		k, size := kindAt(text[n:])
		if size == 0 {
			return n, breaks
		}
		if k != space && k != newline {
			break
		}
		last = size
		n += size
		if k == newline {
			breaks = n
		}
	}
	if n > last {
		n -= last
	}
	return n, breaks
}

// gpt2 is the pattern of GPT-2, which the pre-tokenizer ByteLevel has built in.
func gpt2(text string) (n int, drop bool) {
	if n := contraction(text, false); n > 0 {
		return n, false
	}
	k, _ := kindAt(text)
	at := 0
	if text[0] == ' ' {
		if next, size := kindAt(text[1:]); size > 0 && next != space && next != newline {
			k, at = next, 1
		}
	}
	if k == space || k == newline {
		n, _ := spaces(text)
		return n, false
	}
	return at + run(text[at:], k), false
}

// cl100k is the pattern of GPT-4, Llama 3 and Qwen, which differ in how many digits go together.
func cl100k(digits int) func(string) (int, bool) {
	return func(text string) (int, bool) {
		if n := contraction(text, true); n > 0 {
			return n, false
		}
		k, size := kindAt(text)
		if k == letter {
			return run(text, letter), false
		}
		if k == number {
			return firstDigits(text, digits), false
		}
		next, _ := kindAt(text[size:])
		if k != newline && next == letter {
			return size + run(text[size:], letter), false
		}
		if k == other || text[0] == ' ' && len(text) > 1 && next == other {
			n := size + run(text[size:], other)
			return n + run(text[n:], newline), false
		}
		n, breaks := spaces(text)
		if breaks > 0 {
			n = breaks
		}
		return n, false
	}
}

func firstDigits(text string, most int) int {
	at := 0
	for range most {
		k, n := kindAt(text[at:])
		if n == 0 || k != number {
			break
		}
		at += n
	}
	return at
}

// contraction returns the length of 's, 't, 're, 've, 'm, 'll or 'd at the begin of text. With fold upper case counts, and
// the long s (U+017F), which folds to s.
func contraction(text string, fold bool) int {
	if len(text) < 2 || text[0] != '\'' {
		return 0
	}
	lower := func(at int) byte {
		if at < len(text) && fold && text[at] >= 'A' && text[at] <= 'Z' {
			return text[at] + 'a' - 'A'
		}
		if at < len(text) {
			return text[at]
		}
		return 0
	}
	second := lower(2)
	switch lower(1) {
	case 's', 't', 'm', 'd':
		return 2
	case 'r', 'v':
		if second == 'e' {
			return 3
		}
	case 'l':
		if second == 'l' {
			return 3
		}
	}
	if fold && len(text) > 2 && text[1:3] == "ſ" {
		return 3
	}
	return 0
}
