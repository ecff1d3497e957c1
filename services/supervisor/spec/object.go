package spec

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

// reader is what reading one file shares.
type reader struct {
	faults
	env func(string) (string, bool)
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
	if meant := document.Nearest(name, known); meant != "" {
		r.add(at, "unknown field; did you mean %q?", meant)
		return
	}
	r.add(at, "unknown field; known are %s", strings.Join(known, ", "))
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
		at := o.at(name) + "[" + strconv.Itoa(i) + "]"
		words = append(words, o.scalar(at, item))
	}
	return words
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

// whole reads a whole number within the field's bounds, or its default, 0 without one.
func (o *object) whole(name string) int {
	f := o.field(name)
	fallback, _ := f.Default.(int)
	n := o.want(name, document.Number)
	if n == nil {
		return fallback
	}
	v, err := strconv.Atoi(n.Text)
	if err != nil || v < f.Min || v > f.Max {
		o.add(o.at(name), "%s is not a whole number from %d to %d", n.Text, f.Min, f.Max)
		return fallback
	}
	return v
}

// choice reads one of the field's words; the first is the default.
func (o *object) choice(name string) string {
	of := o.field(name).Choices
	n := o.want(name, document.Text)
	if n == nil {
		return of[0]
	}
	if !slices.Contains(of, n.Text) {
		o.add(o.at(name), "%q is not one of %s", n.Text, strings.Join(of, ", "))
		return of[0]
	}
	return n.Text
}

// longest is more than any timeout needs; beyond it a number is rather in milliseconds.
const longest = 7 * 24 * time.Hour

// duration reads a number of seconds or a string such as "1m30s"; 0 when the field is missing.
func (o *object) duration(name string) time.Duration {
	n := o.fields[name]
	if n == nil {
		return 0
	}
	d, ok := parseDuration(n)
	if !ok {
		o.add(o.at(name), `expected a number of seconds or a string such as "1m30s", found %s`, foundDuration(n))
		return 0
	}
	if d <= 0 || d > longest {
		o.add(o.at(name), "%s is not more than 0 and at most 168h", n.Text)
		return 0
	}
	return d
}

func parseDuration(n *node) (time.Duration, bool) {
	switch n.Kind {
	case document.Number:
		seconds, err := strconv.ParseFloat(n.Text, 64)
		if err != nil || math.IsNaN(seconds) {
			return 0, false
		}
		if math.Abs(seconds) > longest.Seconds() {
			return longest + 1, true // the caller refuses it; the product below would overflow
		}
		return time.Duration(seconds * float64(time.Second)), true
	case document.Text:
		d, err := time.ParseDuration(n.Text)
		return d, err == nil
	}
	return 0, false
}

func foundDuration(n *node) string {
	if n.Kind == document.Text || n.Kind == document.Number {
		return strconv.Quote(n.Text)
	}
	return n.Kind.String()
}
