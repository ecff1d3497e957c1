package document

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Reader reads a tree strictly and collects everything that is wrong with it.
type Reader struct{ faults []error }

// Fields are what an object may have: by name, what reads it. The path says where in the file a value is.
type Fields map[string]func(at string, n *Node)

// Add notes a fault at a path, which is "" for the whole.
func (r *Reader) Add(at, format string, args ...any) {
	if at != "" {
		at += ": "
	}
	r.faults = append(r.faults, fmt.Errorf("%s%s", at, fmt.Sprintf(format, args...)))
}

// Faults is how many were found.
func (r *Reader) Faults() int { return len(r.faults) }

// Err gives all faults in one message, one a line, or nil.
func (r *Reader) Err() error { return errors.Join(r.faults...) }

// Is notes a fault unless n is of the kind.
func (r *Reader) Is(at string, n *Node, k Kind) bool {
	if n.Kind != k {
		r.Add(at, "expected %s, found %s", k, n.Kind)
	}
	return n.Kind == k
}

// Object reads each member of n with its field. Members that are unknown or repeated are faults.
func (r *Reader) Object(at string, n *Node, known Fields) {
	if !r.Is(at, n, Mapping) {
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
			r.Add(path, "given twice; keep one")
		case read == nil:
			r.unknown(path, m.Name, slices.Sorted(maps.Keys(known)))
		default:
			read(path, m.Value)
		}
		seen[m.Name] = true
	}
}

func (r *Reader) unknown(at, name string, known []string) {
	if meant := Nearest(name, known); meant != "" {
		r.Add(at, "unknown field; did you mean %q?", meant)
		return
	}
	r.Add(at, "unknown field; known are %s", strings.Join(known, ", "))
}

// Text reads a string.
func (r *Reader) Text(to *string) func(string, *Node) {
	return func(at string, n *Node) {
		if r.Is(at, n, Text) {
			*to = n.Text
		}
	}
}

// Whole reads a whole number within bounds.
func (r *Reader) Whole(to *int, least, most int) func(string, *Node) {
	return func(at string, n *Node) {
		if !r.Is(at, n, Number) {
			return
		}
		i, err := strconv.Atoi(n.Text)
		switch {
		case err != nil:
			r.Add(at, "%s is not a whole number", n.Text)
		case i < least:
			r.Add(at, "%d is less than %d", i, least)
		case i > most:
			r.Add(at, "%d is more than %d", i, most)
		}
		*to = i
	}
}
