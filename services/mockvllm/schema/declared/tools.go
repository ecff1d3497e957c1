package declared

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/python"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/refusal"
)

func chatTools(o *pyjson.Object) *refusal.Error {
	tools, toolsGiven := o.Get("tools")
	if list, ok := tools.([]any); ok && len(list) == 0 {
		return refusal.Invalid("tools", nil, "`tools` must not be an empty array. Either provide at least one tool or omit the field entirely.")
	}
	choice, given := o.Get("tool_choice")
	if !given && python.Truthy(tools) {
		choice, given = "auto", true
		o.Set("tool_choice", choice)
	}
	if !given || choice == nil || in(choice, "none") {
		return nil
	}
	if !toolsGiven || tools == nil {
		return refusal.Invalid("tool_choice", nil, "When using `tool_choice`, `tools` must be set.")
	}
	if named, ok := choice.(*pyjson.Object); ok {
		return namedTool(named, tools)
	}
	if !in(choice, "auto", "required") {
		return refusal.Invalid("tool_choice", nil, "Invalid value for `tool_choice`: %s! Only named tools, \"none\", \"auto\" or \"required\" are supported.",
			pyjson.Str(choice))
	}
	return nil
}

func namedTool(choice *pyjson.Object, tools any) *refusal.Error {
	const usage = "Correct usage: `{\"type\": \"function\", \"function\": {\"name\": \"my_function\"}}`"
	function, ok := choice.Value("function").(*pyjson.Object)
	if !ok {
		return refusal.Invalid("tool_choice.function", nil, "Invalid value for `function`: `%s` in `tool_choice`! %s", pyjson.Str(choice.Value("function")), usage)
	}
	name, given := function.Get("name")
	if !given {
		return refusal.Invalid("tool_choice.function.name", nil, "Expected field `name` in `function` in `tool_choice`! %s", usage)
	}
	if s, ok := name.(string); !ok || s == "" {
		return refusal.Invalid("tool_choice.function.name", nil, "Invalid `name` in `function`: `%s` in `tool_choice`! %s", pyjson.Str(name), usage)
	}
	list, err := iterate(tools)
	if err != nil {
		return err
	}
	for _, tool := range list {
		f, err := item(tool, "function")
		if err != nil {
			return err
		}
		if f, err = item(f, "name"); err != nil {
			return err
		}
		if f == name {
			return nil
		}
	}
	return refusal.Invalid("tool_choice", nil, "The tool specified in `tool_choice` does not match any of the specified `tools`")
}
