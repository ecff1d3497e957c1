package devmode

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// CollectiveRPC answers for the one worker that there is, which finds nothing to say.
func (d *Dev) CollectiveRPC(w http.ResponseWriter, r *http.Request) {
	o, ok := fastapi.ReadObject(w, r, fastapi.SyntaxFault)
	if !ok {
		return
	}
	method := o.Value("method")
	if method == nil {
		fastapi.Raised(w, http.StatusBadRequest, "Missing 'method' in request body")
		return
	}
	args, given := o.Get("args")
	n, iterable := count(args)
	if given && !iterable { // vLLM makes a tuple of it
		fastapi.Refuse(w, protocol.BadRequest("'%s' object is not iterable", pyjson.TypeName(args)))
		return
	}
	switch timeout := o.Value("timeout"); timeout.(type) {
	case string, []any, *pyjson.Object:
		crashed(w, "unsupported operand type(s) for +: 'float' and '"+pyjson.TypeName(timeout)+"'")
		return
	}
	name, isText := method.(string)
	m, has := workerMethods()[name]
	if !isText {
		failed(w, "the first argument must be callable")
		return
	}
	if !has {
		failed(w, "'CPUWorker' object has no attribute '"+name+"'")
		return
	}
	kwargs := o.Value("kwargs")
	if !schema.Truthy(kwargs) {
		kwargs = pyjson.ObjectOf()
	}
	if why := m.misfit(n, kwargs); why != "" {
		failed(w, why)
		return
	}
	fastapi.ReplyValue(w, http.StatusOK, "results", []any{nil})
}

// count is how many items Python finds in a value of a body, false where that is not iterable.
func count(v any) (items int, iterable bool) {
	switch v := v.(type) {
	case string:
		return pyjson.Len(v), true
	case []any:
		return len(v), true
	case *pyjson.Object:
		return v.Len(), true
	}
	return 0, false
}

// failed is what the API server makes of a worker's error.
func failed(w http.ResponseWriter, why string) {
	crashed(w, "Worker failed with error '"+why+"', please check the stack trace above for the root cause")
}

func crashed(w http.ResponseWriter, why string) {
	fastapi.Crashed(w, "Call to collective_rpc method failed: "+why)
}
