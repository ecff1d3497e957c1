package structured

import (
	"errors"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/grammar"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/grammar/ebnf"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/grammar/lark"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/guidance/regex"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/xgrammar"
)

// softText is how long texts of grammars get, where they can be of any length.
const softText = 2000

func fromGrammar(g *grammar.Grammar) *Constraint {
	return &Constraint{generate: func(src Source) string {
		text := g.Generate(src, softText)
		for try := 0; text == "" && !src.Guide && try < 8; try++ { // a model seldom says nothing where it may say something
			text = g.Generate(src, softText)
		}
		return text
	}}
}

func compileRegex(spec string) (*Constraint, error) {
	takes := xgrammar.TakesRegex(spec)
	if !takes {
		if fault := regex.Check(spec, true); fault != nil {
			return nil, Error("Grammar error: " + fault.InLark())
		}
	}
	g, err := grammar.Regexp(spec)
	switch {
	case err != nil && !takes:
		return void(), nil
	case err != nil:
		return nil, Error("Failed to transform regex into a grammar: " + err.Error())
	}
	c := fromGrammar(g)
	c.Second, c.Fails = !takes, !takes
	return c, nil
}

// compileGrammar takes a grammar without ::= for Lark's. If it is none, it is read as EBNF, unless it has a rule start, and the fault
// is that of the last reader.
func compileGrammar(spec string) (*Constraint, error) {
	var g *grammar.Grammar
	var err error
	isLark := lark.Is(spec)
	if isLark {
		g, err = lark.Read(spec)
	}
	if !isLark || err != nil && !lark.Begins(spec) {
		g, err = ebnf.Read(spec)
		isLark = false
	}
	var place *lark.Error
	switch {
	case err == nil:
		c := fromGrammar(g)
		c.Second, c.Fails = g.Second, g.Second
		return c, nil
	case errors.Is(err, grammar.ErrEndless):
		return nil, err
	case errors.As(err, &place):
		return nil, Error("Grammar error: " + err.Error())
	case isLark:
		return nil, Error("Invalid grammar specification: " + err.Error())
	}
	return nil, Error("Invalid grammar specification: Failed to convert the grammar from GBNF to Lark: " + err.Error())
}
