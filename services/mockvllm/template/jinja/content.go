package jinja

import "slices"

// LoopsOverContent tells whether the template goes through the parts of a message's content, in a loop over message['content']
// or over what a macro was given for it. It finds what vLLM's detection finds: by names, whatever their scope.
func (t *Template) LoopsOverContent() bool {
	d := &detector{lists: []string{"messages"}}
	walk(t.body, "", d.collect)
	for n := 0; n < len(d.lists); n++ {
		for _, s := range d.sets {
			if isElems(s.value, d.lists[n], "") && s.target.attr == "" && !slices.Contains(d.lists, s.target.names[0]) {
				d.lists = append(d.lists, s.target.names[0])
			}
		}
	}
	for _, l := range d.loops {
		for _, name := range d.lists {
			if isElems(l.iter, name, "") {
				d.messages = append(d.messages, l.target.names[0])
				break
			}
		}
	}
	return slices.ContainsFunc(d.loops, d.overContent)
}

type detector struct {
	lists    []string // variables that hold messages
	messages []string // variables that hold one of them
	sets     []*setStmt
	loops    []loopIn
	macros   []*macroStmt
	calls    []*callExpr
}

type loopIn struct {
	*forStmt
	macro string // in which it stands
}

func (d *detector) collect(s stmt, macro string) {
	switch s := s.(type) {
	case *setStmt:
		if s.value != nil {
			d.sets = append(d.sets, s)
		}
	case *forStmt:
		d.loops = append(d.loops, loopIn{s, macro})
	case *macroStmt:
		d.macros = append(d.macros, s)
	}
	for _, e := range expressions(s) {
		d.findCalls(e)
	}
}

func (d *detector) findCalls(e expr) {
	if e == nil {
		return
	}
	if c, ok := e.(*callExpr); ok {
		d.calls = append(d.calls, c)
	}
	for _, child := range children(e) {
		d.findCalls(child)
	}
}

func (d *detector) overContent(l loopIn) bool {
	if d.isContent(l.iter) {
		return true
	}
	name, ok := l.iter.(nameExpr)
	if !ok {
		return false
	}
	if l.macro == "" {
		return name == "content"
	}
	for _, m := range d.macros {
		if m.name == l.macro && d.givenContent(m, string(name)) {
			return true
		}
	}
	return false
}

func (d *detector) isContent(e expr) bool {
	return slices.ContainsFunc(d.messages, func(name string) bool { return isElems(e, name, "content") })
}

// givenContent tells whether a call hands a message's content to the parameter of a macro.
func (d *detector) givenContent(m *macroStmt, param string) bool {
	at := slices.Index(m.macro.params, param)
	if at < 0 {
		return false
	}
	for _, c := range d.calls {
		if c.fn != nameExpr(m.name) {
			continue
		}
		if at < len(c.args.list) && d.isContent(c.args.list[at]) {
			return true
		}
		for i, name := range c.args.names {
			if name == param && d.isContent(c.args.named[i]) {
				return true
			}
		}
	}
	return false
}

// isElems tells whether e is the variable, or its member key when there is one, behind any filters, tests and slices.
func isElems(e expr, variable, key string) bool {
	switch e := e.(type) {
	case *filterExpr:
		return isElems(e.value, variable, key)
	case *testExpr:
		return isElems(e.value, variable, key)
	case *sliceExpr:
		return isElems(e.value, variable, key)
	case nameExpr:
		return key == "" && string(e) == variable
	case *attrExpr:
		return key != "" && e.name == key && e.value == nameExpr(variable)
	case *itemExpr:
		return key != "" && e.key == constExpr{key} && e.value == nameExpr(variable)
	}
	return false
}

// walk visits every statement with the macro that it stands in.
func walk(body []stmt, macro string, visit func(s stmt, macro string)) {
	for _, s := range body {
		visit(s, macro)
		switch s := s.(type) {
		case *ifStmt:
			walk(s.then, macro, visit)
			walk(s.other, macro, visit)
		case *forStmt:
			walk(s.body, macro, visit)
			walk(s.empty, macro, visit)
		case *setStmt:
			walk(s.body, macro, visit)
		case *withStmt:
			walk(s.body, macro, visit)
		case *filterStmt:
			walk(s.body, macro, visit)
		case *callStmt:
			walk(s.caller.body, macro, visit)
		case *macroStmt:
			walk(s.macro.body, s.name, visit)
		}
	}
}

// expressions are those that stand in the tag of a statement.
func expressions(s stmt) []expr {
	switch s := s.(type) {
	case printStmt:
		return []expr{s.value}
	case *ifStmt:
		return []expr{s.cond}
	case *forStmt:
		return []expr{s.iter, s.cond}
	case *setStmt:
		return []expr{s.value, s.filter}
	case *withStmt:
		return s.values
	case *callStmt:
		return []expr{s.call}
	}
	return nil
}

func children(e expr) []expr {
	switch e := e.(type) {
	case *listExpr:
		return e.items
	case *dictExpr:
		return append(slices.Clone(e.keys), e.values...)
	case *attrExpr:
		return []expr{e.value}
	case *itemExpr:
		return []expr{e.value, e.key}
	case *sliceExpr:
		return append(e.parts[:], e.value)
	case *callExpr:
		return append(append(slices.Clone(e.args.list), e.args.named...), e.fn)
	case *filterExpr:
		return append(append(slices.Clone(e.args.list), e.args.named...), e.value)
	case *testExpr:
		return append(append(slices.Clone(e.args.list), e.args.named...), e.value)
	case *condExpr:
		return []expr{e.then, e.cond, e.other}
	case *logicExpr:
		return []expr{e.left, e.right}
	case *notExpr:
		return []expr{e.value}
	case *compareExpr:
		return append(slices.Clone(e.rest), e.first)
	case *binaryExpr:
		return []expr{e.left, e.right}
	case *unaryExpr:
		return []expr{e.value}
	}
	return nil
}
