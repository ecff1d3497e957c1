// Package keyword reads the keywords of a JSON Schema, whatever stands there: what has not the form that it should have is as if it
// were not there.
package keyword

import (
	"slices"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Types are the types that JSON has.
var Types = []string{"string", "object", "integer", "array", "number", "boolean", "null"}

// Formats are the formats of strings that both of vLLM's libraries know.
var Formats = []string{
	"email", "date", "time", "date-time", "duration", "ipv4", "ipv6", "hostname", "uuid", "uri", "uri-reference", "uri-template",
	"json-pointer", "relative-json-pointer",
}

// Has tells whether a schema has one of the keywords.
func Has(s *pyjson.Object, keys ...string) bool {
	return slices.ContainsFunc(keys, func(k string) bool { _, ok := s.Get(k); return ok })
}

// TypesOf are the types of the keyword type, known or not; nil for none.
func TypesOf(s *pyjson.Object) []string {
	if t, ok := s.Value("type").(string); ok {
		return []string{t}
	}
	return Texts(s, "type")
}

// List is the value of a keyword that is a list.
func List(s *pyjson.Object, key string) []any {
	l, _ := s.Value(key).([]any)
	return l
}

// Texts are the strings in such a list.
func Texts(s *pyjson.Object, key string) (out []string) {
	for _, v := range List(s, key) {
		if t, ok := v.(string); ok {
			out = append(out, t)
		}
	}
	return out
}

// Object is the value of a keyword that is an object.
func Object(s *pyjson.Object, key string) *pyjson.Object {
	o, _ := s.Value(key).(*pyjson.Object)
	return o
}

// Anywhere tells whether a test holds for an object anywhere in a schema, whatever the object is.
func Anywhere(v any, test func(*pyjson.Object) bool) bool {
	switch v := v.(type) {
	case *pyjson.Object:
		return test(v) || slices.ContainsFunc(v.Members(), func(m pyjson.Member) bool { return Anywhere(m.Value, test) })
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { o, ok := item.(*pyjson.Object); return ok && Anywhere(o, test) })
	}
	return false
}

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// At is what a JSON Pointer (RFC 6901) leads to from root.
func At(root any, pointer string) (at any, ok bool) {
	at = root
	if pointer == "" {
		return at, true
	}
	if pointer[0] != '/' {
		return nil, false
	}
	for part := range strings.SplitSeq(pointer[1:], "/") {
		part = unescape.Replace(part)
		switch v := at.(type) {
		case *pyjson.Object:
			if at, ok = v.Get(part); !ok {
				return nil, false
			}
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(v) {
				return nil, false
			}
			at = v[i]
		default:
			return nil, false
		}
	}
	return at, true
}
