package operations

import (
	"net/http"
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Scale refuses to become more engines, as vLLM does where they are not made for it. To be as many as there are is done at once.
func (o *Operations) Scale(w http.ResponseWriter, r *http.Request) {
	body, ok := fastapi.ReadRaw(w, r)
	if !ok {
		return
	}
	if err := protocol.CheckType(r.Header.Get("Content-Type")); err != nil {
		fastapi.Refuse(w, err)
		return
	}
	v, err := pyjson.Decode(body)
	doc, isObject := v.(*pyjson.Object)
	switch {
	case err != nil:
		fastapi.Refuse(w, fastapi.NotJSON(err, fastapi.NoFormat))
		return
	case !isObject:
		fastapi.Crashed(w, "'"+pyjson.TypeName(v)+"' object has no attribute 'get'")
		return
	}
	size := doc.Value("new_data_parallel_size")
	timeout, given := doc.Get("drain_timeout")
	switch n, whole := positive(size); {
	case size == nil:
		fastapi.Raised(w, http.StatusBadRequest, "new_data_parallel_size is required")
	case !whole:
		fastapi.Raised(w, http.StatusBadRequest, "new_data_parallel_size must be a positive integer")
	case given && !isPositive(timeout):
		fastapi.Raised(w, http.StatusBadRequest, "drain_timeout must be a positive integer")
	case n != o.cfg.Scheduler.DataParallel:
		fastapi.Raised(w, http.StatusInternalServerError, "Scale failed")
	default:
		fastapi.ReplyValue(w, http.StatusOK, "message", "Scaled to "+pyjson.Str(size)+" data parallel engines")
	}
}

// positive reads a number above 0, for which Python takes True too.
func positive(v any) (int, bool) {
	if v == true {
		return 1, true
	}
	text, ok := v.(pyjson.Number)
	if !ok || !text.IsInt() {
		return 0, false
	}
	n, err := strconv.Atoi(string(text))
	return n, err == nil && n > 0
}

func isPositive(v any) bool {
	_, ok := positive(v)
	return ok
}

// ApplyInstruction accepts the one instruction that there is.
func (o *Operations) ApplyInstruction(w http.ResponseWriter, r *http.Request) {
	if err := protocol.CheckType(r.Header.Get("Content-Type")); err != nil {
		fastapi.Refuse(w, err)
		return
	}
	body, ok := fastapi.ReadRaw(w, r)
	if !ok {
		return
	}
	v, err := pyjson.Decode(body)
	doc, isObject := v.(*pyjson.Object)
	instruction := doc.Value("instruction")
	params, given := doc.Get("params")
	_, paramsObject := params.(*pyjson.Object)
	switch {
	case err != nil:
		fastapi.Refuse(w, fastapi.NotJSON(err, fastapi.NoFormat))
	case !isObject:
		fastapi.Raised(w, http.StatusBadRequest, "Request body must be a JSON object.")
	case instruction == nil || instruction == "":
		fastapi.Raised(w, http.StatusBadRequest, "'instruction' is required.")
	case instruction != "retry":
		fastapi.Raised(w, http.StatusBadRequest, "Invalid instruction: '"+pyjson.Str(instruction)+"'.")
	case given && !paramsObject:
		fastapi.Raised(w, http.StatusBadRequest, "'params' must be an object.")
	default:
		fastapi.ReplyValue(w, http.StatusAccepted, "message", "Request accepted; poll /fault_tolerance/status for updates.", "request_id", uuid())
	}
}

// uuid is a random one, of version 4.
func uuid() string {
	h := protocol.NewID() + protocol.NewID()
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-" + h[16:20] + "-" + h[20:]
}

// FaultStatus tells of the engines that have faults, which are none.
func (o *Operations) FaultStatus(w http.ResponseWriter, _ *http.Request) {
	fastapi.ReplyValue(w, http.StatusOK, "schema_version", 1, "total_engines", o.cfg.Scheduler.DataParallel, "engines", []any{})
}
