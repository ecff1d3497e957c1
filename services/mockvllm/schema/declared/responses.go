package declared

import (
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/node"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/pydantic"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/python"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/refusal"
)

func init() {
	register(map[string]pydantic.Hook{
		"_default_input_image_details":              {Before: imageDetail},
		"ResponsesRequest.check_custom_tool_format": pydantic.OnObject(customToolFormat),
		"ResponsesRequest.check_tool_usage":         pydantic.OnObject(responsesTools),
		"ResponsesRequest.input_item_parsing":       pydantic.OnObject(inputItems),
		"ResponsesRequest.validate_background":      pydantic.OnObject(background),
		"ResponsesRequest.validate_prompt":          pydantic.OnObject(noPromptTemplate),
	})
}

func background(o *pyjson.Object) *refusal.Error {
	store, given := o.Get("store")
	if python.Truthy(o.Value("background")) && given && !python.Truthy(store) {
		return refusal.Invalid("background", nil, "background can only be used when `store` is true")
	}
	return nil
}

func noPromptTemplate(o *pyjson.Object) *refusal.Error {
	if o.Value("prompt") != nil {
		return refusal.Invalid("prompt", nil, "prompt template is not supported")
	}
	return nil
}

func customToolFormat(o *pyjson.Object) *refusal.Error {
	tools, _ := o.Value("tools").([]any)
	for _, t := range tools {
		tool, _ := t.(*pyjson.Object)
		format, _ := tool.Value("format").(*pyjson.Object)
		if tool.Value("type") == "custom" && format.Value("type") == "grammar" {
			return refusal.Invalid("tools", nil, "Custom tools with a grammar format are not supported; only free-form text custom tools are accepted.")
		}
	}
	return nil
}

// inputItems makes models of items that the union would not tell apart; what no model takes stays as it is.
func inputItems(o *pyjson.Object) *refusal.Error {
	input := o.Value("input")
	if input == nil {
		return nil
	}
	if _, isText := input.(string); isText {
		return nil
	}
	items, err := iterate(input)
	if err != nil {
		return nil //nolint:nilerr // the schema says it
	}
	made := make([]any, len(items))
	for i, item := range items {
		made[i] = item
		if o, ok := item.(*pyjson.Object); ok {
			made[i] = inputItem(o)
		}
	}
	o.Set("input", made)
	return nil
}

func inputItem(o *pyjson.Object) any {
	switch kind := o.Value("type"); {
	case kind == "function_call":
		return instance("ResponseFunctionToolCall", o, o)
	case kind == "reasoning":
		if _, given := o.Get("id"); !given {
			o = o.Clone()
			o.Set("id", "rs_")
		}
		return instance("ResponseReasoningItem", o, o)
	case kind == "message" && o.Value("role") == "assistant":
		if content, isList := o.Value("content").([]any); isList {
			return instance("ResponseOutputMessage", assistantMessage(o, content), o)
		}
	}
	return o
}

func assistantMessage(o *pyjson.Object, content []any) *pyjson.Object {
	o = o.Clone()
	for _, m := range []pyjson.Member{{Key: "id", Value: "msg_"}, {Key: "status", Value: "completed"}} {
		if _, given := o.Get(m.Key); !given {
			o.Set(m.Key, m.Value)
		}
	}
	content = slices.Clone(content)
	for i, c := range content {
		part, _ := c.(*pyjson.Object)
		if _, given := part.Get("annotations"); part.Value("type") == "output_text" && !given {
			part = part.Clone()
			part.Set("annotations", []any{})
			content[i] = part
		}
	}
	o.Set("content", content)
	return o
}

// instance is the model that a definition makes of an object, or what it was if it makes none.
func instance(definition string, o *pyjson.Object, otherwise any) any {
	if out, ok := Models().Instance(definition, o); ok {
		return out
	}
	return otherwise
}

func responsesTools(o *pyjson.Object) *refusal.Error {
	choice, given := o.Get("tool_choice")
	if !given {
		choice = "auto"
	}
	n, err := length(o.Value("tools"))
	if err != nil {
		return err
	}
	named, _ := choice.(*pyjson.Object)
	isNamed := in(named.Value("type"), "function", "custom")
	switch {
	case n == 0 && in(choice, "auto", "none"):
		o.Set("tool_choice", "none")
	case n == 0 && in(choice, "required"):
		return refusal.Invalid("tool_choice", nil, "Tool choice 'required' must be specified with 'tools' parameter.")
	case n == 0 && isNamed, isNamed && !python.Truthy(named.Value("name")):
		return noSuchTool()
	case isNamed:
		return resolveTool(o, named)
	}
	return nil
}

func noSuchTool() *refusal.Error {
	return refusal.Invalid("tool_choice", nil, "Tool choice 'function' not found in 'tools' parameter.")
}

// resolveTool finds a named tool, also by the part of its name behind the namespace, and writes the whole name.
func resolveTool(o, choice *pyjson.Object) *refusal.Error {
	wanted := choice.Value("name")
	tools, err := iterate(o.Value("tools"))
	if err != nil {
		return err
	}
	whole, local := map[any]bool{}, map[any][]string{}
	for _, t := range tools {
		tool, _ := t.(*pyjson.Object)
		name, isText := tool.Value("name").(string)
		if tool.Value("type") != "namespace" {
			whole[name] = whole[name] || isText
			continue
		}
		inner, isList := tool.Value("tools").([]any)
		if !isList || !isText {
			return nil
		}
		for _, t := range inner {
			tool, _ := t.(*pyjson.Object)
			if inside, ok := tool.Value("name").(string); ok {
				whole[name+"__"+inside] = true
				local[inside] = append(local[inside], name+"__"+inside)
			}
		}
	}
	if s, isText := wanted.(string); isText && whole[s] {
		return nil
	} else if !isText {
		switch wanted.(type) {
		case []any, *pyjson.Object:
			return refusal.BadRequest("unhashable type: '"+pyjson.TypeName(wanted)+"'", "")
		}
		return noSuchTool()
	}
	switch candidates := local[wanted]; len(candidates) {
	case 0:
		return noSuchTool()
	case 1:
		choice = choice.Clone()
		choice.Set("name", candidates[0])
		o.Set("tool_choice", choice)
		return nil
	default:
		return refusal.Invalid("tool_choice", nil, "Tool choice '%s' is ambiguous: it is defined in more than one namespace (%s). "+
			"Select it by its full '<namespace>__<name>' name.", wanted, strings.Join(candidates, ", "))
	}
}

// imageDetail gives input images the detail that they have by default.
func imageDetail(_ *node.Run, in any) (any, bool) {
	o, ok := in.(*pyjson.Object)
	content, isList := o.Value("content").([]any)
	if !ok || !isList {
		return in, true
	}
	var changed []any
	for i, c := range content {
		part, _ := c.(*pyjson.Object)
		if _, given := part.Get("detail"); part.Value("type") != "input_image" || given {
			continue
		}
		if changed == nil {
			changed = slices.Clone(content)
		}
		part = part.Clone()
		part.Set("detail", "auto")
		changed[i] = part
	}
	if changed == nil {
		return in, true
	}
	o = o.Clone()
	o.Set("content", changed)
	return o, true
}
