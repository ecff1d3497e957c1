package scan

import "bytes"

func (s *scanner) value(depth int) error {
	switch s.peek() {
	case '{':
		return s.object(depth, nil)
	case '[':
		return s.list(depth, ']', func() error { return s.value(depth + 1) })
	case '"':
		return s.str()
	default:
		return s.scalar()
	}
}

// str stands on the opening quote.
func (s *scanner) str() error {
	for s.pos++; s.pos < len(s.b); s.pos++ {
		switch c := s.b[s.pos]; {
		case c == '"':
			s.pos++
			return nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return err
			}
		case c < ' ':
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

var words = [][]byte{[]byte("true"), []byte("false"), []byte("null"), []byte("NaN"), []byte("Infinity"), []byte("-Infinity")}

func (s *scanner) scalar() error {
	for _, word := range words {
		if bytes.HasPrefix(s.b[s.pos:], word) {
			s.pos += len(word)
			return nil
		}
	}
	return s.number()
}

// number follows the grammar of RFC 8259, section 6.
func (s *scanner) number() error {
	if s.peek() == '-' {
		s.pos++
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
