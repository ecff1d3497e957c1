// Package coerce gives the arguments of a call, which are text in the markup of many models, the types that the tool's schema says,
// as vLLM 0.32 does.
package coerce

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Arguments gives the values of arguments, which are a JSON object, the types that their schemas have. What is no object, or fits
// already, stays as it is written.
func Arguments(arguments string, schemas *pyjson.Object) string {
	if schemas.Len() == 0 {
		return arguments
	}
	v, err := pyjson.DecodeString(arguments)
	o, ok := v.(*pyjson.Object)
	if err != nil || !ok || !members(o, schemas) {
		return arguments
	}
	return pyjson.DumpsUnicode(o)
}

func members(o, schemas *pyjson.Object) (changed bool) {
	for name, value := range o.All() {
		if s, ok := schemas.Value(name).(*pyjson.Object); ok {
			value, did := valueOf(value, s)
			o.Set(name, value)
			changed = changed || did
		}
	}
	return changed
}

func valueOf(v any, schema *pyjson.Object) (any, bool) {
	switch v := v.(type) {
	case string:
		out := fromText(v, TypesOf(schema))
		s, same := out.(string)
		return out, !same || s != v
	case *pyjson.Object:
		schemas, _ := schema.Value("properties").(*pyjson.Object)
		return v, members(v, schemas)
	case []any:
		items, ok := schema.Value("items").(*pyjson.Object)
		changed := false
		for i := range v {
			if ok {
				var did bool
				v[i], did = valueOf(v[i], items)
				changed = changed || did
			}
		}
		return v, changed
	}
	text := pyjson.DumpsUnicode(v)
	out := fromText(text, TypesOf(schema))
	return out, pyjson.DumpsUnicode(out) != text
}

// TypesOf are the types that a schema allows, with those of its enum and alternatives; string when it says nothing.
func TypesOf(schema *pyjson.Object) []string {
	var types []string
	given := schema.Value("type")
	several, _ := given.([]any)
	for _, t := range append(several, given) {
		if s, ok := t.(string); ok {
			types = append(types, s)
		}
	}
	values, _ := schema.Value("enum").([]any)
	for _, value := range values {
		types = append(types, typeOf(value))
	}
	for _, key := range []string{"anyOf", "oneOf", "allOf"} {
		choices, _ := schema.Value(key).([]any)
		for _, c := range choices {
			inner, _ := c.(*pyjson.Object)
			types = append(types, TypesOf(inner)...)
		}
	}
	if len(types) == 0 {
		return []string{"string"}
	}
	return types
}

func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case pyjson.Number:
		if v.IsInt() {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	case *pyjson.Object:
		return "object"
	}
	return "string"
}

// aliases are names for types that tools have beside JSON Schema's.
var aliases = map[string]string{
	"str": "string", "text": "string", "varchar": "string", "char": "string", "enum": "string",
	"int": "integer", "int32": "integer", "int64": "integer", "uint": "integer", "uint32": "integer", "uint64": "integer",
	"long": "integer", "short": "integer", "unsigned": "integer",
	"float": "number", "float32": "number", "float64": "number", "double": "number",
	"bool": "boolean", "dict": "object", "arr": "array", "list": "array", "sequence": "array",
}

// fromText reads text as the first of types, in this order, that it can be; of no known type at all, as JSON.
func fromText(text string, types []string) any {
	known := map[string]bool{}
	for _, t := range types {
		t = strings.ToLower(strings.TrimSpace(t))
		if alias, ok := aliases[t]; ok {
			t = alias
		}
		known[t] = true
	}
	for _, t := range []string{"null", "integer", "number", "boolean", "object", "array"} {
		if known[t] {
			if v, ok := readAs(t, text); ok {
				return v
			}
		}
	}
	if known["string"] {
		return text
	}
	if v, ok := readAs("object", text); ok {
		return v
	}
	return text
}

func readAs(kind, text string) (any, bool) {
	plain := strings.ToLower(strings.TrimSpace(text))
	switch kind {
	case "null":
		return nil, strings.ToLower(text) == "null"
	case "integer":
		n, ok := new(big.Int).SetString(plain[:min(len(plain), pyjson.MaxDigits)], 10)
		if !ok || len(plain) > pyjson.MaxDigits {
			return nil, false
		}
		return pyjson.Number(n.String()), true
	case "number":
		f, err := strconv.ParseFloat(plain, 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return nil, false
		}
		if f == math.Trunc(f) {
			return pyjson.Number(strconv.FormatFloat(f, 'f', -1, 64)), true
		}
		return pyjson.Number(strconv.FormatFloat(f, 'e', -1, 64)), true
	case "boolean":
		yes := plain == "true" || plain == "1"
		return yes, yes || plain == "false" || plain == "0"
	}
	v, err := pyjson.DecodeString(text)
	return v, err == nil && finite(v)
}

func finite(v any) bool {
	switch v := v.(type) {
	case pyjson.Number:
		f := v.Float()
		return !math.IsInf(f, 0) && !math.IsNaN(f)
	case []any:
		return !slices.ContainsFunc(v, func(item any) bool { return !finite(item) })
	case *pyjson.Object:
		return !slices.ContainsFunc(v.Members(), func(m pyjson.Member) bool { return !finite(m.Value) })
	}
	return true
}
