package jinja

import (
	"fmt"
	"slices"
	"strings"
)

// maxDepth bounds how deep statements and expressions of a source may nest, and calls of macros while rendering.
const maxDepth = 200

// maxSource is the longest source in bytes; the longest templates of models have 20,000.
const maxSource = 1 << 20

type parser struct {
	toks  []lexeme
	at    int
	depth int
}

func (p *parser) peek() lexeme { return p.toks[p.at] }

func (p *parser) next() lexeme {
	t := p.toks[p.at]
	if t.kind != tokEnd {
		p.at++
	}
	return t
}

// failure leaves the parser at once; Compile recovers it.
type failure struct{ err error }

func (p *parser) fail(format string, args ...any) {
	panic(failure{&SyntaxError{Message: fmt.Sprintf(format, args...), Line: p.peek().line}})
}

func (p *parser) enter() {
	if p.depth++; p.depth > maxDepth {
		p.fail("the template is nested too deeply")
	}
}

func (p *parser) leave() { p.depth-- }

func (p *parser) is(kind tokenKind, texts ...string) bool {
	t := p.peek()
	return t.kind == kind && (len(texts) == 0 || slices.Contains(texts, t.text))
}

func (p *parser) op(text string) bool {
	if p.is(tokOp, text) {
		p.at++
		return true
	}
	return false
}

func (p *parser) word(text string) bool {
	if p.is(tokName, text) {
		p.at++
		return true
	}
	return false
}

func (p *parser) wantOp(text string) {
	if !p.op(text) {
		p.failExpected(text)
	}
}

func (p *parser) failExpected(what string) {
	if p.is(tokEnd) {
		p.fail("unexpected end of template, expected '%s'.", what)
	}
	p.fail("expected token '%s', got '%s'", what, p.peek().describe())
}

func (p *parser) wantName() string {
	if !p.is(tokName) {
		p.failExpected("name")
	}
	return p.next().text
}

func (p *parser) wantEnd() {
	if !p.is(tokBlockEnd) {
		p.failExpected("end of statement block")
	}
	p.at++
}

func (t lexeme) describe() string {
	switch t.kind {
	case tokEnd:
		return "end of template"
	case tokBlockEnd:
		return "end of statement block"
	case tokVarEnd:
		return "end of print statement"
	}
	return t.text
}

// body takes statements up to a block that begins with one of the given words, and that word.
func (p *parser) body(until ...string) []stmt {
	p.enter()
	defer p.leave()
	var out []stmt
	for {
		switch t := p.next(); t.kind {
		case tokEnd:
			if len(until) > 0 {
				p.fail("Unexpected end of template. Jinja was looking for the following tags: %s. "+
					"The innermost block that needs to be closed is '%s'.", alternatives(until), strings.TrimPrefix(until[len(until)-1], "end"))
			}
			return out
		case tokText:
			out = append(out, textStmt(t.text))
		case tokVarBegin:
			e := p.tuple()
			if !p.is(tokVarEnd) {
				p.failExpected("end of print statement")
			}
			p.at++
			out = append(out, printStmt{e})
		case tokBlockBegin:
			if p.is(tokName, until...) && len(until) > 0 {
				return out
			}
			out = append(out, p.statement())
		default:
			p.fail("unexpected '%s'", t.describe())
		}
	}
}

// alternatives lists end tags as Jinja does, "'elif' or 'else' or 'endif'", with that of a loop first.
func alternatives(tags []string) string {
	tags = slices.Clone(tags)
	if tags[0] == "else" {
		slices.Reverse(tags)
	}
	return "'" + strings.Join(tags, "' or '") + "'"
}

// block takes the body of a statement whose tag is complete, and its end tag.
func (p *parser) block(end string) []stmt {
	p.wantEnd()
	b := p.body(end)
	p.at++
	p.wantEnd()
	return b
}
