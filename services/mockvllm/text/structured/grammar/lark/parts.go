package lark

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/grammar"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/guidance/regex"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/xgrammar"
)

// part is nil where a sequence ends.
func (r *reader) part() (*grammar.Node, error) {
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
		m := r.match(regexpRE)
		if m == nil { // it may go over lines, and has no end
			return nil, r.failAt(len(r.text)+1, "lexer error")
		}
		flags := strings.Trim(m[2], "lux")
		if flags != "" {
			flags = "(?" + flags + ")"
		}
		pattern := strings.ReplaceAll(m[1], `\/`, `/`)
		takes := xgrammar.TakesRegex(pattern)
		if fault := regex.Check(pattern, false); fault != nil && !takes {
			return nil, r.failAt(start, "%s", fault.Invalid())
		}
		r.second = r.second || !takes
		g, err := grammar.Regexp(flags + pattern)
		switch {
		case err != nil && !takes:
			return nil, grammar.ErrEndless
		case err != nil:
			return nil, err
		}
		return g.Start(), nil
	}
	m := r.match(nameRE)
	if m == nil {
		return nil, r.unexpected("Expected value")
	}
	if _, ok := r.refs[m[0]]; !ok {
		r.names, r.refs[m[0]] = append(r.names, m[0]), r.from
	}
	return grammar.Rule(m[0]), nil
}

func (r *reader) group(end string, least, most int) (*grammar.Node, error) {
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
	return grammar.Repeat(n, least, most), nil
}

// unexpected refuses the token that comes, or what is none. Where a text breaks off depends on what it could have become.
func (r *reader) unexpected(what string) error {
	token, kind := "\n", ""
	if r.at < len(r.text) {
		token = r.text[r.at : r.at+1]
	}
	switch m := stringRE.FindString(r.text[r.at:]); {
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

func (r *reader) literal() (*grammar.Node, error) {
	m := r.match(stringRE)
	if m == nil {
		return nil, r.failAt(r.at+len(begunRE.FindString(r.text[r.at:])), "lexer error")
	}
	var text string
	if err := json.Unmarshal([]byte(m[1]), &text); err != nil {
		return nil, err
	}
	from := grammar.Text(text)
	if r.space(); !strings.HasPrefix(r.text[r.at:], "..") {
		return from, nil
	}
	r.at += 2
	r.space()
	var last string
	if m = r.match(stringRE); m != nil {
		_ = json.Unmarshal([]byte(m[1]), &last) // which it is
	}
	if len([]rune(last)) != 1 || len([]rune(text)) != 1 || last < text {
		return nil, r.failAt(r.at, "invalid range")
	}
	return grammar.Class([]rune(text)[0], []rune(last)[0]), nil
}

var (
	bracesRE = regexp.MustCompile(`^\{(\d+)(?:(,)(\d*))?\}`)
	tildeRE  = regexp.MustCompile(`^~\s*(\d+)(?:(\.\.)(\d+))?`)
)

func (r *reader) repeated(n *grammar.Node) (*grammar.Node, error) {
	r.space()
	switch {
	case r.take("*"):
		return grammar.Repeat(n, 0, -1), nil
	case r.take("+"):
		return grammar.Repeat(n, 1, -1), nil
	case r.take("?"):
		return grammar.Repeat(n, 0, 1), nil
	}
	start := r.at
	m := r.match(bracesRE)
	if m == nil {
		if m = r.match(tildeRE); m == nil && !r.take("~") {
			return n, nil
		} else if m == nil {
			return nil, r.unexpected("Expected value")
		}
	}
	least, err := strconv.Atoi(m[1])
	most := -1
	switch {
	case m[2] == "":
		most = least
	case m[3] != "" && err == nil:
		most, err = strconv.Atoi(m[3])
	}
	if err != nil || most >= 0 && most < least {
		return nil, r.failAt(start, "invalid repetition")
	}
	return grammar.Repeat(n, least, most), nil
}
