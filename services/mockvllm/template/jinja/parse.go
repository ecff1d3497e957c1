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

func (p *parser) statement() stmt {
	if !p.is(tokName) {
		p.fail("tag name expected")
	}
	switch name := p.next().text; name {
	case "if":
		return p.ifStmt()
	case "for":
		return p.forStmt()
	case "set":
		return p.setStmt()
	case "macro":
		name := p.wantName()
		return &macroStmt{name: name, macro: p.signature(name, "endmacro")}
	case "call":
		caller := &macroDef{name: "caller"}
		if p.is(tokOp, "(") {
			p.params(caller)
		}
		call, ok := p.expr().(*callExpr)
		if !ok {
			p.fail("expected call")
		}
		caller.body = p.block("endcall")
		return &callStmt{call, caller}
	case "filter":
		f := p.filterChain(nil)
		return &filterStmt{f, p.block("endfilter")}
	case "with":
		return p.withStmt()
	case "generation":
		return &withStmt{body: p.block("endgeneration")}
	case "break":
		p.wantEnd()
		return signalStmt{errBreak}
	case "continue":
		p.wantEnd()
		return signalStmt{errContinue}
	default:
		p.at--
		p.fail("Encountered unknown tag '%s'.", name)
		return nil
	}
}

func (p *parser) ifStmt() stmt {
	s := &ifStmt{cond: p.tuple()}
	p.wantEnd()
	s.then = p.body("elif", "else", "endif")
	switch p.next().text {
	case "elif":
		p.enter()
		s.other = []stmt{p.ifStmt()}
		p.leave()
		return s
	case "else":
		s.other = p.block("endif")
		return s
	}
	p.wantEnd()
	return s
}

func (p *parser) forStmt() stmt {
	s := &forStmt{target: p.target()}
	if !p.word("in") {
		p.failExpected("in")
	}
	s.iter = p.tupleOf(p.or)
	if p.word("if") {
		s.cond = p.expr()
	}
	if p.word("recursive") {
		p.fail("recursive loops are not supported")
	}
	p.wantEnd()
	s.body = p.body("else", "endfor")
	if p.next().text == "else" {
		s.empty = p.block("endfor")
		return s
	}
	p.wantEnd()
	return s
}

// target takes what is assigned to: names, or one attribute of a namespace.
func (p *parser) target() target {
	var t target
	for {
		paren := p.op("(")
		t.names = append(t.names, p.wantName())
		if len(t.names) == 1 && p.op(".") {
			t.attr = p.wantName()
			return t
		}
		for paren && p.op(",") {
			t.names = append(t.names, p.wantName())
		}
		if paren {
			t.unpack = true
			p.wantOp(")")
		}
		if !p.op(",") {
			return t
		}
		t.unpack = true
		if p.is(tokName, "in") || p.is(tokOp, "=") {
			return t
		}
	}
}

func (p *parser) setStmt() stmt {
	s := &setStmt{target: p.target()}
	if p.op("=") {
		s.value = p.tuple()
		p.wantEnd()
		return s
	}
	if p.is(tokOp, "|") {
		s.filter = p.filters(captured{})
	}
	s.body = p.block("endset")
	s.block = true
	return s
}

func (p *parser) withStmt() stmt {
	s := &withStmt{}
	for !p.is(tokBlockEnd) {
		if len(s.names) > 0 {
			p.wantOp(",")
		}
		s.names = append(s.names, p.wantName())
		p.wantOp("=")
		s.values = append(s.values, p.expr())
	}
	s.body = p.block("endwith")
	return s
}

func (p *parser) signature(name, end string) *macroDef {
	m := &macroDef{name: name}
	p.params(m)
	m.body = p.block(end)
	return m
}

func (p *parser) params(m *macroDef) {
	p.wantOp("(")
	for !p.op(")") {
		if len(m.params) > 0 {
			p.wantOp(",")
		}
		m.params = append(m.params, p.wantName())
		if p.op("=") {
			m.defaults = append(m.defaults, p.expr())
		} else if len(m.defaults) > 0 {
			p.fail("non-default argument follows default argument")
		}
	}
}
