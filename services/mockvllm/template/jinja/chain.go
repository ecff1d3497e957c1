package jinja

import (
	"strconv"
	"strings"
)

func (p *parser) postfix(e expr) expr {
	for {
		switch {
		case p.op("."):
			t := p.next()
			switch t.kind {
			case tokName:
				e = &attrExpr{e, t.text}
			case tokInt:
				n, _ := strconv.ParseInt(t.text, 10, 64)
				e = &itemExpr{e, constExpr{n}}
			default:
				p.fail("expected name or number")
			}
		case p.op("["):
			e = p.subscript(e)
		case p.is(tokOp, "("):
			e = &callExpr{fn: e, args: p.args()}
		default:
			return e
		}
	}
}

func (p *parser) subscript(e expr) expr {
	var parts [3]expr
	n, slice := 0, false
	for !p.op("]") {
		switch {
		case p.op(":"):
			slice = true
			if n++; n > 2 {
				p.fail("unexpected ':'")
			}
		case parts[n] != nil:
			p.failExpected("]")
		default:
			parts[n] = p.expr()
		}
	}
	if slice {
		return &sliceExpr{e, parts}
	}
	if parts[0] == nil {
		p.fail("expected subscript expression")
	}
	return &itemExpr{e, parts[0]}
}

func (p *parser) args() arguments {
	var a arguments
	p.wantOp("(")
	for first := true; !p.op(")"); first = false {
		if !first {
			p.wantOp(",")
			if p.op(")") {
				break
			}
		}
		if p.is(tokName) && p.toks[p.at+1].kind == tokOp && p.toks[p.at+1].text == "=" {
			a.names = append(a.names, p.next().text)
			p.at++
			a.named = append(a.named, p.expr())
			continue
		}
		if p.is(tokOp, "*", "**") {
			p.fail("argument unpacking is not supported")
		}
		a.list = append(a.list, p.expr())
	}
	return a
}

// filters takes the filters and tests behind an expression.
func (p *parser) filters(e expr) expr {
	for {
		switch {
		case p.is(tokOp, "|"):
			p.at++
			e = p.filterChain(e)
		case p.word("is"):
			e = p.test(e)
		case p.is(tokOp, "("):
			e = &callExpr{fn: e, args: p.args()}
		default:
			return e
		}
	}
}

func (p *parser) dotted() string {
	name := p.wantName()
	for p.op(".") {
		name += "." + p.wantName()
	}
	return name
}

// filterChain takes filters with a bar between them; e is what the first is applied to.
func (p *parser) filterChain(e expr) expr {
	if e == nil {
		e = captured{}
	}
	for {
		name := p.dotted()
		f := &filterExpr{value: e, name: name, fn: filters[name]}
		if f.fn == nil {
			p.fail("No filter named '%s'.", name)
		}
		if p.is(tokOp, "(") {
			f.args = p.args()
		}
		e = f
		if !p.op("|") {
			return e
		}
	}
}

func (p *parser) test(e expr) expr {
	negated := p.word("not")
	name := p.dotted()
	t := &testExpr{value: e, fn: tests[name]}
	if t.fn == nil {
		p.fail("No test named '%s'.", name)
	}
	switch {
	case p.is(tokOp, "("):
		t.args = p.args()
	case p.is(tokString), p.is(tokInt), p.is(tokFloat), p.is(tokOp, "[", "{"),
		p.is(tokName) && !strings.Contains(" else or and if is in not ", " "+p.peek().text+" "):
		t.args.list = []expr{p.postfix(p.primary())}
	}
	if negated {
		return &notExpr{t}
	}
	return t
}
