package jinja

import (
	"errors"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/syntax"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/value"
)

// These two leave the bodies of a loop.
var (
	errBreak    = errors.New("break")
	errContinue = errors.New("continue")
)

// exec runs a statement.
func (f *frame) exec(s syntax.Stmt) error {
	switch s := s.(type) {
	case syntax.Text:
		return f.write(string(s))
	case syntax.Print:
		return f.printStmt(s)
	case *syntax.If:
		return f.condStmt(s)
	case *syntax.For:
		return f.loopStmt(s)
	case *syntax.Set:
		return f.setStmt(s)
	case *syntax.With:
		return f.withStmt(s)
	case *syntax.Macro:
		f.scope.set(s.Signature.Name, newMacro(s.Signature, f.scope))
		return nil
	case *syntax.CallBlock:
		return f.callBlockStmt(s)
	case *syntax.FilterBlock:
		return f.filterBlockStmt(s)
	case syntax.Break:
		return errBreak
	case syntax.Continue:
		return errContinue
	}
	return value.Failf("BUG: no statement %T", s)
}

func (f *frame) printStmt(s syntax.Print) error {
	v, err := f.eval(s.Value)
	if err != nil {
		return err
	}
	return f.print(v)
}

func (f *frame) print(v any) error {
	text, err := f.Str(v)
	if err != nil {
		return err
	}
	return f.write(text)
}

func (f *frame) condStmt(s *syntax.If) error {
	v, err := f.eval(s.Cond)
	if err != nil {
		return err
	}
	if value.Truthy(v) {
		return f.run(s.Then)
	}
	return f.run(s.Other)
}

func (f *frame) loopStmt(s *syntax.For) error {
	v, err := f.eval(s.Iter)
	if err != nil {
		return err
	}
	items, err := f.Iterate(v)
	if err != nil {
		return err
	}
	if s.Cond != nil {
		if items, err = f.filterItems(s, items); err != nil {
			return err
		}
	}
	whole := false // a body has come to its end; where none has, Jinja takes the loop for empty
	l := &value.Loop{Items: items}
	for ; l.At < len(items); l.At++ {
		if err := f.Step(); err != nil {
			return err
		}
		in := f.inner()
		in.scope.set("loop", l)
		if err := in.assign(&s.Target, items[l.At]); err != nil {
			return err
		}
		err := in.run(s.Body)
		whole = whole || err == nil
		if errors.Is(err, errBreak) {
			break
		}
		if err != nil && !errors.Is(err, errContinue) {
			return err
		}
	}
	if !whole {
		return f.run(s.Empty)
	}
	return nil
}

func (f *frame) filterItems(s *syntax.For, items []any) ([]any, error) {
	var kept []any
	for _, item := range items {
		if err := f.Step(); err != nil {
			return nil, err
		}
		in := f.inner()
		if err := in.assign(&s.Target, item); err != nil {
			return nil, err
		}
		v, err := in.eval(s.Cond)
		if err != nil {
			return nil, err
		}
		if value.Truthy(v) {
			kept = append(kept, item)
		}
	}
	return kept, nil
}

func (f *frame) assign(t *syntax.Target, v any) error {
	if t.Attr != "" {
		ns, _ := f.scope.get(t.Names[0])
		n, ok := ns.(*value.Namespace)
		if !ok {
			return value.Failf("cannot assign attribute on non-namespace object")
		}
		n.Vars.Set(t.Attr, v)
		return f.Charge(16)
	}
	if !t.Unpack {
		f.scope.set(t.Names[0], v)
		return nil
	}
	items, err := f.Iterate(v)
	if err != nil {
		return err
	}
	if len(items) != len(t.Names) {
		if len(items) > len(t.Names) {
			return value.Failf("too many values to unpack (expected %d)", len(t.Names))
		}
		return value.Failf("not enough values to unpack (expected %d, got %d)", len(t.Names), len(items))
	}
	for i, name := range t.Names {
		f.scope.set(name, items[i])
	}
	return nil
}

func (f *frame) setStmt(s *syntax.Set) error {
	if !s.Block {
		v, err := f.eval(s.Value)
		if err != nil {
			return err
		}
		return f.assign(&s.Target, v)
	}
	text, err := f.capture(s.Body)
	if err != nil {
		return err
	}
	if s.Filter == nil {
		return f.assign(&s.Target, text)
	}
	in := f.inner()
	in.captured = text
	v, err := in.eval(s.Filter)
	if err != nil {
		return err
	}
	return f.assign(&s.Target, v)
}

func (f *frame) withStmt(s *syntax.With) error {
	in := f.inner()
	for i, name := range s.Names {
		v, err := f.eval(s.Values[i])
		if err != nil {
			return err
		}
		in.scope.set(name, v)
	}
	return in.run(s.Body)
}

func (f *frame) callBlockStmt(s *syntax.CallBlock) error {
	in := f.inner()
	in.scope.set("caller", newMacro(s.Caller, f.scope))
	caller, _ := in.scope.get("caller")
	v, err := f.call(s.Call, caller)
	if err != nil {
		return err
	}
	return f.print(v)
}

func (f *frame) filterBlockStmt(s *syntax.FilterBlock) error {
	text, err := f.capture(s.Body)
	if err != nil {
		return err
	}
	in := f.inner()
	in.captured = text
	return in.printStmt(syntax.Print{Value: s.Filter})
}
