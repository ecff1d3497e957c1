package messages

import (
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// tools reads what may be called, after the changes that the conversation made. A choice counts without tools, too.
func tools(v *schema.Values) (request.Tools, *protocol.Error) {
	t := request.Tools{Parallel: true}
	_, given := v.List("tools")
	list := &offered{deferred: map[string]any{}, removed: map[string]bool{}}
	for _, tool := range request.List(v, "tools") {
		list.put(tool.(*schema.Values))
	}
	for _, m := range request.List(v, "messages") {
		for _, block := range request.List(m.(*schema.Values), "content") {
			changes, err := list.change(block.(*schema.Values))
			if err != nil {
				return t, err
			}
			given = given || changes
		}
	}
	for _, tool := range list.tools {
		name := request.Str(tool, "name")
		if list.removed[name] {
			continue
		}
		t.Add(request.Function{Name: name, Description: tool.Get("description"), Parameters: tool.Get("input_schema"),
			Strict: tool.Get("strict"), Deferred: list.deferred[name]})
	}
	if given {
		t.Choice = request.Auto
	}
	if choice := v.Values("tool_choice"); choice != nil {
		t.Name = request.Str(choice, "name")
		t.Parallel = !choice.Bool("disable_parallel_tool_use")
		t.Choice = map[string]request.Choice{"auto": request.Auto, "any": request.Required, "tool": request.Named, "none": request.NoCalls}[request.Str(choice, "type")]
	}
	return t, nil
}

// offered are tools as a conversation changes them.
type offered struct {
	tools    []*schema.Values
	deferred map[string]any // defer_loading by name
	removed  map[string]bool
}

func (o *offered) put(tool *schema.Values) {
	o.tools = append(o.tools, tool)
	o.deferred[request.Str(tool, "name")] = tool.Get("defer_loading")
}

// change applies a block that adds a tool or takes one away, and tells whether it is one.
func (o *offered) change(block *schema.Values) (bool, *protocol.Error) {
	kind := request.Str(block, "type")
	if kind != "tool_addition" && kind != "tool_removal" {
		return false, nil
	}
	change := block.Values("tool")
	name := request.Str(change, "name")
	named := func(t *schema.Values) bool { return request.Str(t, "name") == name }
	if definition := change.Values("definition"); definition != nil {
		name = request.Str(definition, "name")
		o.tools = slices.DeleteFunc(o.tools, named)
		o.put(definition)
	} else if !slices.ContainsFunc(o.tools, named) {
		return true, protocol.BadRequest("%s references tool %s, which is not declared in tools", kind, pyjson.Repr(name))
	} else if kind == "tool_addition" {
		o.deferred[name] = nil // it is loaded now
	}
	o.removed[name] = kind == "tool_removal"
	return true, nil
}
