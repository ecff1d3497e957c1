package fields

import (
	"encoding/json"

	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

// schema is a JSON Schema, or a part of one.
type schema = map[string]any

// Schema is the JSON Schema of the models file, draft 2020-12. What it accepts read.Parse accepts, except for what a schema cannot
// say: whether ${NAME} is set and what it holds, commands that have no sleep mode, names, ports and ids that clash with those of other fields or models, models
// that do not exist or could never be loaded together, parts that are more than the whole, also of a GPU's memory, lists that are as long as another number says, a field or server given twice, whole numbers written as 8001.0,
// durations and percentages that round to nothing, durations over a week, the finer points of URLs, and commands whose address
// cannot be told. What read.Parse accepts it accepts.
func Schema() ([]byte, error) {
	top := objectSchema(fileFields)
	top["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	top["title"] = "FluidMCP models file"
	top["$defs"] = schema{"model": modelSchema(), "id": idSchema()}
	models := top["properties"].(schema)["llmModels"].(schema)
	models["minProperties"] = 1
	models["propertyNames"] = schema{"$ref": "#/$defs/id"}
	models["additionalProperties"] = schema{"$ref": "#/$defs/model"}
	groups := top["properties"].(schema)["swapGroups"].(schema)
	groups["additionalProperties"] = objectSchema(groupFields)
	text, err := json.MarshalIndent(top, "", "  ")
	return append(text, '\n'), err
}

// modelSchema is one entry of llmModels.
func modelSchema() schema {
	s := objectSchema(modelFields)
	s["description"] = "A model, given by one of command, model, container and deployment, or by endpoints alone."
	var rules []any
	var given []any
	for _, f := range Forms {
		rules = append(rules, schema{"if": present(f), "then": formSchema(f)})
		given = append(given, present(f))
	}
	elsewhere := formSchema(ByEndpoints)
	elsewhere["required"] = []string{ByEndpoints}
	for _, f := range modelFields {
		if f.Demand {
			rules = append(rules, schema{"if": present(f.Name), "then": schema{
				"properties": schema{"start": schema{"const": OnDemand}}, "required": []string{"start"}}})
		}
	}
	s["allOf"] = append(rules, schema{"if": schema{"not": schema{"anyOf": given}}, "then": elsewhere})
	return s
}

// formSchema is what holds for a model that is given by a field, beside what holds for all.
func formSchema(by string) schema {
	others := schema{}
	for _, f := range modelFields {
		if !f.Allowed(by) {
			others[f.Name] = false
			continue
		}
		for _, part := range f.Fields {
			if !part.Allowed(by) {
				others[f.Name] = schema{"properties": schema{part.Name: false}}
			}
		}
	}
	s := schema{"properties": others}
	switch by {
	case ByModel:
		s["anyOf"] = []any{present("port"), present("endpoints")}
	case ByContainer, ByDeployment:
		s["required"] = []string{"endpoints"}
	case ByEndpoints:
		others["start"] = schema{"const": "auto"}
	}
	return s
}

func present(name string) schema { return schema{"required": []string{name}} }

// objectSchema is that of an object with the fields, and no others.
func objectSchema(fields []strict.Field) schema {
	properties := schema{}
	required := []string{}
	for _, f := range fields {
		properties[f.Name] = fieldSchema(f)
		if f.Needed {
			required = append(required, f.Name)
		}
	}
	s := schema{"type": "object", "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	if len(fields) > 0 {
		s["additionalProperties"] = false
	}
	return s
}

// fieldSchema is that of the field's value.
func fieldSchema(f strict.Field) schema {
	s := typeSchema(f)
	s["description"] = f.Doc
	if f.Default != nil {
		s["default"] = f.Default
	} else if f.Absent != "" {
		s["description"] = f.Doc + " Default: " + f.Absent + "."
	}
	if f.Example != nil {
		s["examples"] = []any{f.Example}
	}
	return s
}

func typeSchema(f strict.Field) schema {
	switch f.Type {
	case strict.TypeURL:
		return schema{"type": "string", "pattern": `^https?://[^\s/?#@]+(/[^?#@]*)?$|` + refPattern, "allOf": []any{lineSchema()}}
	case strict.TypeChoice:
		return schema{"type": "string", "enum": f.Choices}
	case strict.TypeWhole:
		return schema{"type": "integer", "minimum": f.Min, "maximum": f.Max}
	case strict.TypeDuration:
		return durationSchema()
	case strict.TypePercent:
		return schema{"type": "number", "exclusiveMinimum": 0, "maximum": 100}
	case strict.TypeYesNo:
		return schema{"type": "boolean"}
	case strict.TypeHeader:
		return schema{"type": "string", "pattern": strict.HeaderForm.String() + "|" + refPattern, "allOf": []any{lineSchema()}}
	case strict.TypeID:
		return idOrRef()
	case strict.TypeWords:
		return schema{"type": "array", "items": wordSchema()}
	case strict.TypeIDs:
		return schema{"type": "array", "items": idOrRef()}
	case strict.TypeObjects:
		return schema{"type": "array", "minItems": 1, "items": objectSchema(f.Fields)}
	case strict.TypeObject:
		s := objectSchema(f.Fields)
		if f.OneOf {
			var each []any
			for _, part := range f.Fields {
				each = append(each, present(part.Name))
			}
			s["oneOf"] = each
		}
		return s
	case strict.TypeEnv:
		return schema{"type": "object", "propertyNames": schema{"pattern": strict.Variable.String()}, "additionalProperties": wordSchema()}
	case strict.TypeFlags:
		return flagsSchema()
	}
	s := lineSchema()
	if f.Name == ByModel {
		s["not"] = schema{"pattern": "^-"} // it would be a flag
	}
	return s
}
