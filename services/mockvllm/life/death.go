package life

import (
	"context"
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/faults"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/metrics"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/statlog"
)

// Observer tells of steps until the engine has died: a real API server's gauges then stay where they were.
type Observer struct {
	Metrics *metrics.Metrics
	Stats   *statlog.Logger // or nil
	Life    *Life
}

// Step is for engine.Observer.
func (o Observer) Step(it *engine.Iteration) {
	if o.Life.Dead() {
		return
	}
	o.Metrics.Step(it)
	if o.Stats != nil {
		o.Stats.Step(it)
	}
}

// outOfMemory is what PyTorch says, with the figures of no particular GPU.
const outOfMemory = "CUDA out of memory. Tried to allocate 224.00 MiB. GPU 0 has a total capacity of 23.56 GiB of which 56.88 MiB is free. " +
	"Including non-PyTorch memory, this process has 23.49 GiB memory in use. Of the allocated memory 22.71 GiB is allocated by PyTorch, and " +
	"310.27 MiB is reserved by PyTorch but unallocated. If reserved but unallocated memory is large try setting " +
	"PYTORCH_ALLOC_CONF=expandable_segments:True to avoid fragmentation.  See documentation for Memory Management  " +
	"(https://pytorch.org/docs/stable/notes/cuda.html#environment-variables)"

// Die ends the engine as a crash does: what is in flight fails, and so does all that comes until the server has ended.
func (l *Life) Die(how faults.Death) {
	if !l.dead.CompareAndSwap(false, true) {
		return
	}
	c := l.console
	if how == faults.OutOfMemory {
		c.Log("EngineCore", "ERROR", "core.py:1512", "EngineCore encountered a fatal error.")
		c.Log("EngineCore", "ERROR", "core.py:1512", "Traceback (most recent call last):")
		c.Log("EngineCore", "ERROR", "core.py:1512", "torch.OutOfMemoryError: %s", outOfMemory)
	}
	c.Log("APIServer", "ERROR", "async_llm.py:906", "AsyncLLM output_handler failed.")
	c.Log("APIServer", "ERROR", "async_llm.py:906", "Traceback (most recent call last):")
	c.Log("APIServer", "ERROR", "async_llm.py:906", "vllm.v1.engine.exceptions.EngineDeadError: %s", protocol.Dead().Message)
	c.Warn("core_client.py:819", "[shutdown] MPClient: engine core exited unexpectedly; starting cleanup")
	close(l.died)
}

// Failed answers a request whose engine has died under it.
func (l *Life) Failed(id string) *protocol.Error {
	l.console.Info("async_llm.py:789", "Request %s failed (engine dead).", strings.TrimPrefix(id, "resp_"))
	return protocol.Dead()
}

// Health is the handler of /health.
func (l *Life) Health(w http.ResponseWriter, _ *http.Request) {
	status := http.StatusOK
	if l.Dead() {
		status = http.StatusServiceUnavailable
	}
	fastapi.Bare(w, status, "")
}

// Hang leaves everybody without an answer from now on.
func (l *Life) Hang() { l.hung.Store(true) }

// Mute keeps a request without an answer until its client leaves, once the server hangs. It tells whether that was so.
func (l *Life) Mute(ctx context.Context) bool {
	if !l.hung.Load() {
		return false
	}
	<-ctx.Done()
	return true
}
