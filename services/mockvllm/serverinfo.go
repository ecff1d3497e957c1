package mockvllm

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// serverInfo tells the configuration in vLLM's forms, as far as a mock has one. It says nothing of the machine.
func (s *Server) serverInfo(w http.ResponseWriter, r *http.Request) {
	q := fastapi.QueryOf(r)
	form := q.OneOf("config_format", "text", "json")
	if q.Refused(w) {
		return
	}
	info := any(s.configText())
	if form == "json" {
		info = s.configObject()
	}
	fastapi.ReplyValue(w, http.StatusOK, "vllm_config", info, "vllm_env", fastapi.Object("VLLM_ALLOW_RUNTIME_LORA_UPDATING", s.cfg.LoRA.Runtime,
		"VLLM_HTTP_TIMEOUT_KEEP_ALIVE", int(s.cfg.HTTP.KeepAlive.Seconds()), "VLLM_MAX_COMPLETION_PROMPTS", 1024,
		"VLLM_MAX_N_SEQUENCES", 16384, "VLLM_MAX_STOP_STRINGS", 4, "VLLM_SERVER_DEV_MODE", true), "system_env", fastapi.Object())
}

func (s *Server) configText() string {
	sch := s.cfg.Scheduler
	pairs := []any{"model", pyjson.Repr(s.cfg.Model), "speculative_config", "None", "tokenizer", pyjson.Repr(s.cfg.Model),
		"max_seq_len", s.cfg.MaxModelLen, "tensor_parallel_size", sch.TensorParallel, "pipeline_parallel_size", sch.PipelineParallel,
		"data_parallel_size", sch.DataParallel, "served_model_name", s.cfg.ServedNames[0],
		"enable_prefix_caching", pyjson.Repr(s.cfg.PrefixCaching), "enable_chunked_prefill", pyjson.Repr(sch.ChunkedPrefill)}
	var parts []string
	for i := 0; i+1 < len(pairs); i += 2 {
		parts = append(parts, fmt.Sprint(pairs[i], "=", pairs[i+1]))
	}
	return strings.Join(parts, ", ")
}

func (s *Server) configObject() *pyjson.Object {
	sch := s.cfg.Scheduler
	served := []any{}
	for _, name := range s.cfg.ServedNames {
		served = append(served, name)
	}
	policy := "fcfs"
	if sch.Priority {
		policy = "priority"
	}
	return fastapi.Object(
		"model_config", fastapi.Object("model", s.cfg.Model, "runner", s.cfg.Pooling.Runner, "convert", s.cfg.Pooling.Convert,
			"tokenizer", s.cfg.Model, "max_model_len", s.cfg.MaxModelLen, "max_logprobs", s.cfg.Generation.MaxLogprobs,
			"served_model_name", served),
		"cache_config", fastapi.Object("gpu_memory_utilization", sch.GPUMemoryFraction, "enable_prefix_caching", s.cfg.PrefixCaching),
		"parallel_config", fastapi.Object("pipeline_parallel_size", sch.PipelineParallel, "tensor_parallel_size", sch.TensorParallel,
			"data_parallel_size", sch.DataParallel, "world_size", sch.PipelineParallel*sch.TensorParallel),
		"scheduler_config", fastapi.Object("max_num_seqs", s.cfg.MaxNumSeqs, "enable_chunked_prefill", sch.ChunkedPrefill, "policy", policy,
			"stream_interval", sch.StreamInterval),
		"shutdown_timeout", int(s.cfg.ShutdownTimeout.Seconds()))
}
