package devmode

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// embedded is a body whose members are parameters of a route, as FastAPI takes it apart: a body that is said to be no JSON has
// none of them, and of one that is no object each is missing, also those that may be.
type embedded struct {
	members  *pyjson.Object
	noObject bool
	faults   fastapi.Mistakes
}

// check adds what is wrong with a value.
type check func(f *fastapi.Mistakes, loc string, v any)

func readEmbedded(w http.ResponseWriter, r *http.Request) (*embedded, bool) {
	body, ok := fastapi.ReadBody(w, r)
	if !ok {
		return nil, false
	}
	if !protocol.ReadsJSON(r.Header.Get("Content-Type")) {
		return &embedded{}, true
	}
	v, err := protocol.DecodeJSON(body)
	if err != nil {
		fastapi.Refuse(w, err)
		return nil, false
	}
	o, isObject := v.(*pyjson.Object)
	return &embedded{members: o, noObject: v != nil && !isObject}, true
}

// must returns a member that there has to be. A null is as good as nothing.
func (e *embedded) must(name string, what check) any {
	v := e.members.Value(name)
	if v == nil {
		e.faults.Add("body."+name, "missing", "Field required", "None", "")
		return nil
	}
	what(&e.faults, "body."+name, v)
	return v
}

// may returns a member, or nil.
func (e *embedded) may(name string, what check) any {
	if e.noObject {
		return e.must(name, what)
	}
	v := e.members.Value(name)
	if v != nil {
		what(&e.faults, "body."+name, v)
	}
	return v
}

func isText(f *fastapi.Mistakes, loc string, v any) {
	if _, ok := v.(string); !ok {
		f.Add(loc, "string_type", "Input should be a valid string", pyjson.Str(v), "")
	}
}

func isObject(f *fastapi.Mistakes, loc string, v any) {
	if _, ok := v.(*pyjson.Object); !ok {
		f.Add(loc, "dict_type", "Input should be a valid dictionary", pyjson.Str(v), "")
	}
}

// isObjects takes an object or a list of them.
func isObjects(f *fastapi.Mistakes, loc string, v any) {
	switch v.(type) {
	case []any, *pyjson.Object:
	default:
		f.Add(loc, "dict_type", "Input should be a valid dictionary", pyjson.Str(v), "")
		f.Add(loc, "list_type", "Input should be a valid list", pyjson.Str(v), "")
	}
}
