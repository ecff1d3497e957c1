package scan

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strconv"
)

func (s *scanner) value(depth int) error {
	switch s.peek() {
	case '{':
		return s.object(depth, nil)
	case '[':
		return s.array(depth, nil)
	case '"':
		return s.str()
	default:
		return s.scalar()
	}
}

// plain are the bytes that mean only themselves in a string.
var plain = func() (table [256]bool) {
	for c := range table {
		table[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return table
}()

// Each byte of a word.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// special has a bit for the first byte of a word that is not plain, and none when all are; what follows is not to be believed. Bytes
// above 0x7f, which are plain, come out of the differences in any way, and are left out at the end.
func special(word uint64) uint64 {
	quote, slash := word^'"'*ones, word^'\\'*ones
	return ((word - ' '*ones) | (quote - ones) | (slash - ones)) &^ word & highs
}

// plainWords steps over plain bytes, eight at a time.
func (s *scanner) plainWords() {
	rest := s.b[s.pos:]
	for len(rest) >= 8 {
		if at := special(binary.LittleEndian.Uint64(rest)); at != 0 {
			rest = rest[bits.TrailingZeros64(at)/8:]
			break
		}
		rest = rest[8:]
	}
	s.pos = len(s.b) - len(rest)
}

// str stands on the opening quote.
func (s *scanner) str() error {
	for s.pos++; s.pos < len(s.b); s.pos++ {
		s.plainWords()
		if s.pos == len(s.b) {
			break
		}
		c := s.b[s.pos]
		if plain[c] {
			continue
		}
		switch c {
		case '"':
			s.pos++
			return nil
		case '\\':
			if err := s.escape(); err != nil {
				return err
			}
		default:
			return s.fail("control character in a string")
		}
	}
	return s.fail("unexpected end")
}

// escape stands on the backslash and stops on the last character of the escape.
func (s *scanner) escape() error {
	s.pos++
	c := s.peek()
	if c != 'u' {
		if c == 0 || bytes.IndexByte([]byte(`"\/bfnrt`), c) < 0 {
			return s.fail("invalid escape")
		}
		return nil
	}
	for range 4 {
		s.pos++
		c := s.peek() | 0x20
		if !(digit(s.peek()) || c >= 'a' && c <= 'f') {
			return s.fail("invalid escape")
		}
	}
	return nil
}

// words are the literals by their first character. Python's JSON has three more than RFC 8259.
var words = [256]string{'t': "true", 'f': "false", 'n': "null", 'N': "NaN", 'I': "Infinity"}

func (s *scanner) scalar() error {
	if word := words[s.peek()]; word != "" && bytes.HasPrefix(s.b[s.pos:], []byte(word)) {
		s.pos += len(word)
		return nil
	}
	return s.number()
}

// number follows the grammar of RFC 8259, section 6. -Infinity is Python's.
func (s *scanner) number() error {
	if s.peek() == '-' {
		s.pos++
		if s.peek() == 'I' {
			return s.scalar()
		}
	}
	if s.peek() == '0' {
		s.pos++
	} else if err := s.digits(); err != nil {
		return err
	}
	if s.peek() == '.' {
		s.pos++
		if err := s.digits(); err != nil {
			return err
		}
	}
	if s.peek()|0x20 == 'e' {
		s.pos++
		if s.peek() == '+' || s.peek() == '-' {
			s.pos++
		}
		return s.digits()
	}
	return nil
}

func (s *scanner) digits() error {
	if !digit(s.peek()) {
		return s.unexpected()
	}
	for digit(s.peek()) {
		s.pos++
	}
	return nil
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// Count reads a whole number that is not negative, such as one of tokens; 0 for any other value.
func Count(value []byte) int {
	n, err := strconv.ParseUint(string(value), 10, 31)
	if err != nil {
		return 0
	}
	return int(n)
}
