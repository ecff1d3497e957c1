package value

// Loop is the variable loop.
type Loop struct {
	Items []any
	At    int
	last  []any // of loop.changed
}

// Attr is a member of loop.
func (l *Loop) Attr(name string) any {
	n := len(l.Items)
	switch name {
	case "index":
		return int64(l.At + 1)
	case "index0":
		return int64(l.At)
	case "revindex":
		return int64(n - l.At)
	case "revindex0":
		return int64(n - l.At - 1)
	case "first":
		return l.At == 0
	case "last":
		return l.At == n-1
	case "length":
		return int64(n)
	case "depth":
		return int64(1) // more only in recursive loops
	case "depth0":
		return int64(0)
	case "previtem":
		if l.At > 0 {
			return l.Items[l.At-1]
		}
		return Undefined{"there is no previous item"}
	case "nextitem":
		if l.At+1 < n {
			return l.Items[l.At+1]
		}
		return Undefined{"there is no next item"}
	case "cycle":
		return Function(func(_ *Quota, c Call) (any, error) {
			if len(c.Args) == 0 {
				return nil, Failf("no items for cycling given")
			}
			return c.Args[l.At%len(c.Args)], nil
		})
	case "changed":
		return Function(func(q *Quota, c Call) (any, error) {
			same, err := q.Equal(Tuple(l.last), Tuple(c.Args))
			first := l.last == nil
			l.last = append([]any{}, c.Args...)
			return first || !same, err
		})
	}
	return Undefined{"'jinja2.runtime.LoopContext object' has no attribute '" + name + "'"}
}
