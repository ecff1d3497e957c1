package request

import (
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/toolparser"
)

// Choice is who decides whether a tool is called.
type Choice int

// Choices.
const (
	NoCalls  Choice = iota // nobody: an answer is words, whatever they look like
	Auto                   // the model
	Required               // the client, and the model says which
	Named                  // the client, which too
)

// Tools are the functions that a request offers.
type Tools struct {
	Shown    []any // as the chat template sees them
	List     []toolparser.Tool
	Choice   Choice
	Name     string            // of the named one
	Parallel bool              // more than one call may be told
	open     bool              // the choice is null, which is as auto where calls can be read
	strict   []toolparser.Tool // those whose calls are held to their schemas
	held     []any             // the schemas, as they were sent
}

func readTools(v *schema.Values) Tools {
	t := Tools{Parallel: v.Bool("parallel_tool_calls")}
	for _, tool := range List(v, "tools") {
		tool, _ := tool.(*schema.Values)
		f := tool.Values("function")
		t.Add(Function{Name: Str(f, "name"), Description: f.Get("description"), Parameters: f.Get("parameters"), Strict: f.Get("strict"),
			Deferred: tool.Get("defer_loading")})
		if deferred := tool.Get("defer_loading"); deferred != nil { // said of the tool too
			t.Shown[len(t.Shown)-1].(*pyjson.Object).Set("defer_loading", deferred)
		}
	}
	if t.List == nil {
		return t
	}
	t.Choice, t.open = Auto, v.Get("tool_choice") == nil
	switch choice := v.Get("tool_choice").(type) {
	case string:
		t.Choice = map[string]Choice{"none": NoCalls, "auto": Auto, "required": Required}[choice]
	case nil: // by the client's will: what is not said is auto
		t.Choice = NoCalls
	case *schema.Values:
		t.Choice = Named
		t.Name = Str(choice.Values("function"), "name")
	}
	return t
}

// Function is one that may be called. What is nil was not said.
type Function struct {
	Name                    string
	Description, Parameters any // shown as null when nil
	Strict, Deferred        any // not shown when nil
}

// Add takes a function in, as vLLM shows it to chat templates.
func (t *Tools) Add(f Function) {
	shown := pyjson.NewObject(pyjson.Member{Key: "name", Value: f.Name}, pyjson.Member{Key: "description", Value: f.Description},
		pyjson.Member{Key: "parameters", Value: f.Parameters})
	entry := pyjson.NewObject(pyjson.Member{Key: "type", Value: "function"}, pyjson.Member{Key: "function", Value: shown})
	if f.Strict != nil {
		shown.Set("strict", f.Strict)
	}
	if f.Deferred != nil {
		shown.Set("defer_loading", f.Deferred)
	}
	t.Shown = append(t.Shown, entry)
	tool := toolparser.Tool{Name: f.Name, Parameters: argumentsSchema(f.Parameters)}
	t.List = append(t.List, tool)
	if f.Strict == true {
		t.strict, t.held = append(t.strict, tool), append(t.held, f.Parameters)
	}
}

// argumentsSchema is the schema of a call's arguments, which are an object even where the schema does not say so.
func argumentsSchema(parameters any) []byte {
	o := pyjson.NewObject(pyjson.Member{Key: "type", Value: "object"})
	if given, ok := parameters.(*pyjson.Object); ok {
		for key, value := range given.All() {
			o.Set(key, value)
		}
	}
	return []byte(pyjson.Dumps(o))
}

// Forced tells whether the client wants a tool to be called, whatever the model would do.
func (t *Tools) Forced() bool { return t.Choice == Required || t.Choice == Named }

// Tagged tells whether a grammar of vLLM's waits for calls or wants them. It takes the place of what else is said of the answer's form.
func (t *Tools) Tagged() bool { return t.Forced() || t.Choice == Auto && t.strict != nil }

// Callable refuses calls on a server that could not read them, and those of a tool that there is not. Without tools and a
// reason to refuse, nothing is called.
func (t *Tools) Callable(parser string) *protocol.Error {
	switch {
	case parser == "" && t.Choice == Auto && t.open:
		t.Choice = NoCalls
	case parser == "" && t.Choice == Auto:
		return protocol.BadRequest(`"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set`)
	case parser == "" && t.Choice == Required:
		return protocol.BadRequest(`tool_choice="required" requires --tool-call-parser to be set`)
	case parser == "" && t.Choice == Named:
		return protocol.BadRequest(`tool_choice=function "%s" requires --tool-call-parser to be set`, t.Name)
	case t.List == nil:
		t.Choice = NoCalls
	case t.Choice == Named && t.named() == nil:
		return protocol.BadRequest("The tool with name '%s' is not found in the tools list.", t.Name)
	}
	return nil
}

func (t *Tools) named() []toolparser.Tool {
	for i, tool := range t.List {
		if tool.Name == t.Name {
			return t.List[i : i+1]
		}
	}
	return nil
}

// unsayable refuses strict tools whose schema no grammar can be made of, in the words of a compiler that is tried last.
func (t *Tools) unsayable() *protocol.Error {
	if t.Choice == NoCalls {
		return nil
	}
	if slices.ContainsFunc(t.held, func(parameters any) bool { return !structured.Holds(parameters) }) {
		return protocol.BadRequest("Invalid grammar specification: 'triggers'")
	}
	return nil
}

// ambiguous refuses a named tool of which there are several.
func (t *Tools) ambiguous() *protocol.Error {
	n := 0
	for _, tool := range t.List {
		if tool.Name == t.Name {
			n++
		}
	}
	if t.Choice == Named && n > 1 {
		return protocol.BadRequest("Forced tool choice must resolve to exactly one tool.")
	}
	return nil
}
