package syntax

import (
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/lexer"
)

// tuple takes an expression, or several with commas between them.
func (p *parser) tuple() Expr { return p.tupleOf(p.expr) }

func (p *parser) tupleOf(one func() Expr) Expr {
	first := one()
	if !p.is(lexer.Op, ",") {
		return first
	}
	items := []Expr{first}
	for p.op(",") {
		if p.is(lexer.BlockEnd) || p.is(lexer.VarEnd) || p.is(lexer.Op, ")") {
			break
		}
		items = append(items, one())
	}
	return &List{items, true}
}

// expr takes a conditional expression, the loosest of all.
func (p *parser) expr() Expr {
	p.enter()
	defer p.leave()
	e := p.or()
	for p.word("if") {
		c := &Cond{Then: e, Cond: p.or()}
		if p.word("else") {
			c.Other = p.expr()
		}
		e = c
	}
	return e
}

func (p *parser) or() Expr {
	e := p.and()
	for p.word("or") {
		e = &Logic{e, p.and(), true}
	}
	return e
}

func (p *parser) and() Expr {
	e := p.not()
	for p.word("and") {
		e = &Logic{e, p.not(), false}
	}
	return e
}

func (p *parser) not() Expr {
	if p.word("not") {
		p.enter()
		defer p.leave()
		return &Not{p.not()}
	}
	return p.compare()
}

func (p *parser) compare() Expr {
	first := p.sum()
	var c *Compare
	for {
		op := ""
		switch {
		case p.is(lexer.Op, "==", "!=", "<", "<=", ">", ">="), p.is(lexer.Name, "in"):
			op = p.next().Text
		case p.is(lexer.Name, "not") && p.toks[p.at+1].Kind == lexer.Name && p.toks[p.at+1].Text == "in":
			p.at += 2
			op = "not in"
		}
		if op == "" {
			break
		}
		if c == nil {
			c = &Compare{First: first}
		}
		c.Ops, c.Rest = append(c.Ops, op), append(c.Rest, p.sum())
	}
	if c == nil {
		return first
	}
	return c
}

// binary takes a chain of operators of one rank.
func (p *parser) binary(operand func() Expr, ops ...string) Expr {
	e := operand()
	for p.is(lexer.Op, ops...) {
		op := p.next().Text
		e = &Binary{op, e, operand()}
	}
	return e
}

func (p *parser) sum() Expr     { return p.binary(p.concat, "+", "-") }
func (p *parser) concat() Expr  { return p.binary(p.product, "~") }
func (p *parser) product() Expr { return p.binary(p.power, "*", "/", "//", "%") }
func (p *parser) power() Expr   { return p.binary(func() Expr { return p.unary(true) }, "**") }

func (p *parser) unary(withFilter bool) Expr {
	p.enter()
	defer p.leave()
	var e Expr
	if p.is(lexer.Op, "-", "+") {
		op := p.next().Text
		e = &Unary{op == "-", p.unary(false)}
	} else {
		e = p.primary()
	}
	e = p.postfix(e)
	if withFilter {
		e = p.filters(e)
	}
	return e
}

func (p *parser) primary() Expr {
	t := p.next()
	switch t.Kind {
	case lexer.Name:
		switch t.Text {
		case "true", "True":
			return Const{true}
		case "false", "False":
			return Const{false}
		case "none", "None":
			return Const{nil}
		}
		return Name(t.Text)
	case lexer.String:
		s := t.Text
		for p.is(lexer.String) {
			s += p.next().Text
		}
		return Const{s}
	case lexer.Int:
		n, err := strconv.ParseInt(t.Text, 10, 64)
		if err != nil {
			p.fail("the number %s is too large", t.Text)
		}
		return Const{n}
	case lexer.Float:
		f, _ := strconv.ParseFloat(t.Text, 64)
		return Const{f}
	case lexer.Op:
		switch t.Text {
		case "(":
			if p.op(")") {
				return &List{nil, true}
			}
			e := p.tuple()
			p.wantOp(")")
			return e
		case "[":
			return &List{p.items("]"), false}
		case "{":
			return p.dict()
		}
	}
	p.at--
	if t.Kind == lexer.BlockEnd || t.Kind == lexer.VarEnd {
		p.fail("Expected an expression, got '%s'", t.String())
	}
	p.fail("unexpected '%s'", t.String())
	return nil
}

func (p *parser) items(end string) []Expr {
	var items []Expr
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

func (p *parser) dict() Expr {
	d := &Dict{}
	for !p.op("}") {
		if len(d.Keys) > 0 {
			p.wantOp(",")
			if p.op("}") {
				break
			}
		}
		d.Keys = append(d.Keys, p.expr())
		p.wantOp(":")
		d.Values = append(d.Values, p.expr())
	}
	return d
}
