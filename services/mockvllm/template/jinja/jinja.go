package jinja

import (
	"fmt"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Template is a parsed source. It is safe for concurrent use.
type Template struct{ body []stmt }

// Parse reads a source. The error is a *SyntaxError.
func Parse(source string) (t *Template, err error) {
	toks, err := lex(source)
	if err != nil {
		return nil, err
	}
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(failure)
			if !ok {
				panic(r)
			}
			t, err = nil, f.err
		}
	}()
	p := &parser{toks: toks}
	return &Template{p.body()}, nil
}

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
	f := &frame{state: &state{}, scope: &scope{parent: root}, out: &text}
	if err := f.run(t.body); err != nil {
		return "", err
	}
	return string(text), nil
}
