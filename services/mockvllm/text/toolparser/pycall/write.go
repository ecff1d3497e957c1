package pycall

import (
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Write is a call in Python.
func Write(name string, arguments *pyjson.Object) string {
	parts := make([]string, arguments.Len())
	for i, m := range arguments.Members() {
		parts[i] = m.Key + "=" + literal(m.Value)
	}
	return name + "(" + strings.Join(parts, ", ") + ")"
}

// literal writes a value in Python. Strings are spelled as in JSON, which Python reads as well.
func literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return map[bool]string{false: "False", true: "True"}[v]
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = literal(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *pyjson.Object:
		parts := make([]string, v.Len())
		for i, m := range v.Members() {
			parts[i] = literal(m.Key) + ": " + literal(m.Value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return pyjson.DumpsUnicode(v)
}
