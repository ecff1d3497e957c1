package scan

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/internal/octets"
)

func (s *scanner) value(i, depth int) int {
	switch s.peek(i) {
	case '{':
		return s.object(i, depth, nil)
	case '[':
		return s.array(i, depth, nil)
	case '"':
		return s.str(i)
	default:
		return s.scalar(i)
	}
}

// isPrintable tells ASCII without control characters, which nearly all JSON is.
func isPrintable(b []byte) bool {
	var found uint64
	for ; len(b) >= 32; b = b[32:] {
		w, x, y, z := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])
		found |= w | (w - ' '*octets.Each) | x | (x - ' '*octets.Each) | y | (y - ' '*octets.Each) | z | (z - ' '*octets.Each)
	}
	for _, c := range b {
		if c < ' ' || c >= utf8.RuneSelf {
			return false
		}
	}
	return found&octets.High == 0
}

// long is from where on a string is searched by larger pieces than words.
const long = 32

// str stands on the opening quote.
func (s *scanner) str(i int) int {
	b := s.b
	for i++; ; i++ {
		for begun := i; len(b)-i >= 8; i += 8 {
			if at := octets.Special(binary.LittleEndian.Uint64(b[i:])); at != 0 {
				i += bits.TrailingZeros64(at) / 8
				break
			}
			if s.printable && i-begun >= long {
				i += plain(b[i:])
				break
			}
		}
		if i >= len(b) {
			return s.fail(i, "unexpected end")
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			if i = s.escape(i); i < 0 {
				return -1
			}
		case c < ' ':
			return s.fail(i, "control character in a string")
		}
	}
}

// plain is how many bytes of a long printable string mean only themselves, or fewer: it does not look too far, as
// what follows the next escape is searched anew.
func plain(b []byte) int {
	const far = 1 << 10
	b = b[:min(len(b), far)]
	if quote := bytes.IndexByte(b, '"'); quote >= 0 {
		b = b[:quote]
	}
	if slash := bytes.IndexByte(b, '\\'); slash >= 0 {
		return slash
	}
	return len(b)
}

// escape stands on the backslash, and returns where the last character of the escape is.
func (s *scanner) escape(i int) int {
	i++
	if c := s.peek(i); c != 'u' {
		if c == 0 || bytes.IndexByte([]byte(`"\/bfnrt`), c) < 0 {
			return s.fail(i, "invalid escape")
		}
		return i
	}
	for range 4 {
		i++
		if c := s.peek(i) | 0x20; !(digit(s.peek(i)) || c >= 'a' && c <= 'f') {
			return s.fail(i, "invalid escape")
		}
	}
	return i
}

// words are the literals by their first character. Python's JSON has three more than RFC 8259.
var words = [256]string{'t': "true", 'f': "false", 'n': "null", 'N': "NaN", 'I': "Infinity"}

func (s *scanner) scalar(i int) int {
	if word := words[s.peek(i)]; word != "" && bytes.HasPrefix(s.b[i:], []byte(word)) {
		return i + len(word)
	}
	return s.number(i)
}

// number follows the grammar of RFC 8259, section 6. -Infinity is Python's.
func (s *scanner) number(i int) int {
	if s.peek(i) == '-' {
		i++
		if s.peek(i) == 'I' {
			return s.scalar(i)
		}
	}
	if s.peek(i) == '0' {
		i++
	} else if i = s.digits(i); i < 0 {
		return -1
	}
	if s.peek(i) == '.' {
		if i = s.digits(i + 1); i < 0 {
			return -1
		}
	}
	if s.peek(i)|0x20 != 'e' {
		return i
	}
	i++
	if s.peek(i) == '+' || s.peek(i) == '-' {
		i++
	}
	return s.digits(i)
}

func (s *scanner) digits(i int) int {
	if !digit(s.peek(i)) {
		return s.unexpected(i)
	}
	for digit(s.peek(i)) {
		i++
	}
	return i
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// Count reads a whole number that is not negative, such as one of tokens; 0 for any other value.
func Count(value []byte) int {
	n := 0
	for _, c := range value {
		if !digit(c) || n > math.MaxInt32/10 {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	if n > math.MaxInt32 {
		return 0
	}
	return n
}
