package spec

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

// reader is what reading one file shares.
type reader struct {
	faults
	env      func(string) (string, bool)
	secrets  []Secret // that were met
	warnings []string // for File.Warnings
}

// object is a JSON object or YAML mapping whose fields are read by name. Reading a field of the wrong type is a fault and
// gives the zero value.
type object struct {
	*reader
	path   string
	fields map[string]*node
	names  []string // in the order of the file
	known  []Field  // nil: names of the file's own
}

// object opens n, reporting repeated names and, when names are known, those that are not.
func (r *reader) object(path string, n *node, known []Field) *object {
	o := &object{reader: r, path: path, fields: map[string]*node{}, known: known}
	if n.Kind != document.Mapping {
		r.add(path, "expected an object, found %s", n.Kind)
		return o
	}
	for _, m := range n.Members {
		at := join(path, m.Name)
		if _, twice := o.fields[m.Name]; twice {
			r.add(at, "given twice; keep one")
			continue
		}
		if known != nil && o.field(m.Name) == nil {
			r.unknown(at, m.Name, known)
			continue
		}
		o.fields[m.Name] = m.Value
		o.names = append(o.names, m.Name)
	}
	return o
}

// field describes a field, or is nil when it is not known.
func (o *object) field(name string) *Field {
	i := slices.IndexFunc(o.known, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &o.known[i]
}

func (r *reader) unknown(at, name string, fields []Field) {
	known := make([]string, len(fields))
	for i, f := range fields {
		known[i] = f.Name
	}
	r.add(at, "unknown field; %s", hint(name, known))
}

// hint says which of the known names a person most likely meant, or all of them.
func hint(name string, known []string) string {
	if meant := document.Nearest(name, known); meant != "" {
		return fmt.Sprintf("did you mean %q?", meant)
	}
	return "known are " + strings.Join(known, ", ")
}

func (o *object) has(name string) bool { return o.fields[name] != nil }

func (o *object) at(name string) string { return join(o.path, name) }

// want returns the field when it is there and of the kind.
func (o *object) want(name string, k document.Kind) *node {
	n := o.fields[name]
	if n == nil {
		return nil
	}
	if n.Kind != k {
		o.add(o.at(name), "expected %s, found %s", k, n.Kind)
		return nil
	}
	return n
}

// child opens a field that is an object. It is empty when the field is missing.
func (o *object) child(name string) *object {
	known := o.field(name).Fields
	if n := o.fields[name]; n != nil {
		return o.object(o.at(name), n, known)
	}
	return &object{reader: o.reader, path: o.at(name), known: known}
}

// objects opens the items of a field that is a list of objects. Each item that is one has an object, also where it is faulty.
func (o *object) objects(name string) []*object {
	n := o.want(name, document.List)
	if n == nil {
		return nil
	}
	if len(n.Items) == 0 {
		o.add(o.at(name), "must not be empty")
	}
	items := make([]*object, len(n.Items))
	for i, item := range n.Items {
		items[i] = o.object(index(o.at(name), i), item, o.field(name).Fields)
	}
	return items
}

// need reports a field that is missing.
func (o *object) need(name, what string) {
	if !o.has(name) {
		o.add(o.at(name), "missing; give %s", what)
	}
}

// text reads a string that must not be empty and replaces ${NAME} in it.
func (o *object) text(name string) string {
	n := o.want(name, document.Text)
	if n == nil {
		return ""
	}
	before := len(o.list)
	value := o.expand(o.at(name), n.Text)
	switch {
	case len(o.list) > before:
		return ""
	case strings.TrimSpace(value) == "":
		o.add(o.at(name), "must not be empty")
		return ""
	case strings.ContainsFunc(value, unicode.IsControl): // a key with a line break would end the header that carries it
		o.add(o.at(name), "must not hold control characters")
		return ""
	}
	return value
}

// word is one argument of a command: its value, and how a person may see it.
type word struct{ value, shown string }

// words reads a list of strings; numbers are taken as they are written.
func (o *object) words(name string) []word {
	n := o.want(name, document.List)
	if n == nil {
		return nil
	}
	words := make([]word, 0, len(n.Items))
	for i, item := range n.Items {
		words = append(words, o.scalar(index(o.at(name), i), item))
	}
	return words
}

// ids reads a list of ids of models. A faulty one is "".
func (o *object) ids(name string) []string {
	n := o.want(name, document.List)
	if n == nil {
		return nil
	}
	ids := make([]string, len(n.Items))
	for i, item := range n.Items {
		at := index(o.at(name), i)
		if item.Kind != document.Text {
			o.add(at, "expected a string, found %s", item.Kind)
			continue
		}
		before := len(o.list)
		id := o.scalar(at, item).value
		if len(o.list) == before {
			o.checkID(at, id)
		}
		if len(o.list) == before {
			ids[i] = id
		}
	}
	return ids
}

// scalar reads a string, or a number as it is written.
func (r *reader) scalar(at string, n *node) word {
	if n.Kind != document.Text && n.Kind != document.Number {
		r.add(at, "expected a string, found %s", n.Kind)
		return word{}
	}
	value := r.expand(at, n.Text)
	if strings.ContainsRune(value, 0) {
		r.add(at, "must not hold a NUL character")
		return word{}
	}
	return word{value, n.Text}
}
