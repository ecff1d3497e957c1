package devmode

import (
	"net/http"
	"sync/atomic"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/answers"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/config"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/metrics"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Dev works on one server.
type Dev struct {
	cfg     config.Config
	engine  *engine.Engine
	metrics *metrics.Metrics
	answers *answers.Answers

	weightVersion atomic.Value // string, once a client has set it
}

// New makes the handlers for a server.
func New(cfg config.Config, e *engine.Engine, m *metrics.Metrics, a *answers.Answers) *Dev {
	return &Dev{cfg: cfg, engine: e, metrics: m, answers: a}
}

// ResetPrefixCache forgets the prefix cache.
func (d *Dev) ResetPrefixCache(w http.ResponseWriter, r *http.Request) {
	q := fastapi.QueryOf(r)
	preempt := q.Truth("reset_running_requests", false)
	q.Truth("reset_external", false)
	if !q.Refused(w) {
		fastapi.ReplyValue(w, http.StatusOK, "success", d.engine.ResetPrefixCache(preempt))
	}
}

// modes are what a pause may do with answers that are under way.
var modes = []string{"abort", "wait", "keep"}

// Sleep gives up the memory of the model, once the engine stands still.
func (d *Dev) Sleep(w http.ResponseWriter, r *http.Request) {
	q := fastapi.QueryOf(r)
	level := q.Between("level", 1, 0, 2)
	mode := q.OneOf("mode", modes...)
	if q.Refused(w) {
		return
	}
	over := d.metrics.Operation(metrics.SleepMode, "sleep")
	done := still(r, d.engine.Sleep(level, engine.Mode(mode)))
	if over(); !done {
		return
	}
	d.metrics.Asleep(level)
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

// WakeUp takes the memory back, or parts of it.
func (d *Dev) WakeUp(w http.ResponseWriter, r *http.Request) {
	tags := r.URL.Query()["tags"]
	status, shown := "sleeping", any(nil)
	over := d.metrics.Operation(metrics.SleepMode, "wake")
	awake := d.engine.Wake(tags...)
	if over(); awake {
		d.metrics.Awake()
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

// ReleaseCache gives up the KV cache of an engine that is paused.
func (d *Dev) ReleaseCache(w http.ResponseWriter, _ *http.Request) {
	over := d.metrics.Operation(metrics.SleepMode, "release_kv_cache_memory")
	err := d.engine.ReleaseCache()
	if over(); err != nil {
		fastapi.Crashed(w, "Call to release_kv_cache_memory method failed: release_kv_cache_memory() requires "+err.Error())
		return
	}
	fastapi.ReplyValue(w, http.StatusOK, "status", "kv_cache_released")
}

// IsSleeping tells whether the model sleeps.
func (d *Dev) IsSleeping(w http.ResponseWriter, _ *http.Request) {
	fastapi.ReplyValue(w, http.StatusOK, "is_sleeping", d.engine.State().Sleeping)
}

// Pause has the engine stand still.
func (d *Dev) Pause(w http.ResponseWriter, r *http.Request) {
	q := fastapi.QueryOf(r)
	mode := q.OneOf("mode", modes...)
	clear := q.Truth("clear_cache", true)
	if q.Refused(w) || !still(r, d.engine.Pause(engine.Mode(mode), clear)) {
		return
	}
	fastapi.ReplyValue(w, http.StatusOK, "status", "paused")
}

// Resume has the engine go on.
func (d *Dev) Resume(w http.ResponseWriter, _ *http.Request) {
	d.engine.Resume()
	fastapi.ReplyValue(w, http.StatusOK, "status", "resumed")
}

// IsPaused tells whether the engine is paused.
func (d *Dev) IsPaused(w http.ResponseWriter, _ *http.Request) {
	fastapi.ReplyValue(w, http.StatusOK, "is_paused", d.engine.State().Paused)
}

// AbortRequests counts the ids that it is given, as vLLM does, whether requests have them or not.
func (d *Dev) AbortRequests(w http.ResponseWriter, r *http.Request) {
	o, ok := fastapi.ReadObject(w, r, fastapi.NoFormat)
	if !ok {
		return
	}
	ids := o.Value("request_ids")
	n, iterable := count(ids)
	if !iterable && schema.Truthy(ids) {
		fastapi.ReplyValue(w, http.StatusInternalServerError, "error",
			"Failed to abort requests: '"+pyjson.TypeName(ids)+"' object is not iterable")
		return
	}
	list, _ := ids.([]any)
	for _, id := range list {
		if id, ok := id.(string); ok {
			d.answers.Abort(id)
		}
	}
	fastapi.ReplyValue(w, http.StatusOK, "status", "aborted", "aborted", n)
}

// WorldSize counts the processes that the model would have.
func (d *Dev) WorldSize(w http.ResponseWriter, r *http.Request) {
	q := fastapi.QueryOf(r)
	all := q.Truth("include_dp", true)
	if q.Refused(w) {
		return
	}
	n := d.cfg.Scheduler.TensorParallel * d.cfg.Scheduler.PipelineParallel
	if all {
		n *= d.cfg.Scheduler.DataParallel
	}
	fastapi.ReplyValue(w, http.StatusOK, "world_size", n)
}
