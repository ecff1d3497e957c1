package content

import (
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/syntax"
)

// Loops tells whether a template goes through the parts of a message's content, in a loop over message['content']
// or over what a macro was given for it. It finds what vLLM's detection finds: by names, whatever their scope.
func Loops(body []syntax.Stmt) bool {
	d := &detector{lists: []string{"messages"}}
	walk(body, "", d.collect)
	for n := 0; n < len(d.lists); n++ {
		for _, s := range d.sets {
			if isElems(s.Value, d.lists[n], "") && s.Target.Attr == "" && !slices.Contains(d.lists, s.Target.Names[0]) {
				d.lists = append(d.lists, s.Target.Names[0])
			}
		}
	}
	for _, l := range d.loops {
		for _, name := range d.lists {
			if isElems(l.Iter, name, "") {
				d.messages = append(d.messages, l.Target.Names[0])
				break
			}
		}
	}
	return slices.ContainsFunc(d.loops, d.overContent)
}

type detector struct {
	lists    []string // variables that hold messages
	messages []string // variables that hold one of them
	sets     []*syntax.Set
	loops    []loopIn
	macros   []*syntax.Signature
	calls    []*syntax.Call
}

type loopIn struct {
	*syntax.For
	macro string // in which it stands
}

func (d *detector) collect(s syntax.Stmt, macro string) {
	switch s := s.(type) {
	case *syntax.Set:
		if s.Value != nil {
			d.sets = append(d.sets, s)
		}
	case *syntax.For:
		d.loops = append(d.loops, loopIn{s, macro})
	case *syntax.Macro:
		d.macros = append(d.macros, s.Signature)
	}
	for _, e := range expressions(s) {
		d.findCalls(e)
	}
}

func (d *detector) findCalls(e syntax.Expr) {
	if e == nil {
		return
	}
	if c, ok := e.(*syntax.Call); ok {
		d.calls = append(d.calls, c)
	}
	for _, child := range children(e) {
		d.findCalls(child)
	}
}

func (d *detector) overContent(l loopIn) bool {
	if d.isContent(l.Iter) {
		return true
	}
	name, ok := l.Iter.(syntax.Name)
	if !ok {
		return false
	}
	if l.macro == "" {
		return name == "content"
	}
	for _, m := range d.macros {
		if m.Name == l.macro && d.givenContent(m, string(name)) {
			return true
		}
	}
	return false
}

func (d *detector) isContent(e syntax.Expr) bool {
	return slices.ContainsFunc(d.messages, func(name string) bool { return isElems(e, name, "content") })
}

// givenContent tells whether a call hands a message's content to the parameter of a macro.
func (d *detector) givenContent(m *syntax.Signature, param string) bool {
	at := slices.Index(m.Params, param)
	if at < 0 {
		return false
	}
	for _, c := range d.calls {
		if c.Fn != syntax.Name(m.Name) {
			continue
		}
		if at < len(c.Args.List) && d.isContent(c.Args.List[at]) {
			return true
		}
		for i, name := range c.Args.Names {
			if name == param && d.isContent(c.Args.Named[i]) {
				return true
			}
		}
	}
	return false
}

// isElems tells whether e is the variable, or its member key when there is one, behind any filters, tests and slices.
func isElems(e syntax.Expr, variable, key string) bool {
	switch e := e.(type) {
	case *syntax.Filter:
		return isElems(e.Value, variable, key)
	case *syntax.Test:
		return isElems(e.Value, variable, key)
	case *syntax.Slice:
		return isElems(e.Value, variable, key)
	case syntax.Name:
		return key == "" && string(e) == variable
	case *syntax.Attr:
		return key != "" && e.Name == key && e.Value == syntax.Name(variable)
	case *syntax.Item:
		return key != "" && e.Key == syntax.Const{Value: key} && e.Value == syntax.Name(variable)
	}
	return false
}

// walk visits every statement with the macro that it stands in.
func walk(body []syntax.Stmt, macro string, visit func(s syntax.Stmt, macro string)) {
	for _, s := range body {
		visit(s, macro)
		switch s := s.(type) {
		case *syntax.If:
			walk(s.Then, macro, visit)
			walk(s.Other, macro, visit)
		case *syntax.For:
			walk(s.Body, macro, visit)
			walk(s.Empty, macro, visit)
		case *syntax.Set:
			walk(s.Body, macro, visit)
		case *syntax.With:
			walk(s.Body, macro, visit)
		case *syntax.FilterBlock:
			walk(s.Body, macro, visit)
		case *syntax.CallBlock:
			walk(s.Caller.Body, macro, visit)
		case *syntax.Macro:
			walk(s.Signature.Body, s.Signature.Name, visit)
		}
	}
}

// expressions are those that stand in the tag of a statement.
func expressions(s syntax.Stmt) []syntax.Expr {
	switch s := s.(type) {
	case syntax.Print:
		return []syntax.Expr{s.Value}
	case *syntax.If:
		return []syntax.Expr{s.Cond}
	case *syntax.For:
		return []syntax.Expr{s.Iter, s.Cond}
	case *syntax.Set:
		return []syntax.Expr{s.Value, s.Filter}
	case *syntax.With:
		return s.Values
	case *syntax.CallBlock:
		return []syntax.Expr{s.Call}
	}
	return nil
}

func children(e syntax.Expr) []syntax.Expr {
	switch e := e.(type) {
	case *syntax.List:
		return e.Items
	case *syntax.Dict:
		return append(slices.Clone(e.Keys), e.Values...)
	case *syntax.Attr:
		return []syntax.Expr{e.Value}
	case *syntax.Item:
		return []syntax.Expr{e.Value, e.Key}
	case *syntax.Slice:
		return append(e.Parts[:], e.Value)
	case *syntax.Call:
		return append(append(slices.Clone(e.Args.List), e.Args.Named...), e.Fn)
	case *syntax.Filter:
		return append(append(slices.Clone(e.Args.List), e.Args.Named...), e.Value)
	case *syntax.Test:
		return append(append(slices.Clone(e.Args.List), e.Args.Named...), e.Value)
	case *syntax.Cond:
		return []syntax.Expr{e.Then, e.Cond, e.Other}
	case *syntax.Logic:
		return []syntax.Expr{e.Left, e.Right}
	case *syntax.Not:
		return []syntax.Expr{e.Value}
	case *syntax.Compare:
		return append(slices.Clone(e.Rest), e.First)
	case *syntax.Binary:
		return []syntax.Expr{e.Left, e.Right}
	case *syntax.Unary:
		return []syntax.Expr{e.Value}
	}
	return nil
}
