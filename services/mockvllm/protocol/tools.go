package protocol

import (
	"errors"
	"fmt"
	"maps"
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/instance"
)

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
	return unknownTool()
}

func unknownTool() *Error {
	return badValue("tool_choice", "", "The tool specified in `tool_choice` does not match any of the specified `tools`")
}

// choosing is who decides whether a tool is called.
type choosing int

const (
	noCalls  choosing = iota // nobody: an answer is words, whatever they look like
	auto                     // the model
	required                 // the client, and the model says which
	named                    // the client, which too
)

// toolbox is what a chat request says of tools.
type toolbox struct {
	tools    []text.Tool
	choosing choosing
	name     string // of the named one
	parallel bool
}

// tools reads the functions that a model may call. The template shows them to the model even where it may call none.
func (c *Chat) tools(f *fields) {
	list := f.list("tools")
	for i, v := range list {
		f.inside("tools."+itoa(i), asObject(v), c.tool)
		c.Template.Tools = append(c.Template.Tools, pyJSON(v))
	}
	if len(list) == 0 {
		return
	}
	c.box.choosing = auto
	switch choice := f.from["tool_choice"].(type) {
	case string:
		c.box.choosing = map[string]choosing{"none": noCalls, "auto": auto, "required": required}[choice]
	case object:
		c.box.choosing = named
		c.box.name = pyString(asObject(choice["function"])["name"])
	}
}

// callable refuses calls on a server that could not read them.
func (c *Chat) callable(m Model) *Error {
	switch c.box.choosing {
	case auto:
		if !m.Parser || !m.Auto {
			return badRequest(`"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set`)
		}
	case required:
		if !m.Parser {
			return badRequest(`tool_choice="required" requires --tool-call-parser to be set`)
		}
	case named:
		if !m.Parser {
			return badRequest(`tool_choice=function "%s" requires --tool-call-parser to be set`, c.box.name)
		}
		if c.box.named() == nil {
			return unknownTool()
		}
	}
	return nil
}

func (c *Chat) tool(f *fields) {
	var t text.Tool
	function, ok := f.from["function"].(object)
	switch {
	case !ok:
		f.fault("function", "missing", "Field required", f.from, "")
	case function["name"] == nil:
		f.fault("function.name", "missing", "Field required", function, "")
	default:
		f.inside("function", function, func(f *fields) {
			t = text.Tool{Name: f.str("name"), Schema: argumentsSchema(f.dict("parameters"))}
		})
	}
	c.box.tools = append(c.box.tools, t)
}

// argumentsSchema is the schema of a call's arguments, which are an object even where the schema does not say so.
func argumentsSchema(parameters object) []byte {
	schema := object{"type": "object"}
	maps.Copy(schema, parameters)
	return []byte(pyJSON(schema))
}

// reply decides what the model says: calls of the tools that the user asks for, where it may call; what the tools
// answered, when that came last; else words.
func (c *Chat) reply() (reply, *Error) {
	asked := text.LastUser(c.Messages)
	r := reply{text: text.Guide(asked)}
	results, answered := text.Results(c.Messages)
	if answered {
		r.text = text.FromResults(results)
	}
	var chosen []text.Tool
	switch c.box.choosing {
	case auto:
		if !answered {
			chosen = text.Wanted(c.box.tools, asked)
		}
	case required:
		if chosen = text.Wanted(c.box.tools, asked); chosen == nil {
			chosen = c.box.tools[:1]
		}
	case named:
		chosen = c.box.named()
	}
	if len(chosen) == 0 {
		return r, nil // nobody looks for calls in it: it may repeat what the user wrote
	}
	calls, err := makeCalls(chosen, asked)
	return reply{text.Markup(calls), c.box.choosing, c.box.parallel}, err
}

func (b *toolbox) named() []text.Tool {
	for i, t := range b.tools {
		if t.Name == b.name {
			return b.tools[i : i+1]
		}
	}
	return nil
}

// makeCalls gives each tool arguments that its schema accepts.
func makeCalls(tools []text.Tool, asked string) ([]text.Call, *Error) {
	calls := make([]text.Call, len(tools))
	for i, t := range tools {
		arguments, err := instance.Make(t.Schema, asked)
		if err == nil && arguments[0] != '{' {
			err = errors.New("its schema is not that of an object")
		}
		switch {
		case errors.Is(err, instance.ErrSchema):
			return nil, badRequest("Grammar error: the parameters of %s: %s", t.Name, err)
		case err != nil:
			return nil, &Error{Status: http.StatusNotImplemented, Type: TypeNotImplemented, Param: "tools",
				Message: fmt.Sprintf("mockvllm cannot make arguments for `%s`: %s.", t.Name, err)}
		}
		calls[i] = text.Call{Name: t.Name, Arguments: arguments}
	}
	return calls, nil
}

// asObject gives nil for anything else.
func asObject(v any) object {
	o, _ := v.(object)
	return o
}
