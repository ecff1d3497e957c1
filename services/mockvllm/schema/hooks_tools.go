package schema

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

func chatTools(o *pyjson.Object) *Error {
	tools, toolsGiven := o.Get("tools")
	if list, ok := tools.([]any); ok && len(list) == 0 {
		return invalid("tools", nil, "`tools` must not be an empty array. Either provide at least one tool or omit the field entirely.")
	}
	choice, given := o.Get("tool_choice")
	if !given && truthy(tools) {
		choice, given = "auto", true
		o.Set("tool_choice", choice)
	}
	if !given || choice == nil || in(choice, "none") {
		return nil
	}
	if !toolsGiven || tools == nil {
		return invalid("tool_choice", nil, "When using `tool_choice`, `tools` must be set.")
	}
	if named, ok := choice.(*pyjson.Object); ok {
		return namedTool(named, tools)
	}
	if !in(choice, "auto", "required") {
		return invalid("tool_choice", nil, "Invalid value for `tool_choice`: %s! Only named tools, \"none\", \"auto\" or \"required\" are supported.",
			pyjson.Str(choice))
	}
	return nil
}

func namedTool(choice *pyjson.Object, tools any) *Error {
	const usage = "Correct usage: `{\"type\": \"function\", \"function\": {\"name\": \"my_function\"}}`"
	function, ok := get(choice, "function").(*pyjson.Object)
	if !ok {
		return invalid("tool_choice.function", nil, "Invalid value for `function`: `%s` in `tool_choice`! %s", pyjson.Str(get(choice, "function")), usage)
	}
	name, given := function.Get("name")
	if !given {
		return invalid("tool_choice.function.name", nil, "Expected field `name` in `function` in `tool_choice`! %s", usage)
	}
	if s, ok := name.(string); !ok || s == "" {
		return invalid("tool_choice.function.name", nil, "Invalid `name` in `function`: `%s` in `tool_choice`! %s", pyjson.Str(name), usage)
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
	return invalid("tool_choice", nil, "The tool specified in `tool_choice` does not match any of the specified `tools`")
}
