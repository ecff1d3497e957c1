package jinja

import (
	"fmt"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/builtin"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/content"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/lexer"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/syntax"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/value"
)

// SyntaxError is what Parse fails with.
type SyntaxError = lexer.SyntaxError

// Error is what Render fails with.
type Error = value.Error

// ErrTooMuch is a rendering that went beyond its bounds.
var ErrTooMuch = value.ErrTooMuch

// Template is a parsed source. It is safe for concurrent use.
type Template struct{ body []syntax.Stmt }

// Parse reads a source. The error is a *SyntaxError.
func Parse(source string) (*Template, error) {
	body, err := syntax.Parse(source, syntax.Known{
		Filter: func(name string) bool { return builtin.Filters[name] != nil },
		Test:   func(name string) bool { return builtin.Tests[name] != nil },
	})
	if err != nil {
		return nil, err
	}
	return &Template{body}, nil
}

// LoopsOverContent tells whether the template goes through the parts of a message's content.
func (t *Template) LoopsOverContent() bool { return content.Loops(t.body) }

// Render runs the template with the given variables, which it does not change. The error is an *Error, or ErrTooMuch.
func (t *Template) Render(vars *pyjson.Object) (out string, err error) {
	defer func() { // a fault here must cost no more than the request that found it
		if r := recover(); r != nil {
			out, err = "", fmt.Errorf("the chat template could not be rendered: %v", r)
		}
	}()
	root := &scope{}
	for k, v := range vars.All() {
		root.set(k, v)
	}
	var text []byte
	f := &frame{Quota: &value.Quota{}, scope: &scope{parent: root}, out: &text}
	if err := f.run(t.body); err != nil {
		return "", err
	}
	return string(text), nil
}
