package instance_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/instance"
)

func TestMake(t *testing.T) {
	f := func(schema, want string) {
		t.Helper()
		got, err := instance.Make(json.RawMessage(schema), "What is the weather in Paris?")
		if err != nil || got != want {
			t.Errorf("%s\n got %s, %v\nwant %s", schema, got, err, want)
		}
	}
	f(`{}`, `"Paris"`)
	f(`true`, `"Paris"`)
	f(`{"type":"object"}`, `{}`)
	f(`{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},"required":["city"]}`, `{"city": "Paris", "days": 1}`)
	f(`{"type":"object","properties":{"b":{"type":"null"},"a":{"type":"boolean"}},"required":["b","a"],"additionalProperties":false}`, `{"b": null, "a": true}`)
	f(`{"required":["x"]}`, `{"x": "Paris"}`)
	f(`{"enum":["London","PARIS"]}`, `"PARIS"`)
	f(`{"enum":["London","Rome"]}`, `"London"`)
	f(`{"enum":[5,null]}`, `5`)
	f(`{"const":{"b":[1,2.5],"a":"<"}}`, `{"a": "<", "b": [1, 2.5]}`)
	f(`{"type":"integer","default":7}`, `7`)
	f(`{"type":["string","null"],"default":null}`, `"Paris"`)
	f(`{"type":"string","examples":["here"]}`, `"here"`)
	f(`{"type":["null","integer"],"minimum":3}`, `3`)
	f(`{"type":"integer","maximum":-4}`, `-4`)
	f(`{"type":"integer","exclusiveMinimum":1,"multipleOf":5}`, `5`)
	f(`{"type":"integer","minimum":1.5}`, `2`)
	f(`{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1}`, `0.5`)
	f(`{"exclusiveMaximum":1}`, `0`)
	f(`{"type":"string","minLength":8}`, `"Parisxxx"`)
	f(`{"type":"string","maxLength":2}`, `"Pa"`)
	f(`{"type":"string","format":"date"}`, `"2026-01-31"`)
	f(`{"type":"string","pattern":"^[A-Z]{3}-\\d+(x|y)?$"}`, `"AAA-0"`)
	f(`{"type":"string","pattern":"^\\w+@\\w+\\.(com|org)$","minLength":12}`, `"aaaa@aaaa.com"`)
	f(`{"type":"array","items":{"type":"string"}}`, `["Paris"]`)
	f(`{"type":"array","items":{"type":"string"},"minItems":2,"uniqueItems":true}`, `["Paris", "Paris 2"]`)
	f(`{"type":"array","items":{"enum":["a","b","c"]},"minItems":3,"uniqueItems":true}`, `["a", "b", "c"]`)
	f(`{"type":"array","maxItems":0}`, `[]`)
	f(`{"prefixItems":[{"type":"integer"},{"type":"boolean"}],"items":false}`, `[1, false]`)
	f(`{"anyOf":[{"type":"null"},{"type":"integer"}],"default":null}`, `1`)
	f(`{"oneOf":[{"type":"object","properties":{"kind":{"const":"a"}},"required":["kind"]},{"type":"string"}]}`, `{"kind": "a"}`)
	f(`{"allOf":[{"properties":{"a":{"type":"integer"}}},{"properties":{"a":{"minimum":9},"b":{"type":"boolean"}}}]}`, `{"a": 9, "b": true}`)
	f(`{"$defs":{"P":{"type":"object","properties":{"x":{"type":"number"}}}},"properties":{"at":{"$ref":"#/$defs/P"}}}`, `{"at": {"x": 1}}`)
	// What contains itself ends where nothing requires more.
	f(`{"type":"object","properties":{"v":{"type":"integer"},"next":{"$ref":"#"}},"required":["v"]}`,
		`{"v": 1, "next": {"v": 1, "next": {"v": 1, "next": {"v": 1}}}}`)
	// A value with all members is refused here, one without the optional members is not.
	f(`{"type":"object","properties":{"a":{},"b":{}},"maxProperties":1,"required":["b"]}`, `{"b": "Paris"}`)
}

// TestMakeRefuses: no value is better than a wrong one.
func TestMakeRefuses(t *testing.T) {
	f := func(schema string, bad bool) {
		t.Helper()
		got, err := instance.Make(json.RawMessage(schema), "")
		if err == nil || errors.Is(err, instance.ErrSchema) != bad {
			t.Errorf("%s: %q, %v", schema, got, err)
		}
	}
	f(`5`, true)
	f(`{"type":5}`, true)
	f(`{"properties":{"a":null}}`, true)
	f(`{"pattern":"("}`, true)
	f(`{"$ref":"#/$defs/nobody"}`, true)
	f(`{"$ref":"https://example.com/schema.json"}`, true)
	f(`{"type":"nope"}`, false)
	f(`false`, false)
	f(`{"enum":[]}`, false)
	f(`{"not":{}}`, false)
	f(`{"type":"integer","minimum":5,"maximum":4}`, false)
	f(`{"type":"string","pattern":"^a$","minLength":1000000000}`, false)
	f(`{"type":"string","minLength":1000000000}`, false)
	f(`{"type":"array","minItems":1000000000}`, false)
	f(`{"type":"object","properties":{"next":{"$ref":"#"}},"required":["next"]}`, false)
	f(`{"$ref":"#"}`, false)
	f(`{"anyOf":[{"$ref":"#"},{"$ref":"#"},{"items":{"$ref":"#"}}]}`, false)
	f(`{"if":{"type":"string"},"then":false}`, false)
}

func FuzzMake(f *testing.F) {
	f.Add(`{"type":"object","properties":{"a":{"type":"string","pattern":"a+"}},"required":["a"]}`, "hint")
	f.Add(`{"anyOf":[{"minimum":3},{"type":"array","items":{"$ref":"#"},"minItems":2}]}`, "")
	f.Fuzz(func(t *testing.T, schema, hint string) {
		got, err := instance.Make(json.RawMessage(schema), strings.ToValidUTF8(hint, ""))
		if err != nil {
			return
		}
		var root jsonschema.Schema
		var value any
		if json.Unmarshal([]byte(schema), &root) != nil || json.Unmarshal([]byte(got), &value) != nil {
			t.Fatalf("%s gives %s", schema, got)
		}
		if resolved, err := root.Resolve(nil); err != nil || resolved.Validate(value) != nil {
			t.Fatalf("%s gives %s, %v", schema, got, err)
		}
	})
}
