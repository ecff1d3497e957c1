package httptools

type state byte

const (
	inMethod state = iota
	beforeTarget
	inTarget
	beforeVersion
	inVersion
	afterVersion
	lineEnd // CR was read
	lineStart
	inName
	beforeValue
	inValue
	valueEnd
	headEnd
)

// Parser reads one head. Parse is given all bytes since its beginning each time, and looks at each of them once.
type Parser struct {
	Head
	state state
	pos   int // bytes that were looked at
	mark  int // where the current token begins
}

// Reset makes the parser ready for the next request and keeps its memory.
func (p *Parser) Reset() {
	fields := p.Fields[:0]
	*p = Parser{}
	p.Fields = fields
}

// Started tells whether a byte of a request was read.
func (p *Parser) Started() bool { return p.pos > 0 }

// Parse returns the length of the head, 0 while it has no end yet, or ErrInvalid as soon as no end can mend it. The
// buffer must be shorter than 2 GiB.
func (p *Parser) Parse(buf []byte) (int, error) {
	for p.pos < len(buf) {
		var ok bool
		switch p.state {
		case inMethod:
			ok = p.method(buf)
		case inName, inValue, inTarget:
			ok = p.token(buf)
		case inVersion:
			ok = p.version(buf)
		case headEnd:
			p.Upgrade = p.wants && p.named || p.Method == "CONNECT"
			if buf[p.pos] != '\n' || p.coded && !p.Chunked && !p.Upgrade {
				return 0, ErrInvalid
			}
			return p.pos + 1, nil
		default:
			ok = p.between(buf[p.pos])
		}
		if !ok {
			return 0, ErrInvalid
		}
	}
	return 0, nil
}

// between handles single bytes that separate tokens.
func (p *Parser) between(b byte) bool {
	at := p.state
	switch {
	case at == beforeTarget && b == ' ', at == beforeVersion && b == ' ', at == beforeValue && (b == ' ' || b == '\t'):
	case at == beforeTarget:
		return p.begin(inTarget)
	case at == beforeVersion:
		return p.begin(inVersion)
	case at == afterVersion && b == '\r':
		p.state = lineEnd
	case (at == lineEnd || at == valueEnd) && b == '\n':
		p.state = lineStart
	case at == lineStart && b == '\r':
		p.state = headEnd
	case at == lineStart:
		return p.begin(inName)
	case at == beforeValue:
		return p.begin(inValue)
	default:
		return false
	}
	p.pos++
	return true
}

func (p *Parser) begin(next state) bool {
	p.state, p.mark = next, p.pos
	return true
}

// method accepts the beginning of a known one, and its end.
func (p *Parser) method(buf []byte) bool {
	n := 0
	for n < len(buf) && (buf[n] >= 'A' && buf[n] <= 'Z' || buf[n] == '-') {
		n++
	}
	if n == len(buf) {
		p.pos = n
		return beginsMethod(buf)
	}
	if p.Method = "POST"; string(buf[:n]) != p.Method { // as most
		p.Method = methods[string(buf[:n])]
	}
	p.pos, p.state = n+1, beforeTarget
	return p.Method != "" && buf[n] == ' '
}

// token runs to the end of a target, a name or a value.
func (p *Parser) token(buf []byte) bool {
	class := byte(inTargetChar)
	switch p.state {
	case inName:
		class = inNameChar
	case inValue:
		class = inValueChar
	}
	for p.pos < len(buf) && classes[buf[p.pos]]&class != 0 {
		p.pos++
	}
	if p.pos == len(buf) {
		return true
	}
	s := Span{int32(p.mark), int32(p.pos)}
	switch b := buf[p.pos]; {
	case p.state == inTarget && (b == ' ' || b == '\r' || b == '\n') && s.from < s.to:
		if !p.target(buf, s, b) {
			return false
		}
	case p.state == inName && b == ':' && s.from < s.to:
		p.Fields = append(p.Fields, Field{Name: s})
		p.state = beforeValue
	case p.state == inValue && b == '\r':
		p.Fields[len(p.Fields)-1].Value = s
		p.state = valueEnd
		if !p.special(buf[p.Fields[len(p.Fields)-1].Name.from:p.Fields[len(p.Fields)-1].Name.to], buf[s.from:s.to]) {
			return false
		}
	default:
		return false
	}
	p.pos++
	return true
}

// target reads path and query. A line without a version is HTTP/0.9, and may end with a line feed alone.
func (p *Parser) target(buf []byte, s Span, end byte) bool {
	p.Target = s
	switch end {
	case ' ':
		p.state = beforeVersion
	case '\r':
		p.Minor, p.state = 9, lineEnd
	default:
		p.Minor, p.state = 9, lineStart
	}
	var ok bool
	p.Path, p.Query, ok = splitTarget(buf, s)
	return ok
}

// version accepts HTTP/ and one of the four versions that there are, byte by byte.
func (p *Parser) version(buf []byte) bool {
	const form = "HTTP/#.#"
	at := p.pos - p.mark
	b := buf[p.pos]
	switch {
	case form[at] != '#':
		if b != form[at] {
			return false
		}
	case b < '0' || b > '9':
		return false
	case at == len("HTTP/"):
		p.Major = b - '0'
	default:
		p.Minor = b - '0'
		p.state = afterVersion
	}
	p.pos++
	if p.state != afterVersion {
		return true
	}
	switch [2]byte{p.Major, p.Minor} {
	case [2]byte{0, 9}, [2]byte{1, 0}, [2]byte{1, 1}, [2]byte{2, 0}:
		return true
	}
	return false
}
