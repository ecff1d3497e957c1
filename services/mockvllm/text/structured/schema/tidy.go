package schema

import (
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// forms tells what the value of a keyword must be.
var forms = map[string]func(v any) bool{
	"title": isText, "description": isText, "format": isText, "$comment": isText,
	"examples": isList, "required": isTexts, "anyOf": isFilled, "oneOf": isFilled, "allOf": isFilled, "prefixItems": isFilled,
	"properties": isObject, "patternProperties": isObject, "$defs": isObject, "definitions": isObject, "dependentRequired": isObject,
	"minLength": isCount, "maxLength": isCount, "minItems": isCount, "maxItems": isCount, "minProperties": isCount, "maxProperties": isCount,
	"minContains": isCount, "maxContains": isCount, "multipleOf": isPositive, "exclusiveMinimum": isNumber, "exclusiveMaximum": isNumber,
}

func isText(v any) bool   { _, ok := v.(string); return ok }
func isList(v any) bool   { _, ok := v.([]any); return ok }
func isObject(v any) bool { _, ok := v.(*pyjson.Object); return ok }
func isNumber(v any) bool { _, ok := v.(pyjson.Number); return ok }
func isFilled(v any) bool { l, ok := v.([]any); return ok && len(l) > 0 }
func isCount(v any) bool  { n, ok := v.(pyjson.Number); return ok && n.Float() >= 0 }

func isPositive(v any) bool { n, ok := v.(pyjson.Number); return ok && n.Float() > 0 }

func isTexts(v any) bool {
	l, ok := v.([]any)
	return ok && !slices.ContainsFunc(l, func(t any) bool { return !isText(t) })
}

// named are keywords whose members are schemas under any name.
var named = []string{"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}

// plain are keywords whose values are no schemas.
var plain = []string{"enum", "const", "default", "examples", "required", "type", "dependentRequired"}

// tidy leaves out keywords that say nothing because their values have the wrong form, as vLLM does with them. In the current draft,
// a list of items is what was called so before: prefixItems.
func tidy(schema any, current bool) any {
	s, ok := schema.(*pyjson.Object)
	if !ok {
		return schema
	}
	out := make([]pyjson.Member, 0, s.Len())
	for _, m := range s.Members() {
		if form, ok := forms[m.Key]; ok && !form(m.Value) {
			continue
		}
		if l, ok := m.Value.([]any); m.Key == "type" && ok && len(l) == 0 {
			continue
		}
		if m.Key == "items" && current && isFilled(m.Value) {
			m.Key = "prefixItems"
		}
		members, isMap := m.Value.(*pyjson.Object)
		items, isList := m.Value.([]any)
		switch {
		case slices.Contains(plain, m.Key):
		case slices.Contains(named, m.Key) && isMap:
			inner := members.Clone()
			for name, part := range members.All() {
				inner.Set(name, tidy(part, current))
			}
			m.Value = inner
		case isMap:
			m.Value = tidy(m.Value, current)
		case isList:
			inner := make([]any, len(items))
			for i, item := range items {
				inner[i] = tidy(item, current)
			}
			m.Value = inner
		}
		out = append(out, m)
	}
	return pyjson.NewObject(out...)
}
