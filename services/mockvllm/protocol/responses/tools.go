package responses

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// tools reads what may be called: functions, those in namespaces too, and custom tools, which the model is shown as functions
// of one text. Tools of other kinds run in servers that there are none of.
func tools(v *schema.Values) request.Tools {
	t := request.Tools{Parallel: true}
	if parallel, given := v.Get("parallel_tool_calls").(bool); given {
		t.Parallel = parallel
	}
	for _, tool := range request.List(v, "tools") {
		tool := protocol.Members(tool)
		name, _ := tool("name").(string)
		switch tool("type") {
		case "function":
			offer(&t, name, tool)
		case "custom":
			t.Add(request.Function{Name: name, Description: tool("description"), Parameters: customParameters})
		case "namespace":
			inner, _ := tool("tools").([]any)
			for _, inside := range inner {
				if inside := protocol.Members(inside); inside("type") == "function" {
					local, _ := inside("name").(string)
					offer(&t, flatName(name, local), inside)
				}
			}
		}
	}
	if t.List == nil {
		return t
	}
	switch choice := v.Get("tool_choice").(type) {
	case string:
		t.Choice = map[string]request.Choice{"none": request.NoCalls, "auto": request.Auto, "required": request.Required}[choice]
	case nil:
	default:
		if name, ok := protocol.Members(choice)("name").(string); ok {
			t.Choice, t.Name = request.Named, name
		}
	}
	return t
}

func offer(t *request.Tools, name string, tool func(string) any) {
	t.Add(request.Function{Name: name, Description: tool("description"), Parameters: tool("parameters"), Strict: tool("strict"),
		Deferred: tool("defer_loading")})
}

// flatName is how the model knows a function of a namespace.
func flatName(namespace, name string) string { return namespace + "__" + name }

// customParameters are those of the function that stands for a custom tool.
var customParameters = pyjson.NewObject(
	pyjson.Member{Key: "type", Value: "object"},
	pyjson.Member{Key: "properties", Value: pyjson.NewObject(pyjson.Member{Key: "input", Value: pyjson.NewObject(
		pyjson.Member{Key: "type", Value: "string"},
		pyjson.Member{Key: "description", Value: "The freeform text payload for this tool."})})},
	pyjson.Member{Key: "required", Value: []any{"input"}},
	pyjson.Member{Key: "additionalProperties", Value: false})
