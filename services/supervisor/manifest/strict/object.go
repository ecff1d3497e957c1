package strict

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

// Object is a JSON object or YAML mapping whose fields are read by name. Reading a field of the wrong type is a fault and
// gives the zero value.
type Object struct {
	*Reader
	Path   string
	Fields map[string]*document.Node
	Names  []string // in the order of the file
	known  []Field  // nil: names of the file's own
}

// Object opens n, reporting repeated names and, when names are known, those that are not.
func (r *Reader) Object(path string, n *document.Node, known []Field) *Object {
	o := &Object{Reader: r, Path: path, Fields: map[string]*document.Node{}, known: known}
	if n.Kind != document.Mapping {
		r.Add(path, "expected an object, found %s", n.Kind)
		return o
	}
	for _, m := range n.Members {
		at := Join(path, m.Name)
		if _, twice := o.Fields[m.Name]; twice {
			r.Add(at, "given twice; keep one")
			continue
		}
		if known != nil && o.Field(m.Name) == nil {
			r.unknown(at, m.Name, known)
			continue
		}
		o.Fields[m.Name] = m.Value
		o.Names = append(o.Names, m.Name)
	}
	return o
}

// Field describes a field, or is nil when it is not known.
func (o *Object) Field(name string) *Field {
	i := slices.IndexFunc(o.known, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &o.known[i]
}

func (r *Reader) unknown(at, name string, fields []Field) {
	known := make([]string, len(fields))
	var within []string // fields of the objects among them
	in := map[string]string{}
	for i, f := range fields {
		known[i] = f.Name
		if f.Type != TypeObject {
			continue
		}
		for _, inner := range f.Fields {
			if in[inner.Name] == "" {
				within, in[inner.Name] = append(within, inner.Name), Join(f.Name, inner.Name)
			}
		}
	}
	hint := Hint(name, known)
	if document.Nearest(name, known) == "" || in[name] != "" {
		if meant := document.Nearest(name, within); meant != "" {
			hint = fmt.Sprintf("did you mean %q?", in[meant])
		}
	}
	r.Add(at, "unknown field; %s", hint)
}

// Hint says which of the known names a person most likely meant, or all of them.
func Hint(name string, known []string) string {
	if meant := document.Nearest(name, known); meant != "" {
		return fmt.Sprintf("did you mean %q?", meant)
	}
	return "known are " + strings.Join(known, ", ")
}

// Has tells whether the field is there.
func (o *Object) Has(name string) bool { return o.Fields[name] != nil }

// At is the path of a field.
func (o *Object) At(name string) string { return Join(o.Path, name) }

// want returns the field when it is there and of the kind.
func (o *Object) want(name string, k document.Kind) *document.Node {
	n := o.Fields[name]
	if n == nil {
		return nil
	}
	if n.Kind != k {
		o.Add(o.At(name), "expected %s, found %s", k, n.Kind)
		return nil
	}
	return n
}

// Child opens a field that is an object. It is empty when the field is missing.
func (o *Object) Child(name string) *Object {
	known := o.Field(name).Fields
	if n := o.Fields[name]; n != nil {
		return o.Object(o.At(name), n, known)
	}
	return &Object{Reader: o.Reader, Path: o.At(name), known: known}
}

// Objects opens the items of a field that is a list of objects. Each item that is one has an object, also where it is faulty.
func (o *Object) Objects(name string) []*Object {
	n := o.want(name, document.List)
	if n == nil {
		return nil
	}
	if len(n.Items) == 0 {
		o.Add(o.At(name), "must not be empty")
	}
	items := make([]*Object, len(n.Items))
	for i, item := range n.Items {
		items[i] = o.Object(Index(o.At(name), i), item, o.Field(name).Fields)
	}
	return items
}

// Need reports a field that is missing.
func (o *Object) Need(name, what string) {
	if !o.Has(name) {
		o.Add(o.At(name), "missing; give %s", what)
	}
}

// Text reads a string that must not be empty and replaces ${NAME} in it.
func (o *Object) Text(name string) string {
	n := o.want(name, document.Text)
	if n == nil {
		return ""
	}
	before := len(o.list)
	value := o.expand(o.At(name), n.Text)
	switch {
	case len(o.list) > before:
		return ""
	case strings.TrimSpace(value) == "":
		o.Add(o.At(name), "must not be empty")
		return ""
	case strings.ContainsFunc(value, unicode.IsControl): // a key with a line break would end the header that carries it
		o.Add(o.At(name), "must not hold control characters")
		return ""
	}
	return value
}

// Word is one argument of a command.
type Word struct {
	Value string
	Shown string // how a person may see it
}

// Words reads a list of strings; numbers are taken as they are written.
func (o *Object) Words(name string) []Word {
	n := o.want(name, document.List)
	if n == nil {
		return nil
	}
	words := make([]Word, 0, len(n.Items))
	for i, item := range n.Items {
		words = append(words, o.Scalar(Index(o.At(name), i), item))
	}
	return words
}

// Scalar reads a string, or a number as it is written.
func (r *Reader) Scalar(at string, n *document.Node) Word {
	if n.Kind != document.Text && n.Kind != document.Number {
		r.Add(at, "expected a string, found %s", n.Kind)
		return Word{}
	}
	value := r.expand(at, n.Text)
	if strings.ContainsRune(value, 0) {
		r.Add(at, "must not hold a NUL character")
		return Word{}
	}
	return Word{value, n.Text}
}
