package syntax

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/lexer"
)

// maxDepth bounds how deep statements and expressions of a source may nest.
const maxDepth = 200

// Known tells which filters and tests there are: a template that names another one does not parse.
type Known struct{ Filter, Test func(name string) bool }

// Parse reads a source. The error is a *lexer.SyntaxError.
func Parse(source string, known Known) (body []Stmt, err error) {
	toks, err := lexer.Lex(source)
	if err != nil {
		return nil, err
	}
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(failure)
			if !ok {
				panic(r)
			}
			body, err = nil, f.err
		}
	}()
	p := &parser{toks: toks, known: known}
	return p.body(), nil
}

type parser struct {
	known Known
	toks  []lexer.Token
	at    int
	depth int
}

func (p *parser) peek() lexer.Token { return p.toks[p.at] }

func (p *parser) next() lexer.Token {
	t := p.toks[p.at]
	if t.Kind != lexer.End {
		p.at++
	}
	return t
}

// failure leaves the parser at once; Parse recovers it.
type failure struct{ err error }

func (p *parser) fail(format string, args ...any) {
	panic(failure{&lexer.SyntaxError{Message: fmt.Sprintf(format, args...)}})
}

func (p *parser) enter() {
	if p.depth++; p.depth > maxDepth {
		p.fail("the template is nested too deeply")
	}
}

func (p *parser) leave() { p.depth-- }

func (p *parser) is(kind lexer.Kind, texts ...string) bool {
	t := p.peek()
	return t.Kind == kind && (len(texts) == 0 || slices.Contains(texts, t.Text))
}

func (p *parser) op(text string) bool {
	if p.is(lexer.Op, text) {
		p.at++
		return true
	}
	return false
}

func (p *parser) word(text string) bool {
	if p.is(lexer.Name, text) {
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
	if p.is(lexer.End) {
		p.fail("unexpected end of template, expected '%s'.", what)
	}
	p.fail("expected token '%s', got '%s'", what, p.peek().String())
}

func (p *parser) wantName() string {
	if !p.is(lexer.Name) {
		p.failExpected("name")
	}
	return p.next().Text
}

func (p *parser) wantEnd() {
	if !p.is(lexer.BlockEnd) {
		p.failExpected("end of statement block")
	}
	p.at++
}

// body takes statements up to a block that begins with one of the given words, and that word.
func (p *parser) body(until ...string) []Stmt {
	p.enter()
	defer p.leave()
	var out []Stmt
	for {
		switch t := p.next(); t.Kind {
		case lexer.End:
			if len(until) > 0 {
				p.fail("Unexpected end of template. Jinja was looking for the following tags: %s. "+
					"The innermost block that needs to be closed is '%s'.", alternatives(until), strings.TrimPrefix(until[len(until)-1], "end"))
			}
			return out
		case lexer.Text:
			out = append(out, Text(t.Text))
		case lexer.VarBegin:
			e := p.tuple()
			if !p.is(lexer.VarEnd) {
				p.failExpected("end of print statement")
			}
			p.at++
			out = append(out, Print{e})
		case lexer.BlockBegin:
			if p.is(lexer.Name, until...) && len(until) > 0 {
				return out
			}
			out = append(out, p.statement())
		default:
			p.fail("unexpected '%s'", t.String())
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
func (p *parser) block(end string) []Stmt {
	p.wantEnd()
	b := p.body(end)
	p.at++
	p.wantEnd()
	return b
}
