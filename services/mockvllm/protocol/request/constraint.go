package request

import (
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// constraint reads what a request prescribes about the form of its answer: structured_outputs, to which response_format adds.
func constraint(v *schema.Values) *sampling.Constraint {
	outputs := v.Values("structured_outputs")
	format := fromFormat(v.Values("response_format"))
	if outputs == nil && (format == nil || format.Spec != nil) {
		return format
	}
	var set *sampling.Constraint
	shown := pyjson.NewObject()
	kinds := 0
	for _, name := range []string{"json", "regex", "choice", "grammar", "json_object", "disable_any_whitespace",
		"disable_additional_properties", "whitespace_pattern", "structural_tag"} {
		if strings.HasPrefix(name, "disable_") {
			shown.Set(name, outputs.Bool(name))
			continue
		}
		spec := outputs.Get(name)
		if format != nil && format.Kind == name {
			spec = format.Spec
		}
		shown.Set(name, schema.Dumped(spec))
		if spec == nil || name == "whitespace_pattern" {
			continue
		}
		if kinds++; set == nil {
			set = &sampling.Constraint{Kind: name, Spec: spec}
		}
	}
	shown.Set("_backend", nil)
	shown.Set("_backend_was_auto", false)
	switch {
	case set == nil:
		set = &sampling.Constraint{Fault: "You must use one kind of structured outputs constraint but none are specified: " + pyjson.Repr(shown)}
	case kinds > 1:
		set.Fault = "You can only use one kind of structured outputs constraint but multiple are specified: " + pyjson.Repr(shown)
	}
	return set
}

func fromFormat(format *schema.Values) *sampling.Constraint {
	if format == nil {
		return nil
	}
	switch kind := Str(format, "type"); kind {
	case "json_object":
		return &sampling.Constraint{Kind: kind, Spec: true}
	case "json_schema":
		return &sampling.Constraint{Kind: "json", Spec: format.Values("json_schema").Get("json_schema")}
	case "structural_tag":
		return &sampling.Constraint{Kind: kind, Spec: pyjson.Dumps(format.Dump())}
	}
	return nil
}
