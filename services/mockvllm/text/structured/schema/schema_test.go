package schema_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/schema"
)

func source(seed uint64, guide bool) schema.Source {
	return schema.Source{Rand: rand.New(rand.NewPCG(seed, 7)), Guide: guide, Asked: "What is the weather in Paris?"}
}

func validator(t testing.TB, text string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("mem:///x.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("mem:///x.json")
	if err != nil {
		t.Fatal(text, err)
	}
	return s
}

func check(t testing.TB, v *jsonschema.Schema, schemaText, got string) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(got))
	if err != nil || len(got) > 64<<10 {
		t.Fatalf("%s gives %.200s: %v", schemaText, got, err)
	}
	if err := v.Validate(doc); err != nil {
		t.Fatalf("%s gives %s: %v", schemaText, got, err)
	}
}

// TestGuide: small values, in the order of properties, that take up what was asked; random ones are valid as well.
func TestGuide(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		s, err := schema.Compile(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			return
		}
		if got := s.Generate(source(1, true)); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
		if strings.Contains(text, `"items": [`) && !strings.Contains(text, "$schema") {
			return // the validator takes that for no schema
		}
		v := validator(t, text)
		for seed := range uint64(100) {
			check(t, v, text, s.Generate(source(seed, seed%10 == 0)))
		}
	}
	f(`{}`, `"Paris"`)
	f(`true`, `"Paris"`)
	f(`{"type": "object"}`, `{}`)
	f(`{"type": "object", "properties": {"city": {"type": "string"}, "b": {"type": "null"}, "a": {"type": "boolean"}}, "required": ["a"]}`,
		`{"city": "Paris", "b": null, "a": true}`)
	f(`{"required": ["x"]}`, `{"x": "Paris"}`)
	f(`{"enum": ["London", "PARIS"]}`, `"PARIS"`)
	f(`{"enum": [5, null]}`, `5`)
	f(`{"type": "string", "enum": [5, "a"]}`, `"a"`)
	f(`{"const": {"b": [1, 2.5], "a": "<"}}`, `{"b": [1, 2.5], "a": "<"}`)
	f(`{"type": "integer", "default": 7}`, `7`)
	f(`{"type": ["string", "null"], "default": null}`, `"Paris"`)
	f(`{"type": "string", "examples": ["here"]}`, `"here"`)
	f(`{"type": ["null", "integer"], "minimum": 3}`, `3`)
	f(`{"type": "integer", "maximum": -4}`, `-4`)
	f(`{"type": "integer", "exclusiveMinimum": 1, "multipleOf": 5}`, `5`)
	f(`{"type": "number", "multipleOf": 0.1, "minimum": 0.25}`, `1`)
	f(`{"type": "number", "multipleOf": 0.1, "maximum": 0.25}`, `0.2`)
	f(`{"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001}`, `0.0009`)
	f(`{"allOf": [{"type": "integer", "multipleOf": 4}, {"multipleOf": 6, "minimum": 13}]}`, `24`)
	f(`{"type": "integer", "minimum": 1e30}`, `1`+strings.Repeat("0", 30))
	f(`{"type": "string", "minLength": 8, "maxLength": 8}`, `"Parisxxx"`)
	f(`{"type": "string", "maxLength": 2}`, `"Pa"`)
	f(`{"type": "string", "pattern": "^[A-Z]{3}-\\d+(x|y)?$"}`, `"AAA-1x"`)
	f(`{"type": "string", "pattern": "^\\w+@\\w+\\.(com|org)$", "maxLength": 14}`, `"a@a.com"`)
	f(`{"type": "string", "format": "date-time"}`, `"2026-01-31T12:00:00Z"`)
	f(`{"type": "array", "items": {"type": "string"}}`, `["Paris"]`)
	f(`{"type": "array", "items": {"type": "string"}, "minItems": 2, "uniqueItems": true}`, `["Paris", "Paris 2"]`)
	f(`{"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "maxItems": 3, "uniqueItems": true}`, `["a", "b", "c"]`)
	f(`{"type": "array", "maxItems": 0}`, `[]`)
	f(`{"prefixItems": [{"type": "integer"}, {"type": "boolean"}], "items": false}`, `[1, false]`)
	f(`{"type": "array", "items": {"type": "integer"}, "contains": {"minimum": 40}, "minContains": 2}`, `[40, 41]`)
	f(`{"anyOf": [{"type": "null"}, {"type": "integer"}]}`, `1`)
	f(`{"oneOf": [{"type": "object", "properties": {"kind": {"const": "a"}}, "required": ["kind"]}, {"type": "string"}]}`, `{"kind": "a"}`)
	f(`{"allOf": [{"properties": {"a": {"type": "integer"}}}, {"properties": {"a": {"minimum": 9}, "b": {"type": "boolean"}}}]}`, `{"a": 9, "b": true}`)
	f(`{"$defs": {"P": {"type": "object", "properties": {"x": {"type": "number"}}}}, "properties": {"at": {"$ref": "#/$defs/P"}}}`, `{"at": {"x": 1}}`)
	f(`{"type": "object", "properties": {"v": {"type": "integer"}, "next": {"$ref": "#"}}, "required": ["v"]}`, `{"v": 1, "next": {"v": 1, "next": {"v": 1, "next": {"v": 1}}}}`)
	f(`{"type": "object", "properties": {"a": {}, "b": {}}, "maxProperties": 1, "required": ["b"]}`, `{"b": "Paris"}`)
	f(`{"type": "object", "minProperties": 2}`, `{"key1": "Paris", "key2": "Paris"}`)
	f(`{"type": "object", "patternProperties": {"^x-": {"type": "integer"}}, "additionalProperties": false, "minProperties": 1}`, `{"x-": 1}`)
	f(`{"type": "object", "propertyNames": {"pattern": "^[a-c]{2}$"}, "minProperties": 1}`, `{"aa": "Paris"}`)
	f(`{"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["a"], "dependentRequired": {"a": ["c"]}}`, `{"a": 1, "b": 1, "c": "Paris"}`)
	f(`{"if": {"properties": {"k": {"const": 1}}, "required": ["k"]}, "then": {"required": ["a"]}, "else": {"required": ["b"]}}`, `{"k": 1, "a": "Paris"}`)
	f(`{"type": "string", "not": {"enum": ["Paris"]}}`, `"Paris"`[:0]+source1(t))
	f(`{"not": {"type": "string"}}`, `{}`)
	f(`{"type": "array", "items": [{"type": "integer"}], "maxItems": 1}`, `[1]`)
	f(`{"$schema": "http://json-schema.org/draft-07/schema#", "type": "array", "items": [{"type": "integer"}], "additionalItems": false, "minItems": 1}`, `[1]`)
	f(`{"anyOf": [{"type": "array", "items": {"$ref": "#"}, "minItems": 2}, {"type": "integer"}]}`, `[[[[1, 2], [1, 2]], [[1, 2], [1, 2]]], [[[1, 2], [1, 2]], [[1, 2], [1, 2]]]]`)
}

