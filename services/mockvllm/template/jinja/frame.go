package jinja

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/syntax"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/value"
)

type binding struct {
	name  string
	value any
}

// scope holds the variables of a template, a loop's turn or a macro's call.
type scope struct {
	vars   []binding
	parent *scope
}

func (s *scope) set(name string, v any) {
	for i := range s.vars {
		if s.vars[i].name == name {
			s.vars[i].value = v
			return
		}
	}
	s.vars = append(s.vars, binding{name, v})
}

func (s *scope) get(name string) (any, bool) {
	for ; s != nil; s = s.parent {
		for i := range s.vars {
			if s.vars[i].name == name {
				return s.vars[i].value, true
			}
		}
	}
	return nil, false
}

// frame is where a statement runs: its variables, and where its text goes.
type frame struct {
	*value.Quota
	scope    *scope
	out      *[]byte
	captured string // what {% filter %} and {% set %} with a filter work on
}

func (f *frame) inner() *frame {
	return &frame{Quota: f.Quota, scope: &scope{parent: f.scope}, out: f.out, captured: f.captured}
}

func (f *frame) write(s string) error {
	*f.out = append(*f.out, s...)
	return f.Charge(len(s))
}

func (f *frame) run(body []syntax.Stmt) error {
	for _, s := range body {
		if err := f.Step(); err != nil {
			return err
		}
		if err := f.exec(s); err != nil {
			return err
		}
	}
	return nil
}

// capture runs body and returns its text.
func (f *frame) capture(body []syntax.Stmt) (string, error) {
	var out []byte
	in := f.inner()
	in.out = &out
	err := in.run(body)
	return string(out), err
}
