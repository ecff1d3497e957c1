package mockvllm

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/faults"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/metrics"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/statlog"
)

// living tells of steps until the engine has died: a real API server's gauges then stay where they were.
type living struct {
	metrics *metrics.Metrics
	stats   *statlog.Logger // or nil
	dead    *atomic.Bool
}

func (l living) Step(it *engine.Iteration) {
	if l.dead.Load() {
		return
	}
	l.metrics.Step(it)
	if l.stats != nil {
		l.stats.Step(it)
	}
}

// outOfMemory is what PyTorch says, with the figures of no particular GPU.
const outOfMemory = "CUDA out of memory. Tried to allocate 224.00 MiB. GPU 0 has a total capacity of 23.56 GiB of which 56.88 MiB is free. " +
	"Including non-PyTorch memory, this process has 23.49 GiB memory in use. Of the allocated memory 22.71 GiB is allocated by PyTorch, and " +
	"310.27 MiB is reserved by PyTorch but unallocated. If reserved but unallocated memory is large try setting " +
	"PYTORCH_ALLOC_CONF=expandable_segments:True to avoid fragmentation.  See documentation for Memory Management  " +
	"(https://pytorch.org/docs/stable/notes/cuda.html#environment-variables)"

// die ends the engine as a crash does: what is in flight fails, and so does all that comes until the server has ended. Without
// KeepAliveOnDeath it does so at once.
func (s *Server) die(how faults.Death) {
	if !s.dead.CompareAndSwap(false, true) {
		return
	}
	c := s.console
	if how == faults.OutOfMemory {
		c.log("EngineCore", "ERROR", "core.py:1512", "EngineCore encountered a fatal error.")
		c.log("EngineCore", "ERROR", "core.py:1512", "Traceback (most recent call last):")
		c.log("EngineCore", "ERROR", "core.py:1512", "torch.OutOfMemoryError: %s", outOfMemory)
	}
	c.log("APIServer", "ERROR", "async_llm.py:906", "AsyncLLM output_handler failed.")
	c.log("APIServer", "ERROR", "async_llm.py:906", "Traceback (most recent call last):")
	c.log("APIServer", "ERROR", "async_llm.py:906", "vllm.v1.engine.exceptions.EngineDeadError: %s", protocol.Dead().Message)
	c.log("APIServer", "WARNING", "core_client.py:819", "[shutdown] MPClient: engine core exited unexpectedly; starting cleanup")
	close(s.died)
}

// failed answers a request whose engine has died under it.
func (s *Server) failed(g *answering) *protocol.Error {
	s.console.info("async_llm.py:789", "Request %s failed (engine dead).", strings.TrimPrefix(g.head.ID, "resp_"))
	return protocol.Dead()
}

func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	if s.dead.Load() {
		fastapi.Bare(w, http.StatusServiceUnavailable, "")
		return
	}
	fastapi.Empty(w, r)
}

// mute keeps a request without an answer until its client leaves, once the server hangs. It tells whether that was so.
func (s *Server) mute(ctx context.Context) bool {
	if !s.hung.Load() {
		return false
	}
	<-ctx.Done()
	return true
}

// enact does what the rules want of the server as a whole now.
func (s *Server) enact() faults.State {
	s.enacting.Lock()
	defer s.enacting.Unlock()
	state := s.faults.State(s.clock.Now())
	if s.door != nil {
		s.door.refuse(state.Refuse)
	}
	if state.Death != "" {
		s.die(state.Death)
	}
	return state
}

// timeline does at its time what the rules want of the server as a whole.
func (s *Server) timeline(ctx context.Context) {
	timer := s.clock.NewTimer()
	defer timer.Stop()
	for ctx.Err() == nil {
		state := s.enact()
		if state.Next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(state.Next)
		}
		select {
		case <-ctx.Done():
		case <-s.rules:
		case <-timer.C():
		}
	}
}