// source1 is what a schema that refuses the guided word gives.
func source1(t *testing.T) string {
	s, err := schema.Compile(`{"type": "string", "not": {"enum": ["Paris"]}}`)
	if err != nil {
		t.Fatal(err)
	}
	return s.Generate(source(1, true))
}

// TestSloppy: keywords that say nothing are passed over.
func TestSloppy(t *testing.T) {
	for _, text := range []string{
		`{"title": 5, "examples": 4, "type": "integer"}`, `{"type": [], "anyOf": [], "required": "a", "minLength": -1}`,
		`{"$defs": 5, "properties": {"type": {"description": 7}, "required": {"type": "null"}}}`, `{"type": "integer", "multipleOf": -1, "exclusiveMinimum": true}`,
	} {
		if _, err := schema.Compile(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestCompileRefuses: no value is better than a wrong one, and nothing takes long.
func TestCompileRefuses(t *testing.T) {
	f := func(text string, want error) {
		t.Helper()
		if s, err := schema.Compile(text); !errors.Is(err, want) {
			t.Errorf("%s: %v, %+v", text, err, s)
		}
	}
	f(`{`, schema.ErrSchema)
	f(`5`, schema.ErrSchema)
	f(`{"type": 5}`, schema.ErrSchema)
	f(`{"type": "nope"}`, schema.ErrSchema)
	f(`{"properties": {"a": null}}`, schema.ErrSchema)
	f(`{"pattern": "("}`, schema.ErrSchema)
	f(`{"$ref": "#/$defs/nobody"}`, schema.ErrSchema)
	f(`{"$ref": "https://example.com/schema.json"}`, schema.ErrSchema)
	f(`{"$ref": "file:///etc/passwd"}`, schema.ErrSchema)
	f(`false`, schema.ErrNone)
	f(`{"enum": []}`, schema.ErrNone)
	f(`{"not": {}}`, schema.ErrNone)
	f(`{"type": "integer", "minimum": 5, "maximum": 4}`, schema.ErrNone)
	f(`{"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 4}`, schema.ErrNone)
	f(`{"type": "string", "minLength": 1000000000}`, schema.ErrLarge)
	f(`{"type": "array", "minItems": 1000000000}`, schema.ErrLarge)
	f(`{"type": "object", "minProperties": 1000000000}`, schema.ErrLarge)
	f(`{"type": "number", "minimum": 1e999999}`, schema.ErrSchema)
	f(`{"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}`, schema.ErrNone)
	f(`{"$ref": "#"}`, schema.ErrNone)
	f(`{"anyOf": [{"$ref": "#"}, {"$ref": "#"}, {"items": {"$ref": "#"}}], "type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}}`, schema.ErrNone)
	f(`{"type": "array", "items": {"type": "boolean"}, "uniqueItems": true, "minItems": 3}`, schema.ErrNone)
}

// TestRandomSchemas: of thousands of random schemas, whatever compiles gives valid values, guided and at random, and few do not
// compile that have a value.
func TestRandomSchemas(t *testing.T) {
	refused, total := 0, 3000
	for seed := range uint64(total) {
		g := generator{rand.New(rand.NewPCG(seed, 3)), 0}
		root := g.schema(0)
		root["$defs"] = map[string]any{"d0": g.schema(1), "d1": g.schema(1), "d2": map[string]any{"type": "integer"}}
		raw, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		s, err := schema.Compile(string(raw))
		if err != nil {
			if refused++; errors.Is(err, schema.ErrSchema) {
				t.Fatalf("%s: %v", raw, err)
			}
			continue
		}
		v := validator(t, string(raw))
		for i := range uint64(6) {
			check(t, v, string(raw), s.Generate(source(i, i%3 == 0)))
		}
	}
	if refused > total/20 {
		t.Errorf("%d of %d schemas are refused", refused, total)
	}
	t.Logf("%d of %d schemas are refused", refused, total)
}

// generator makes schemas that mostly have values.
type generator struct {
	*rand.Rand
	n int
}

func (g *generator) schema(depth int) map[string]any {
	s := map[string]any{}
	kind := g.IntN(12)
	if depth > 3 {
		kind = g.IntN(5)
	}
	switch kind {
	case 0:
		s["type"] = []string{"boolean", "null"}[g.IntN(2)]
	case 1:
		g.number(s)
	case 2, 3:
		g.text(s)
	case 4:
		s["enum"] = []any{"a", 1, nil, true, []int{1}, map[string]any{"x": 1.5}}[g.IntN(3):]
	case 5:
		s["type"] = []string{"string", "null", "integer"}
	case 6:
		s[[]string{"anyOf", "oneOf"}[g.IntN(2)]] = []any{map[string]any{"type": "null"}, g.schema(depth + 1), map[string]any{"const": fmt.Sprint("c", g.IntN(9))}}
	case 7:
		s["$ref"] = fmt.Sprint("#/$defs/d", g.IntN(3))
	case 8, 9:
		g.array(s, depth)
	default:
		g.object(s, depth)
	}
	if g.IntN(12) == 0 {
		s["not"] = map[string]any{"const": "Paris"}
	}
	return s
}

func (g *generator) number(s map[string]any) {
	s["type"] = []string{"integer", "number"}[g.IntN(2)]
	low := g.IntN(100) - 50
	for _, k := range []string{"minimum", "exclusiveMinimum"} {
		if g.IntN(3) == 0 {
			s[k] = low
		}
	}
	for _, k := range []string{"maximum", "exclusiveMaximum"} {
		if g.IntN(3) == 0 {
			s[k] = low + 12 + g.IntN(20)
		}
	}
	if g.IntN(3) == 0 {
		s["multipleOf"] = []any{2, 3, 0.5, 0.01, 2.5}[g.IntN(5)]
	}
}

func (g *generator) text(s map[string]any) {
	s["type"] = "string"
	switch g.IntN(4) {
	case 0:
		s["pattern"] = []string{"^[a-z]{2,5}$", "\\d+", "^(foo|bar)-[0-9a-f]{4}$", "^\\S+@\\S+\\.org$", "a.c", "^[^x]*$"}[g.IntN(6)]
	case 1:
		s["format"] = []string{
			"date", "time", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uri-reference", "uri-template", "uuid",
			"json-pointer", "relative-json-pointer", "regex", "unknown",
		}[g.IntN(16)]
	default:
		n := g.IntN(20)
		if g.IntN(2) == 0 {
			s["minLength"] = n
		}
		if g.IntN(2) == 0 {
			s["maxLength"] = n + g.IntN(10)
		}
	}
}

func (g *generator) array(s map[string]any, depth int) {
	s["type"] = "array"
	n := g.IntN(3)
	if g.IntN(2) == 0 {
		s["items"] = g.schema(depth + 1)
	}
	if g.IntN(3) == 0 {
		s["prefixItems"] = []any{g.schema(depth + 1), g.schema(depth + 1)}
	}
	if g.IntN(3) == 0 {
		s["minItems"] = n
	}
	if g.IntN(3) == 0 {
		s["maxItems"] = n + g.IntN(3)
	}
	if g.IntN(5) == 0 {
		s["items"], s["uniqueItems"] = map[string]any{"type": "string"}, true
	}
	if g.IntN(6) == 0 {
		s["items"], s["contains"] = map[string]any{"type": "integer"}, map[string]any{"minimum": 1000}
		delete(s, "maxItems")
		delete(s, "prefixItems")
	}
}

func (g *generator) object(s map[string]any, depth int) {
	s["type"] = "object"
	names := []string{"alpha", "beta", "gamma"}[:g.IntN(4)]
	properties := map[string]any{}
	var required []string
	for _, name := range names {
		properties[name] = g.schema(depth + 1)
		if g.IntN(2) == 0 {
			required = append(required, name)
		}
	}
	if len(required) > 0 {
		s["required"] = required
	}
	s["properties"] = properties
	switch g.IntN(8) {
	case 0:
		s["additionalProperties"] = false
	case 1:
		s["additionalProperties"] = g.schema(depth + 1)
		s["minProperties"] = g.IntN(5)
	case 2:
		s["patternProperties"] = map[string]any{"^x_[a-z]+$": g.schema(depth + 1)}
		s["additionalProperties"] = false
		s["minProperties"] = len(required)
	case 3:
		s["propertyNames"] = map[string]any{"maxLength": 5}
		s["minProperties"] = len(required)
	case 4:
		s["maxProperties"] = len(required) + g.IntN(2)
	case 5:
		s["if"], s["then"] = map[string]any{"required": []string{"alpha"}}, map[string]any{"required": []string{"delta"}}
	case 6:
		s["dependentRequired"] = map[string]any{"alpha": []string{"omega"}}
		s["allOf"] = []any{map[string]any{"properties": map[string]any{"omega": map[string]any{"type": "integer"}}}}
	}
}

func FuzzCompile(f *testing.F) {
	f.Add(`{"type":"object","properties":{"a":{"type":"string","pattern":"a+"}},"required":["a"]}`)
	f.Add(`{"anyOf":[{"minimum":3},{"type":"array","items":{"$ref":"#"},"minItems":2}]}`)
	f.Add(`{"type":"number","multipleOf":0.1,"not":{"const":1}}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := schema.Compile(text)
		if err != nil {
			return
		}
		for seed := range uint64(2) {
			if got := s.Generate(source(seed, seed == 0)); !json.Valid([]byte(got)) {
				t.Fatalf("%s gives %s", text, got)
			}
		}
	})
}

func BenchmarkGenerate(b *testing.B) {
	s, err := schema.Compile(`{"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}, "tags": {"type": "array", "items": {"type": "string"}}}, "required": ["city"]}`)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s.Generate(source(1, true))
	}
}
