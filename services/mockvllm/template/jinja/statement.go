package jinja

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
