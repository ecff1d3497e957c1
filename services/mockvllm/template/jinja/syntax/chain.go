package syntax

import (
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/lexer"
)

func (p *parser) postfix(e Expr) Expr {
	for {
		switch {
		case p.op("."):
			t := p.next()
			switch t.Kind {
			case lexer.Name:
				e = &Attr{e, t.Text}
			case lexer.Int:
				n, _ := strconv.ParseInt(t.Text, 10, 64)
				e = &Item{e, Const{n}}
			default:
				p.fail("expected name or number")
			}
		case p.op("["):
			e = p.subscript(e)
		case p.is(lexer.Op, "("):
			e = &Call{Fn: e, Args: p.args()}
		default:
			return e
		}
	}
}

func (p *parser) subscript(e Expr) Expr {
	var parts [3]Expr
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
		return &Slice{e, parts}
	}
	if parts[0] == nil {
		p.fail("expected subscript expression")
	}
	return &Item{e, parts[0]}
}

func (p *parser) args() Arguments {
	var a Arguments
	p.wantOp("(")
	for first := true; !p.op(")"); first = false {
		if !first {
			p.wantOp(",")
			if p.op(")") {
				break
			}
		}
		if p.is(lexer.Name) && p.toks[p.at+1].Kind == lexer.Op && p.toks[p.at+1].Text == "=" {
			a.Names = append(a.Names, p.next().Text)
			p.at++
			a.Named = append(a.Named, p.expr())
			continue
		}
		if p.is(lexer.Op, "*", "**") {
			p.fail("argument unpacking is not supported")
		}
		a.List = append(a.List, p.expr())
	}
	return a
}

// filters takes the filters and tests behind an expression.
func (p *parser) filters(e Expr) Expr {
	for {
		switch {
		case p.is(lexer.Op, "|"):
			p.at++
			e = p.filterChain(e)
		case p.word("is"):
			e = p.test(e)
		case p.is(lexer.Op, "("):
			e = &Call{Fn: e, Args: p.args()}
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
func (p *parser) filterChain(e Expr) Expr {
	if e == nil {
		e = Captured{}
	}
	for {
		name := p.dotted()
		f := &Filter{Value: e, Name: name}
		if !p.known.Filter(name) {
			p.fail("No filter named '%s'.", name)
		}
		if p.is(lexer.Op, "(") {
			f.Args = p.args()
		}
		e = f
		if !p.op("|") {
			return e
		}
	}
}

func (p *parser) test(e Expr) Expr {
	negated := p.word("not")
	name := p.dotted()
	t := &Test{Value: e, Name: name}
	if !p.known.Test(name) {
		p.fail("No test named '%s'.", name)
	}
	switch {
	case p.is(lexer.Op, "("):
		t.Args = p.args()
	case p.is(lexer.String), p.is(lexer.Int), p.is(lexer.Float), p.is(lexer.Op, "[", "{"),
		p.is(lexer.Name) && !strings.Contains(" else or and if is in not ", " "+p.peek().Text+" "):
		t.Args.List = []Expr{p.postfix(p.primary())}
	}
	if negated {
		return &Not{t}
	}
	return t
}
