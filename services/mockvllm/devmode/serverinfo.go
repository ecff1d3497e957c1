package devmode

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// ServerInfo tells the configuration in vLLM's forms, as far as a mock has one. It says nothing of the machine.
func (d *Dev) ServerInfo(w http.ResponseWriter, r *http.Request) {
	q := fastapi.QueryOf(r)
	form := q.OneOf("config_format", "text", "json")
	if q.Refused(w) {
		return
	}
	info := any(d.configText())
	if form == "json" {
		info = d.configObject()
	}
	fastapi.ReplyValue(w, http.StatusOK, "vllm_config", info, "vllm_env", pyjson.ObjectOf("VLLM_ALLOW_RUNTIME_LORA_UPDATING", d.cfg.LoRA.Runtime,
		"VLLM_HTTP_TIMEOUT_KEEP_ALIVE", int(d.cfg.HTTP.KeepAlive.Seconds()), "VLLM_MAX_COMPLETION_PROMPTS", 1024,
		"VLLM_MAX_N_SEQUENCES", 16384, "VLLM_MAX_STOP_STRINGS", 4, "VLLM_SERVER_DEV_MODE", true), "system_env", pyjson.ObjectOf())
}

func (d *Dev) configText() string {
	sch := d.cfg.Scheduler
	pairs := []any{"model", pyjson.Repr(d.cfg.Model), "speculative_config", "None", "tokenizer", pyjson.Repr(d.cfg.Model),
		"max_seq_len", d.cfg.MaxModelLen, "tensor_parallel_size", sch.TensorParallel, "pipeline_parallel_size", sch.PipelineParallel,
		"data_parallel_size", sch.DataParallel, "served_model_name", d.cfg.ServedNames[0],
		"enable_prefix_caching", pyjson.Repr(d.cfg.PrefixCaching), "enable_chunked_prefill", pyjson.Repr(sch.ChunkedPrefill)}
	var parts []string
	for i := 0; i+1 < len(pairs); i += 2 {
		parts = append(parts, fmt.Sprint(pairs[i], "=", pairs[i+1]))
	}
	return strings.Join(parts, ", ")
}

func (d *Dev) configObject() *pyjson.Object {
	sch := d.cfg.Scheduler
	served := []any{}
	for _, name := range d.cfg.ServedNames {
		served = append(served, name)
	}
	policy := "fcfs"
	if sch.Priority {
		policy = "priority"
	}
	return pyjson.ObjectOf(
		"model_config", pyjson.ObjectOf("model", d.cfg.Model, "runner", d.cfg.Pooling.Runner, "convert", d.cfg.Pooling.Convert,
			"tokenizer", d.cfg.Model, "max_model_len", d.cfg.MaxModelLen, "max_logprobs", d.cfg.Generation.MaxLogprobs,
			"served_model_name", served),
		"cache_config", pyjson.ObjectOf("gpu_memory_utilization", sch.GPUMemoryFraction, "enable_prefix_caching", d.cfg.PrefixCaching),
		"parallel_config", pyjson.ObjectOf("pipeline_parallel_size", sch.PipelineParallel, "tensor_parallel_size", sch.TensorParallel,
			"data_parallel_size", sch.DataParallel, "world_size", sch.PipelineParallel*sch.TensorParallel),
		"scheduler_config", pyjson.ObjectOf("max_num_seqs", d.cfg.MaxNumSeqs, "enable_chunked_prefill", sch.ChunkedPrefill, "policy", policy,
			"stream_interval", sch.StreamInterval),
		"shutdown_timeout", int(d.cfg.ShutdownTimeout.Seconds()))
}
