package outlines

import (
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/keyword"
)

// maxDepth is how many references deep the library goes.
const maxDepth = 3

// tooDeep is what it says then. A property with this fault it leaves out.
const tooDeep = "Ref recusion limit reached: 3"

// NotJSON is what vLLM says of a schema whose text Rust does not read.
const NotJSON = transform + "Expected a valid JSON string."

const transform = "Failed to transform json schema into a regex: "

// Asked tells whether vLLM asks the library about a schema that xgrammar does not take.
func Asked(root *pyjson.Object) bool {
	return keyword.Anywhere(root, func(o *pyjson.Object) bool { return keyword.Has(o, "patternProperties") })
}

// SchemaFault is why vLLM refuses a schema that it has asked the library about, "" where it does not.
func SchemaFault(root *pyjson.Object) string {
	w := walker{root: root, refs: map[place]found{}}
	switch f := w.schema(root); {
	case f.fault != "":
		return transform + f.fault
	case f.feature != "":
		return "Regex uses unsupported feature for structured outputs: " + f.feature +
			". Only basic matching constructs are supported\u2014lookarounds, backreferences, and unicode boundaries are not."
	}
	return ""
}

// walker walks through what of a schema the library makes an expression of.
type walker struct {
	root  *pyjson.Object
	depth int // of references
	refs  map[place]found
}

// place is a reference and how deep it stands, from which follows what is found behind it.
type place struct {
	ref   string
	depth int
}

// found is what is wrong with a part: that there is no expression of it, or else the first feature of that which no engine has.
type found struct{ fault, feature string }

func fault(text string) found { return found{fault: text} }

// each looks at parts up to the first with a fault. Of features the first one counts.
func each(parts []any, of func(any) found) (all found) {
	for _, part := range parts {
		one := of(part)
		if one.fault != "" {
			return one
		}
		if all.feature == "" {
			all = one
		}
	}
	return all
}

func (w *walker) schema(v any) found {
	s, _ := v.(*pyjson.Object)
	switch {
	case s == nil:
	case s.Len() == 0:
		return found{}
	case keyword.Has(s, "properties"):
		return w.properties(s)
	case keyword.Has(s, "allOf"):
		return w.list(s, "allOf")
	case keyword.Has(s, "anyOf"):
		return w.list(s, "anyOf")
	case keyword.Has(s, "oneOf"):
		return w.list(s, "oneOf")
	case keyword.Has(s, "prefixItems"):
		return w.list(s, "prefixItems")
	case keyword.Has(s, "enum"):
		if _, isList := s.Value("enum").([]any); !isList {
			return fault("'enum' must be an array")
		}
		return found{}
	case keyword.Has(s, "const"):
		return found{}
	case keyword.Has(s, "$ref"):
		return w.ref(s)
	case keyword.Has(s, "type"):
		return w.types(s)
	}
	return fault("Unsupported JSON Schema structure " + string(display(nil, v)) + " \nMake sure it is valid to the JSON Schema specification and check if " +
		"it's supported by Outlines.\nIf it should be supported, please open an issue.")
}

func (w *walker) properties(s *pyjson.Object) found {
	properties, ok := s.Value("properties").(*pyjson.Object)
	if !ok {
		return fault("'properties' not found or not an object")
	}
	values := make([]any, 0, properties.Len())
	for _, v := range properties.All() {
		values = append(values, v)
	}
	return each(values, func(v any) found {
		one := w.schema(v)
		if one.fault == tooDeep {
			return found{}
		}
		return one
	})
}

func (w *walker) list(s *pyjson.Object, key string) found {
	items, ok := s.Value(key).([]any)
	if !ok {
		return fault("'" + key + "' must be an array")
	}
	return each(items, w.schema)
}

func (w *walker) ref(s *pyjson.Object) found {
	if w.depth > maxDepth {
		return fault(tooDeep)
	}
	ref, ok := s.Value("$ref").(string)
	if !ok {
		return fault("'$ref' must be a string")
	}
	base, path, two := strings.Cut(ref, "#")
	id := w.root.Value("$id")
	switch {
	case strings.Contains(path, "#"):
		return fault("Invalid reference format: " + ref)
	case !two:
		path = base
	case base != "" && id != base:
		return fault("External references are not supported: " + ref)
	}
	at := place{ref, w.depth}
	if known, ok := w.refs[at]; ok {
		return known
	}
	w.depth++
	behind := w.behind(path)
	w.depth--
	w.refs[at] = behind
	return behind
}

func (w *walker) behind(path string) found {
	var at any = w.root
	for part := range strings.SplitSeq(path, "/") {
		if part == "" {
			continue
		}
		o, _ := at.(*pyjson.Object)
		next, ok := o.Get(part)
		if !ok {
			return fault("Invalid reference path: " + part)
		}
		at = next
	}
	return w.schema(at)
}
