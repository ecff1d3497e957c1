package protocol

import "fmt"

// beforeTools checks raw values: a choice needs something to choose from.
func beforeTools(o object) *Error {
	tools, isList := o["tools"].([]any)
	if isList && len(tools) == 0 {
		return badValue("tools", "", "`tools` must not be an empty array. Either provide at least one tool or omit the field entirely.")
	}
	choice := o["tool_choice"]
	if choice == nil || choice == "none" {
		return nil
	}
	if o["tools"] == nil {
		return badValue("tool_choice", "", "When using `tool_choice`, `tools` must be set.")
	}
	if named, ok := choice.(object); ok && isList {
		return namedTool(named, tools)
	}
	if choice != "auto" && choice != "required" {
		return badValue("tool_choice", "", "Invalid value for `tool_choice`: %s! Only named tools, \"none\", \"auto\" or \"required\" are supported.", pyString(choice))
	}
	return nil
}

func namedTool(choice object, tools []any) *Error {
	function, ok := choice["function"].(object)
	if !ok {
		return badValue("tool_choice.function", "", "Invalid value for `function`: `%s` in `tool_choice`! "+
			"Correct usage: `{\"type\": \"function\", \"function\": {\"name\": \"my_function\"}}`", pyString(choice["function"]))
	}
	for _, tool := range tools {
		if candidate, _ := asObject(tool)["function"].(object); candidate["name"] == function["name"] {
			return nil
		}
	}
	return badValue("tool_choice", "", "The tool specified in `tool_choice` does not match any of the specified `tools`")
}

// tools reads the functions that a model may call, and notes what vLLM says about the choice when it has no parser for
// calls, as this server has none.
func (c *Chat) tools(f *fields) {
	list := f.list("tools")
	for i, v := range list {
		readTool(&fields{from: asObject(v), loc: f.loc + ".tools." + itoa(i)}, f)
	}
	if len(list) == 0 {
		return
	}
	c.ask(true, "tools")
	switch choice := f.from["tool_choice"].(type) {
	case nil:
		c.noParser = autoChoice
	case string:
		switch choice {
		case "none":
		case "auto":
			c.noParser = autoChoice
		default:
			c.noParser = fmt.Sprintf("tool_choice=%q requires --tool-call-parser to be set", choice)
		}
	case object:
		c.noParser = fmt.Sprintf("tool_choice=function \"%s\" requires --tool-call-parser to be set", pyString(asObject(choice["function"])["name"]))
	}
}

const autoChoice = `"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set`

// readTool adds the faults of one tool to those of the request.
func readTool(tool, request *fields) {
	function, ok := tool.from["function"].(object)
	switch {
	case !ok:
		tool.fault("function", "missing", "Field required", tool.from, "")
	case function["name"] == nil:
		tool.fault("function.name", "missing", "Field required", function, "")
	}
	request.faults = append(request.faults, tool.faults...)
}

// asObject gives nil for anything else.
func asObject(v any) object {
	o, _ := v.(object)
	return o
}
