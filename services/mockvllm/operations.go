package mockvllm

import (
	"net/http"
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// scaleOutOff is what the routes of --enable-scale-out say without it.
func scaleOutOff(w http.ResponseWriter, _ *http.Request) {
	fastapi.Refuse(w, &protocol.Error{Status: http.StatusForbidden, Type: "PermissionDeniedError",
		Message: "Scale-out endpoints are disabled. Restart vllm serve with --enable-scale-out to enable them."})
}

// decision refuses structured decisions, which no ordinary model takes.
func (s *Server) decision(w http.ResponseWriter, r *http.Request) {
	if _, _, ok := fastapi.ReadRequest(w, r, "StructuredDecisionRequest"); ok {
		fastapi.Refuse(w, &protocol.Error{Status: http.StatusNotImplemented, Type: protocol.TypeNotImplemented,
			Message: "The model does not support the structured decision API"})
	}
}

func (s *Server) tokenizerInfo(w http.ResponseWriter, _ *http.Request) {
	info := s.model.Tokenizer.Info(s.cfg.Model, s.model.Templates.Default.Source())
	fastapi.Reply(w, http.StatusOK, pyjson.AppendJSON(nil, info, pyjson.Format{Compact: true}))
}

// scale refuses to become more engines, as vLLM does where they are not made for it. To be as many as there are is done at once.
func (s *Server) scale(w http.ResponseWriter, r *http.Request) {
	body, ok := fastapi.ReadBody(w, r)
	if !ok {
		return
	}
	if err := protocol.CheckType(r.Header.Get("Content-Type")); err != nil {
		fastapi.Refuse(w, err)
		return
	}
	v, err := pyjson.Decode(body)
	o, isObject := v.(*pyjson.Object)
	switch {
	case err != nil:
		fastapi.Raised(w, http.StatusBadRequest, "Invalid JSON format")
		return
	case !isObject:
		fastapi.Crashed(w, "'"+pyjson.TypeName(v)+"' object has no attribute 'get'")
		return
	}
	size, _ := o.Get("new_data_parallel_size")
	timeout, given := o.Get("drain_timeout")
	switch n, whole := positive(size); {
	case size == nil:
		fastapi.Raised(w, http.StatusBadRequest, "new_data_parallel_size is required")
	case !whole:
		fastapi.Raised(w, http.StatusBadRequest, "new_data_parallel_size must be a positive integer")
	case given && !isPositive(timeout):
		fastapi.Raised(w, http.StatusBadRequest, "drain_timeout must be a positive integer")
	case n != s.cfg.Scheduler.DataParallel:
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

// profilerRoutes are there when --profiler-config names a profiler. There is nothing to profile.
func (s *Server) profilerRoutes() []route {
	return []route{
		on("POST", "/start_profile", fastapi.Empty, plain),
		on("POST", "/stop_profile", fastapi.Empty, plain),
	}
}

func (s *Server) faultToleranceRoutes() []route {
	return []route{
		on("POST", "/fault_tolerance/apply", s.applyInstruction, plain),
		on("GET", "/fault_tolerance/status", s.faultStatus, plain),
	}
}

// applyInstruction accepts the one instruction that there is.
func (s *Server) applyInstruction(w http.ResponseWriter, r *http.Request) {
	if err := protocol.CheckType(r.Header.Get("Content-Type")); err != nil {
		fastapi.Refuse(w, err)
		return
	}
	body, ok := fastapi.ReadBody(w, r)
	if !ok {
		return
	}
	v, err := pyjson.Decode(body)
	o, isObject := v.(*pyjson.Object)
	instruction, _ := o.Get("instruction")
	params, given := o.Get("params")
	_, paramsObject := params.(*pyjson.Object)
	switch {
	case err != nil:
		fastapi.Raised(w, http.StatusBadRequest, "Invalid JSON format")
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

func (s *Server) faultStatus(w http.ResponseWriter, _ *http.Request) {
	fastapi.ReplyValue(w, http.StatusOK, "schema_version", 1, "total_engines", s.cfg.Scheduler.DataParallel, "engines", []any{})
}
