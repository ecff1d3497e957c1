package faults

import (
	"errors"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

// node is a value of the rules.
type node = document.Node

// parseTree reads a file, or JSON without a name.
func parseTree(name string, data []byte) (*node, error) {
	n, err := document.Parse(name, data)
	if errors.Is(err, document.ErrEmpty) {
		return nil, errors.New(`no rules: there has to be at least {"rules": []}`)
	}
	return n, err
}

// reader collects what is wrong.
type reader struct{ document.Reader }

// duration takes 0 only where the least one is 0.
func (r *reader) duration(to *Duration, least Duration) func(string, *node) {
	return func(at string, n *node) {
		if n.Kind == document.Number {
			r.Add(at, "%s is a number without a unit; write a time such as 5s or 1m30s", n.Text)
			return
		}
		if !r.Is(at, n, document.Text) {
			return
		}
		d, err := time.ParseDuration(n.Text)
		switch {
		case err != nil:
			r.Add(at, "%q is not a time such as 1m30s", n.Text)
		case d < 0:
			r.Add(at, "%s is negative", n.Text)
		case d < time.Duration(least):
			r.Add(at, "%s is not more than 0", n.Text)
		}
		*to = Duration(d)
	}
}
