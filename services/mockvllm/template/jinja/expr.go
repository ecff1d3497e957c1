package jinja

import (
	"strconv"
)

// tuple takes an expression, or several with commas between them.
func (p *parser) tuple() expr { return p.tupleOf(p.expr) }

func (p *parser) tupleOf(one func() expr) expr {
	first := one()
	if !p.is(tokOp, ",") {
		return first
	}
	items := []expr{first}
	for p.op(",") {
		if p.is(tokBlockEnd) || p.is(tokVarEnd) || p.is(tokOp, ")") {
			break
		}
		items = append(items, one())
	}
	return &listExpr{items, true}
}

// expr takes a conditional expression, the loosest of all.
func (p *parser) expr() expr {
	p.enter()
	defer p.leave()
	e := p.or()
	for p.word("if") {
		c := &condExpr{then: e, cond: p.or()}
		if p.word("else") {
			c.other = p.expr()
		}
		e = c
	}
	return e
}

func (p *parser) or() expr {
	e := p.and()
	for p.word("or") {
		e = &logicExpr{e, p.and(), true}
	}
	return e
}

func (p *parser) and() expr {
	e := p.not()
	for p.word("and") {
		e = &logicExpr{e, p.not(), false}
	}
	return e
}

func (p *parser) not() expr {
	if p.word("not") {
		p.enter()
		defer p.leave()
		return &notExpr{p.not()}
	}
	return p.compare()
}

func (p *parser) compare() expr {
	first := p.sum()
	var c *compareExpr
	for {
		op := ""
		switch {
		case p.is(tokOp, "==", "!=", "<", "<=", ">", ">="), p.is(tokName, "in"):
			op = p.next().text
		case p.is(tokName, "not") && p.toks[p.at+1].kind == tokName && p.toks[p.at+1].text == "in":
			p.at += 2
			op = "not in"
		}
		if op == "" {
			break
		}
		if c == nil {
			c = &compareExpr{first: first}
		}
		c.ops, c.rest = append(c.ops, op), append(c.rest, p.sum())
	}
	if c == nil {
		return first
	}
	return c
}

// binary takes a chain of operators of one rank.
func (p *parser) binary(operand func() expr, ops ...string) expr {
	e := operand()
	for p.is(tokOp, ops...) {
		op := p.next().text
		e = &binaryExpr{op, e, operand()}
	}
	return e
}

func (p *parser) sum() expr     { return p.binary(p.concat, "+", "-") }
func (p *parser) concat() expr  { return p.binary(p.product, "~") }
func (p *parser) product() expr { return p.binary(p.power, "*", "/", "//", "%") }
func (p *parser) power() expr   { return p.binary(func() expr { return p.unary(true) }, "**") }

func (p *parser) unary(withFilter bool) expr {
	p.enter()
	defer p.leave()
	var e expr
	if p.is(tokOp, "-", "+") {
		op := p.next().text
		e = &unaryExpr{op == "-", p.unary(false)}
	} else {
		e = p.primary()
	}
	e = p.postfix(e)
	if withFilter {
		e = p.filters(e)
	}
	return e
}

func (p *parser) primary() expr {
	t := p.next()
	switch t.kind {
	case tokName:
		switch t.text {
		case "true", "True":
			return constExpr{true}
		case "false", "False":
			return constExpr{false}
		case "none", "None":
			return constExpr{nil}
		}
		return nameExpr(t.text)
	case tokString:
		s := t.text
		for p.is(tokString) {
			s += p.next().text
		}
		return constExpr{s}
	case tokInt:
		n, err := strconv.ParseInt(t.text, 10, 64)
		if err != nil {
			p.fail("the number %s is too large", t.text)
		}
		return constExpr{n}
	case tokFloat:
		f, _ := strconv.ParseFloat(t.text, 64)
		return constExpr{f}
	case tokOp:
		switch t.text {
		case "(":
			if p.op(")") {
				return &listExpr{nil, true}
			}
			e := p.tuple()
			p.wantOp(")")
			return e
		case "[":
			return &listExpr{p.items("]"), false}
		case "{":
			return p.dict()
		}
	}
	p.at--
	if t.kind == tokBlockEnd || t.kind == tokVarEnd {
		p.fail("Expected an expression, got '%s'", t.describe())
	}
	p.fail("unexpected '%s'", t.describe())
	return nil
}

func (p *parser) items(end string) []expr {
	var items []expr
	for !p.op(end) {
		if len(items) > 0 {
			p.wantOp(",")
			if p.op(end) {
				break
			}
		}
		items = append(items, p.expr())
	}
	return items
}

func (p *parser) dict() expr {
	d := &dictExpr{}
	for !p.op("}") {
		if len(d.keys) > 0 {
			p.wantOp(",")
			if p.op("}") {
				break
			}
		}
		d.keys = append(d.keys, p.expr())
		p.wantOp(":")
		d.values = append(d.values, p.expr())
	}
	return d
}
