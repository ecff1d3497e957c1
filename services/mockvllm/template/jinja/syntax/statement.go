package syntax

import "github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/lexer"

func (p *parser) statement() Stmt {
	if !p.is(lexer.Name) {
		p.fail("tag name expected")
	}
	switch name := p.next().Text; name {
	case "if":
		return p.ifStmt()
	case "for":
		return p.forStmt()
	case "set":
		return p.setStmt()
	case "macro":
		name := p.wantName()
		return &Macro{p.signature(name, "endmacro")}
	case "call":
		caller := &Signature{Name: "caller"}
		if p.is(lexer.Op, "(") {
			p.params(caller)
		}
		call, ok := p.expr().(*Call)
		if !ok {
			p.fail("expected call")
		}
		caller.Body = p.block("endcall")
		return &CallBlock{call, caller}
	case "filter":
		f := p.filterChain(nil)
		return &FilterBlock{f, p.block("endfilter")}
	case "with":
		return p.withStmt()
	case "generation":
		return &With{Body: p.block("endgeneration")}
	case "break":
		p.wantEnd()
		return Break{}
	case "continue":
		p.wantEnd()
		return Continue{}
	default:
		p.at--
		p.fail("Encountered unknown tag '%s'.", name)
		return nil
	}
}

func (p *parser) ifStmt() Stmt {
	s := &If{Cond: p.tuple()}
	p.wantEnd()
	s.Then = p.body("elif", "else", "endif")
	switch p.next().Text {
	case "elif":
		p.enter()
		s.Other = []Stmt{p.ifStmt()}
		p.leave()
		return s
	case "else":
		s.Other = p.block("endif")
		return s
	}
	p.wantEnd()
	return s
}

func (p *parser) forStmt() Stmt {
	s := &For{Target: p.target()}
	if !p.word("in") {
		p.failExpected("in")
	}
	s.Iter = p.tupleOf(p.or)
	if p.word("if") {
		s.Cond = p.expr()
	}
	if p.word("recursive") {
		p.fail("recursive loops are not supported")
	}
	p.wantEnd()
	s.Body = p.body("else", "endfor")
	if p.next().Text == "else" {
		s.Empty = p.block("endfor")
		return s
	}
	p.wantEnd()
	return s
}

// target takes what is assigned to: names, or one attribute of a namespace.
func (p *parser) target() Target {
	var t Target
	for {
		paren := p.op("(")
		t.Names = append(t.Names, p.wantName())
		if len(t.Names) == 1 && p.op(".") {
			t.Attr = p.wantName()
			return t
		}
		for paren && p.op(",") {
			t.Names = append(t.Names, p.wantName())
		}
		if paren {
			t.Unpack = true
			p.wantOp(")")
		}
		if !p.op(",") {
			return t
		}
		t.Unpack = true
		if p.is(lexer.Name, "in") || p.is(lexer.Op, "=") {
			return t
		}
	}
}

func (p *parser) setStmt() Stmt {
	s := &Set{Target: p.target()}
	if p.op("=") {
		s.Value = p.tuple()
		p.wantEnd()
		return s
	}
	if p.is(lexer.Op, "|") {
		s.Filter = p.filters(Captured{})
	}
	s.Body = p.block("endset")
	s.Block = true
	return s
}

func (p *parser) withStmt() Stmt {
	s := &With{}
	for !p.is(lexer.BlockEnd) {
		if len(s.Names) > 0 {
			p.wantOp(",")
		}
		s.Names = append(s.Names, p.wantName())
		p.wantOp("=")
		s.Values = append(s.Values, p.expr())
	}
	s.Body = p.block("endwith")
	return s
}

func (p *parser) signature(name, end string) *Signature {
	m := &Signature{Name: name}
	p.params(m)
	m.Body = p.block(end)
	return m
}

func (p *parser) params(m *Signature) {
	p.wantOp("(")
	for !p.op(")") {
		if len(m.Params) > 0 {
			p.wantOp(",")
		}
		m.Params = append(m.Params, p.wantName())
		if p.op("=") {
			m.Defaults = append(m.Defaults, p.expr())
		} else if len(m.Defaults) > 0 {
			p.fail("non-default argument follows default argument")
		}
	}
}
