package jinja

import (
	"errors"
)

type stmt interface{ run(f *frame) error }

type (
	textStmt   string
	printStmt  struct{ value expr }
	signalStmt struct{ err error }
	ifStmt     struct {
		cond        expr
		then, other []stmt
	}
	target struct {
		names  []string
		attr   string // of the namespace names[0]
		unpack bool
	}
	forStmt struct {
		target      target
		iter, cond  expr
		body, empty []stmt
	}
	setStmt struct {
		target target
		value  expr
		block  bool
		body   []stmt
		filter expr
	}
	withStmt struct {
		names  []string
		values []expr
		body   []stmt
	}
	macroStmt struct {
		name  string
		macro *macroDef
	}
	callStmt struct {
		call   *callExpr
		caller *macroDef
	}
	filterStmt struct {
		filter expr
		body   []stmt
	}
)

func (s textStmt) run(f *frame) error { return f.write(string(s)) }
func (s signalStmt) run(*frame) error { return s.err }
func (s *macroStmt) run(f *frame) error {
	f.scope.set(s.name, &macro{s.macro, f.scope, nil})
	return nil
}

func (s printStmt) run(f *frame) error {
	v, err := s.value.eval(f)
	if err != nil {
		return err
	}
	text, err := f.str(v)
	if err != nil {
		return err
	}
	return f.write(text)
}

func (s *ifStmt) run(f *frame) error {
	v, err := s.cond.eval(f)
	if err != nil {
		return err
	}
	if truthy(v) {
		return f.run(s.then)
	}
	return f.run(s.other)
}

func (s *forStmt) run(f *frame) error {
	v, err := s.iter.eval(f)
	if err != nil {
		return err
	}
	items, err := f.iterate(v)
	if err != nil {
		return err
	}
	if s.cond != nil {
		if items, err = s.filter(f, items); err != nil {
			return err
		}
	}
	if len(items) == 0 {
		return f.run(s.empty)
	}
	l := &loop{items: items}
	for ; l.at < len(items); l.at++ {
		if err := f.step(); err != nil {
			return err
		}
		in := f.inner()
		in.scope.set("loop", l)
		if err := s.target.assign(in, items[l.at]); err != nil {
			return err
		}
		if err := in.run(s.body); errors.Is(err, errBreak) {
			return nil
		} else if err != nil && !errors.Is(err, errContinue) {
			return err
		}
	}
	return nil
}

func (s *forStmt) filter(f *frame, items []any) ([]any, error) {
	var kept []any
	for _, item := range items {
		if err := f.step(); err != nil {
			return nil, err
		}
		in := f.inner()
		if err := s.target.assign(in, item); err != nil {
			return nil, err
		}
		v, err := s.cond.eval(in)
		if err != nil {
			return nil, err
		}
		if truthy(v) {
			kept = append(kept, item)
		}
	}
	return kept, nil
}

func (t *target) assign(f *frame, v any) error {
	if t.attr != "" {
		ns, _ := f.scope.get(t.names[0])
		n, ok := ns.(*namespace)
		if !ok {
			return failf("cannot assign attribute on non-namespace object")
		}
		n.vars.Set(t.attr, v)
		return f.charge(16)
	}
	if !t.unpack {
		f.scope.set(t.names[0], v)
		return nil
	}
	items, err := f.iterate(v)
	if err != nil {
		return err
	}
	if len(items) != len(t.names) {
		if len(items) > len(t.names) {
			return failf("too many values to unpack (expected %d)", len(t.names))
		}
		return failf("not enough values to unpack (expected %d, got %d)", len(t.names), len(items))
	}
	for i, name := range t.names {
		f.scope.set(name, items[i])
	}
	return nil
}

func (s *setStmt) run(f *frame) error {
	if !s.block {
		v, err := s.value.eval(f)
		if err != nil {
			return err
		}
		return s.target.assign(f, v)
	}
	text, err := f.capture(s.body)
	if err != nil {
		return err
	}
	if s.filter == nil {
		return s.target.assign(f, text)
	}
	in := f.inner()
	in.captured = text
	v, err := s.filter.eval(in)
	if err != nil {
		return err
	}
	return s.target.assign(f, v)
}

func (s *withStmt) run(f *frame) error {
	in := f.inner()
	for i, name := range s.names {
		v, err := s.values[i].eval(f)
		if err != nil {
			return err
		}
		in.scope.set(name, v)
	}
	return in.run(s.body)
}

func (s *callStmt) run(f *frame) error {
	in := f.inner()
	in.scope.set("caller", &macro{s.caller, f.scope, nil})
	caller, _ := in.scope.get("caller")
	v, err := s.call.call(f, caller)
	if err != nil {
		return err
	}
	text, err := f.str(v)
	if err != nil {
		return err
	}
	return f.write(text)
}

func (s *filterStmt) run(f *frame) error {
	text, err := f.capture(s.body)
	if err != nil {
		return err
	}
	in := f.inner()
	in.captured = text
	return printStmt{s.filter}.run(in)
}
