package jinja

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// macroDef is a macro as written; macro is one with the variables around it.
type macroDef struct {
	name     string
	params   []string
	defaults []expr // of the last parameters
	body     []stmt
}

type macro struct {
	def    *macroDef
	scope  *scope
	caller any
}

func (m *macro) call(f *frame, c call) (any, error) {
	if err := f.enter(); err != nil {
		return nil, err
	}
	defer func() { f.depth-- }()
	in := &frame{state: f.state, scope: &scope{parent: m.scope}}
	if c.caller != nil {
		in.scope.set("caller", c.caller)
	}
	if len(c.args) > len(m.def.params) {
		return nil, failf("macro '%s' takes not more than %d argument(s)", m.def.name, len(m.def.params))
	}
	for i, name := range m.def.params {
		v, ok := any(nil), i < len(c.args)
		if ok {
			v = c.args[i]
		} else if v, ok = c.named.Get(name); !ok {
			v = undefined{"parameter '" + name + "' was not provided"}
			if d := i - len(m.def.params) + len(m.def.defaults); d >= 0 {
				var err error
				if v, err = m.def.defaults[d].eval(in); err != nil {
					return nil, err
				}
			}
		}
		in.scope.set(name, v)
	}
	for key := range c.named.All() {
		if !contains(m.def.params, key) {
			return nil, failf("macro '%s' takes no keyword argument '%s'", m.def.name, key)
		}
	}
	var out []byte
	in.out = &out
	err := in.run(m.def.body)
	return string(out), err
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// loop is the variable loop.
type loop struct {
	items []any
	at    int
	last  []any // of loop.changed
}

func (l *loop) attr(name string) any {
	n := len(l.items)
	switch name {
	case "index":
		return int64(l.at + 1)
	case "index0":
		return int64(l.at)
	case "revindex":
		return int64(n - l.at)
	case "revindex0":
		return int64(n - l.at - 1)
	case "first":
		return l.at == 0
	case "last":
		return l.at == n-1
	case "length":
		return int64(n)
	case "depth":
		return int64(1) // more only in recursive loops
	case "depth0":
		return int64(0)
	case "previtem":
		if l.at > 0 {
			return l.items[l.at-1]
		}
		return undefined{"there is no previous item"}
	case "nextitem":
		if l.at+1 < n {
			return l.items[l.at+1]
		}
		return undefined{"there is no next item"}
	case "cycle":
		return function(func(_ *frame, c call) (any, error) {
			if len(c.args) == 0 {
				return nil, failf("no items for cycling given")
			}
			return c.args[l.at%len(c.args)], nil
		})
	case "changed":
		return function(func(f *frame, c call) (any, error) {
			same, err := f.equal(tuple(l.last), tuple(c.args))
			first := l.last == nil
			l.last = append([]any{}, c.args...)
			return first || !same, err
		})
	}
	return undefined{"'jinja2.runtime.LoopContext object' has no attribute '" + name + "'"}
}

// namespace is what namespace() makes: the one thing that loops can assign to.
type namespace struct{ vars *pyjson.Object }
