package faults

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

// reader collects what is wrong.
type reader struct{ faults []error }

func (r *reader) add(at, format string, args ...any) {
	if at != "" {
		at += ": "
	}
	r.faults = append(r.faults, fmt.Errorf("%s%s", at, fmt.Sprintf(format, args...)))
}

func (r *reader) err() error { return errors.Join(r.faults...) }

func (r *reader) is(at string, n *node, k document.Kind) bool {
	if n.Kind != k {
		r.add(at, "expected %s, found %s", k, n.Kind)
	}
	return n.Kind == k
}

// fields are what an object may have, by name.
type fields map[string]func(at string, n *node)

func (r *reader) object(at string, n *node, known fields) {
	if !r.is(at, n, document.Mapping) {
		return
	}
	seen := map[string]bool{}
	for _, m := range n.Members {
		path := m.Name
		if at != "" {
			path = at + "." + m.Name
		}
		read := known[m.Name]
		switch {
		case seen[m.Name]:
			r.add(path, "given twice; keep one")
		case read == nil:
			r.unknown(path, m.Name, slices.Sorted(maps.Keys(known)))
		default:
			read(path, m.Value)
		}
		seen[m.Name] = true
	}
}

func (r *reader) unknown(at, name string, known []string) {
	if meant := document.Nearest(name, known); meant != "" {
		r.add(at, "unknown field; did you mean %q?", meant)
		return
	}
	r.add(at, "unknown field; known are %s", strings.Join(known, ", "))
}

func (r *reader) text(to *string) func(string, *node) {
	return func(at string, n *node) {
		if r.is(at, n, document.Text) {
			*to = n.Text
		}
	}
}

func (r *reader) whole(to *int, least, most int) func(string, *node) {
	return func(at string, n *node) {
		if !r.is(at, n, document.Number) {
			return
		}
		i, err := strconv.Atoi(n.Text)
		switch {
		case err != nil:
			r.add(at, "%s is not a whole number", n.Text)
		case i < least:
			r.add(at, "%d is less than %d", i, least)
		case i > most:
			r.add(at, "%d is more than %d", i, most)
		}
		*to = i
	}
}

// duration takes 0 only where the least one is 0.
func (r *reader) duration(to *Duration, least Duration) func(string, *node) {
	return func(at string, n *node) {
		if !r.is(at, n, document.Text) {
			return
		}
		d, err := time.ParseDuration(n.Text)
		switch {
		case err != nil:
			r.add(at, "%q is not a time such as 1m30s", n.Text)
		case d < 0:
			r.add(at, "%s is negative", n.Text)
		case d < time.Duration(least):
			r.add(at, "%s is not more than 0", n.Text)
		}
		*to = Duration(d)
	}
}
