package mockvllm

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// devRoutes are those of VLLM_SERVER_DEV_MODE.
func (s *Server) devRoutes() []route {
	return []route{
		on("POST", "/reset_prefix_cache", s.resetPrefixCache, plain),
		on("POST", "/reset_mm_cache", fastapi.Empty, plain),
		on("POST", "/reset_encoder_cache", fastapi.Empty, plain),
		on("POST", "/collective_rpc", s.collectiveRPC, plain),
		on("GET", "/server_info", s.serverInfo, plain),
		on("POST", "/sleep", s.sleepModel, plain),
		on("POST", "/release_kv_cache_memory", s.releaseCache, plain),
		on("POST", "/wake_up", s.wakeModel, plain),
		on("GET", "/is_sleeping", s.isSleeping, plain),
		on("POST", "/pause", s.pause, plain),
		on("POST", "/resume", s.resume, plain),
		on("POST", "/abort_requests", s.abortRequests, plain),
		on("GET", "/is_paused", s.isPaused, plain),
		on("POST", "/init_weight_transfer_engine", transfer("init_info"), plain),
		on("POST", "/shutdown_weight_transfer_engine", said("Weight transfer shut down"), plain),
		on("POST", "/start_weight_update", transfer(""), plain),
		on("POST", "/start_draft_weight_update", transfer(""), plain),
		on("POST", "/update_weights", transfer("update_info"), plain),
		on("POST", "/finish_weight_update", transfer(""), plain),
		on("POST", "/update_weight_version", s.setWeightVersion, plain),
		on("GET", "/weight_info", s.weightInfo, plain),
		on("POST", "/weight_checker", s.checkWeights, plain),
		on("GET", "/get_world_size", s.worldSize, plain),
	}
}

func (s *Server) resetPrefixCache(w http.ResponseWriter, r *http.Request) {
	q := fastapi.QueryOf(r)
	preempt := q.Truth("reset_running_requests", false)
	q.Truth("reset_external", false)
	if !q.Refused(w) {
		fastapi.ReplyValue(w, http.StatusOK, "success", s.engine.ResetPrefixCache(preempt))
	}
}

// collectiveRPC answers for the one worker that there is, which finds nothing to say.
func (s *Server) collectiveRPC(w http.ResponseWriter, r *http.Request) {
	o, ok := fastapi.ReadObject(w, r, func(err error) string { return "JSON decode error: " + err.Error() })
	if !ok {
		return
	}
	if method, _ := o.Get("method"); method == nil {
		fastapi.Raised(w, http.StatusBadRequest, "Missing 'method' in request body")
		return
	}
	fastapi.ReplyValue(w, http.StatusOK, "results", []any{nil})
}

// modes are what a pause may do with answers that are under way.
var modes = []string{"abort", "wait", "keep"}

func (s *Server) sleepModel(w http.ResponseWriter, r *http.Request) {
	q := fastapi.QueryOf(r)
	level := q.Between("level", 1, 0, 2)
	mode := q.OneOf("mode", modes...)
	if q.Refused(w) || !still(r, s.engine.Sleep(level, engine.Mode(mode))) {
		return
	}
	s.metrics.Asleep(level)
	fastapi.ReplyValue(w, http.StatusOK, "status", "sleeping", "level", level)
}

// still waits until the engine stands still. It returns false when the client left before.
func still(r *http.Request, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-r.Context().Done():
		return false
	}
}

func (s *Server) wakeModel(w http.ResponseWriter, r *http.Request) {
	tags := r.URL.Query()["tags"]
	status, shown := "sleeping", any(nil)
	if s.engine.Wake(tags...) {
		s.metrics.Awake()
		status = "awake"
	}
	if tags != nil {
		list := []any{}
		for _, tag := range tags {
			list = append(list, tag)
		}
		shown = list
	}
	fastapi.ReplyValue(w, http.StatusOK, "status", status, "tags", shown)
}

func (s *Server) releaseCache(w http.ResponseWriter, _ *http.Request) {
	if err := s.engine.ReleaseCache(); err != nil {
		fastapi.Crashed(w, "Call to release_kv_cache_memory method failed: release_kv_cache_memory() requires "+err.Error())
		return
	}
	fastapi.ReplyValue(w, http.StatusOK, "status", "kv_cache_released")
}

func (s *Server) isSleeping(w http.ResponseWriter, _ *http.Request) {
	fastapi.ReplyValue(w, http.StatusOK, "is_sleeping", s.engine.State().Sleeping)
}

func (s *Server) pause(w http.ResponseWriter, r *http.Request) {
	q := fastapi.QueryOf(r)
	mode := q.OneOf("mode", modes...)
	clear := q.Truth("clear_cache", true)
	if q.Refused(w) || !still(r, s.engine.Pause(engine.Mode(mode), clear)) {
		return
	}
	fastapi.ReplyValue(w, http.StatusOK, "status", "paused")
}

func (s *Server) resume(w http.ResponseWriter, _ *http.Request) {
	s.engine.Resume()
	fastapi.ReplyValue(w, http.StatusOK, "status", "resumed")
}

func (s *Server) isPaused(w http.ResponseWriter, _ *http.Request) {
	fastapi.ReplyValue(w, http.StatusOK, "is_paused", s.engine.State().Paused)
}

// abortRequests counts the ids that it is given, as vLLM does, whether requests have them or not.
func (s *Server) abortRequests(w http.ResponseWriter, r *http.Request) {
	o, ok := fastapi.ReadObject(w, r, func(error) string { return "Invalid JSON format" })
	if !ok {
		return
	}
	ids, _ := o.Get("request_ids")
	n := 0
	switch ids := ids.(type) {
	case []any:
		n = len(ids)
		for _, id := range ids {
			if id, ok := id.(string); ok {
				s.answers.Abort(id)
			}
		}
	case string:
		n = pyjson.Len(ids)
	case *pyjson.Object:
		n = ids.Len()
	case pyjson.Number:
		if ids.Float() != 0 {
			fastapi.ReplyValue(w, http.StatusInternalServerError, "error", "Failed to abort requests: 'int' object is not iterable")
			return
		}
	}
	fastapi.ReplyValue(w, http.StatusOK, "status", "aborted", "aborted", n)
}

func (s *Server) worldSize(w http.ResponseWriter, r *http.Request) {
	q := fastapi.QueryOf(r)
	all := q.Truth("include_dp", true)
	if q.Refused(w) {
		return
	}
	n := s.cfg.Scheduler.TensorParallel * s.cfg.Scheduler.PipelineParallel
	if all {
		n *= s.cfg.Scheduler.DataParallel
	}
	fastapi.ReplyValue(w, http.StatusOK, "world_size", n)
}
