package strict

import (
	"regexp"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

// HeaderForm is a token of RFC 9110, section 5.6.2.
var HeaderForm = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// Header reads the name of an HTTP header.
func (o *Object) Header(name string) string {
	value := o.Text(name)
	if value != "" && !HeaderForm.MatchString(value) {
		o.Add(o.At(name), "not the name of an HTTP header: use letters, digits and -")
	}
	return value
}

// IDs reads a list of ids of models. A faulty one is "".
func (o *Object) IDs(name string) []string {
	n := o.want(name, document.List)
	if n == nil {
		return nil
	}
	ids := make([]string, len(n.Items))
	for i, item := range n.Items {
		at := Index(o.At(name), i)
		if item.Kind != document.Text {
			o.Add(at, "expected a string, found %s", item.Kind)
			continue
		}
		before := len(o.list)
		id := o.Scalar(at, item).Value
		if len(o.list) == before {
			o.CheckID(at, id)
		}
		if len(o.list) == before {
			ids[i] = id
		}
	}
	return ids
}

// IDForm is the form of a model's id.
var IDForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:@+-]*(/[A-Za-z0-9][A-Za-z0-9._:@+-]*)*$`)

// CheckID allows what can be a part of a URL's path, as in /llm/{id}/chat/completions.
func (r *Reader) CheckID(path, id string) {
	switch {
	case !IDForm.MatchString(id) || len(id) > 200:
		r.Add(path, "not usable as an id: use up to 200 letters, digits and . _ : @ + - and / between parts, beginning with a letter or digit")
	case id == "v1" || strings.HasPrefix(id, "v1/"):
		r.Add(path, "not usable as an id: /llm/v1/ is the path for requests that name their model in the body")
	}
}
