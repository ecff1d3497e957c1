package grammar

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/guidance"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/xgrammar"
)

// part is nil where a sequence ends.
func (r *larkReader) part() (*node, error) {
	start := r.at
	if r.at == len(r.text) || strings.IndexByte("\n|)]}", r.text[r.at]) >= 0 {
		return nil, nil
	}
	switch {
	case r.take("("):
		return r.group(")", 1, 1)
	case r.take("["):
		return r.group("]", 0, 1)
	case r.text[r.at] == '"':
		return r.literal()
	case r.text[r.at] == '/':
		m := r.match(larkRegexp)
		if m == nil { // it may go over lines, and has no end
			return nil, r.failAt(len(r.text)+1, "lexer error")
		}
		flags := strings.Trim(m[2], "lux")
		if flags != "" {
			flags = "(?" + flags + ")"
		}
		pattern := strings.ReplaceAll(m[1], `\/`, `/`)
		takes := xgrammar.TakesRegex(pattern)
		if fault := guidance.CheckRegex(pattern, false); fault != nil && !takes {
			return nil, r.failAt(start, "%s", fault.Invalid())
		}
		r.g.Second = r.g.Second || !takes
		g, err := Regexp(flags + pattern)
		switch {
		case err != nil && !takes:
			return nil, ErrEndless
		case err != nil:
			return nil, err
		}
		return g.start, nil
	}
	m := r.match(larkName)
	if m == nil {
		return nil, r.unexpected("Expected value")
	}
	if _, ok := r.refs[m[0]]; !ok {
		r.names, r.refs[m[0]] = append(r.names, m[0]), r.from
	}
	return &node{op: opRule, text: m[0]}, nil
}

func (r *larkReader) group(end string, least, most int) (*node, error) {
	n, err := r.choice(true)
	if err != nil {
		return nil, err
	}
	if r.lines(); !r.take(end) {
		return nil, r.unexpected("Expected token '" + end + "', found $")
	}
	if least == 1 {
		return n, nil
	}
	return &node{op: opRepeat, min: least, max: most, subs: []*node{n}}, nil
}

// unexpected refuses the token that comes, or what is none. Where a text breaks off depends on what it could have become.
func (r *larkReader) unexpected(what string) error {
	token, kind := "\n", ""
	if r.at < len(r.text) {
		token = r.text[r.at : r.at+1]
	}
	switch m := larkString.FindString(r.text[r.at:]); {
	case m != "":
		token, kind = m, `"string..."`
	case strings.Contains("*+?", token):
		kind = "'+' or '*' or '?'"
	case strings.Contains("\n()[]{}:=,.~|", token):
		kind = "'" + strings.Trim(strconv.Quote(token), `"`) + "'"
	default:
		at := r.at
		if token == "%" || token == "@" { // of a directive, or of the name of another grammar
			at++
		}
		return r.failAt(at, "lexer error")
	}
	return r.failAt(r.at, "%s (at %q (%s))", strings.ReplaceAll(what, "$", kind), token, kind)
}

func (r *larkReader) literal() (*node, error) {
	m := r.match(larkString)
	if m == nil {
		return nil, r.failAt(r.at+len(larkBegun.FindString(r.text[r.at:])), "lexer error")
	}
	var text string
	if err := json.Unmarshal([]byte(m[1]), &text); err != nil {
		return nil, err
	}
	from := &node{op: opText, text: text}
	if r.space(); !strings.HasPrefix(r.text[r.at:], "..") {
		return from, nil
	}
	r.at += 2
	r.space()
	var last string
	if m = r.match(larkString); m != nil {
		_ = json.Unmarshal([]byte(m[1]), &last) // which it is
	}
	if len([]rune(last)) != 1 || len([]rune(text)) != 1 || last < text {
		return nil, r.failAt(r.at, "invalid range")
	}
	return &node{op: opClass, ranges: []rune{[]rune(text)[0], []rune(last)[0]}}, nil
}

var (
	larkBraces = regexp.MustCompile(`^\{(\d+)(?:(,)(\d*))?\}`)
	larkTilde  = regexp.MustCompile(`^~\s*(\d+)(?:(\.\.)(\d+))?`)
)

func (r *larkReader) repeated(n *node) (*node, error) {
	out := &node{op: opRepeat, max: -1, subs: []*node{n}}
	r.space()
	switch {
	case r.take("*"):
		return out, nil
	case r.take("+"):
		out.min = 1
		return out, nil
	case r.take("?"):
		out.max = 1
		return out, nil
	}
	start := r.at
	m := r.match(larkBraces)
	if m == nil {
		if m = r.match(larkTilde); m == nil && !r.take("~") {
			return n, nil
		} else if m == nil {
			return nil, r.unexpected("Expected value")
		}
	}
	least, err := strconv.Atoi(m[1])
	out.min = least
	switch {
	case m[2] == "":
		out.max = least
	case m[3] != "" && err == nil:
		out.max, err = strconv.Atoi(m[3])
	}
	if err != nil || out.max >= 0 && out.max < out.min {
		return nil, r.failAt(start, "invalid repetition")
	}
	return out, nil
}
