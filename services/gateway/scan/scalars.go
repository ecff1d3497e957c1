package scan

import "bytes"

// Scalars visits the strings, numbers and words in a valid value, in order and however deep, but no keys. A visitor gets
// the bytes as they stand, those of a string without its quotes and with its escapes, and stops by returning false.
func Scalars(value []byte, visit func(raw []byte) bool) {
	for i := 0; i < len(value); {
		start := i
		switch c := value[i]; {
		case c == '"':
			i = closing(value, i)
			s := scanner{b: value}
			isKey := s.peek(s.space(i)) == ':'
			if !isKey && !visit(value[start+1:max(start+1, i-1)]) {
				return
			}
		case structural(c):
			i++
		default:
			for i < len(value) && !structural(value[i]) && value[i] != '"' {
				i++
			}
			if !visit(value[start:i]) {
				return
			}
		}
	}
}

// closing is the offset after the string that begins at the quote.
func closing(b []byte, quote int) int {
	for from := quote + 1; ; {
		next := bytes.IndexByte(b[from:], '"') // prompts are long
		if next < 0 {
			return len(b)
		}
		at := from + next
		text := b[from:at]
		if escapes := len(text) - len(bytes.TrimRight(text, `\`)); escapes%2 == 0 {
			return at + 1
		}
		from = at + 1
	}
}

func structural(c byte) bool {
	switch c {
	case '{', '}', '[', ']', ',', ':', ' ', '\n', '\t', '\r':
		return true
	}
	return false
}
