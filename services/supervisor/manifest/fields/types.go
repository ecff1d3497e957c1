package fields

import (
	"maps"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

// The patterns are understood alike by ECMAScript, as JSON Schema has it, and by Go.
const (
	linePattern = `^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$` // not blank, no control character
	wordPattern = `^[^\x00]*$`
	refPattern  = `\$\{`
	timePattern = `^\+?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$`
)

// lineSchema is a string as strict.Object.Text reads it.
func lineSchema() schema { return schema{"type": "string", "pattern": linePattern} }

// wordSchema is a string or number as strict.Reader.Scalar reads it.
func wordSchema() schema { return schema{"type": []string{"string", "number"}, "pattern": wordPattern} }

// idSchema says what strict.Reader.CheckID says.
func idSchema() schema {
	return schema{"type": "string", "pattern": strict.IDForm.String(), "maxLength": 200, "not": schema{"pattern": "^v1(/|$)"}}
}

// idOrRef is an id, or what becomes one.
func idOrRef() schema {
	return schema{"anyOf": []any{schema{"$ref": "#/$defs/id"}, schema{"type": "string", "pattern": refPattern}}}
}

func durationSchema() schema {
	return schema{"anyOf": []any{
		schema{"type": "number", "exclusiveMinimum": 0, "maximum": strict.Longest.Seconds()},
		schema{"type": "string", "pattern": timePattern, "allOf": []any{schema{"pattern": "[1-9]"}}},
	}}
}

// flagsSchema refuses the flags that have fields of their own.
func flagsSchema() schema {
	names := strings.Join(slices.Sorted(maps.Keys(Elsewhere)), "|")
	return schema{
		"type":          "object",
		"propertyNames": schema{"not": schema{"pattern": "^-*(" + strings.ReplaceAll(names, "-", "[-_]") + ")$"}},
		"additionalProperties": schema{
			"type": []string{"boolean", "string", "number", "array"}, "pattern": wordPattern, "items": wordSchema(),
		},
	}
}
